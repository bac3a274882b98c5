// An SSH session of libssh2 over an SshWire: handshake, sign-in, channels. ssh_session.cc is the only file
// that knows libssh2. Nothing waits: what says `again` is called again, with the same arguments, once the
// wire has received something. Knows no loop, no policy about keys, no reconnecting.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "net/ssh.h"
#include "net/ssh_relay.h"
#include "net/ssh_wire.h"

namespace nbform {

struct AgentKey {
  std::string blob, comment;
};

class SshSession {
 public:
  enum class Progress { done, again, failed };
  // What a failure is about; all but `channel_*`, `key` and `auth` end the session.
  enum class Trouble { none, banner, algorithms, key, auth, channel_forbidden, channel_refused, broken };

  // `host_key_types`: those that may be shown, the preferred one first; empty: all that the library has.
  SshSession(SshWire& wire, const std::vector<std::string>& host_key_types);
  ~SshSession();  // cuts the wire
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  Progress handshake();
  HostKey host_key() const;  // after the handshake

  // Asks what the server takes; it may let in without anything.
  Progress ask_methods(const std::string& user);
  bool signed_in() const;
  const std::vector<std::string>& methods() const { return methods_; }
  // `key`: the text of a private key file.
  Progress sign_in(const std::string& user, const Secret& key, const Secret& passphrase);
  // Keys of the agent at a socket; waits for the agent's answer. Empty: no agent, or none in it.
  std::vector<AgentKey> agent_keys(const std::string& socket);
  Progress sign_in_with_agent(const std::string& user, std::size_t index);

  // One at a time. `origin` is the port of the local connection.
  Progress open_forward(const std::string& host, int port, int origin);
  // A command's output and its end come out of the channel.
  Progress open_command(const std::string& command);
  std::unique_ptr<FarEnd> take_channel();  // what open_forward() or open_command() made
  // A channel that carries nothing: reading it is how the session answers the server while no other is open.
  Progress open_pump();
  void pump();
  void keep_alive();
  // Ends channels that nobody holds any more, as far as that goes now.
  void tidy();
  void say_goodbye();

  Trouble trouble() const { return trouble_; }
  const std::string& trouble_text() const { return trouble_text_; }
  const std::string& last_words() const;  // what the server said when it hung up; "" = nothing

 private:
  struct Library;
  class Channel;
  Progress progress(int code);

  std::unique_ptr<Library> lib_;
  std::vector<std::string> methods_;
  Trouble trouble_ = Trouble::none;
  std::string trouble_text_;
};

// Whether the library can sign with this type of key so that today's servers take it.
bool library_signs_with(const std::string& key_type);

}  // namespace nbform
