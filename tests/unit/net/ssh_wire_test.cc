#include "net/ssh_wire.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "support/catch.h"

using namespace nbform;

namespace {

// A wire, and the peer's end of its socket.
struct Line {
  explicit Line(int send_buffer = 0) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    if (send_buffer > 0) ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    wire = std::make_unique<SshWire>(Descriptor(fds[0]));
    peer = Descriptor(fds[1]);
  }
  std::string hear() {
    std::string out;
    std::array<char, 8192> part;
    for (ssize_t n = 0; (n = ::recv(peer.get(), part.data(), part.size(), MSG_DONTWAIT)) > 0;)
      out.append(part.data(), static_cast<std::size_t>(n));
    return out;
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      ssize_t n = ::send(peer.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::unique_ptr<SshWire> wire;
  Descriptor peer;
};

std::string pattern(std::size_t size) {
  std::string out;
  while (out.size() < size) out += std::to_string(out.size()) + ",";
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("what the library sends is taken whole, and arrives in order as the socket lets it") {
  Line line(4096);
  const std::string text = pattern(1 << 20);
  std::string heard;
  for (std::size_t i = 0; i < text.size(); i += 10'000) {
    const std::string_view part = std::string_view(text).substr(i, 10'000);
    REQUIRE(line.wire->put(part.data(), part.size()) == static_cast<ssize_t>(part.size()));
  }
  CHECK(line.wire->congested());
  CHECK(line.wire->wants().write);
  for (int i = 0; i < 10'000 && line.wire->queued() > 0; ++i) {
    heard += line.hear();
    line.wire->flush();
  }
  heard += line.hear();
  CHECK(heard == text);
  CHECK_FALSE(line.wire->wants().write);
  CHECK_FALSE(line.wire->congested());
}

TEST_CASE(
    "what the peer sends waits in the inbox; a full inbox asks for no more until somebody takes from it") {
  Line line;
  std::array<char, 1000> part;
  CHECK(line.wire->take(part.data(), part.size()) == -EAGAIN);
  const std::string text = pattern(1 << 20);
  std::size_t said = 0;
  std::string got;
  for (int round = 0; round < 1000 && got.size() < text.size(); ++round) {
    if (ssize_t n = ::send(line.peer.get(), text.data() + said, text.size() - said, MSG_DONTWAIT); n > 0)
      said += static_cast<std::size_t>(n);
    line.wire->fill();
    for (ssize_t n = 0; (n = line.wire->take(part.data(), part.size())) > 0;) {
      got.append(part.data(), static_cast<std::size_t>(n));
      if (round % 2 == 0 && got.size() % 7 == 0) break;  // leave some
    }
    REQUIRE(line.wire->wants().read);
  }
  CHECK(got == text);
  CHECK(line.wire->received() == text.size());

  for (int i = 0; i < 10 && line.wire->wants().read; ++i) {
    line.say(text);
    line.wire->fill();
  }
  CHECK_FALSE(line.wire->wants().read);
  CHECK(line.wire->take(part.data(), part.size()) == 1000);
  CHECK(line.wire->wants().read);
}

TEST_CASE("the end comes after everything that was sent before it") {
  Line line;
  line.say("SSH-2.0-last words");
  line.peer.close();
  line.wire->fill();
  line.wire->fill();
  CHECK(line.wire->ended());
  CHECK(line.wire->error() == 0);
  CHECK(line.wire->speaks_ssh());
  std::array<char, 100> part;
  CHECK(line.wire->take(part.data(), part.size()) == 18);
  CHECK(line.wire->take(part.data(), part.size()) == 0);
  CHECK(line.wire->put("x", 1) == 1);  // nobody listens; the library need not know yet
  CHECK(line.wire->queued() == 0);
}

TEST_CASE("a send that the socket refuses ends the wire") {
  Line line;
  line.peer.close();
  CHECK(line.wire->put("x", 1) == 1);
  CHECK(line.wire->ended());
  CHECK(line.wire->error() == EPIPE);
  CHECK_FALSE(line.wire->wants().any());
}

TEST_CASE("something else than SSH is told apart by its first bytes, however they come") {
  Line line;
  line.say("HT");
  line.wire->fill();
  CHECK_FALSE(line.wire->speaks_ssh());
  line.say("TP/1.1");
  line.wire->fill();
  CHECK_FALSE(line.wire->speaks_ssh());
  Line ssh;
  for (const char* part : {"S", "SH", "-2.0"}) {
    ssh.say(part);
    ssh.wire->fill();
  }
  CHECK(ssh.wire->speaks_ssh());
}
