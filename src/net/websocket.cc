#include "net/websocket.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/crypto.h"
#include "net/route.h"
#include "net/ssh_socket.h"
#include "net/tls_stream.h"
#include "net/websocket_frames.h"
#include "net/websocket_upgrade.h"

namespace nbform {

namespace {

using Kind = WebSocketKind;
using How = WebSocketEnd::How;
using State = TlsStream::State;

constexpr int kReadsAtOnce = 8;  // then others have their turn

int port_of(const Url& url) {
  if (url.port != 0) return url.port;
  return url.scheme == "https" ? 443 : 80;
}

}  // namespace

class WebSocket::Machine {
 public:
  Machine(Env& env, WebSocketSettings settings, WebSocketCalls calls)
      : env_(env),
        settings_(std::move(settings)),
        calls_(std::move(calls)),
        reader_(settings_.most),
        watch_(env),
        limit_(env),
        pulse_(env),
        drained_(env),
        unpaused_(env),
        soon_(env) {
    limit_.set(settings_.handshake_limit, [this] { too_slow(); });
    soon_.set(Duration(0), [this] { start(); });
  }
  ~Machine() {
    if (phase_ == Phase::open) say_goodbye(WebSocketCode::normal);
  }

  void send(Kind kind, std::string_view payload);
  std::size_t queued() const { return outbox_.size() - sent_; }
  void pause(bool on);

 private:
  enum class Phase { connecting, asking_proxy, securing, upgrading, open, over };

  Lookup lookup() {
    return [this](const std::string& name) { return env_.env_var(name); };
  }
  void start();
  void connected(Descriptor socket);
  void begin_tls();
  void upgrade();
  void on_ready();
  void secure();
  bool flush();
  void receive();
  void take(std::string_view bytes);
  void judge_proxy(const HttpHead& head);
  void judge_upgrade(const HttpHead& head);
  void deliver();
  void deliver(const WebSocketMessage& message);
  void beat();
  void say_goodbye(WebSocketCode code, std::string_view reason = {});
  WebSocketMask mask();
  void too_slow();
  void lost(Diagnostic why) {
    end({.how = phase_ == Phase::open ? How::lost : How::unreachable, .why = std::move(why)});
  }
  void end(WebSocketEnd how);
  void rewatch();

