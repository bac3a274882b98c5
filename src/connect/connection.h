// Connection: from a live machine to a Jupyter that answers on this computer's loopback, and for as long as
// it is wanted. Finds the machine's address and host keys through the cloud's API before every attempt, so
// that a restart, a preemption or a new address only interrupts. Knows no screen, no browser, no manifest
// file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/ssh_access.h"
#include "connect/caller_opening.h"
#include "connect/host_keys.h"
#include "connect/jupyter.h"
#include "connect/key_install.h"
#include "connect/machine_stream.h"
#include "engine/wire.h"
#include "net/tunnel.h"

namespace nbform {

struct ConnectSettings {
  std::string notebook;
  const SshAccess* access = nullptr;
  Live machine;  // as last read
  KeyWishes keys;
  int ssh_port = 22;
  std::string stack;       // its label
  bool opens_way = false;  // lets the caller in through the firewall, see CallerOpening
  std::string agent_socket;
  std::vector<TunnelForward> forwards;           // Jupyter's first
  bool jupyter_port_fixed = false;               // it is looked for at no other port
  bool for_colab = false;                        // Jupyter must let Colab's pages call it
  std::string known_machines;                    // path of the file
  bool accept_new_host_key = false;              // where the cloud shows none
  Duration patience = std::chrono::minutes(10);  // for a machine, sshd and Jupyter that are still starting
};

// What a person is shown. A stage is first `waiting`, with what for, and then done.
struct ConnectEvent {
  enum class What {
    machine,
    opening,
    host_key,
    key,
    way,
    ssh,
    jupyter,
    colab,
    notice,
    lost,
    retry,
    failed
  } what = What::machine;
  bool done = false;
  std::string text;
  Diagnostic why;     // lost, retry, failed
  Duration pause{0};  // retry: until the next attempt
};

class Connection {
 public:
  using OnEvent = std::function<void(const ConnectEvent&)>;
  // Asked before an encrypted key file is used; see TunnelCalls::passphrase.
  using AskPassphrase = decltype(TunnelCalls::passphrase);

  // Listens at once, everything else comes with Env::step(). exists: a fixed local port is taken.
  static Result<std::unique_ptr<Connection>> open(Env& env, Wire& wire, ConnectSettings settings,
                                                  OnEvent on_event, AskPassphrase ask_passphrase);

  bool ready() const { return ready_; }                        // Jupyter answers now
  std::vector<int> ports() const { return tunnel_->ports(); }  // once ready
  const FoundJupyter& jupyter() const { return jupyter_; }     // once ready
  // Ends it, and takes away what was opened for it. `done` gets what went wrong with that.
  void close(CallerOpening::Done done);

 private:
  using FoundAddress = std::function<void(Result<TunnelAddress>)>;
  Connection(Env& env, Wire& wire, ConnectSettings settings, OnEvent on_event);

  Result<> open_tunnel();
  void find_address(FoundAddress done);
  void judge_machine(Result<std::optional<Live>> answer, FoundAddress done);
  void wait_for_machine(const std::string& why, FoundAddress done);
  bool may_wait();  // for what is still starting, or comes back
  void open_way(FoundAddress done);
  void find_keys(FoundAddress done);
  void judge_keys(Result<FoundHostKeys> found, const FoundAddress& done);
  void expect(std::vector<HostKey> keys, const std::string& from);
  void see_to_key(const FoundAddress& done);
  void sign_in_as(SignInAs who);
  void give_address(const FoundAddress& done);
  void give_stream(const FoundAddress& done);
  Result<> verify(const HostKey& shown);
  bool keys_may_be_late(const SshFailure& failure) const;
  void sign_in_later();
  Diagnostic with_remedy(const SshFailure& failure) const;
  void on_tunnel(const TunnelEvent& event);
  void look_for_jupyter();
  void look_elsewhere(int port);
  void on_jupyter(FoundJupyter found);
  void no_jupyter(const std::string& why);
  void ask_for_colab();
  void become_ready() { was_ready_ = ready_ = true; }

  void tell(ConnectEvent::What what, bool done, std::string text);
  void fail(Diagnostic why);
  std::string id() const { return settings_.access->machine_id(settings_.machine); }

  Env& env_;
  Wire& wire_;
  ConnectSettings settings_;
  OnEvent on_event_;
  AskPassphrase ask_passphrase_;
  HostKeyFinder finder_;
  std::unique_ptr<CallerOpening> opening_;
  KeyInstaller installer_;
  SignInAs who_;
  std::optional<Time> let_in_;          // when a key was, last
  std::unique_ptr<MachineStream> way_;  // none: by the public address
  std::unique_ptr<Tunnel> tunnel_;
  std::unique_ptr<JupyterSearch> search_;
  FoundJupyter jupyter_;
  Lifeline lifeline_;
  Time began_;  // this attempt to be ready
  bool was_ready_ = false, ready_ = false;
  std::vector<HostKey> expected_;  // of `expected_of_`
  std::string expected_of_;
  ConnectEvent said_;  // the last stage told, so that nothing is told twice
};

}  // namespace nbform
