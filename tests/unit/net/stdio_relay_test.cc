// One way of a stream that stands in for TCP, over real descriptors.
#include "net/stdio_relay.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>

#include "net/real_env.h"
#include "support/catch.h"

using namespace nbform;

namespace {

struct Ends {
  Descriptor out, in;  // what is written to `in` is read from `out`
};

Ends pipe_ends() {
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

Ends socket_ends() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

bool waits(int fd) {
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

// Reads what is there; its end is remembered.
struct Reader {
  int fd;
  std::string got;
  bool ended = false;

  void read_some() {
    char bytes[10'000];
    ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n > 0) got.append(bytes, static_cast<std::size_t>(n));
    ended = ended || n == 0;
  }
};

}  // namespace

TEST_CASE("all bytes arrive however slowly they are taken, and then the end") {
  auto env = make_real_env();
  Ends from = pipe_ends(), to = socket_ends();
  std::string sent;
  while (sent.size() < 3'000'000) sent += "byte " + std::to_string(sent.size());
  bool over = false;
  Reader reader{to.out.get(), {}};
  {
    Pump pump(*env, from.out.get(), to.in.get(), [&] { over = true; });
    CHECK_FALSE(waits(from.out.get()));
    ::fcntl(from.in.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(to.out.get(), F_SETFL, O_NONBLOCK);
    std::size_t written = 0;
    while (!over) {
      ssize_t n =
          written < sent.size() ? ::write(from.in.get(), sent.data() + written, sent.size() - written) : 0;
      if (n > 0) written += static_cast<std::size_t>(n);
      if (written == sent.size()) from.in.close();
      env->after(std::chrono::microseconds(100), [] {});  // the slow reader's turn comes whatever waits
      REQUIRE(env->step());
      reader.read_some();
    }
    while (!reader.ended) reader.read_some();
  }
  CHECK(reader.got == sent);
  CHECK(waits(from.out.get()));  // as it was found
  CHECK(waits(to.in.get()));
}

TEST_CASE("nobody reads any more: that is the end") {
  auto env = make_real_env();
  Ends from = socket_ends(), to = socket_ends();
  bool over = false;
  Pump pump(*env, from.out.get(), to.in.get(), [&] { over = true; });
  to.out.close();
  struct Ignored {
    Ignored() { ::signal(SIGPIPE, SIG_IGN); }
    ~Ignored() { ::signal(SIGPIPE, SIG_DFL); }
  } ignored;
  REQUIRE(::write(from.in.get(), "x", 1) == 1);
  while (!over) REQUIRE(env->step());
  CHECK(over);
}
