#include "connect/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "connect/colab.h"
#include "connect/machine_stream.h"
#include "engine/refresh.h"
#include "net/retry.h"

namespace nbform {

namespace {

constexpr Duration kPollMachine = std::chrono::seconds(3);
constexpr Duration kUsersAfterBoot = std::chrono::minutes(1);

std::string fingerprints(const std::vector<HostKey>& keys) {
  std::vector<std::string> out;
  for (const HostKey& key : keys) out.push_back(fmt::format("{} {}", key.type, key.fingerprint()));
  return join(out, "\n    ");
}

// What the machine is asked to show is what is known of it; the newest sort of key first.
std::vector<std::string> types_of(const std::vector<HostKey>& keys) {
  std::vector<std::string> out;
  for (std::string_view sort : {"ssh-ed25519", "ecdsa-", "ssh-rsa"})
    for (const HostKey& key : keys)
      if (key.type.starts_with(sort)) out.push_back(key.type);
  return out;
}

}  // namespace

Connection::Connection(Env& env, Wire& wire, ConnectSettings settings, OnEvent on_event)
    : env_(env),
      wire_(wire),
      settings_(std::move(settings)),
      on_event_(std::move(on_event)),
      finder_(env, wire, *settings_.access, settings_.known_machines),
      installer_(env, wire, settings_.keys),
      who_{.user = settings_.keys.user, .key_files = settings_.keys.key_files},
      began_(env.now()) {
  if (settings_.opens_way)
    opening_ = std::make_unique<CallerOpening>(env, wire, settings_.access->openings(), settings_.stack,
                                               settings_.notebook, settings_.ssh_port);
}

Result<std::unique_ptr<Connection>> Connection::open(Env& env, Wire& wire, ConnectSettings settings,
                                                     OnEvent on_event, AskPassphrase ask_passphrase) {
  std::unique_ptr<Connection> made(new Connection(env, wire, std::move(settings), std::move(on_event)));
  made->ask_passphrase_ = std::move(ask_passphrase);
  NB_TRY(made->open_tunnel());
  return made;
}

Result<> Connection::open_tunnel() {
  TunnelSettings tunnel;
  tunnel.user = who_.user;
  tunnel.key_files = who_.key_files;
  tunnel.agent_socket = settings_.agent_socket;
  tunnel.forwards = settings_.forwards;
  tunnel.patience = settings_.patience;
  TunnelCalls calls;
  calls.address = [this](FoundAddress done) { find_address(std::move(done)); };
  calls.verify = [this](const HostKey& shown, std::function<void(Result<>)> done) { done(verify(shown)); };
  calls.passphrase = ask_passphrase_;
  calls.on_event = [this](const TunnelEvent& event) { on_tunnel(event); };
  search_.reset();
  tunnel_.reset();
  tunnel_ = NB_TRY(Tunnel::open(env_, std::move(tunnel), std::move(calls)));
  return Ok{};
}

void Connection::tell(ConnectEvent::What what, bool done, std::string text) {
  if (said_.what == what && said_.done == done && said_.text == text) return;
  said_ = ConnectEvent{what, done, std::move(text), {}, {}};
  on_event_(said_);
}

void Connection::fail(Diagnostic why) {
  ready_ = false;
  on_event_(ConnectEvent{ConnectEvent::What::failed, true, "", std::move(why), {}});
}

// The machine

void Connection::find_address(FoundAddress done) {
  const Live& machine = settings_.machine;
  read_live(wire_, *machine.kind, machine.scope, machine.zone, machine.name,
            lifeline_.guard([this, done](Result<std::optional<Live>> answer) {
              judge_machine(std::move(answer), done);
            }));
}

void Connection::judge_machine(Result<std::optional<Live>> answer, FoundAddress done) {
  if (!answer.ok() && was_ready_ && is_transient(answer.error().code))
    return wait_for_machine(answer.error().summary, std::move(done));
  if (!answer.ok()) return done(std::move(answer).error());
  if (!answer->has_value())
    return done(
        error(Code::not_found, "The machine is gone", fmt::format("{} was deleted.", settings_.machine.id))
            .of(settings_.notebook)
            .with_hint("See what is left, and make it again:\n    nbform plan"));
  settings_.machine = std::move(**answer);
  const Health& health = settings_.machine.health;
  if (health.state == Health::State::stopped && !was_ready_)
    return done(error(Code::unavailable, "The notebook is stopped",
                      fmt::format("{} is not running.", settings_.notebook))
                    .of(settings_.notebook)
                    .with_hint(fmt::format("Start it and connect:\n    nbform connect {} --start",
                                           settings_.notebook)));
  if (health.state == Health::State::stopped) return wait_for_machine("stopped", std::move(done));
  if (health.state == Health::State::settling)
    return wait_for_machine(to_lower(health.detail), std::move(done));
  tell(ConnectEvent::What::machine, true, "running");
  open_way(std::move(done));
}

// The firewall

void Connection::open_way(FoundAddress done) {
  if (opening_ == nullptr) return find_keys(std::move(done));
  opening_->ensure(settings_.machine, lifeline_.guard([this, done](Result<std::string> opened) {
    if (!opened.ok() && was_ready_ && is_transient(opened.error().code))
      return wait_for_machine(opened.error().summary, done);
    if (!opened.ok()) return done(std::move(opened).error());
    tell(ConnectEvent::What::opening, true, std::move(*opened));
    find_keys(done);
  }));
}

void Connection::close(CallerOpening::Done done) {
  lifeline_ = Lifeline();  // nothing that was under way goes on
  search_.reset();
  tunnel_.reset();
  way_.reset();
  opening_ != nullptr ? opening_->close(std::move(done)) : done(Ok{});
}

bool Connection::may_wait() {
  return was_ready_ || env_.now() - began_ < settings_.patience;
}

void Connection::wait_for_machine(const std::string& why, FoundAddress done) {
  if (!may_wait())
    return done(
        error(Code::timeout, "The machine does not start",
              fmt::format("{} is still {} after {} minutes.", settings_.notebook, why,
                          std::chrono::duration_cast<std::chrono::minutes>(settings_.patience).count()))
            .of(settings_.notebook));
  tell(ConnectEvent::What::machine, false, why.empty() ? "starting" : why);
  env_.after(kPollMachine, lifeline_.guard([this, done] { find_address(done); }));
}

// Its host keys

void Connection::find_keys(FoundAddress done) {
  if (!expected_.empty() && expected_of_ == id()) return see_to_key(done);
  expected_.clear();  // those of another machine, where there are any
  finder_.find(
      settings_.machine, began_ + settings_.patience,
      [this] { tell(ConnectEvent::What::host_key, false, "not written yet"); },
      lifeline_.guard([this, done](Result<FoundHostKeys> found) { judge_keys(std::move(found), done); }));
}

void Connection::judge_keys(Result<FoundHostKeys> found, const FoundAddress& done) {
  if (!found.ok()) return done(std::move(found).error());
  if (!found->keys.empty()) {
    expect(std::move(found->keys), found->from);
  } else if (!settings_.accept_new_host_key) {
    return done(no_host_key(settings_.notebook, found->reasons));
  }
  see_to_key(done);
}

void Connection::expect(std::vector<HostKey> keys, const std::string& from) {
  expected_ = std::move(keys);
  expected_of_ = id();
  tell(ConnectEvent::What::host_key, true, from);
}

// The key

void Connection::see_to_key(const FoundAddress& done) {
  installer_.see_to(settings_.machine, KeyInstaller::When::now,
                    lifeline_.guard([this, done](Result<SignInAs> who) {
                      if (!who.ok() && was_ready_ && is_transient(who.error().code))
                        return wait_for_machine(who.error().summary, done);
                      if (!who.ok()) return done(std::move(who).error());
                      sign_in_as(std::move(*who));
                      give_address(done);
                    }));
}

void Connection::sign_in_as(SignInAs who) {
  who_ = std::move(who);
  if (!who_.fresh) return;
  let_in_ = env_.now();
  if (!who_.said.empty()) tell(ConnectEvent::What::key, true, who_.said);
  for (const std::string& notice : who_.notices) tell(ConnectEvent::What::notice, true, notice);
}

void Connection::give_address(const FoundAddress& done) {
  way_.reset();
  if (goes_by_relay(*settings_.access, settings_.machine)) return give_stream(done);
  std::string address = settings_.access->address(settings_.machine);
  if (address.empty()) return done(no_way_in(settings_.notebook));
  TunnelAddress found;
  found.host = std::move(address);
  found.port = settings_.ssh_port;
  found.user = who_.user;
  found.key_files = who_.key_files;
  found.host_key_types = types_of(expected_);
  done(std::move(found));
}

void Connection::give_stream(const FoundAddress& done) {
  auto given = [this, done](TunnelAddress found) {
    found.host = fmt::format("{}, through IAP", settings_.machine.name);
    found.user = who_.user;
    found.key_files = who_.key_files;
    done(std::move(found));
  };
  MachineStreamCalls calls;
  calls.connected = [this, given](Descriptor stream) {
    tell(ConnectEvent::What::way, true, "IAP, as there is no public address");
    given({.stream = std::move(stream), .host_key_types = types_of(expected_)});
  };
  calls.failed = [this, given, done](Diagnostic why) {
    why.address = settings_.notebook;
    const bool passes = why.code == Code::unavailable || why.code == Code::timeout;
    if (!passes) return done(std::move(why));
    given({.trouble = SshFailure{SshProblem::unreachable, std::move(why)}});
  };
  calls.notice = [this](std::string text) { tell(ConnectEvent::What::notice, true, std::move(text)); };
  way_ = std::make_unique<MachineStream>(env_, wire_, *settings_.access, settings_.machine,
                                         settings_.ssh_port, settings_.notebook, std::move(calls));
}

Result<> Connection::verify(const HostKey& shown) {
  if (std::find(expected_.begin(), expected_.end(), shown) != expected_.end()) return Ok{};
  if (expected_.empty() && settings_.accept_new_host_key) {
    expect({shown}, fmt::format("accepted: {} {}", shown.type, shown.fingerprint()));
    return finder_.known().remember(id(), {shown});
  }
  return error(Code::denied, "It is not the machine that answers",
               fmt::format("It shows the host key\n    {} {}\nand {} has\n    {}", shown.type,
                           shown.fingerprint(), settings_.notebook, fingerprints(expected_)))
      .of(settings_.notebook)
      .with_hint(
          fmt::format("Somebody may be in between. If its host keys were made anew, remove the lines of\n"
                      "{} from {}.",
                      id(), finder_.known().path()));
}

// The tunnel

// A boot starts sshd before the guest agent has written who may sign in, and a key that was let in a moment
// ago gets to the machine in a moment.
bool Connection::keys_may_be_late(const SshFailure& failure) const {
  auto is_recent = [this](const std::optional<Time>& when) {
    return when && env_.now() - *when < kUsersAfterBoot;
  };
  return failure.problem == SshProblem::auth_refused &&
         ((!was_ready_ && is_recent(settings_.machine.health.started)) || is_recent(let_in_));
}

void Connection::sign_in_later() {
  tell(ConnectEvent::What::ssh, false, "the machine knows none of the keys yet");
  const std::vector<int> ports = tunnel_->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) settings_.forwards[i].local = ports[i];
  env_.after(kPollMachine, lifeline_.guard([this] {
    if (auto opened = open_tunnel(); !opened.ok()) fail(std::move(opened).error());
  }));
}