  Env& env_;
  WebSocketSettings settings_;
  WebSocketCalls calls_;
  Phase phase_ = Phase::connecting;
  std::optional<HttpProxy> proxy_;
  std::unique_ptr<Connecting> connecting_;
  std::optional<TlsStream> stream_;
  std::string key_, head_;  // of the handshake; what arrived of an answer's head
  std::string outbox_;
  std::size_t sent_ = 0;  // of the outbox
  WebSocketReader reader_;
  bool paused_ = false;
  bool heard_ = false, pinged_ = false, answers_pings_ = false;  // since the last beat; unanswered; ever
  std::array<char, 64 << 10> scratch_;
  Watch watch_;
  Alarm limit_, pulse_, drained_, unpaused_, soon_;
};

// ---- the way to the server
// ----------------------------------------------------------------------------------

void WebSocket::Machine::start() {
  const std::string named = proxy_for(settings_.url, lookup());
  if (!named.empty()) {
    auto proxy = parse_proxy(named);
    if (!proxy.ok()) return lost(std::move(proxy).error());
    proxy_ = std::move(proxy).value();
  }
  connecting_ = std::make_unique<Connecting>(
      env_, proxy_ ? proxy_->host : settings_.url.host, proxy_ ? proxy_->port : port_of(settings_.url),
      settings_.handshake_limit, [this](Connecting::Outcome outcome) {
        if (outcome.socket) return connected(std::move(outcome.socket));
        lost(error(Code::unavailable, "No connection", std::move(outcome.failure.why.detail)));
      });
}

void WebSocket::Machine::connected(Descriptor socket) {
  stream_.emplace(std::move(socket));
  watch_.begin(stream_->fd(), {.read = true}, [this](Readiness) { on_ready(); });
  if (!proxy_) return begin_tls();
  phase_ = Phase::asking_proxy;
  outbox_ = tunnel_request(settings_.url, *proxy_);
  on_ready();
}

void WebSocket::Machine::begin_tls() {
  if (settings_.url.scheme != "https") return upgrade();
  phase_ = Phase::securing;
  auto begun = stream_->begin_tls(settings_.url.host, ca_file(settings_.url, lookup()));
  if (!begun.ok()) return lost(std::move(begun).error());
  on_ready();
}

void WebSocket::Machine::secure() {
  const State state = stream_->handshake();
  if (state == State::ok) return upgrade();
  if (state == State::broken) lost(stream_->problem());
  if (state == State::ended) lost(error(Code::unavailable, "No connection", "The server hung up."));
}

void WebSocket::Machine::upgrade() {
  phase_ = Phase::upgrading;
  std::string random;
  for (int i = 0; i < 16; ++i) random.push_back(static_cast<char>(env_.random(256)));
  key_ = base64(random);
  outbox_ += upgrade_request(settings_.url, settings_.headers, key_, settings_.protocol);
  on_ready();
}

void WebSocket::Machine::judge_proxy(const HttpHead& head) {
  if (!head.answer.ok())
    return lost(error(Code::unavailable, "The proxy does not let the connection pass",
                      fmt::format("{} port {} answers HTTP {} for {}.", proxy_->host, proxy_->port,
                                  head.answer.status, settings_.url.host)));
  if (head.size != head_.size())
    return lost(error(Code::io, "The proxy does not let the connection pass",
                      "It speaks before the server can have."));
  head_.clear();
  begin_tls();
}

void WebSocket::Machine::judge_upgrade(const HttpHead& head) {
  if (head.answer.status != 101) return end({.how = How::refused, .answer = head.answer});
  if (auto agreed = check_upgrade(head.answer, key_, settings_.protocol); !agreed.ok())
    return lost(std::move(agreed).error());
  phase_ = Phase::open;
  limit_.cancel();
  reader_.feed(std::string_view(head_).substr(head.size));
  head_.clear();
  pulse_.set(settings_.quiet, [this] { beat(); });
  send(Kind::ping, "");  // whether it answers
  calls_.opened();
  deliver();
}

void WebSocket::Machine::too_slow() {
  lost(error(Code::timeout, "No answer from the host",
             fmt::format("{} did not agree to a connection within {}.", settings_.url.host,
                         format_span(settings_.handshake_limit))));
}

// ---- bytes
// --------------------------------------------------------------------------------------------------

void WebSocket::Machine::on_ready() {
  if (phase_ == Phase::securing) {
    secure();
  } else if (flush()) {
    receive();
  }
  rewatch();
}

void WebSocket::Machine::rewatch() {
  if (phase_ == Phase::over || !stream_) return;
  watch_.ask(stream_->wants(!paused_, queued() > 0 || phase_ == Phase::securing));
}

// False when there is no connection any more.
bool WebSocket::Machine::flush() {
  if (queued() == 0 || phase_ == Phase::over) return phase_ != Phase::over;
  while (queued() > 0) {
    const auto put = stream_->write(std::string_view(outbox_).substr(sent_));
    if (put.state == State::again) {
      if (sent_ > outbox_.size() / 2) outbox_.erase(0, std::exchange(sent_, 0));
      return true;
    }
    if (put.state != State::ok) {
      lost(stream_->problem());
      return false;
    }
    sent_ += put.bytes;
  }
  outbox_.clear();
  sent_ = 0;
  if (phase_ == Phase::open && calls_.drained) drained_.set(Duration(0), [this] { calls_.drained(); });
  return true;
}

void WebSocket::Machine::receive() {
  for (int i = 0; i < kReadsAtOnce && !paused_ && phase_ != Phase::over; ++i) {
    const auto got = stream_->read(scratch_);
    if (got.state == State::again) return;
    if (got.state == State::broken) return lost(stream_->problem());
    if (got.state == State::ended)
      return lost(error(Code::unavailable, "The connection was lost", "The server hung up."));
    take({scratch_.data(), got.bytes});
    if (phase_ == Phase::securing) return;
  }
}

void WebSocket::Machine::take(std::string_view bytes) {
  heard_ = true;
  if (phase_ == Phase::open) {
    reader_.feed(bytes);
    return deliver();
  }
  head_ += bytes;
  auto head = read_http_head(head_);
  if (!head.ok()) return lost(std::move(head).error());
  if (!*head) return;
  phase_ == Phase::asking_proxy ? judge_proxy(**head) : judge_upgrade(**head);
}

// ---- messages
// -----------------------------------------------------------------------------------------------

void WebSocket::Machine::deliver() {
  while (!paused_ && phase_ == Phase::open) {
    const auto message = reader_.next();
    if (!message) break;
    deliver(*message);
  }
  if (phase_ != Phase::open || !reader_.fault()) return;
  const WebSocketFault fault = *reader_.fault();
  say_goodbye(fault.code, fault.what);
  lost(error(Code::io, "The server does not speak WebSocket", fault.what));
}

void WebSocket::Machine::deliver(const WebSocketMessage& message) {
  switch (message.kind) {
    case Kind::binary:
      return calls_.message(message.payload);
    case Kind::ping:
      return send(Kind::pong, message.payload);
    case Kind::pong:
      answers_pings_ = true;
      pinged_ = false;
      return;
    case Kind::close:
      say_goodbye(WebSocketCode::normal);
      return end({.how = How::closed, .code = message.code, .reason = std::string(message.payload)});
    default:
      say_goodbye(WebSocketCode::unsupported);
      return lost(error(Code::io, "The server does not speak WebSocket", "It sends text, not bytes."));
  }
}

void WebSocket::Machine::send(Kind kind, std::string_view payload) {
  if (phase_ != Phase::open) return;
  append_frame(outbox_, kind, payload, mask());
  flush();
  rewatch();
}

void WebSocket::Machine::pause(bool on) {
  if (std::exchange(paused_, on) == on) return;
  if (!on && phase_ == Phase::open) unpaused_.set(Duration(0), [this] { deliver(), rewatch(); });
  rewatch();
}

// What it does not send cannot be told from what we don't read, so silence counts only when we listen.
void WebSocket::Machine::beat() {
  pulse_.set(settings_.quiet, [this] { beat(); });
  if (paused_) pinged_ = false;
  if (std::exchange(heard_, false) || paused_) return;
  if (pinged_ && answers_pings_)
    return lost(error(Code::timeout, "The connection was lost",
                      fmt::format("The server has been silent for {}.", format_span(2 * settings_.quiet))));
  pinged_ = true;
  send(Kind::ping, "");
}

void WebSocket::Machine::say_goodbye(WebSocketCode code, std::string_view reason) {
  append_frame(outbox_, Kind::close, close_payload(static_cast<std::uint16_t>(code), reason), mask());
  stream_->write(std::string_view(outbox_).substr(sent_));  // as far as the system takes it now
}

WebSocketMask WebSocket::Machine::mask() {
  const std::uint64_t bits = env_.random(std::uint64_t{1} << 32);
  return {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
          static_cast<std::uint8_t>(bits >> 16), static_cast<std::uint8_t>(bits >> 24)};
}

// From a step of its own, as the listener may destroy us.
void WebSocket::Machine::end(WebSocketEnd how) {
  if (std::exchange(phase_, Phase::over) == Phase::over) return;
  watch_.end();
  for (Alarm* alarm : {&limit_, &pulse_, &drained_, &unpaused_}) alarm->cancel();
  soon_.set(Duration(0), [ended = calls_.ended, how = std::move(how)] { ended(how); });
}

// ---- WebSocket
// ----------------------------------------------------------------------------------------------

WebSocket::WebSocket(Env& env, WebSocketSettings settings, WebSocketCalls calls)
    : machine_(std::make_unique<Machine>(env, std::move(settings), std::move(calls))) {}
WebSocket::~WebSocket() = default;

void WebSocket::send(std::string_view message) {
  machine_->send(Kind::binary, message);
}
std::size_t WebSocket::queued() const {
  return machine_->queued();
}
void WebSocket::pause(bool on) {
  machine_->pause(on);
}

}  // namespace nbform
