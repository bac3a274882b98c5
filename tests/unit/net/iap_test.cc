// The tunnel through IAP against a relay in a thread that speaks RFC 6455 and the relay's protocol by code of
// its own, and misbehaves as it is told.
#include "net/iap.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <future>
#include <optional>

#include "base/crypto.h"
#include "base/text.h"
#include "net/real_env.h"
#include "support/catch.h"
#include "tiny_server.h"

using namespace nbform;
using namespace std::chrono_literals;
using Cure = IapFailure::Cure;

namespace {

std::string number(std::uint64_t n, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(n >> shift));
  return out;
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t out = 0;
  for (char c : bytes) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

std::string data_of(std::string_view bytes) {
  return number(4, 2) + number(bytes.size(), 4) + std::string(bytes);
}

struct Frame {
  int kind = 0;
  std::string payload;
};

// The server's end of a WebSocket.
class Peer {
 public:
  Peer(int fd, const std::string& request) : fd_(fd) {
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = request.find(name) + name.size();
    key_ = request.substr(at, request.find('\r', at) - at);
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }

  void agree() {
    TinyServer::write(fd_,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Protocol: relay.tunnel.cloudproxy.app\r\nSec-WebSocket-Accept: " +
                          base64(sha1(key_ + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) + "\r\n\r\n");
  }
  void begin() {
    agree();
    say(number(1, 2) + number(5, 4) + "sid/1");
  }
  void say(const std::string& message) { send(0x82, message); }
  void send(int head, const std::string& payload) {
    std::string out(1, static_cast<char>(head));
    out += payload.size() < 126 ? number(payload.size(), 1) : number(126, 1) + number(payload.size(), 2);
    TinyServer::write(fd_, out + payload);
  }
  void close(int code) { send(0x88, number(static_cast<std::uint64_t>(code), 2)); }

  // The client's next frame; none at the end of the connection.
  std::optional<Frame> next() {
    if (!fill(2)) return std::nullopt;
    std::size_t head = 2, size = in_[1] & 0x7f;
    if (size == 126) {
      if (!fill(4)) return std::nullopt;
      size = read_number(in_.substr(2, 2));
      head = 4;
    }
    if (!fill(head + 4 + size)) return std::nullopt;
    Frame out{in_[0] & 0xff, in_.substr(head + 4, size)};
    for (std::size_t i = 0; i < size; ++i)
      out.payload[i] = static_cast<char>(out.payload[i] ^ in_[head + i % 4]);
    in_.erase(0, head + 4 + size);
    return out;
  }
  // The next message, pings and the like passed over.
  std::string message() {
    for (auto frame = next(); frame; frame = next())
      if (frame->kind == 0x82) return frame->payload;
    return "";
  }

 private:
  bool fill(std::size_t size) {
    char chunk[8192];
    while (in_.size() < size) {
      const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) return false;
      in_.append(chunk, static_cast<std::size_t>(n));
    }
    return true;
  }

  int fd_;
  std::string key_, in_;
};

// A user of the tunnel: what it was told, and the local end.
struct User {
  std::unique_ptr<Env> env = make_real_env();
  std::vector<std::uint64_t> tokens_refused;
  int tokens = 0;
  int interruptions = 0, resumptions = 0;
  Descriptor stream;
  std::optional<IapFailure> ended;
  std::unique_ptr<IapTunnel> tunnel;

  explicit User(const TinyServer& relay, Duration quiet = 8s) {
    IapSettings settings;
    settings.base = relay.url("/v4/");
    settings.target = {"acme-ml", "us-central1-b", "train", "nic0", 2222};
    settings.quiet = quiet;
    settings.authorize = [this](Request request, const Refused& refused, auto done) {
      if (refused.grant != 0) tokens_refused.push_back(refused.grant);
      if (tokens == 0 || refused.grant != 0) ++tokens;
      set_header(request.headers, "Authorization", "Bearer token-" + std::to_string(tokens));
      done(Authorized{std::move(request), static_cast<std::uint64_t>(tokens)});
    };
    IapCalls calls;
    calls.connected = [this](Descriptor end) { stream = std::move(end); };
    calls.interrupted = [this](const Diagnostic&) { ++interruptions; };
    calls.resumed = [this] { ++resumptions; };
    calls.ended = [this](IapFailure failure) {
      ended = std::move(failure);
      tunnel.reset();
    };
    tunnel = std::make_unique<IapTunnel>(*env, std::move(settings), std::move(calls));
  }

