#include "net/ssh_relay.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>

#include "support/catch.h"

using namespace nbform;

namespace {

using State = FarEnd::State;

// What a channel would do, by script.
struct Script {
  std::deque<std::string> to_read;  // pieces; when none is left: `then`
  State then = State::again;
  std::size_t window = SIZE_MAX;  // bytes it still takes
  bool breaks = false;
  bool may_finish = true;
  std::string written;
  int finished = 0;
};

class ScriptedEnd : public FarEnd {
 public:
  explicit ScriptedEnd(Script& script) : script_(script) {}
  Moved read(std::span<char> into) override {
    if (script_.to_read.empty()) return {script_.then, 0};
    std::string piece = std::move(script_.to_read.front());
    script_.to_read.pop_front();
    REQUIRE(piece.size() <= into.size());
    piece.copy(into.data(), piece.size());
    return {State::ok, piece.size()};
  }
  Moved write(std::string_view bytes) override {
    if (script_.breaks) return {State::broken, 0};
    const std::size_t n = std::min({bytes.size(), script_.window, std::size_t{32'700}});
    script_.window -= n;
    script_.written += bytes.substr(0, n);
    return {n == 0 ? State::again : State::ok, n};
  }
  State finish_writing() override {
    if (!script_.may_finish) return State::again;
    ++script_.finished;
    return State::ok;
  }

 private:
  Script& script_;
};

struct Joined {
  Joined() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    client = Descriptor(fds[1]);
    relay = std::make_unique<Relay>(Descriptor(fds[0]), std::make_unique<ScriptedEnd>(far));
  }
  Relay::State move() { return relay->move(scratch); }
  // Everything there is; "|" at its end for the end of the connection.
  std::string hear() {
    std::string out;
    std::array<char, 8192> part;
    for (;;) {
      ssize_t n = ::recv(client.get(), part.data(), part.size(), MSG_DONTWAIT);
      if (n == 0) return out + "|";
      if (n < 0) return out;
      out.append(part.data(), static_cast<std::size_t>(n));
    }
  }
  std::size_t say(const std::string& text) {
    std::size_t done = 0;
    for (ssize_t n = 0; done < text.size() &&
                        (n = ::send(client.get(), text.data() + done, text.size() - done, MSG_DONTWAIT)) > 0;)
      done += static_cast<std::size_t>(n);
    return done;
  }
  Script far;
  std::array<char, Relay::kChunk> scratch;
  Descriptor client;
  std::unique_ptr<Relay> relay;
};

}  // namespace

TEST_CASE("bytes go both ways, and a quiet relay waits for the client only") {
  Joined j;
  j.far.to_read = {"from ", "afar"};
  j.say("to afar");
  CHECK(j.move() == Relay::State::going);
  CHECK(j.hear() == "from afar");
  CHECK(j.far.written == "to afar");
  CHECK(j.relay->wants() == Readiness{.read = true});
}

TEST_CASE("the client's end reaches the far side after its last byte, and answers still come") {
  Joined j;
  j.say("question");
  ::shutdown(j.client.get(), SHUT_WR);
  j.far.may_finish = false;
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.finished == 0);
  j.far.may_finish = true;
  j.far.to_read = {"answer"};
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.written == "question");
  CHECK(j.far.finished == 1);
  CHECK_FALSE(j.relay->wants().read);
  j.far.then = State::ended;
  CHECK(j.move() == Relay::State::finished);
  CHECK(j.hear() == "answer|");
  CHECK(j.far.finished == 1);
}

TEST_CASE("the far side's end reaches the client, who may go on sending") {
  Joined j;
  j.far.to_read = {"bye"};
  j.far.then = State::ended;
  CHECK(j.move() == Relay::State::going);
  CHECK(j.hear() == "bye|");
  j.say("one more");
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.written == "one more");
  j.client.close();
  CHECK(j.move() == Relay::State::finished);
}

TEST_CASE("a far side that takes no more stops the reading of the client until it does") {
  Joined j;
  j.far.window = 50'000;
  std::string text(200'000, 'x');
  const std::size_t said = j.say(text);
  REQUIRE(said > 100'000);
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.written.size() == 50'000);
  CHECK_FALSE(j.relay->wants().read);
  CHECK(j.move() == Relay::State::going);  // called for another reason: nothing is read meanwhile
  CHECK(j.far.written.size() == 50'000);
  j.far.window = SIZE_MAX;
  CHECK(j.move() == Relay::State::going);
  CHECK(j.relay->wants().read);
  while (j.far.written.size() < said) REQUIRE(j.move() == Relay::State::going);
  CHECK(j.far.written == text.substr(0, said));
}

TEST_CASE("a client that does not read stops the reading of the far side until it does") {
  Joined j;
  for (int i = 0; i < 100; ++i) j.far.to_read.push_back(std::string(20'000, static_cast<char>('a' + i % 26)));
  CHECK(j.move() == Relay::State::going);
  const std::size_t left = j.far.to_read.size();
  CHECK(left > 50);
  CHECK(j.relay->wants().write);
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.to_read.size() == left);
  std::string heard;
  for (int i = 0; i < 200 && heard.size() < 2'000'000; ++i) {
    heard += j.hear();
    REQUIRE(j.move() == Relay::State::going);
  }
  CHECK(heard.size() == 2'000'000);
  CHECK(heard.substr(20'000 - 1, 2) == "ab");
  CHECK_FALSE(j.relay->wants().write);
}

TEST_CASE("one big upload does not keep the turn for itself") {
  Joined j;
  int big = 4 << 20;
  ::setsockopt(j.client.get(), SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
  const std::size_t said = j.say(std::string(400'000, 'x'));
  if (said <= 4 * Relay::kChunk) SUCCEED("this kernel holds only " << said << " bytes in a socket pair");
  CHECK(j.move() == Relay::State::going);
  CHECK(j.far.written.size() <= 4 * Relay::kChunk);
  CHECK(j.relay->wants().read);
}

TEST_CASE("a side that breaks breaks the relay, and the other one is told so") {
  Joined j;
  j.far.then = State::broken;
  CHECK(j.move() == Relay::State::broken);
  Joined k;
  k.far.breaks = true;
  k.say("x");
  CHECK(k.move() == Relay::State::broken);
  Joined gone;
  gone.client.close();
  gone.far.to_read = {"to nobody"};
  CHECK(gone.move() == Relay::State::broken);
}
