#include "net/iap.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include "net/iap_session.h"
#include "net/tunnel_forward.h"
#include "net/websocket.h"

namespace nbform {

namespace {

using Cure = IapFailure::Cure;
using How = WebSocketEnd::How;

constexpr std::size_t kQueued = std::size_t{1} << 20;  // bytes on their way out, or in to a slow reader
constexpr Duration kLinger = std::chrono::seconds(5);  // for what was written before the local end closed

std::string connect_url(const IapSettings& s) {
  const IapTarget& to = s.target;
  return s.base + "connect?" +
         form_encode({{"project", to.project},
                      {"zone", to.zone},
                      {"instance", to.instance},
                      {"interface", to.interface},
                      {"port", std::to_string(to.port)},
                      {"newWebsocket", "True"}});
}

std::string reconnect_url(const IapSettings& s, const IapSession& session) {
  return s.base + "reconnect?" +
         form_encode({{"sid", session.id()},
                      {"ack", std::to_string(session.received())},
                      {"zone", s.target.zone},
                      {"newWebsocket", "True"}});
}

IapFailure no_way(Diagnostic why) {
  const bool passes = why.code == Code::unavailable || why.code == Code::timeout;
  return {passes ? Cure::wait : Cure::none, std::move(why)};
}

}  // namespace

class IapTunnel::Machine {
 public:
  Machine(Env& env, IapSettings settings, IapCalls calls)
      : env_(env),
        settings_(std::move(settings)),
        calls_(std::move(calls)),
        near_watch_(env),
        next_(env),
        limit_(env),
        linger_(env),
        ending_(env) {
    next_.set(Duration(0), [this] { attempt(); });
  }

 private:
  void attempt();
  void open(Authorized authorized);
  void on_message(std::string_view message);
  void on_begun();
  void on_resumed();
  void on_closed(WebSocketEnd how);
  void judge(IapFailure failure);
  void interrupted(const Diagnostic& why);
  bool begun() const { return !session_.id().empty(); }

  void on_near(Readiness is);
  void read_near();
  bool write_near();
  void pump();
  void finish_when_sent();
  void rewatch();
  void end(IapFailure failure);
  void finish();