Diagnostic Connection::with_remedy(const SshFailure& failure) const {
  Diagnostic why = failure.why;
  if (failure.problem != SshProblem::auth_refused || !why.hint.empty()) return why;
  const KeyWay* way = settings_.access->key_way(settings_.machine);
  if (who_.by_cloud && way != nullptr)
    why.hint = fmt::format("{} decides who may sign in. It takes {}.", way->name(), way->takes());
  else
    why.hint = fmt::format(
        "Let one of them in:\n    access: {{ssh: {{keys: [KEY.pub]}}}}\n"
        "    nbform apply --target {0}\nAnother key: nbform connect {0} -i FILE",
        settings_.notebook);
  return why;
}

void Connection::on_tunnel(const TunnelEvent& event) {
  using What = ConnectEvent::What;
  switch (event.what) {
    case TunnelEvent::What::connecting:
      return;  // its end is told in a moment
    case TunnelEvent::What::connected:
      tell(What::ssh, true, fmt::format("{}@{}", who_.user, event.text));
      return look_for_jupyter();
    case TunnelEvent::What::via_program:
      return tell(What::notice, true, event.failure.why.detail);
    case TunnelEvent::What::turned_away:
      if (event.failure.problem == SshProblem::forwarding_forbidden) return fail(event.failure.why);
      if (was_ready_) tell(What::notice, true, event.failure.why.detail);
      return;
    case TunnelEvent::What::lost:
      ready_ = false;
      search_.reset();
      said_ = ConnectEvent{What::lost, true, "", event.failure.why, {}};
      return on_event_(said_);
    case TunnelEvent::What::waiting:
      said_ = ConnectEvent{What::retry, false, "", event.failure.why, event.pause};
      return on_event_(said_);
    case TunnelEvent::What::failed:
      return keys_may_be_late(event.failure) ? sign_in_later() : fail(with_remedy(event.failure));
  }
}

