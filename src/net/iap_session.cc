#include "net/iap_session.h"

#include <fmt/format.h>

#include <algorithm>

namespace nbform {

namespace {

using Step = IapSession::Step;

Diagnostic out_of_turn(std::string why) {
  return error(Code::io, "The relay does not speak version 4", std::move(why));
}

}  // namespace

Result<Step> IapSession::take(std::string_view message) {
  const IapMessage read = NB_TRY(read_iap_message(message));
  switch (read.kind) {
    case IapMessage::Kind::connected:
      return begin(read);
    case IapMessage::Kind::resumed:
      return resume(read);
    case IapMessage::Kind::closing:
      return Step{Step::What::closing, read.bytes, read.code};
    case IapMessage::Kind::unknown:
      return Step{};
    case IapMessage::Kind::ack:
    case IapMessage::Kind::data:
      if (!open_) return out_of_turn("It sends data before it says that the connection stands.");
  }
  if (read.kind == IapMessage::Kind::ack) {
    NB_TRY(acknowledge(read.count));
    return Step{};
  }
  received_ += read.bytes.size();
  return Step{Step::What::data, read.bytes, 0};
}

Result<Step> IapSession::begin(const IapMessage& message) {
  if (open_ || !id_.empty()) return out_of_turn("It begins the session twice.");
  const bool plain =
      std::all_of(message.bytes.begin(), message.bytes.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return out_of_turn("The session's id is not of printable characters.");
  id_ = message.bytes;
  open_ = true;
  return Step{Step::What::begun, {}, 0};
}

Result<Step> IapSession::resume(const IapMessage& message) {
  if (open_ || id_.empty()) return out_of_turn("It resumes what was not interrupted.");
  NB_TRY(acknowledge(message.count));
  sent_ = confirmed_;
  told_ = received_;  // the request to resume said so
  open_ = true;
  return Step{Step::What::resumed, {}, 0};
}

Result<> IapSession::acknowledge(std::uint64_t count) {
  if (count < confirmed_ || count > sent_)
    return out_of_turn(fmt::format("It acknowledges {} bytes; {} were sent, and {} acknowledged before.",
                                   count, sent_, confirmed_));
  from_ += static_cast<std::size_t>(count - confirmed_);
  confirmed_ = count;
  if (from_ > kept_.size() / 2) kept_.erase(0, std::exchange(from_, 0));
  return Ok{};
}

void IapSession::interrupt() {
  open_ = false;
}

std::size_t IapSession::room() const {
  return kWindow - static_cast<std::size_t>(given_ - confirmed_);
}

void IapSession::give(std::string_view bytes) {
  if (bytes.size() > room()) bug("more is given to the relay than may be under way");
  kept_.append(bytes);
  given_ += bytes.size();
}

std::string IapSession::next() {
  if (!open_) return {};
  if (received_ - told_ > kAckEvery) return iap_ack(told_ = received_);
  const std::size_t size = std::min<std::uint64_t>(given_ - sent_, kMostIapData);
  if (size == 0) return {};
  const std::size_t at = from_ + static_cast<std::size_t>(sent_ - confirmed_);
  sent_ += size;
  return iap_data(std::string_view(kept_).substr(at, size));
}

}  // namespace nbform