  Env& env_;
  IapSettings settings_;
  IapCalls calls_;
  IapSession session_;
  std::unique_ptr<WebSocket> socket_;
  bool open_ = false;      // the session stands on this socket
  bool done_with_ = true;  // it has nothing more to say to us
  Refused refused_;        // the token of the last attempt, if it was not taken
  std::uint64_t grant_ = 0;
  bool renewed_ = false;  // since the session last stood
  std::optional<Time> broken_at_;
  Backoff backoff_;
  Descriptor near_;
  std::string down_;  // arrived, and not taken by the local end yet
  bool near_ended_ = false;
  std::optional<IapFailure> over_;
  std::array<char, 64 << 10> scratch_;
  Watch near_watch_;
  Alarm next_, limit_, linger_, ending_;
  Lifeline lifeline_;
};

// ---- the relay's side
// ------------------------------------------------------------------------------------------

void IapTunnel::Machine::attempt() {
  socket_.reset();
  Request request;
  request.url = begun() ? reconnect_url(settings_, session_) : connect_url(settings_);
  settings_.authorize(std::move(request), std::exchange(refused_, {}),
                      lifeline_.guard([this](Result<Authorized> authorized) {
                        if (over_) return;
                        if (!authorized.ok()) return judge(no_way(std::move(authorized).error()));
                        open(std::move(authorized).value());
                      }));
}

// Of what authorises a request to an API the relay is told the token alone.
void IapTunnel::Machine::open(Authorized authorized) {
  auto url = parse_url(authorized.request.url);
  if (!url) bug("a relay without a URL");
  grant_ = authorized.grant;
  WebSocketSettings settings{.url = *url, .protocol = std::string(kIapProtocol), .quiet = settings_.quiet};
  settings.headers = {{"Origin", std::string(kIapOrigin)}, {"User-Agent", "nbform"}};
  if (auto token = header(authorized.request.headers, "Authorization"))
    settings.headers.emplace_back("Authorization", *token);
  WebSocketCalls calls;
  calls.opened = [] {};
  calls.message = [this](std::string_view message) { on_message(message); };
  calls.drained = [this] { pump(), rewatch(); };
  calls.ended = [this](WebSocketEnd how) { on_closed(std::move(how)); };
  done_with_ = false;
  socket_ = std::make_unique<WebSocket>(env_, std::move(settings), std::move(calls));
  limit_.set(settings_.begin_limit, [this] {
    on_closed({.why = error(Code::timeout, "IAP does not answer",
                            fmt::format("The relay did not reach {} within {}.", settings_.target.instance,
                                        format_span(settings_.begin_limit)))});
  });
}

void IapTunnel::Machine::on_message(std::string_view message) {
  if (over_ || done_with_) return;
  auto step = session_.take(message);
  if (!step.ok()) return judge({Cure::restart, std::move(step).error()});
  switch (step->what) {
    case IapSession::Step::What::begun:
      return on_begun();
    case IapSession::Step::What::resumed:
      return on_resumed();
    case IapSession::Step::What::data:
      down_.append(step->bytes);
      if (write_near()) pump();
      return rewatch();
    case IapSession::Step::What::closing:
      return judge(iap_closed(step->code, step->bytes, settings_.target));
    case IapSession::Step::What::nothing:
      return rewatch();  // an acknowledgement makes room
  }
}

void IapTunnel::Machine::on_begun() {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return end(
        {Cure::wait, error(Code::io, "There are no descriptors left", "A pair of sockets was refused.")});
  near_ = Descriptor(pair[0]);
  open_ = true;
  renewed_ = false;
  limit_.cancel();
  near_watch_.begin(near_.get(), {.read = true}, [this](Readiness is) { on_near(is); });
  calls_.connected(Descriptor(pair[1]));
}

void IapTunnel::Machine::on_resumed() {
  open_ = true;
  renewed_ = false;
  broken_at_.reset();
  backoff_.reset();
  limit_.cancel();
  if (calls_.resumed) calls_.resumed();
  pump();
  rewatch();
}

void IapTunnel::Machine::on_closed(WebSocketEnd how) {
  if (over_ || done_with_) return;
  if (how.how == How::refused) return judge(iap_refused(how.answer.status, settings_.target));
  if (how.how == How::closed && how.code != 1005)
    return judge(iap_closed(how.code, how.reason, settings_.target));
  if (how.how == How::closed)
    how.why = error(Code::unavailable, "The connection was lost", "The relay closed it without a code.");
  if (begun()) return interrupted(how.why);
  judge(no_way(std::move(how.why)));
}

// What follows from the relay's word, or from there being none.
void IapTunnel::Machine::judge(IapFailure failure) {
  if (over_) return;
  if (failure.cure == Cure::token) {
    if (std::exchange(renewed_, true)) return end({Cure::none, std::move(failure.why)});
    refused_.grant = grant_;
    if (begun()) return interrupted(failure.why);
    next_.set(Duration(0), [this] { attempt(); });
    return;
  }
  if (failure.cure == Cure::wait && begun()) return interrupted(failure.why);
  end(std::move(failure));
}

// The first attempt to resume is made at once; the socket that broke may be the one that calls.
void IapTunnel::Machine::interrupted(const Diagnostic& why) {
  const bool first = !broken_at_;
  open_ = false;
  done_with_ = true;
  limit_.cancel();
  session_.interrupt();
  if (first) {
    broken_at_ = env_.now();
    if (calls_.interrupted) calls_.interrupted(why);
  }
  if (near_ended_ || env_.now() - *broken_at_ >= settings_.patience) return end({Cure::restart, why});
  next_.set(first ? Duration(0) : backoff_.next(env_.random(1000)), [this] { attempt(); });
  rewatch();
}

// ---- the local end
// ------------------------------------------------------------------------------------------

void IapTunnel::Machine::on_near(Readiness is) {
  if (is.write) write_near();
  if (over_) {
    if (down_.empty()) finish();
    return;
  }
  if (is.read) read_near();
  pump();
  rewatch();
}

void IapTunnel::Machine::read_near() {
  const std::size_t most = std::min(session_.room(), scratch_.size());
  if (most == 0 || near_ended_) return;
  const ssize_t n = ::recv(near_.get(), scratch_.data(), most, MSG_DONTWAIT);
  if (n > 0) return session_.give({scratch_.data(), static_cast<std::size_t>(n)});
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  near_ended_ = true;
  linger_.set(kLinger, [this] { end({Cure::over, {}}); });
}

// False when the local end is gone.
bool IapTunnel::Machine::write_near() {
  std::size_t done = 0;
  while (done < down_.size()) {
    const ssize_t n =
        ::send(near_.get(), down_.data() + done, down_.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {
      down_.clear();
      end({Cure::over, {}});
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  down_.erase(0, done);
  return true;
}

void IapTunnel::Machine::pump() {
  if (over_ || !open_) return;
  while (socket_->queued() < kQueued) {
    const std::string message = session_.next();
    if (message.empty()) break;
    socket_->send(message);
  }
  finish_when_sent();
}

// The relay knows no half-closed connection.
void IapTunnel::Machine::finish_when_sent() {
  if (near_ended_ && session_.all_sent() && socket_->queued() == 0) end({Cure::over, {}});
}

void IapTunnel::Machine::rewatch() {
  if (over_ || !near_) return;
  const bool takes = session_.room() > 0 && !near_ended_ && (!open_ || socket_->queued() < kQueued);
  near_watch_.ask({.read = takes, .write = !down_.empty()});
  if (open_) socket_->pause(down_.size() >= kQueued);
}

// The local end sees all that arrived before it sees the end.
void IapTunnel::Machine::end(IapFailure failure) {
  if (over_) return;
  over_ = std::move(failure);
  for (Alarm* alarm : {&next_, &limit_}) alarm->cancel();
  if (!near_ || near_ended_ || down_.empty()) return finish();
  near_watch_.ask({.write = true});
  linger_.set(kLinger, [this] { finish(); });
}

// From a step of its own, as the listener may destroy us.
void IapTunnel::Machine::finish() {
  near_watch_.end();
  linger_.cancel();
  ending_.set(Duration(0), [this] {
    socket_.reset();
    near_.close();
    auto ended = calls_.ended;
    const IapFailure failure = *over_;
    if (ended) ended(failure);  // `this` may be gone now
  });
}

// ---- IapTunnel
// ----------------------------------------------------------------------------------------------

IapTunnel::IapTunnel(Env& env, IapSettings settings, IapCalls calls)
    : machine_(std::make_unique<Machine>(env, std::move(settings), std::move(calls))) {}
IapTunnel::~IapTunnel() = default;

}  // namespace nbform
