#include "net/ssh_relay.h"

#include <sys/socket.h>

#include <cerrno>

namespace nbform {

namespace {

constexpr int kChunksUp = 4;  // at one go, so that one upload does not hold up all the others

}  // namespace

Relay::State Relay::move(std::span<char> scratch, bool near_ready) {
  if (!move_down(scratch) || !move_up(scratch, near_ready)) return State::broken;
  return up_done_ && down_done_ ? State::finished : State::going;
}

// What the socket does not take stays in down_.
bool Relay::send_down(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    ssize_t n = ::send(fd(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  down_ = std::string(bytes.substr(done));
  return true;
}

bool Relay::move_down(std::span<char> scratch) {
  if (!down_.empty() && !send_down(std::string(std::move(down_)))) return false;
  while (down_.empty() && !far_ended_) {
    FarEnd::Moved got = far_->read(scratch.first(kChunk));
    if (got.state == FarEnd::State::broken) return false;
    if (got.state == FarEnd::State::again) return true;
    far_ended_ = got.state == FarEnd::State::ended;
    if (!send_down({scratch.data(), got.bytes})) return false;
  }
  if (down_.empty() && far_ended_ && !down_done_) {
    ::shutdown(fd(), SHUT_WR);
    down_done_ = true;
  }
  return true;
}

// What the far side does not take stays in up_.
bool Relay::send_up(std::string_view bytes) {
  while (!bytes.empty()) {
    FarEnd::Moved put = far_->write(bytes);
    if (put.state == FarEnd::State::broken) return false;
    if (put.state != FarEnd::State::ok) break;
    bytes.remove_prefix(put.bytes);
  }
  up_ = std::string(bytes);
  blocked_ = !up_.empty();
  return true;
}

bool Relay::finish_up() {
  FarEnd::State end = far_->finish_writing();
  up_done_ = end == FarEnd::State::ok;
  return end != FarEnd::State::broken;
}

bool Relay::move_up(std::span<char> scratch, bool near_ready) {
  if (!up_.empty() && !send_up(std::string(std::move(up_)))) return false;
  for (int chunk = 0; near_ready && chunk < kChunksUp && !blocked_ && !near_ended_; ++chunk) {
    ssize_t n = ::recv(fd(), scratch.data(), kChunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n < 0) return false;
    near_ended_ = n == 0;
    if (n > 0 && !send_up({scratch.data(), static_cast<std::size_t>(n)})) return false;
    if (static_cast<std::size_t>(n) < kChunk && n > 0) return true;
  }
  return !near_ended_ || blocked_ || up_done_ || finish_up();
}

void Relay::reset() {
  reset_connection(std::move(near_));
}

void reset_connection(Descriptor socket) {
  if (!socket) return;
  linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace nbform
