// What ssh needs to know of a notebook besides its address: the login, the port and the keys, from the
// manifest, the image and the user's own files. Knows no connection.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "connect/key_install.h"
#include "connect/machine_stream.h"
#include "connect/ssh_config.h"

namespace nbform::cli {

struct SshTarget {
  const SshAccess* access = nullptr;
  std::string user;
  int port = 22;
  std::vector<std::string> key_files;  // private ones that exist, in the order to be offered
  bool only_these_keys = false;        // not the agent's
  bool opens_way = false;              // through the firewall, for as long as it is connected
};
// What is to be seen to before anybody signs in with these.
KeyWishes key_wishes(Env& env, const Notebook& notebook, const SshTarget& target);
// The target with what came of it: the machine has one of the keys, or was given one, which is said. A key
// let in `now` is given a moment to arrive. Errors: denied names the permission; cancelled.
Result<SshTarget> seen_to_key(Session& session, const Notebook& notebook, const Live& machine,
                              SshTarget target, KeyInstaller::When when);

// The notebook of that name where its machine is one that is reached by SSH. Errors: usage, unsupported.
Result<const Notebook*> notebook_with_ssh(const Session& session, const std::string& name);
// The same, and not in the sandbox (unsupported), where nobody answers.
Result<const Notebook*> reachable_notebook(const Session& session, const std::string& name);

// `identities`: key files that the user named; they alone count then. Errors: usage, for an unknown login.
Result<SshTarget> ssh_target(Env& env, const Notebook& notebook, const Live& machine,
                             const std::vector<std::string>& identities);

// The machine as ssh's configuration describes it, without `stream`. `when` a key is let in: `later` is up to
// `connect --stdio`. `keys_limit`: how long
// host keys that a boot has yet to write are waited for. Errors: also denied, where no host key is known.
Result<SshHost> ssh_host(Session& session, const Notebook& notebook, const Live& machine,
                         const std::vector<std::string>& identities, Duration keys_limit,
                         KeyInstaller::When when);

// `nbform connect --stdio` for that machine, by absolute paths: ssh runs it from anywhere. Errors: usage, for
// variables that it would not have.
Result<std::vector<std::string>> stream_command(Session& session, const SshHost& host);

}  // namespace nbform::cli
