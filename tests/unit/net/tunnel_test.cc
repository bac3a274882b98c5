#include "net/tunnel.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/real_env.h"
#include "net/ssh_socket.h"
#include "support/catch.h"

using namespace nbform;
using namespace std::chrono_literals;

namespace {

using What = TunnelEvent::What;

int free_port() {
  return listen_on_loopback(0)->port;
}

Descriptor dial(int port) {
  Descriptor out(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  REQUIRE(::connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return out;
}

// A caller that keeps what it is told; the machine is wherever `at` says.
struct Caller {
  std::unique_ptr<Env> env = make_real_env();
  TunnelSettings settings{.user = "me"};
  std::vector<TunnelEvent> told;
  std::unique_ptr<Tunnel> tunnel;
  std::function<void(std::function<void(Result<TunnelAddress>)>)> at;
  bool leaves_at_end = false;

  Result<> open() {
    TunnelCalls calls;
    calls.address = at;
    calls.verify = [](const HostKey&, auto done) { done(Ok()); };
    calls.on_event = [this](const TunnelEvent& event) {
      told.push_back(event);
      if (leaves_at_end && event.what == What::failed) tunnel.reset();
    };
    tunnel = NB_TRY(Tunnel::open(*env, settings, calls));
    return Ok();
  }
  bool heard(What what) const {
    for (const TunnelEvent& event : told)
      if (event.what == what) return true;
    return false;
  }
  void run_until(What what) {
    while (!heard(what) && env->step()) {
    }
    REQUIRE(heard(what));
  }
  void lead_to(int port) {
    at = [port](auto done) { done(TunnelAddress{.host = "127.0.0.1", .port = port}); };
  }
};

// What a client of a held connection sees: the errno of its end, 0 for an orderly one.
int end_of(const Descriptor& client) {
  pollfd fd{client.get(), POLLIN, 0};
  REQUIRE(::poll(&fd, 1, 10'000) == 1);
  char byte = 0;
  return ::recv(client.get(), &byte, 1, 0) == 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("a machine that has no address ends the tunnel, which may be destroyed as it says so") {
  Caller caller;
  caller.leaves_at_end = true;
  caller.at = [](auto done) { done(error(Code::not_found, "It is gone")); };
  caller.settings.forwards = {{.port = 1}};
  REQUIRE(caller.open().ok());
  caller.run_until(What::failed);
  CHECK(caller.told.size() == 1);
  CHECK(caller.told[0].failure.why.summary == "It is gone");
  CHECK(caller.tunnel == nullptr);
  CHECK_FALSE(caller.env->step());  // nothing of it is left in the loop
}

TEST_CASE("an address that comes late, twice, or when the tunnel is gone does no harm") {
  Caller caller;
  std::vector<std::function<void(Result<TunnelAddress>)>> asked;
  caller.at = [&](auto done) { asked.push_back(done); };
  REQUIRE(caller.open().ok());
  REQUIRE(asked.size() == 1);
  for (int i = 0; i < 2; ++i) asked[0](TunnelAddress{.host = "127.0.0.1", .port = free_port()});
  caller.run_until(What::failed);
  CHECK(caller.told.size() == 2);  // one connecting, one failed
  asked[0](TunnelAddress{.host = "127.0.0.1", .port = 1});
  caller.tunnel.reset();
  asked[0](TunnelAddress{.host = "127.0.0.1", .port = 1});
  CHECK_FALSE(caller.env->step());
}

TEST_CASE("where nothing listens one attempt is made, or as many as patience allows") {
  Caller once;
  once.lead_to(free_port());
  REQUIRE(once.open().ok());
  once.run_until(What::failed);
  CHECK_FALSE(once.heard(What::waiting));
  CHECK(once.told.back().failure.problem == SshProblem::refused);

  Caller patient;
  patient.lead_to(free_port());
  patient.settings.patience = 600ms;
  REQUIRE(patient.open().ok());
  patient.run_until(What::failed);
  CHECK(patient.heard(What::waiting));
}

TEST_CASE("a name that nobody knows is unreachable") {
  Caller caller;
  caller.at = [](auto done) { done(TunnelAddress{.host = "no..such..host"}); };
  REQUIRE(caller.open().ok());
  caller.run_until(What::failed);
  CHECK(caller.told.back().failure.problem == SshProblem::unreachable);
  CHECK(caller.told.back().failure.why.detail.find("no..such..host") != std::string::npos);
}

TEST_CASE("connections made while there is no machine wait, and are reset when it cannot be had") {
  Caller caller;
  std::function<void(Result<TunnelAddress>)> answer;
  caller.at = [&](auto done) { answer = done; };
  caller.settings.forwards = {{.port = 1}};
  REQUIRE(caller.open().ok());
  Descriptor client = dial(caller.tunnel->ports()[0]);
  while (caller.tunnel->connections() == 0) REQUIRE(caller.env->step());
  answer(error(Code::not_found, "It is gone"));
  caller.run_until(What::failed);
  CHECK(end_of(client) == ECONNRESET);
  CHECK(caller.tunnel->connections() == 0);
}

TEST_CASE("a connection that waited too long for the machine is reset") {
  Caller caller;
  caller.at = [](auto) {};
  caller.settings.forwards = {{.port = 1}};
  caller.settings.hold = 50ms;
  REQUIRE(caller.open().ok());
  Descriptor client = dial(caller.tunnel->ports()[0]);
  while (caller.tunnel->connections() == 0) REQUIRE(caller.env->step());
  while (caller.tunnel->connections() > 0) REQUIRE(caller.env->step());
  CHECK(end_of(client) == ECONNRESET);
}

TEST_CASE("a taken port: another one near it, unless it is fixed; nothing is left open then") {
  Listener taken = *listen_on_loopback(0);
  Caller caller;
  caller.at = [](auto) {};
  caller.settings.forwards = {{.local = taken.port, .port = 1}, {.local = taken.port, .port = 2}};
  REQUIRE(caller.open().ok());
  auto ports = caller.tunnel->ports();
  CHECK(ports[0] != taken.port);
  CHECK(ports[1] != ports[0]);
  Caller fixed;
  fixed.at = [](auto) { FAIL("it must not go on"); };
  fixed.settings.forwards = {{.port = 1}, {.local = taken.port, .fixed = true, .port = 2}};
  auto opened = fixed.open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Code::exists);
  CHECK_FALSE(fixed.env->step());
}

TEST_CASE("a machine that takes the connection and says nothing is timed out") {
  Listener silent = *listen_on_loopback(0);
  Caller caller;
  caller.lead_to(silent.port);
  caller.settings.handshake_limit = 100ms;
  REQUIRE(caller.open().ok());
  caller.run_until(What::failed);
  CHECK(caller.told.back().failure.problem == SshProblem::timed_out);
}
