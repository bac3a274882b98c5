#include "net/stdio_relay.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace nbform {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;

// A terminal is shared with whoever started us and never asked not to wait; poll() makes that enough for it.
int stop_waiting(int fd) {
  struct stat is = {};
  int flags = ::fcntl(fd, F_GETFL);
  if (::fstat(fd, &is) == 0 && (S_ISFIFO(is.st_mode) || S_ISSOCK(is.st_mode)))
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return flags;
}

bool later(int error_number) {
  return error_number == EAGAIN || error_number == EINTR;
}

}  // namespace

Pump::Pump(Env& env, int from, int to, std::function<void()> over)
    : from_(from),
      to_(to),
      from_flags_(stop_waiting(from)),
      to_flags_(stop_waiting(to)),
      over_(std::move(over)),
      readable_(env),
      writable_(env) {
  readable_.begin(from_, {.read = true}, [this](Readiness) { read(); });
  writable_.begin(to_, {}, [this](Readiness) { write(); });
}

Pump::~Pump() {
  ::fcntl(from_, F_SETFL, from_flags_);
  ::fcntl(to_, F_SETFL, to_flags_);
}

void Pump::read() {
  held_.resize(kChunk);
  ssize_t n = ::read(from_, held_.data(), held_.size());
  int why = errno;
  held_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (n > 0) return write();
  if (n < 0 && later(why)) return;
  ::shutdown(to_, SHUT_WR);  // no socket: its end is ours
  end();
}

void Pump::write() {
  ssize_t n = ::write(to_, held_.data(), held_.size());
  if (n < 0 && !later(errno)) return end();
  if (n > 0) held_.erase(0, static_cast<std::size_t>(n));
  readable_.ask({.read = held_.empty()});
  writable_.ask({.write = !held_.empty()});
}

void Pump::end() {
  readable_.end();
  writable_.end();
  auto over = std::move(over_);
  over();
}

StdioRelay::StdioRelay(Env& env, Descriptor far, std::function<void()> over)
    : far_(std::move(far)),
      down_(env, far_.get(), STDOUT_FILENO, std::move(over)),
      up_(env, STDIN_FILENO, far_.get(), [] {}) {}

}  // namespace nbform
