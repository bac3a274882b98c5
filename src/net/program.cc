#include "net/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

extern char** environ;

namespace nbform {

namespace {

constexpr std::size_t kMaxOutput = std::size_t{16} << 20;  // of each stream; what comes later is dropped

struct Pipe {
  int fds[2] = {-1, -1};

  bool make() { return ::pipe2(fds, O_CLOEXEC) == 0 && ::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0; }
  void close_end(int which) {
    if (fds[which] >= 0) ::close(std::exchange(fds[which], -1));
  }
};

std::vector<char*> as_c(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  return words;
}

Diagnostic cannot_start(const std::string& program, int code) {
  Code kind = code == ENOENT ? Code::not_found : code == EACCES ? Code::denied : Code::io;
  return error(kind, "A program cannot be started", fmt::format("{}: {}.", program, std::strerror(code)));
}

// posix_spawnp with our wiring; an errno, 0 when it runs.
int launch(pid_t& pid, const std::vector<std::string>& argv, const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.fds[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.fds[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);  // its own group: what it starts can be ended with it
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words = as_c(argv);
  int code = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return code;
}

// Appends what can be read now; closes the descriptor at its end.
void drain(int& fd, std::string& into) {
  char buffer[16 << 10];
  while (fd >= 0) {
    ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      ::close(std::exchange(fd, -1));
      return;
    }
    into.append(buffer,
                std::min(static_cast<std::size_t>(n), kMaxOutput - std::min(kMaxOutput, into.size())));
  }
}

}  // namespace

Result<std::unique_ptr<Program>> Program::start(const std::vector<std::string>& argv) {
  if (argv.empty()) bug("a program without a name");
  Pipe out, err;
  pid_t pid = -1;
  int code = out.make() && err.make() ? launch(pid, argv, out, err) : errno;
  out.close_end(1);
  err.close_end(1);
  if (code == 0) return std::unique_ptr<Program>(new Program(pid, out.fds[0], err.fds[0]));
  out.close_end(0);
  err.close_end(0);
  return cannot_start(argv[0], code);
}

Program::~Program() {
  kill();
  for (int fd : {out_, err_})
    if (fd >= 0) ::close(fd);
  if (!ended_) ::waitpid(pid_, nullptr, 0);
}

std::vector<int> Program::descriptors() const {
  std::vector<int> open;
  for (int fd : {out_, err_})
    if (fd >= 0) open.push_back(fd);
  return open;
}

bool Program::pump() {
  drain(out_, result_.out);
  drain(err_, result_.err);
  if (ended_ || out_ >= 0 || err_ >= 0) return ended_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  ended_ = true;
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

void Program::kill() {
  if (!ended_) ::kill(-pid_, SIGKILL);
}

void Program::terminate() {
  if (!ended_) ::kill(-pid_, SIGTERM);
}

Diagnostic become(const std::vector<std::string>& argv) {
  if (argv.empty()) bug("a program without a name");
  auto before = std::signal(SIGPIPE, SIG_DFL);  // what is ignored would stay so
  ::execvp(argv[0].c_str(), as_c(argv).data());
  int code = errno;
  std::signal(SIGPIPE, before);
  return cannot_start(argv[0], code);
}

}  // namespace nbform
