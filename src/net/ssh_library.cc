#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <list>

#include "net/ssh_output.h"
#include "net/ssh_session.h"
#include "net/ssh_sign_in.h"
#include "net/ssh_transport.h"

namespace nbform {

namespace {

constexpr int kSilences = 3;  // unanswered keep-alives that mean that nobody is there

using Progress = SshSession::Progress;
using Trouble = SshSession::Trouble;

// The port a local connection comes from: what the server logs.
int origin_of(int fd) {
  sockaddr_in6 address = {};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  const bool inet = address.sin6_family == AF_INET || address.sin6_family == AF_INET6;
  return inet ? ntohs(address.sin6_port) : 0;  // at the same place in both
}

// One session. Everything that the server sends is taken in by serve(); a local socket's readiness moves that
// connection only.
class SshLibrary : public SshTransport {
 public:
  SshLibrary(Env& env, Descriptor socket, SshSettings settings, SshCalls calls)
      : env_(env),
        settings_(std::move(settings)),
        calls_(std::move(calls)),
        wire_(std::move(socket)),
        session_(wire_, settings_.host_key_types),
        watch_(env),
        limit_(env),
        soon_(env),
        verdict_(env),
        pulse_(env) {
    watch_.begin(wire_.fd(), {.read = true}, [this](Readiness is) { on_wire(is); });
    limit_.set(settings_.handshake_limit, [this] { too_late(); });
    go_on_soon();
  }
  ~SshLibrary() override { leave(); }

  void carry(Descriptor near, const std::string& host, int port) override {
    const int origin = origin_of(near.get());
    waiting_.push_back({std::move(near), host, port, origin, ""});
    go_on_soon();
  }
  void run(const std::string& command, std::function<void(std::string)> done) override {
    outputs_.emplace_back();
    auto place = std::prev(outputs_.end());
    auto finish = [this, place, done = std::move(done)](std::string text) {
      auto call = done;
      outputs_.erase(place);  // and with it this
      call(std::move(text));
    };
    auto [output, far] = SshOutput::open(env_, finish);
    if (!far) return finish("");
    *place = std::move(output);
    waiting_.push_back({std::move(far), "", 0, 0, command});
    go_on_soon();
  }
  std::size_t carried() const override { return carried_.size() + waiting_.size(); }

 private:
  enum class Stage { handshake, verify, sign_in, pump, serve, over };
  struct Waiting {
    Descriptor near;
    std::string host;
    int port, origin;
    std::string command;  // else a connection
  };
  struct Carried {
    Carried(Env& env, Descriptor near, std::unique_ptr<FarEnd> far)
        : relay(std::move(near), std::move(far)), watch(env) {}
    Relay relay;
    Watch watch;
  };

  void go_on_soon() {
    soon_.set(Duration(0), [this] { go_on(); });
  }
  void on_wire(Readiness is);
  void go_on();
  bool advance();
  bool shake_hands();
  void verify();
  bool sign_in();
  bool open_pump();
  void begin_serving();
  void serve();
  void open_waiting();
  void turn_away(Waiting connection);
  void add(Waiting connection);
  bool move(Carried& carried, bool near_ready);
  void on_near(Carried& carried, Readiness is);
  void settle();
  void beat();
  void too_late();
  void lose();
  SshFailure lost(std::string detail) const;
  SshFailure handshake_failure() const;
  void end(SshFailure failure);
  void leave();

