// RealEnv and WebSocket against openssl's own test server: what is trusted, for which name, with which
// version, and by which way.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "net/real_env.h"
#include "net/ssh_loop.h"
#include "net/websocket.h"
#include "support/catch.h"
#include "support/scratch.h"
#include "tiny_server.h"

using namespace nbform;
using namespace std::chrono_literals;

namespace {

// A throw-away authority and a certificate of it for the name localhost.
constexpr const char* kMakeCertificates = R"sh(cd "$1" || exit 1
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Test-CA -days 2 &&
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=localhost &&
printf 'subjectAltName=DNS:localhost,DNS:relay.example\n' > san &&
openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile san)sh";

bool make_certificates(const Scratch& dir) {
  auto env = make_real_env();
  bool made = false;
  env->spawn({"sh", "-c", kMakeCertificates, "sh", dir.path()}, 60s,
             [&](Result<ProgramResult> r) { made = r.ok() && r->exit_code == 0; });
  while (env->step()) {
  }
  return made;
}

// `openssl s_server` on a free port, ended with the test.
class TlsServer {
 public:
  TlsServer(const Scratch& dir, std::vector<std::string> more = {}) {
    int out[2];
    if (::pipe2(out, O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> argv = {"openssl", "s_server",           "-accept", "127.0.0.1:0",      "-www",
                                     "-cert",   dir.path("cert.pem"), "-key",    dir.path("key.pem")};
    argv.insert(argv.end(), more.begin(), more.end());
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, 0);
      ::dup2(null, 2);
      std::vector<char*> words;
      for (std::string& word : argv) words.push_back(word.data());
      words.push_back(nullptr);
      ::execvp(words[0], words.data());
      ::_exit(127);
    }
    ::close(out[1]);
    port_ = read_port(out[0]);
    ::close(out[0]);
  }
  ~TlsServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string url(const std::string& host) const { return "https://" + host + ":" + port_ + "/"; }
  int port() const { return std::stoi(port_); }

 private:
  // From the line "ACCEPT 127.0.0.1:PORT".
  static std::string read_port(int fd) {
    std::string text;
    char c = 0;
    while (::read(fd, &c, 1) == 1 && (c != '\n' || text.find("ACCEPT") == std::string::npos)) text += c;
    return text.substr(text.rfind(':') + 1);
  }

  pid_t pid_ = -1;
  std::string port_;
};

Result<Response> get(const std::string& url, const std::string& ca) {
  ::setenv("SSL_CERT_FILE", ca.c_str(), 1);
  auto env = make_real_env();
  std::optional<Result<Response>> result;
  env->send({.url = url, .timeout = 10s}, [&](Result<Response> r) { result = std::move(r); });
  while (env->step()) {
  }
  ::unsetenv("SSL_CERT_FILE");
  REQUIRE(result);
  return *result;
}

// How a WebSocket to the server ends: it answers the handshake with 200.
WebSocketEnd knock(const std::string& url, const std::string& ca) {
  ::setenv("SSL_CERT_FILE", ca.c_str(), 1);
  auto env = make_real_env();
  std::optional<WebSocketEnd> end;
  WebSocketCalls calls;
  calls.ended = [&](WebSocketEnd how) { end = std::move(how); };
  WebSocket socket(*env, {.url = *parse_url(url), .protocol = "p", .handshake_limit = 10s}, std::move(calls));
  while (!end && env->step()) {
  }
  ::unsetenv("SSL_CERT_FILE");
  REQUIRE(end);
  return *end;
}

// Joins two sockets until one ends.
void join_sockets(int a, int b) {
  char chunk[16384];
  for (;;) {
    pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (::poll(fds, 2, 20'000) <= 0) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      const ssize_t n = ::recv(fds[i].fd, chunk, sizeof chunk, 0);
      if (n <= 0) return;
      TinyServer::write(fds[1 - i].fd, {chunk, static_cast<std::size_t>(n)});
    }
  }
}

}  // namespace