  template <class Condition>
  void run_until(Condition condition) {
    while (!condition()) REQUIRE(env->step());
  }
  void connect() {
    run_until([&] { return stream || ended; });
    REQUIRE(stream);
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(stream.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0) REQUIRE(env->step());
    }
  }
  // So many bytes, or all up to the end.
  std::string read(std::size_t size) {
    std::string out;
    char chunk[65536];
    while (out.size() < size) {
      const ssize_t n = ::recv(stream.get(), chunk, sizeof chunk, MSG_DONTWAIT);
      if (n == 0) return out;
      if (n > 0) out.append(chunk, static_cast<std::size_t>(n));
      if (n < 0) REQUIRE(env->step());
    }
    return out;
  }
};

bool refuse(int fd, int status) {
  TinyServer::answer(fd, "no", "HTTP/1.1 " + std::to_string(status) + " No\r\n");
  return false;
}

}  // namespace

TEST_CASE("the relay is asked for the machine's port, with a token, origin and protocol") {
  std::promise<std::string> heard;
  TinyServer relay([&](int fd, const std::string& request, int) {
    Peer peer(fd, request);
    peer.begin();
    peer.say(number(4, 2) + number(2, 4) + "hi");
    heard.set_value(peer.message());
    return false;
  });
  User user(relay);
  user.connect();
  CHECK(user.read(2) == "hi");
  user.write("hello");
  user.run_until([&] { return user.interruptions > 0; });
  CHECK(heard.get_future().get() == data_of("hello"));
  const std::string asked = relay.request(0);
  for (std::string_view words :
       {"GET /v4/connect?project=acme-ml&zone=us-central1-b&instance=train&interface=nic0&port=2222&",
        " HTTP/1.1\r\n", "Authorization: Bearer token-1\r\n", "Origin: bot:iap-tunneler\r\n",
        "Sec-WebSocket-Protocol: relay.tunnel.cloudproxy.app\r\n", "Sec-WebSocket-Version: 13\r\n"}) {
    INFO(words);
    CHECK(asked.find(words) != std::string::npos);
  }
}

TEST_CASE("messages in pieces, pings between them and bytes one by one change nothing") {
  std::string pong;
  TinyServer relay([&](int fd, const std::string& request, int) {
    Peer peer(fd, request);
    peer.begin();
    const std::string message = data_of("abcdef");
    peer.send(0x02, message.substr(0, 3));
    peer.send(0x89, "are you there");
    peer.send(0x00, "");
    peer.send(0x80, message.substr(3));
    for (auto frame = peer.next(); frame; frame = peer.next())
      if (frame->kind == 0x8a) {
        pong = frame->payload;
        break;
      }
    peer.say(data_of("!"));
    peer.next();
    return false;
  });
  User user(relay);
  user.connect();
  CHECK(user.read(7) == "abcdef!");
  CHECK(pong == "are you there");
}

