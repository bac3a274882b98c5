#include "net/ssh_wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nbform {

void SshWire::fail(int error) {
  ended_ = true;
  error_ = error;
}

void SshWire::cut() {
  ended_ = true;
  head_ = tail_ = sent_ = 0;
  outbox_.clear();
}

void SshWire::fill() {
  if (head_ > 0) {
    std::memmove(inbox_.data(), inbox_.data() + head_, tail_ - head_);
    tail_ -= std::exchange(head_, 0);
  }
  while (!ended_ && tail_ < kInbox) {
    ssize_t n = ::recv(fd(), inbox_.data() + tail_, kInbox - tail_, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return fail(errno);
    if (n == 0) return fail(0);
    const std::size_t unheard = 4 - greeting_.size();
    greeting_.append(inbox_.data() + tail_, std::min(unheard, static_cast<std::size_t>(n)));
    const bool drained = static_cast<std::size_t>(n) < kInbox - tail_;
    tail_ += static_cast<std::size_t>(n);
    received_ += static_cast<std::uint64_t>(n);
    if (drained) return;  // an end is found with the next readiness
  }
}

std::size_t SshWire::send_now(const char* bytes, std::size_t size) {
  std::size_t done = 0;
  while (done < size && !ended_) {
    ssize_t n = ::send(fd(), bytes + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0)
      fail(errno);
    else
      done += static_cast<std::size_t>(n);
  }
  return done;
}

void SshWire::flush() {
  sent_ += send_now(outbox_.data() + sent_, queued());
  if (queued() > 0 && sent_ < kCongested) return;
  outbox_.erase(0, std::exchange(sent_, 0));
}

ssize_t SshWire::take(char* into, std::size_t size) {
  const std::size_t n = std::min(size, tail_ - head_);
  if (n == 0) return ended_ ? 0 : -EAGAIN;
  std::memcpy(into, inbox_.data() + head_, n);
  head_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t SshWire::put(const char* bytes, std::size_t size) {
  const std::size_t done = queued() == 0 ? send_now(bytes, size) : 0;
  if (!ended_) outbox_.append(bytes + done, size - done);
  return static_cast<ssize_t>(size);
}

}  // namespace nbform
