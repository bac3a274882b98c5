#include "net/tunnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "net/ssh_relay.h"
#include "net/ssh_socket.h"
#include "net/ssh_transport.h"

namespace nbform {

namespace {

using What = TunnelEvent::What;
using Via = TunnelSettings::Via;

constexpr std::size_t kHeld = 256;                       // connections that wait for a reconnection
constexpr Duration kSettled = std::chrono::seconds(10);  // a connection that lasted so long was a good one
constexpr Duration kBreath = std::chrono::milliseconds(100);  // when descriptors have run out

std::string place(const TunnelAddress& at) {
  return at.stream ? at.host : fmt::format("{}:{}", at.host, at.port);
}

struct Port {
  Port(Env& env, TunnelForward what, Listener where) : forward(std::move(what)), listener(std::move(where)) {
    for (std::size_t i = 0; i < listener.sockets.size(); ++i) watches.push_back(std::make_unique<Watch>(env));
  }
  TunnelForward forward;
  Listener listener;
  std::vector<std::unique_ptr<Watch>> watches;
};

Result<Listener> listen_for(const TunnelForward& forward) {
  std::optional<Diagnostic> problem;
  for (int port : local_ports(forward)) {
    auto listener = listen_on_loopback(port);
    if (listener.ok()) return listener;
    problem = listener.error();
    if (problem->code != Code::exists && problem->code != Code::denied) break;
  }
  return *problem;
}

}  // namespace

class Tunnel::Machine {
 public:
  Machine(Env& env, TunnelSettings settings, TunnelCalls calls)
      : env_(env),
        settings_(std::move(settings)),
        calls_(std::move(calls)),
        begun_(env.now()),
        telling_(env),
        next_(env),
        holding_(env),
        breath_(env) {}

  Result<> listen();
  void attempt();
  std::vector<int> ports() const {
    std::vector<int> out;
    for (const auto& port : ports_) out.push_back(port->listener.port);
    return out;
  }
  bool connected() const { return connected_at_.has_value(); }
  std::size_t connections() const { return held_.size() + (transport_ ? transport_->carried() : 0); }
  void run(const std::string& command, std::function<void(std::string)> done) {
    if (connected()) transport_->run(command, std::move(done));
  }
  void aim(std::size_t forward, int port);

 private:
  struct Held {
    Descriptor near;
    const TunnelForward* forward;
    Time until;
  };

  void tell(TunnelEvent event);
  void tell_next();
  void accept_all(Port& port, int listener);
  void take(Descriptor near, const TunnelForward& forward);
  void expire();
  void listen_again(bool on);
  void reach(TunnelAddress address);
  void talk(Descriptor socket);
  void on_connected();
  void on_ended(SshFailure failure);
  bool another_way(const SshFailure& failure);
  bool worth_retrying(const SshFailure& failure) const;
  void fail(SshFailure failure);
  SshSettings ssh_settings() const;
  SshCalls ssh_calls();
  void verify(const HostKey& key, std::function<void(Result<>)> done);

