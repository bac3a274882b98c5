#include "sim/relay_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "sim/relay_wire.h"

namespace nbform::sim {

namespace {

constexpr std::size_t kMostOfData = 16'384;
constexpr int kBadAck = 4005, kInvalidAck = 4006, kInvalidTag = 4008, kInvalidData = 4013,
              kCannotRewind = 4074;

std::string data_message(std::string_view bytes) {
  return big_endian(4, 2) + big_endian(bytes.size(), 4) + std::string(bytes);
}

}  // namespace

RelaySession::~RelaySession() {
  ::close(target_);
}

int RelaySession::take(std::string_view message) {
  if (message.size() < 2) return kInvalidTag;
  const std::uint64_t tag = read_big_endian(message.substr(0, 2));
  message.remove_prefix(2);
  if (tag == 7) return message.size() == 8 ? acknowledge(read_big_endian(message)) : kInvalidAck;
  if (tag != 4) return kInvalidTag;
  const bool fits = message.size() > 4 && message.size() <= 4 + kMostOfData &&
                    read_big_endian(message.substr(0, 4)) == message.size() - 4;
  if (!fits) return kInvalidData;
  received_ += message.size() - 4;
  down_ += message.substr(4);
  return 0;
}

int RelaySession::acknowledge(std::uint64_t count) {
  if (count <= acked_ || count > sent_) return kBadAck;
  kept_.erase(0, count - acked_);
  acked_ = count;
  return 0;
}

int RelaySession::resume(std::uint64_t count, std::string& again) {
  if (count < acked_ || count > sent_) return kCannotRewind;
  kept_.erase(0, count - acked_);
  acked_ = count;
  told_ = received_;
  again = kept_;
  return 0;
}

std::string RelaySession::read_target() {
  char chunk[kMostOfData];
  const ssize_t n = ::recv(target_, chunk, sizeof chunk, MSG_DONTWAIT);
  if (n > 0) {
    const std::string_view bytes(chunk, static_cast<std::size_t>(n));
    kept_ += bytes;
    sent_ += bytes.size();
    return data_message(bytes);
  }
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) target_ended_ = true;
  return {};
}

void RelaySession::write_target() {
  const ssize_t n =
      ::send(target_, down_.data() + written_, down_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n > 0) written_ += static_cast<std::size_t>(n);
  if (n < 0 && errno != EAGAIN && errno != EINTR) target_ended_ = true;
  if (written_ == down_.size()) {
    down_.clear();
    written_ = 0;
  }
}

std::string RelaySession::ack(std::uint64_t every) {
  if (received_ - told_ <= every) return {};
  told_ = received_;
  return big_endian(7, 2) + big_endian(received_, 8);
}

}  // namespace nbform::sim