  Env& env_;
  SshSettings settings_;
  SshCalls calls_;
  SshWire wire_;
  SshSession session_;
  std::unique_ptr<SshSignIn> signing_in_;
  Stage stage_ = Stage::handshake;
  std::deque<Waiting> waiting_;  // for their channel; only the first one's is being opened
  std::list<std::unique_ptr<Carried>> carried_;
  std::list<std::unique_ptr<SshOutput>> outputs_;  // of commands
  std::array<char, Relay::kChunk> scratch_;
  std::uint64_t heard_ = 0;  // bytes received when the pulse was last felt
  int silences_ = 0;
  Watch watch_;
  Alarm limit_, soon_, verdict_, pulse_;
  Lifeline lifeline_;
};

void SshLibrary::on_wire(Readiness is) {
  if (is.write) wire_.flush();
  if (is.read) wire_.fill();
  go_on();
}

void SshLibrary::go_on() {
  while (stage_ != Stage::serve && advance()) {
  }
  if (stage_ == Stage::serve) serve();
  settle();
}

// After anything that may have sent: the wire's wishes, and its end.
void SshLibrary::settle() {
  if (stage_ == Stage::over) return;
  if (wire_.ended()) return lose();
  watch_.ask(wire_.wants());
}

// ---- getting in
// ---------------------------------------------------------------------------------------------

// Whether the next stage can be tried at once.
bool SshLibrary::advance() {
  switch (stage_) {
    case Stage::handshake:
      return shake_hands();
    case Stage::sign_in:
      return sign_in();
    case Stage::pump:
      return open_pump();
    default:
      return false;
  }
}

bool SshLibrary::shake_hands() {
  Progress progress = session_.handshake();
  if (progress == Progress::failed) end(handshake_failure());
  if (progress == Progress::done) verify();
  return false;
}

SshFailure SshLibrary::handshake_failure() const {
  if (session_.trouble() == Trouble::algorithms)
    return {SshProblem::no_common_algorithm,
            error(Code::unsupported, "The SSH library and the server share no algorithm",
                  fmt::format("The library says: {}.", session_.trouble_text()))};
  if (wire_.received() > 0 && !wire_.speaks_ssh())
    return {SshProblem::not_ssh, error(Code::unavailable, "It is not an SSH server that listens there",
                                       "It did not begin with SSH's identification.")};
  if (wire_.received() == 0) return lost("The server closed the connection before it said anything.");
  return lost(session_.trouble_text().empty() ? "" : session_.trouble_text() + ".");
}

void SshLibrary::verify() {
  stage_ = Stage::verify;
  limit_.cancel();
  const HostKey key = session_.host_key();
  calls_.verify(key, lifeline_.guard([this, key](Result<> verdict) {
    if (stage_ != Stage::verify) return;
    if (!verdict.ok()) return end({SshProblem::host_key_refused, std::move(verdict).error(), {}, {}, key});
    stage_ = Stage::sign_in;
    limit_.set(settings_.handshake_limit, [this] { too_late(); });
    signing_in_ = std::make_unique<SshSignIn>(env_, session_, settings_, calls_, [this] { go_on_soon(); });
    go_on_soon();
  }));
}

bool SshLibrary::sign_in() {
  SshSignIn::State state = signing_in_->advance();
  if (state == SshSignIn::State::asking)
    limit_.cancel();
  else if (!limit_.is_set())
    limit_.set(settings_.handshake_limit, [this] { too_late(); });
  if (state == SshSignIn::State::failed) end(signing_in_->failure());
  if (state != SshSignIn::State::done) return false;
  stage_ = Stage::pump;
  return true;
}

// A server that allows no session (MaxSessions 0) still forwards.
bool SshLibrary::open_pump() {
  Progress progress = session_.open_pump();
  if (progress == Progress::again) return false;
  if (progress == Progress::failed && session_.trouble() == Trouble::broken) {
    lose();
    return false;
  }
  begin_serving();
  return true;
}

void SshLibrary::begin_serving() {
  stage_ = Stage::serve;
  limit_.cancel();
  pulse_.set(settings_.keep_alive, [this] { beat(); });
  calls_.connected();
}

// ---- serving
// ------------------------------------------------------------------------------------------------

void SshLibrary::serve() {
  session_.pump();
  open_waiting();
  std::erase_if(carried_, [this](auto& carried) { return !move(*carried, false); });
  session_.tidy();
}

void SshLibrary::open_waiting() {
  while (!waiting_.empty()) {
    Waiting& next = waiting_.front();
    Progress progress = next.command.empty() ? session_.open_forward(next.host, next.port, next.origin)
                                             : session_.open_command(next.command);
    if (progress == Progress::again) return;
    Waiting connection = std::move(next);
    waiting_.pop_front();
    if (progress == Progress::done)
      add(std::move(connection));
    else if (session_.trouble() == Trouble::broken)
      return lose();
    else
      turn_away(std::move(connection));
  }
}

void SshLibrary::turn_away(Waiting connection) {
  const std::string target = fmt::format("{}:{}", connection.host, connection.port);
  reset_connection(std::move(connection.near));
  if (!connection.command.empty()) return;
  const bool forbidden = session_.trouble() == Trouble::channel_forbidden;
  calls_.turned_away(
      connection_refused(forbidden ? SshProblem::forwarding_forbidden : SshProblem::target_refused,
                         fmt::format("{}: {}", target, session_.trouble_text())),
      target);
}

void SshLibrary::add(Waiting connection) {
  auto carried = std::make_unique<Carried>(env_, std::move(connection.near), session_.take_channel());
  Carried* it = carried.get();
  it->watch.begin(it->relay.fd(), it->relay.wants(), [this, it](Readiness is) { on_near(*it, is); });
  carried_.push_back(std::move(carried));
}

// False when the connection is over.
bool SshLibrary::move(Carried& carried, bool near_ready) {
  Relay::State state = carried.relay.move(scratch_, near_ready);
  if (state == Relay::State::broken) carried.relay.reset();
  carried.watch.ask(carried.relay.wants());
  return state == Relay::State::going;
}

void SshLibrary::on_near(Carried& carried, Readiness is) {
  if (!move(carried, is.read)) {
    carried.watch.end();
    carried_.remove_if([&carried](const auto& one) { return one.get() == &carried; });
    session_.tidy();
  }
  settle();
}

void SshLibrary::beat() {
  silences_ = wire_.received() == std::exchange(heard_, wire_.received()) ? silences_ + 1 : 0;
  if (silences_ >= kSilences)
    return end(lost(fmt::format("Nothing was heard for {}.", format_span(kSilences * settings_.keep_alive))));
  session_.keep_alive();
  pulse_.set(settings_.keep_alive, [this] { beat(); });
  settle();
}

// ---- the end
// ------------------------------------------------------------------------------------------------

void SshLibrary::too_late() {
  end({SshProblem::timed_out,
       error(Code::timeout, "The SSH server does not answer",
             fmt::format("It was given {}.", format_span(settings_.handshake_limit)))});
}

SshFailure SshLibrary::lost(std::string detail) const {
  return {SshProblem::lost, error(Code::unavailable, "The connection was lost", std::move(detail))};
}

void SshLibrary::lose() {
  if (stage_ == Stage::handshake) return end(handshake_failure());
  if (!session_.last_words().empty())
    return end(lost(fmt::format("The server said: {}.", session_.last_words())));
  const int code = wire_.error();
  end(lost(code == 0 ? "The server closed it." : fmt::format("{}.", std::strerror(code))));
}

void SshLibrary::leave() {
  for (auto& carried : carried_) carried->relay.reset();
  carried_.clear();
  outputs_.clear();
  for (Waiting& connection : waiting_) reset_connection(std::move(connection.near));
  waiting_.clear();
  if (stage_ == Stage::serve) {
    session_.tidy();
    session_.say_goodbye();
    wire_.flush();
  }
  stage_ = Stage::over;
}

void SshLibrary::end(SshFailure failure) {
  if (stage_ == Stage::over) return;
  leave();
  watch_.end();
  for (Alarm* alarm : {&limit_, &soon_, &pulse_}) alarm->cancel();
  wire_.cut();
  verdict_.set(Duration(0), [ended = calls_.ended, failure = std::move(failure)] { ended(failure); });
}

}  // namespace

SshFailure connection_refused(SshProblem problem, const std::string& says) {
  if (problem == SshProblem::forwarding_forbidden)
    return {problem, error(Code::denied, "The machine's SSH server forbids forwarding", says + ".")
                         .with_hint("sshd_config there: AllowTcpForwarding, PermitOpen, DisableForwarding")};
  return {problem, error(Code::unavailable, "Nothing listens on the machine's port", says + ".")};
}

std::unique_ptr<SshTransport> start_ssh_library(Env& env, Descriptor socket, SshSettings settings,
                                                SshCalls calls) {
  return std::make_unique<SshLibrary>(env, std::move(socket), std::move(settings), std::move(calls));
}

}  // namespace nbform
