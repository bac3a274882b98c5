// What carries a tunnel's connections: a signed-in SSH session over a connected stream, by the library or by
// the system's ssh program. Knows no listeners, no reconnecting and no cloud.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "net/ssh.h"
#include "net/ssh_loop.h"

namespace nbform {

struct SshSettings {
  std::string user;
  std::vector<std::string> key_files;
  std::string agent_socket;                          // "" = no agent
  std::vector<std::pair<std::string, int>> targets;  // all that carry() may name
  std::vector<std::string> host_key_types;           // that may be shown, preferred first; empty = any
  Duration handshake_limit = std::chrono::seconds(15);
  Duration keep_alive = std::chrono::seconds(10);  // three of them without a word end the session
};

// What a transport asks and tells, always from step(). What it asks is answered at once or later.
struct SshCalls {
  std::function<void(const HostKey&, std::function<void(Result<>)>)> verify;
  // The passphrase of a key file; `attempt` counts from 1. An error: no more attempts with this key.
  std::function<void(const std::string& path, int attempt, std::function<void(Result<Secret>)>)> passphrase;
  std::function<void()> connected;
  // The end: the attempt failed, or the session was lost. The transport may be destroyed here.
  std::function<void(SshFailure)> ended;
  // One connection could not be made; all others go on. `target` as given to carry().
  std::function<void(SshFailure, const std::string& target)> turned_away;
};

class SshTransport {
 public:
  virtual ~SshTransport() = default;  // cuts what it carries
  // Takes a local connection to host:port as seen by the machine. Only once connected.
  virtual void carry(Descriptor near, const std::string& host, int port) = 0;
  virtual std::size_t carried() const = 0;
  // Runs a command without input; what it prints, at most 256 KiB of it, is "" where the server runs none.
  // `done` is not called when the session ends first. Only once connected.
  virtual void run(const std::string& command, std::function<void(std::string output)> done) = 0;
};

// Over libssh2. `socket` is a connected stream of any sort.
std::unique_ptr<SshTransport> start_ssh_library(Env& env, Descriptor socket, SshSettings settings,
                                                SshCalls calls);
// Over the system's ssh: signs with whatever key the user has, and knows the algorithms that the library
// lacks.
std::unique_ptr<SshTransport> start_ssh_program(Env& env, Descriptor socket, SshSettings settings,
                                                SshCalls calls);

// A connection that the machine would not make: target_refused or forwarding_forbidden.
SshFailure connection_refused(SshProblem problem, const std::string& says);

}  // namespace nbform
