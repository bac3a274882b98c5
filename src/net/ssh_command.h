// How the system's ssh is started for a tunnel: its words, and the scripts by which it asks us back. Pure,
// but for Desk. Knows no loop and no process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/ssh_transport.h"

namespace nbform {

// A private directory: scripts, the pipes they speak through, the sockets of the forwards. Gone with its
// owner.
class Desk {
 public:
  explicit Desk(Env& env);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  bool usable() const { return !root_.empty(); }
  std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }
  // Both ends of a named pipe: what is written waits for its reader.
  Descriptor pipe(std::string_view name) const;
  bool write_script(std::string_view name, const std::string& text) const;

 private:
  std::string root_;
};

// Names on the desk.
inline constexpr std::string_view kKeyShown = "key-shown", kKeyVerdict = "key-verdict";
inline constexpr std::string_view kAsked = "asked", kAnswer = "answer";
inline constexpr std::string_view kControl = "control";
inline constexpr std::string_view kHostKeyScript = "host-key", kAskScript = "ask";

// What ssh prints when it has signed in and listens.
inline constexpr std::string_view kSshReady = "nbform-ready";
// The name that the machine goes by in what is answered to the host key script.
inline constexpr std::string_view kSshAlias = "nbform";

// ssh shows the host key through it, with its type, and takes what it prints for the only known key.
std::string host_key_script(const Desk& desk);
// ssh asks for a passphrase through it.
std::string ask_script(const Desk& desk);
// The key file that a question of ssh is about; "" where it is about something else.
std::string key_file_in(std::string_view question);
// To the machine through a port of our loopback; target i listens at the desk's "target<i>". None of the
// user's configuration counts, and nothing of this is secret.
std::vector<std::string> ssh_command(const Desk& desk, const SshSettings& settings, int bridge_port);
// A command over the connection that ssh_command() made, and over no other.
std::vector<std::string> ssh_again(const Desk& desk, const std::string& command);
std::string target_name(std::size_t i);

}  // namespace nbform
