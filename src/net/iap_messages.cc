#include "net/iap_messages.h"

#include <fmt/format.h>

namespace nbform {

namespace {

constexpr std::uint16_t kConnected = 1, kResumed = 2, kData = 4, kAck = 7, kClosing = 10;
constexpr std::size_t kMostId = 1'024;  // of a session; it goes into a URL

Diagnostic malformed(std::string why) {
  return error(Code::io, "The relay does not speak version 4", std::move(why));
}

// Takes numbers and texts from the front.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : left_(bytes) {}

  Result<std::uint64_t> number(std::size_t size) {
    if (left_.size() < size) return malformed("A message of it ends in the middle of a number.");
    std::uint64_t out = 0;
    for (char c : left_.substr(0, size)) out = out << 8 | static_cast<std::uint8_t>(c);
    left_.remove_prefix(size);
    return out;
  }
  // A length and so many bytes, which end the message.
  Result<std::string_view> text() {
    const std::uint64_t size = NB_TRY(number(4));
    if (size != left_.size())
      return malformed(
          fmt::format("A message of it says that {} bytes follow, and {} do.", size, left_.size()));
    return left_;
  }
  Result<> end() const {
    if (!left_.empty()) return malformed("A message of it is longer than its kind.");
    return Ok{};
  }

 private:
  std::string_view left_;
};

Result<IapMessage> counted(IapMessage::Kind kind, Taker from) {
  IapMessage out{.kind = kind};
  out.count = NB_TRY(from.number(8));
  NB_TRY(from.end());
  return out;
}

Result<IapMessage> texted(IapMessage::Kind kind, Taker from, std::size_t most) {
  IapMessage out{.kind = kind};
  out.bytes = NB_TRY(from.text());
  if (out.bytes.empty() || out.bytes.size() > most)
    return malformed(fmt::format("A message of it carries {} bytes.", out.bytes.size()));
  return out;
}

void append(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift & 0xff));
}

}  // namespace

Result<IapMessage> read_iap_message(std::string_view message) {
  using Kind = IapMessage::Kind;
  Taker from(message);
  switch (NB_TRY(from.number(2))) {
    case kConnected:
      return texted(Kind::connected, from, kMostId);
    case kResumed:
      return counted(Kind::resumed, from);
    case kData:
      return texted(Kind::data, from, kMostIapData);
    case kAck:
      return counted(Kind::ack, from);
    case kClosing: {
      IapMessage out{.kind = Kind::closing};
      out.code = static_cast<std::uint32_t>(NB_TRY(from.number(4)));
      out.bytes = NB_TRY(from.text());
      return out;
    }
    default:
      return IapMessage{};
  }
}

std::string iap_data(std::string_view bytes) {
  std::string out;
  out.reserve(6 + bytes.size());
  append(out, kData, 2);
  append(out, bytes.size(), 4);
  out.append(bytes);
  return out;
}

std::string iap_ack(std::uint64_t received) {
  std::string out;
  append(out, kAck, 2);
  append(out, received, 8);
  return out;
}

}  // namespace nbform