TEST_CASE("a WebSocket believes a server as every other request does") {
  Scratch dir, other;
  if (!make_certificates(dir) || !make_certificates(other)) {
    WARN("skipped: openssl's command is not installed");
    return;
  }
  using How = WebSocketEnd::How;
  {
    TlsServer server(dir);
    WebSocketEnd fine = knock(server.url("localhost"), dir.path("ca.pem"));
    CHECK(fine.how == How::refused);
    CHECK(fine.answer.status == 200);
    WebSocketEnd stranger = knock(server.url("localhost"), other.path("ca.pem"));
    CHECK(stranger.how == How::unreachable);
    CHECK(stranger.why.summary == "The server's certificate is not trusted");
    CHECK(stranger.why.hint.find("SSL_CERT_FILE") != std::string::npos);
    CHECK(knock(server.url("localhost"), "").why.code == Code::io);
    CHECK(knock(server.url("127.0.0.1"), dir.path("ca.pem")).why.code == Code::io);
    CHECK(knock(server.url("localhost"), dir.path("missing.pem")).why.summary ==
          "A certificate file cannot be used");
  }
  TlsServer modern(dir, {"-tls1_2"});
  CHECK(knock(modern.url("localhost"), dir.path("ca.pem")).how == How::refused);
  TlsServer old(dir, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  CHECK(knock(old.url("localhost"), dir.path("ca.pem")).how == How::unreachable);
}

TEST_CASE("a WebSocket goes through the proxy that the environment names, and says so when that refuses") {
  Scratch dir;
  if (!make_certificates(dir)) {
    WARN("skipped: openssl's command is not installed");
    return;
  }
  TlsServer server(dir);
  std::atomic<bool> refuses = false;
  TinyServer proxy([&](int fd, const std::string&, int) {
    if (refuses) return TinyServer::answer(fd, "", "HTTP/1.1 407 No\r\n");
    Descriptor far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(server.port()));
    if (::connect(far.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return false;
    TinyServer::write(fd, "HTTP/1.1 200 Connection established\r\n\r\n");
    join_sockets(fd, far.get());
    return false;
  });
  const std::string named = "http://me:secret@" + proxy.url("").substr(7);
  ::setenv("HTTPS_PROXY", named.c_str(), 1);
  CHECK(knock("https://relay.example/", dir.path("ca.pem")).answer.status == 200);
  CHECK(proxy.request(0).starts_with("CONNECT relay.example:443 HTTP/1.1\r\n"));
  CHECK(proxy.request(0).find("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n") != std::string::npos);
  refuses = true;
  WebSocketEnd refused = knock("https://relay.example/", dir.path("ca.pem"));
  CHECK(refused.how == WebSocketEnd::How::unreachable);
  CHECK(refused.why.summary == "The proxy does not let the connection pass");
  CHECK(refused.why.detail.find("secret") == std::string::npos);
  ::unsetenv("HTTPS_PROXY");
}

TEST_CASE("a server is believed only with a trusted certificate for its name and TLS 1.2 or newer") {
  Scratch dir, other;
  if (!make_certificates(dir) || !make_certificates(other)) {
    WARN("skipped: openssl's command is not installed");
    return;
  }
  {
    TlsServer server(dir);
    CHECK(get(server.url("localhost"), dir.path("ca.pem"))->status == 200);
    auto stranger = get(server.url("localhost"), other.path("ca.pem"));
    CHECK(stranger.error().summary == "The server's certificate is not trusted");
    CHECK(stranger.error().hint.find("SSL_CERT_FILE") != std::string::npos);
    CHECK(get(server.url("localhost"), "").error().code == Code::io);  // the system's authorities
    CHECK(get(server.url("127.0.0.1"), dir.path("ca.pem")).error().code == Code::io);  // another name
    CHECK(get(server.url("localhost"), dir.path("missing.pem")).error().summary ==
          "A certificate file cannot be used");
  }
  TlsServer modern(dir, {"-tls1_2"});
  CHECK(get(modern.url("localhost"), dir.path("ca.pem"))->status == 200);
  TlsServer old(dir, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  CHECK_FALSE(get(old.url("localhost"), dir.path("ca.pem")).ok());
}
