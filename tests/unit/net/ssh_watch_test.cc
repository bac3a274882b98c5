#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "net/real_env.h"
#include "support/catch.h"
#include "tiny_server.h"

using namespace nbform;
using namespace std::chrono_literals;

namespace {

struct Pair {
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0); }
  ~Pair() {
    for (int which : {0, 1}) close(which);
  }
  void close(int which) {
    if (fds[which] >= 0) ::close(std::exchange(fds[which], -1));
  }
  int fds[2];
};

}  // namespace

TEST_CASE(
    "a descriptor is told of when it can be read, again while something is left, and not after unwatch") {
  auto env = make_real_env();
  Pair pair;
  std::string got;
  WatchId id = 0;
  id = env->watch(pair.fds[0], {.read = true}, [&](Readiness is) {
    CHECK(is == Readiness{.read = true});
    char byte = 0;
    REQUIRE(::read(pair.fds[0], &byte, 1) == 1);
    got += byte;
    if (got.size() == 2) env->unwatch(id);
  });
  REQUIRE(::write(pair.fds[1], "abc", 3) == 3);
  CHECK(env->step());
  CHECK(env->step());
  CHECK(got == "ab");
  CHECK_FALSE(env->step());  // nobody waits for anything any more
}

TEST_CASE("a descriptor is told of when it can be written; one at rest stands in nobody's way") {
  auto env = make_real_env();
  Pair pair;
  int told = 0;
  WatchId id = env->watch(pair.fds[0], {.write = true}, [&](Readiness is) {
    told += is.write ? 1 : 0;
    env->change_watch(id, {});
  });
  CHECK(env->step());
  CHECK_FALSE(env->step());
  pair.close(1);  // a hang-up that nobody asked for must not keep the loop busy
  bool rang = false;
  env->after(20ms, [&] { rang = true; });
  CHECK(env->step());
  CHECK(rang);
  CHECK(told == 1);
}

TEST_CASE("a hang-up is told also while an HTTP exchange is under way") {
  TinyServer server([](int fd, const std::string&, int) {
    ::usleep(200'000);
    return TinyServer::answer(fd, "late");
  });
  auto env = make_real_env();
  int fds[2];
  REQUIRE(::pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
  bool answered = false, hung_up = false;
  env->send({.url = server.url(), .timeout = 5s}, [&](Result<Response> r) { answered = r.ok(); });
  WatchId id = env->watch(fds[0], {.read = true}, [&](Readiness) {
    CHECK_FALSE(answered);
    hung_up = true;
    env->unwatch(id);
  });
  env->after(20ms, [&] { ::close(fds[1]); });  // POLLHUP without POLLIN
  while (env->step()) {
  }
  ::close(fds[0]);
  CHECK(hung_up);
  CHECK(answered);
}
