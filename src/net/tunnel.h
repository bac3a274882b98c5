// A tunnel from ports of this computer's loopback to ports of a machine, through SSH, on the loop of Env. It
// listens from the start to its end; when the connection is lost it asks for the machine's address, which may
// be a new one, and comes back. Connections that were under way are closed then; new ones wait for a while.
// Knows no cloud, no notebook, no screen: what is trusted and what is shown is the caller's business.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "net/env.h"
#include "net/ssh.h"
#include "net/ssh_loop.h"
#include "net/tunnel_forward.h"

namespace nbform {

// Where the machine's SSH server is: an address, or a stream that is connected to it already (and its name).
struct TunnelAddress {
  std::string host;
  int port = 22;
  Descriptor stream = {};                        // used when open; host and port are for people then
  std::vector<std::string> host_key_types = {};  // whose keys the caller knows, best first; empty = any
  std::optional<SshFailure> trouble = {};        // there is no way to it now
  // Who signs in there, where it is another than the settings say, and with which files, if not with theirs.
  std::string user = {};
  std::vector<std::string> key_files = {};
};

struct TunnelSettings {
  std::string user;
  std::vector<std::string> key_files;  // private ones, in the order to be offered
  std::string agent_socket;            // SSH_AUTH_SOCK; "" = no agent
  std::vector<TunnelForward> forwards;
  enum class Via { either, library, program } via = Via::either;

  Duration handshake_limit = std::chrono::seconds(15);  // each: connect; handshake; sign-in
  Duration keep_alive = std::chrono::seconds(10);       // three of them without a word: lost
  Duration hold = std::chrono::seconds(20);             // a new connection waits so long for a reconnection
  Duration patience{0};  // how long what passes by itself is tried before the first success; 0 = once
};

struct TunnelEvent {
  enum class What {
    connecting,   // `text`: host and port
    connected,    // `text`: host and port
    via_program,  // the system's ssh takes over from the library; `failure` says why
    turned_away,  // one connection; `failure`, and `text` is the target
    lost,         // after connected; `failure`
    waiting,      // `failure`, next attempt in `pause`
    failed        // for good; `failure`
  };
  What what = What::connecting;
  std::string text;
  SshFailure failure;
  Duration pause{0};
};

// What a tunnel asks and tells. All are called from step(); `done` may be called at once or later, and
// calling it when the tunnel is gone does nothing.
struct TunnelCalls {
  // Before every attempt. May take its time (until the machine runs again); an error ends the tunnel.
  std::function<void(std::function<void(Result<TunnelAddress>)> done)> address;
  // Before anything secret is sent; once for each key. An error says why it is not trusted, and ends the
  // tunnel.
  std::function<void(const HostKey&, std::function<void(Result<>)> done)> verify;
  // Of an encrypted key file; `attempt` counts from 1 to 3. An error: this key is passed over.
  std::function<void(const std::string& path, int attempt, std::function<void(Result<Secret>)> done)>
      passphrase;
  // The tunnel may be destroyed here.
  std::function<void(const TunnelEvent&)> on_event;
};

class Tunnel {
 public:
  // Listens at once and connects with the next steps. exists, denied: a fixed port cannot be had.
  static Result<std::unique_ptr<Tunnel>> open(Env& env, TunnelSettings settings, TunnelCalls calls);
  ~Tunnel();  // ends every connection and says goodbye to the server

  // The local port of each forward, in their order.
  std::vector<int> ports() const;
  bool connected() const;
  std::size_t connections() const;  // under way or waiting

  // Runs a command on the machine, see SshTransport::run. Does nothing unless connected.
  void run(const std::string& command, std::function<void(std::string output)> done);
  // New connections of a forward go to another port there. Where that takes a new connection to the machine,
  // it is not connected() for a moment, and then tells so again.
  void aim(std::size_t forward, int port);

  class Machine;  // its insides

 private:
  explicit Tunnel(std::unique_ptr<Machine> machine);
  std::unique_ptr<Machine> machine_;
};

}  // namespace nbform