// Jupyter

void Connection::look_for_jupyter() {
  search_ = std::make_unique<JupyterSearch>(
      env_, *tunnel_, settings_.forwards.front().port, settings_.jupyter_port_fixed,
      JupyterSearch::Calls{[this](FoundJupyter found) { on_jupyter(std::move(found)); },
                           [this](int port) { look_elsewhere(port); },
                           [this](const std::string& why) { no_jupyter(why); }});
}

void Connection::look_elsewhere(int port) {
  settings_.forwards.front().port = port;
  tunnel_->aim(0, port);
  if (tunnel_->connected()) look_for_jupyter();
}

void Connection::on_jupyter(FoundJupyter found) {
  jupyter_ = std::move(found);
  tell(ConnectEvent::What::jupyter, true, "version " + jupyter_.version);
  settings_.for_colab && !was_ready_ ? ask_for_colab() : become_ready();
}

void Connection::ask_for_colab() {
  Request request = colab_preflight(jupyter_.server.url(tunnel_->ports().front(), false));
  env_.send(std::move(request), lifeline_.guard([this](const Result<Response>& answer) {
    if (!tunnel_->connected()) return;  // it is asked again
    if (!answer.ok()) return fail(answer.error());
    if (auto refusal = colab_refusal(*answer)) return fail(std::move(*refusal).of(settings_.notebook));
    tell(ConnectEvent::What::colab, true, "its pages may call Jupyter, with credentials");
    become_ready();
  }));
}

void Connection::no_jupyter(const std::string& why) {
  if (may_wait()) return tell(ConnectEvent::What::jupyter, false, why);
  fail(error(Code::timeout, "Jupyter does not answer",
             fmt::format("{} is reached, but {}.", settings_.notebook, why))
           .of(settings_.notebook)
           .with_hint("Start it there, or say where it listens:\n    access: {jupyter: {port: N}}"));
}

}  // namespace nbform
