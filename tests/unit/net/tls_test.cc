// RealEnv against openssl's own test server: what is trusted, for which name, with which version.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>

#include "net/real_env.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace nbform;
using namespace std::chrono_literals;

namespace {

// A throw-away authority and a certificate of it for the name localhost.
constexpr const char* kMakeCertificates = R"sh(cd "$1" || exit 1
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Test-CA -days 2 &&
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=localhost &&
printf 'subjectAltName=DNS:localhost\n' > san &&
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

}  // namespace

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