  Env& env_;
  TunnelSettings settings_;
  TunnelCalls calls_;
  Time begun_;
  std::string place_;
  std::vector<std::string> host_key_types_;  // of this attempt
  std::vector<std::unique_ptr<Port>> ports_;
  std::deque<Held> held_;
  std::deque<TunnelEvent> untold_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<SshTransport> transport_;
  std::optional<Time> connected_at_;
  int attempts_ = 0;
  std::vector<HostKey> trusted_;
  bool was_connected_ = false, over_ = false;
  Backoff backoff_;
  Alarm telling_, next_, holding_, breath_;
  Lifeline lifeline_;
};

// ---- telling
// ------------------------------------------------------------------------------------------------

// From a step of its own, as the listener may destroy us.
void Tunnel::Machine::tell(TunnelEvent event) {
  untold_.push_back(std::move(event));
  if (!telling_.is_set()) telling_.set(Duration(0), [this] { tell_next(); });
}

void Tunnel::Machine::tell_next() {
  TunnelEvent event = std::move(untold_.front());
  untold_.pop_front();
  if (!untold_.empty()) telling_.set(Duration(0), [this] { tell_next(); });
  auto fn = calls_.on_event;
  if (fn) fn(event);  // `this` may be gone now
}

// ---- local connections
// --------------------------------------------------------------------------------------

Result<> Tunnel::Machine::listen() {
  for (const TunnelForward& forward : settings_.forwards) {
    Listener listener = NB_TRY(listen_for(forward));
    ports_.push_back(std::make_unique<Port>(env_, forward, std::move(listener)));
  }
  listen_again(true);
  return Ok();
}

void Tunnel::Machine::listen_again(bool on) {
  for (auto& port : ports_)
    for (std::size_t i = 0; i < port->watches.size(); ++i) {
      const int fd = port->listener.sockets[i].get();
      if (on)
        port->watches[i]->begin(fd, {.read = true},
                                [this, at = port.get(), fd](Readiness) { accept_all(*at, fd); });
      else
        port->watches[i]->end();
    }
}

void Tunnel::Machine::accept_all(Port& port, int listener) {
  bool exhausted = false;
  while (Descriptor near = accept_one(listener, exhausted)) take(std::move(near), port.forward);
  if (!exhausted) return;
  listen_again(false);
  breath_.set(kBreath, [this] { listen_again(true); });
}

void Tunnel::Machine::take(Descriptor near, const TunnelForward& forward) {
  if (connected()) return transport_->carry(std::move(near), forward.host, forward.port);
  if (over_ || held_.size() >= kHeld) return reset_connection(std::move(near));
  held_.push_back({std::move(near), &forward, env_.now() + settings_.hold});
  if (!holding_.is_set()) holding_.set(settings_.hold, [this] { expire(); });
}

void Tunnel::Machine::expire() {
  while (!held_.empty() && (over_ || held_.front().until <= env_.now())) {
    reset_connection(std::move(held_.front().near));
    held_.pop_front();
  }
  if (!held_.empty()) holding_.set(std::max(held_.front().until - env_.now(), kBreath), [this] { expire(); });
}

// ---- the connection

void Tunnel::Machine::attempt() {
  transport_.reset();
  connecting_.reset();
  calls_.address(lifeline_.guard([this, nth = ++attempts_](Result<TunnelAddress> address) {
    if (over_ || nth != attempts_ || connecting_ || transport_) return;  // answered twice, or too late
    if (!address.ok()) return fail({SshProblem::unreachable, std::move(address).error()});
    reach(std::move(address).value());
  }));
}

void Tunnel::Machine::reach(TunnelAddress address) {
  place_ = place(address);
  host_key_types_ = std::move(address.host_key_types);
  if (!address.user.empty()) settings_.user = std::move(address.user);
  if (!address.key_files.empty()) settings_.key_files = std::move(address.key_files);
  tell({.what = What::connecting, .text = place_});
  if (address.trouble) return on_ended(std::move(*address.trouble));
  if (address.stream) return talk(std::move(address.stream));
  connecting_ = std::make_unique<Connecting>(env_, address.host, address.port, settings_.handshake_limit,
                                             [this](Connecting::Outcome outcome) {
                                               if (outcome.socket) return talk(std::move(outcome.socket));
                                               on_ended(std::move(outcome.failure));
                                             });
}

void Tunnel::Machine::talk(Descriptor socket) {
  auto* start = settings_.via == Via::program ? start_ssh_program : start_ssh_library;
  transport_ = start(env_, std::move(socket), ssh_settings(), ssh_calls());
}

SshSettings Tunnel::Machine::ssh_settings() const {
  SshSettings out = {.user = settings_.user,
                     .key_files = settings_.key_files,
                     .agent_socket = settings_.agent_socket,
                     .host_key_types = host_key_types_,
                     .handshake_limit = settings_.handshake_limit,
                     .keep_alive = settings_.keep_alive};
  for (const TunnelForward& forward : settings_.forwards) {
    const std::pair target(forward.host, forward.port);
    if (std::find(out.targets.begin(), out.targets.end(), target) == out.targets.end())
      out.targets.push_back(target);
  }
  return out;
}

SshCalls Tunnel::Machine::ssh_calls() {
  return {.verify = [this](const HostKey& key, auto done) { verify(key, std::move(done)); },
          .passphrase = calls_.passphrase,
          .connected = [this] { on_connected(); },
          .ended = [this](SshFailure failure) { on_ended(std::move(failure)); },
          .turned_away =
              [this](SshFailure failure, const std::string& target) {
                tell({.what = What::turned_away, .text = target, .failure = std::move(failure)});
              }};
}

void Tunnel::Machine::on_connected() {
  connected_at_ = env_.now();
  was_connected_ = true;
  tell({.what = What::connected, .text = place_});
  holding_.cancel();
  for (Held& held : std::exchange(held_, {}))
    transport_->carry(std::move(held.near), held.forward->host, held.forward->port);
}

void Tunnel::Machine::on_ended(SshFailure failure) {
  transport_.reset();
  connecting_.reset();
  if (connected_at_) {
    tell({.what = What::lost, .text = place_, .failure = failure});
    if (env_.now() - *connected_at_ >= kSettled) backoff_.reset();
    connected_at_.reset();
  }
  if (another_way(failure)) return;
  if (!worth_retrying(failure)) return fail(std::move(failure));
  const Duration pause = backoff_.next(env_.random(1000));
  tell({.what = What::waiting, .failure = std::move(failure), .pause = pause});
  next_.set(pause, [this] { attempt(); });
}

// The system's ssh was told of its targets when it began.
void Tunnel::Machine::aim(std::size_t forward, int port) {
  settings_.forwards.at(forward).port = ports_.at(forward)->forward.port = port;
  if (!connected() || settings_.via != Via::program) return;
  transport_.reset();
  connected_at_.reset();
  next_.set(Duration(0), [this] { attempt(); });
}

// What the library cannot do, the user's own ssh may.
bool Tunnel::Machine::another_way(const SshFailure& failure) {
  const bool beyond =
      failure.problem == SshProblem::needs_system_ssh || failure.problem == SshProblem::no_common_algorithm;
  if (!beyond || settings_.via != Via::either) return false;
  settings_.via = Via::program;
  tell({.what = What::via_program, .text = place_, .failure = failure});
  next_.set(Duration(0), [this] { attempt(); });
  return true;
}

// A key that was trusted is not asked about again: it is the same machine, whatever its address.
void Tunnel::Machine::verify(const HostKey& key, std::function<void(Result<>)> done) {
  if (std::find(trusted_.begin(), trusted_.end(), key) != trusted_.end()) return done(Ok());
  calls_.verify(key, lifeline_.guard([this, key, done = std::move(done)](Result<> verdict) {
    if (verdict.ok()) trusted_.push_back(key);
    done(std::move(verdict));
  }));
}

bool Tunnel::Machine::worth_retrying(const SshFailure& failure) const {
  if (!passes_by_itself(failure.problem)) return false;
  return was_connected_ || env_.now() - begun_ < settings_.patience;
}

void Tunnel::Machine::fail(SshFailure failure) {
  over_ = true;
  expire();
  tell({.what = What::failed, .text = place_, .failure = std::move(failure)});
}

// ---- Tunnel
// -------------------------------------------------------------------------------------------------

Tunnel::Tunnel(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Tunnel::~Tunnel() = default;

Result<std::unique_ptr<Tunnel>> Tunnel::open(Env& env, TunnelSettings settings, TunnelCalls calls) {
  auto machine = std::make_unique<Machine>(env, std::move(settings), std::move(calls));
  NB_TRY(machine->listen());
  machine->attempt();
  return std::unique_ptr<Tunnel>(new Tunnel(std::move(machine)));
}

std::vector<int> Tunnel::ports() const {
  return machine_->ports();
}
bool Tunnel::connected() const {
  return machine_->connected();
}
std::size_t Tunnel::connections() const {
  return machine_->connections();
}
void Tunnel::run(const std::string& command, std::function<void(std::string)> done) {
  machine_->run(command, std::move(done));
}
void Tunnel::aim(std::size_t forward, int port) {
  machine_->aim(forward, port);
}

}  // namespace nbform
