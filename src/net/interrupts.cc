#include "net/interrupts.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/diagnostic.h"

namespace nbform {

namespace {

// All that a signal handler may touch. Statics, because signals have no other way in.
std::atomic<int> wake_pipe{-1};
std::atomic<bool> written{false};  // spares take() a system call for each event of the loop
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  int saved = errno;
  if (int fd = wake_pipe.load(); fd >= 0) [[maybe_unused]]
    ssize_t n = ::write(fd, "i", 1);
  written.store(true);  // after it: a reader that comes in between is woken once more
  errno = saved;
}

void react(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  struct sigaction hangup = {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);  // nohup keeps its meaning
}

}  // namespace

void Interrupts::listen(bool on) {
  if (on == listening()) return;
  if (on) {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) bug("no pipe for signals");
    read_fd_ = fds[0];
    write_fd_ = fds[1];
    if (wake_pipe.exchange(write_fd_) != -1) bug("two loops listen for interrupts");
    react(on_signal);
    return;
  }
  react(SIG_DFL);
  wake_pipe.store(-1);
  ::close(std::exchange(read_fd_, -1));
  ::close(std::exchange(write_fd_, -1));
}

int Interrupts::take() {
  if (!written.exchange(false)) return 0;
  char bytes[64];
  ssize_t n = read_fd_ >= 0 ? ::read(read_fd_, bytes, sizeof bytes) : 0;
  return n > 0 ? static_cast<int>(n) : 0;
}

}  // namespace nbform
