// What OpenSSH is told about a notebook's machine, as a Host block of its configuration or as options of one
// command: whatever ssh, scp or an editor then does, only the verified host key counts, and a new address
// changes nothing. Pure. Knows no cloud and no file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nbform {

struct SshHost {
  std::string notebook;            // its key
  std::vector<std::string> names;  // by which ssh is called: "nbform-train"
  std::string address;             // "" where there is none now
  std::string user;
  int port = 22;
  std::vector<std::string> key_files;  // private ones
  bool only_these_keys = false;        // not the agent's
  bool opens_way = false;              // through the firewall, while it is connected
  std::string machine_id;              // under which the known-hosts file has its keys
  std::string known_hosts;             // absolute
  std::vector<std::string> stream;  // the command that connects its output and input to sshd; none: ssh may
                                    // go to the address itself
};

// Keywords of ssh_config(5) with their values as that file writes them. Errors (usage): a path that it cannot
// express.
using SshKeywords = std::vector<std::pair<std::string, std::string>>;
Result<SshKeywords> ssh_keywords(const SshHost& host);

// "# notebook train", the Host line and its settings.
Result<std::string> host_block(const SshHost& host);
// The blocks of a file that was made of them, by notebook.
std::map<std::string, std::string> blocks_in(std::string_view file);
// The names after `Host`, of every block.
std::vector<std::string> hosts_in(std::string_view file);

// For a shell: 'as it is', where it is more than a plain word.
std::string shell_quoted(std::string_view word);

}  // namespace nbform
