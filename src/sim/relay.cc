#include "sim/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/crypto.h"
#include "base/json.h"
#include "sim/relay_session.h"
#include "sim/relay_wire.h"

namespace nbform::sim {

namespace {

using Kind = ClientFrame::Kind;
using Clock = std::chrono::steady_clock;
using SessionPtr = std::shared_ptr<RelaySession>;

constexpr std::uint64_t kAckEvery = 2 * 16'384, kLateAckEvery = 1 << 20;
constexpr auto kKept = std::chrono::minutes(2);      // a session without a connection
constexpr auto kHandover = std::chrono::seconds(2);  // for the old connection to be noticed as gone
constexpr int kSessionUnknown = 4001, kSessionInUse = 4002, kNotReached = 4003;

// A socket; closed with RST where that is asked for.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void cut() {
    linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

 private:
  int fd_;
};

int dial(const Value& where) {
  Socket out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(where["port"].as_int()));
  const bool fits = ::inet_pton(AF_INET, std::string(where["host"].as_text()).c_str(), &to.sin_addr) == 1;
  if (!fits || ::connect(out.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return -1;
  const int yes = 1;
  ::setsockopt(out.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return out.release();
}

std::string close_payload(int code, std::string_view reason) {
  return big_endian(static_cast<std::uint64_t>(code), 2) + std::string(reason);
}

}  // namespace

struct Relay::Inside {
  Judge judge;
  std::mutex mutex;
  std::map<std::string, SessionPtr> sessions;
  std::uint64_t last = 0;

  SessionPtr begin(int target) {
    std::lock_guard lock(mutex);
    std::erase_if(sessions,
                  [](const auto& s) { return !s.second->attached && Clock::now() - s.second->left > kKept; });
    const std::string sid =
        digest16(std::to_string(++last) + std::to_string(Clock::now().time_since_epoch().count()));
    auto made = std::make_shared<RelaySession>(sid, target);
    made->attached = true;
    return sessions[sid] = made;
  }
  // The session, now of this connection; else why not.
  SessionPtr attach(const std::string& sid, int& code) {
    for (const auto end = Clock::now() + kHandover;;
         std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
      std::lock_guard lock(mutex);
      auto at = sessions.find(sid);
      code = at == sessions.end() ? kSessionUnknown : at->second->attached ? kSessionInUse : 0;
      if (code == 0) at->second->attached = true;
      if (code == 0) return at->second;
      if (code == kSessionUnknown || Clock::now() > end) return nullptr;
    }
  }
  void detach(const SessionPtr& session, bool over) {
    std::lock_guard lock(mutex);
    session->attached = false;
    session->left = Clock::now();
    if (over) sessions.erase(session->sid());
  }
};

namespace {

// One WebSocket from its handshake to its end.
class Link {
 public:
  Link(int fd, std::shared_ptr<Relay::Inside> relay) : client_(fd), relay_(std::move(relay)) {
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }

  void run() {
    const auto request = read_request();
    if (!request) return;
    if (std::string problem = handshake_problem(*request); !problem.empty()) {
      send(plain_answer({400, {}, problem}));
      return;
    }
    Answer answer = relay_->judge(*request);
    std::this_thread::sleep_for(answer.delay);
    if (!answer.response) return client_.cut();
    if (answer.response->status != 101) {
      send(plain_answer(*answer.response));
      return;
    }
    send(handshake_answer(*request));
    const Value plan = parse_json(answer.response->body).value();
    manner_ = plan["manner"];
    follow(plan);
    if (said_goodbye_) wait_for_hangup();
  }

 private:
  std::optional<Request> read_request() {
    std::string head;
    char chunk[4096];
    while (head.size() < 65'536) {
      const ssize_t n = ::recv(client_.get(), chunk, sizeof chunk, 0);
      if (n <= 0) return std::nullopt;
      head.append(chunk, static_cast<std::size_t>(n));
      if (auto request = read_request_head(head)) return request;
    }
    return std::nullopt;
  }

  void follow(const Value& plan) {
    if (!plan["close"].is_null())
      return close(static_cast<int>(plan["close"].as_int()), plan["reason"].as_text());
    if (plan["dial"].is_map()) {
      const int target = dial(plan["dial"]);
      if (target < 0) return close(kNotReached, "failed to connect to backend");
      session_ = relay_->begin(target);
      say(big_endian(1, 2) + big_endian(session_->sid().size(), 4) + session_->sid());
      return carry();
    }
    resume(std::string(plan["sid"].as_text()), static_cast<std::uint64_t>(plan["ack"].as_int()));
  }

  void resume(const std::string& sid, std::uint64_t count) {
    int code = 0;
    session_ = relay_->attach(sid, code);
    if (!session_) return close(code, "session");
    std::string again;
    if (int problem = session_->resume(count, again); problem != 0) {
      close(problem, "failed to rewind");
      return relay_->detach(session_, true);
    }
    say(big_endian(2, 2) + big_endian(session_->received(), 8));
    for (std::size_t at = 0; at < again.size(); at += 16'384) {
      const std::string piece = again.substr(at, 16'384);
      say(big_endian(4, 2) + big_endian(piece.size(), 4) + piece);
    }
    carry();
  }

  void carry() {
    const std::uint64_t began = session_->moved();
    while (open_ && !over_ && !reached(began)) step();
    if (open_ && !over_) strike();
    relay_->detach(session_, over_ || manner_["forget"].as_bool());
    if (silent_) wait_for_hangup();
  }

  bool reached(std::uint64_t began) const {
    const Value& after = manner_["after"];
    return !after.is_null() && session_->moved() - began >= static_cast<std::uint64_t>(after.as_int());
  }

  // What the fault script wants now.
  void strike() {
    const std::string_view then = manner_["then"].as_text("cut");
    const auto code = static_cast<int>(manner_["code"].as_int(4000));
    if (then == "cut") return client_.cut();
    if (then == "silent") silent_ = true;
    if (then == "close") close(code, "by the fault script");
    if (then == "long_close")
      say(big_endian(10, 2) + big_endian(static_cast<std::uint64_t>(code), 4) + big_endian(2, 4) + "no");
  }

  // What still arrives is not read by anybody, and a socket that closes upon it would take back our last
  // words.
  void wait_for_hangup() {
    session_.reset();
    char chunk[4096];
    while (::recv(client_.get(), chunk, sizeof chunk, 0) > 0) {
    }
  }

  void step() {
    pollfd fds[2] = {{client_.get(), static_cast<short>(session_->congested() ? 0 : POLLIN), 0},
                     {session_->target(),
                      static_cast<short>((session_->wants_to_read() ? POLLIN : 0) |
                                         (session_->wants_to_write() ? POLLOUT : 0)),
                      0}};
    if (!session_->wants_to_read() && !session_->wants_to_write()) fds[1].fd = -1;
    if (::poll(fds, 2, -1) < 0) return;
    if (fds[0].revents != 0) read_client();
    if (!open_) return;
    if (session_->wants_to_write()) session_->write_target();
    if (fds[1].revents != 0 && session_->wants_to_read())
      if (std::string message = session_->read_target(); !message.empty()) say(message);
    if (std::string ack = session_->ack(manner_["late_acks"].as_bool() ? kLateAckEvery : kAckEvery);
        !ack.empty())
      say(ack);
    if (session_->target_ended()) close(1000, "");
  }

  void read_client() {
    char chunk[65'536];
    const ssize_t n = ::recv(client_.get(), chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      open_ = false;
      return;
    }
    frames_.feed({chunk, static_cast<std::size_t>(n)});
    while (auto frame = frames_.next()) take(*frame);
    if (!frames_.problem().empty()) close(1002, frames_.problem());
  }

  void take(const ClientFrame& frame) {
    if (over_) return;
    if (frame.kind == Kind::ping) send(server_frame(Kind::pong, frame.payload));
    if (frame.kind == Kind::close) close(1000, "");
    if (frame.kind != Kind::message) return;
    if (const int code = session_->take(frame.payload); code != 0) close(code, "protocol");
  }

  void say(const std::string& message) {
    if (manner_["pings"].as_bool()) send(server_frame(Kind::ping, "nbsim"));
    send(server_frame(Kind::message, message, static_cast<std::size_t>(manner_["pieces"].as_int(0))));
  }
  // The session ends with it, but for one that asks for a fresh token.
  void close(int code, std::string_view reason) {
    if (session_) session_->write_target();
    send(server_frame(Kind::close, close_payload(code, reason)));
    ::shutdown(client_.get(), SHUT_WR);
    said_goodbye_ = true;
    over_ = code != 4004;
    open_ = false;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        open_ = false;
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  Socket client_;
  std::shared_ptr<Relay::Inside> relay_;
  SessionPtr session_;
  ClientFrames frames_;
  Value manner_;
  bool open_ = true, over_ = false, silent_ = false, said_goodbye_ = false;
};

}  // namespace

Relay::Relay(Judge judge) : inside_(std::make_shared<Inside>()) {
  inside_->judge = std::move(judge);
}
Relay::~Relay() = default;

Result<int> Relay::serve() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener, 128) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return error(Code::io, "The relay has no port", "No port of loopback is free.");
  std::thread([listener, inside = inside_] {
    for (int fd = 0; (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
      std::thread([fd, inside] { Link(fd, inside).run(); }).detach();
  }).detach();
  return ntohs(at.sin_port);
}

}  // namespace nbform::sim