TEST_CASE("a connection that is cut anywhere is resumed with its session, and no byte is lost or doubled") {
  // An echo that drops its connection after every so many messages and forgets some of what it got last.
  std::string held;  // received so far
  std::size_t echoed = 0;
  int cuts = 0;
  TinyServer relay([&](int fd, const std::string& request, int nth) {
    Peer peer(fd, request);
    if (nth == 1) {
      peer.begin();
    } else {
      const auto at = request.find("&ack=") + 5;
      echoed = std::stoull(request.substr(at));
      peer.agree();
      if (held.size() > echoed + 50) held.resize(held.size() - 40);
      peer.say(number(2, 2) + number(held.size(), 8));
    }
    for (int i = 0; i < 12 || cuts >= 15; ++i) {
      while (echoed < held.size()) {
        const std::string piece = held.substr(echoed, 9000);
        peer.say(data_of(piece));
        echoed += piece.size();
      }
      const std::string message = peer.message();
      if (message.empty()) return false;
      if (read_number(message.substr(0, 2)) == 4) held += message.substr(6);
      if (i % 5 == 4 && held.size() < 40) continue;
      if (i % 5 == 4) peer.say(number(7, 2) + number(held.size() - 40, 8));
    }
    ++cuts;
    return TinyServer::reset(fd);
  });
  std::string sent;
  for (int i = 0; sent.size() < 3'000'000; ++i) sent += std::to_string(i * 2654435761u) + ",";
  User user(relay);
  user.connect();
  std::string got;
  char chunk[65536];
  std::size_t at = 0;
  while (got.size() < sent.size()) {
    if (at < sent.size()) {
      const ssize_t n = ::send(user.stream.get(), sent.data() + at,
                               std::min<std::size_t>(sent.size() - at, 20'000), MSG_NOSIGNAL);
      if (n > 0) at += static_cast<std::size_t>(n);
    }
    for (ssize_t n = 0; (n = ::recv(user.stream.get(), chunk, sizeof chunk, MSG_DONTWAIT)) > 0;)
      got.append(chunk, static_cast<std::size_t>(n));
    if (got.size() < sent.size()) REQUIRE(user.env->step());
  }
  CHECK(got == sent);
  CHECK(user.interruptions >= 10);
  CHECK(user.resumptions == user.interruptions);
  CHECK_FALSE(user.ended);
  for (int i = 1; i < relay.requests(); ++i)
    CHECK(relay.request(static_cast<std::size_t>(i)).starts_with("GET /v4/reconnect?sid=sid%2F1&ack="));
  user.tunnel.reset();
}

TEST_CASE("a token that is not taken is followed by another one, once") {
  const bool ever = GENERATE(true, false);
  TinyServer relay([&](int fd, const std::string& request, int nth) {
    if (nth == 1 || !ever) return refuse(fd, 401);
    Peer peer(fd, request);
    peer.begin();
    peer.next();
    return false;
  });
  User user(relay);
  user.run_until([&] { return user.stream || user.ended; });
  CHECK(user.tokens_refused == std::vector<std::uint64_t>{1});
  CHECK(relay.requests() == 2);
  CHECK(relay.request(1).find("Bearer token-2\r\n") != std::string::npos);
  CHECK(bool(user.stream) == ever);
  if (ever) return;
  REQUIRE(user.ended);
  CHECK(user.ended->cure == Cure::none);
  CHECK(user.ended->why.code == Code::unauthenticated);
}

TEST_CASE("a session whose token ends goes on with a fresh one") {
  TinyServer relay([&](int fd, const std::string& request, int nth) {
    Peer peer(fd, request);
    if (nth == 1) {
      peer.begin();
      peer.say(data_of("before "));
      peer.next();
      peer.close(4004);
      peer.next();
      return false;
    }
    peer.agree();
    peer.say(number(2, 2) + number(0, 8));
    peer.say(data_of("after"));
    peer.message();
    return false;
  });
  User user(relay);
  user.connect();
  CHECK(user.read(12) == "before after");
  CHECK(user.tokens_refused == std::vector<std::uint64_t>{1});
  CHECK(relay.request(1).find("ack=7&") != std::string::npos);
  CHECK(relay.request(1).find("Bearer token-2\r\n") != std::string::npos);
}

TEST_CASE("what the relay will not do ends the attempt with its reason") {
  struct Case {
    int status, code;
    bool in_a_message;
    Cure cure;
    Code what;
  };
  const Case c = GENERATE(
      Case{403, 0, false, Cure::none, Code::denied}, Case{503, 0, false, Cure::wait, Code::unavailable},
      Case{0, 4003, false, Cure::wait, Code::unavailable}, Case{0, 4033, true, Cure::none, Code::denied},
      Case{0, 4047, true, Cure::wait, Code::unavailable});
  TinyServer relay([&](int fd, const std::string& request, int) {
    if (c.status != 0) return refuse(fd, c.status);
    Peer peer(fd, request);
    peer.agree();
    if (c.in_a_message)
      peer.say(number(10, 2) + number(static_cast<std::uint64_t>(c.code), 4) + number(2, 4) + "no");
    else
      peer.close(c.code);
    while (peer.next()) {
    }
    return false;
  });
  User user(relay);
  user.run_until([&] { return user.ended.has_value(); });
  CHECK(user.ended->cure == c.cure);
  CHECK(user.ended->why.code == c.what);
  CHECK(relay.requests() == 1);
  CHECK_FALSE(user.stream);
  CHECK_FALSE(user.env->step());  // nothing of it is left in the loop
}

TEST_CASE("a session that the relay has forgotten ends the local stream, after all that arrived") {
  TinyServer relay([&](int fd, const std::string& request, int nth) {
    Peer peer(fd, request);
    if (nth > 1) {
      peer.agree();
      peer.close(4001);
      peer.next();
      return false;
    }
    peer.begin();
    for (int i = 0; i < 60; ++i) peer.say(data_of(std::string(16'000, 'x')));
    // An orderly end: a reset, also upon acknowledgements that nobody reads, would take back what is on its
    // way.
    ::shutdown(fd, SHUT_WR);
    while (peer.next()) {
    }
    return false;
  });
  User user(relay);
  user.connect();
  user.run_until([&] { return user.interruptions > 0; });
  CHECK(user.read(SIZE_MAX).size() == 60 * 16'000);
  user.run_until([&] { return user.ended.has_value(); });
  CHECK(user.ended->cure == Cure::restart);
}

TEST_CASE("a relay that falls silent is left for another connection, unless it never answers pings") {
  const bool answers = GENERATE(true, false);
  std::atomic<bool> over{false};
  TinyServer relay([&](int fd, const std::string& request, int nth) {
    Peer peer(fd, request);
    if (nth == 1)
      peer.begin();
    else
      peer.agree(), peer.say(number(2, 2) + number(0, 8)), peer.say(data_of("again"));
    if (answers && nth == 1) peer.send(0x8a, "");
    while (!over) std::this_thread::sleep_for(5ms);
    return false;
  });
  User user(relay, 30ms);
  user.connect();
  const Time end = user.env->now() + 300ms;
  bool late = false;
  user.env->after(300ms, [&] { late = true; });
  user.run_until([&] { return user.resumptions > 0 || late; });
  CHECK((user.resumptions > 0) == answers);
  CHECK(user.env->now() < end + 5s);
  if (answers) CHECK(user.read(5) == "again");
  user.tunnel.reset();
  over = true;
}

TEST_CASE("a local end that closes is followed by all it wrote and a farewell") {
  std::string got;
  std::atomic<int> goodbye{0};
  TinyServer relay([&](int fd, const std::string& request, int) {
    Peer peer(fd, request);
    peer.begin();
    for (auto frame = peer.next(); frame; frame = peer.next()) {
      if (frame->kind == 0x82) got += frame->payload.substr(6);
      if (frame->kind == 0x88) goodbye = static_cast<int>(read_number(frame->payload));
    }
    return false;
  });
  {
    User user(relay);
    user.connect();
    user.write(std::string(500'000, 'x'));
    user.stream.close();
    user.run_until([&] { return user.ended.has_value(); });
    CHECK(user.ended->cure == Cure::over);
  }
  while (goodbye == 0) std::this_thread::sleep_for(1ms);
  CHECK(got.size() == 500'000);
  CHECK(goodbye == 1000);
}

TEST_CASE("a server that breaks the rules of WebSocket is left, and told why") {
  std::atomic<int> goodbye{0};
  TinyServer relay([&](int fd, const std::string& request, int) {
    Peer peer(fd, request);
    peer.agree();
    peer.send(0xc2, "compressed");
    for (auto frame = peer.next(); frame; frame = peer.next())
      if (frame->kind == 0x88) goodbye = static_cast<int>(read_number(frame->payload.substr(0, 2)));
    return false;
  });
  User user(relay);
  user.run_until([&] { return user.ended.has_value(); });
  CHECK(user.ended->why.summary == "The server does not speak WebSocket");
  while (goodbye == 0) std::this_thread::sleep_for(1ms);
  CHECK(goodbye == 1002);
}

TEST_CASE("a slow reader stops the relay, not the memory") {
  std::atomic<std::size_t> sent{0};
  TinyServer relay([&](int fd, const std::string& request, int) {
    Peer peer(fd, request);
    peer.begin();
    const std::string message = data_of(std::string(16'000, 'x'));
    for (int i = 0; i < 1000; ++i) {
      peer.say(message);
      sent += 16'000;
    }
    while (peer.next()) {
    }
    return false;
  });
  User user(relay);
  user.connect();
  bool late = false;
  user.env->after(300ms, [&] { late = true; });
  user.run_until([&] { return late; });
  CHECK(sent < 12'000'000);  // a MiB here, and what the system's sockets hold
  CHECK(user.read(16'000'000).size() == 16'000'000);
}
