#include "net/websocket_frames.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace nbform {

namespace {

using Kind = WebSocketKind;

constexpr std::size_t kMostOfControl = 125;
constexpr std::uint8_t kLast = 0x80, kReserved = 0x70, kMasked = 0x80;

bool is_control(Kind kind) {
  return kind >= Kind::close;
}

bool is_known(std::uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

void append_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift & 0xff));
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (char c : bytes) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

// Eight bytes at a time: all that is sent goes through here.
void append_masked(std::string& out, std::string_view payload, const WebSocketMask& mask) {
  const std::size_t from = out.size();
  out.append(payload);
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&wide) + 4, mask.data(), 4);
  std::size_t i = from;
  for (; i + 8 <= out.size(); i += 8) {
    std::uint64_t block = 0;
    std::memcpy(&block, out.data() + i, 8);
    block ^= wide;
    std::memcpy(out.data() + i, &block, 8);
  }
  for (; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ mask[(i - from) % 4]);
}

// Section 7.4: those that may stand in a frame.
bool may_be_sent(std::uint16_t code) {
  if (code >= 3000 && code < 5000) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

void append_frame(std::string& out, Kind kind, std::string_view payload, WebSocketMask mask) {
  out.push_back(static_cast<char>(kLast | static_cast<std::uint8_t>(kind)));
  if (payload.size() <= kMostOfControl) {
    out.push_back(static_cast<char>(kMasked | payload.size()));
  } else {
    const bool wide = payload.size() > 0xffff;
    out.push_back(static_cast<char>(kMasked | (wide ? 127 : 126)));
    append_big_endian(out, payload.size(), wide ? 8 : 2);
  }
  for (std::uint8_t byte : mask) out.push_back(static_cast<char>(byte));
  append_masked(out, payload, mask);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string out;
  append_big_endian(out, code, 2);
  out.append(reason.substr(0, kMostOfControl - 2));
  return out;
}

void WebSocketReader::feed(std::string_view bytes) {
  if (fault_ || closed_) return;
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, std::exchange(at_, 0));
  }
  buffer_.append(bytes);
}

void WebSocketReader::fail(std::string what, WebSocketCode code) {
  fault_ = WebSocketFault{code, std::move(what)};
  buffer_.clear();
  at_ = 0;
}

// The payload's length, and by how much it lengthens the head. None: more bytes are needed, or a fault.
std::optional<std::uint64_t> WebSocketReader::length(std::string_view bytes, std::size_t& size) {
  const std::uint8_t first = byte_at(bytes, 1) & 0x7f;
  if (first < 126) return first;
  const std::size_t wide = first == 126 ? 2 : 8;
  if (bytes.size() < size + wide) return std::nullopt;
  const std::uint64_t found = big_endian(bytes.substr(size, wide));
  size += wide;
  if (found <= (wide == 2 ? kMostOfControl : std::size_t{0xffff})) {
    fail("A length is longer than it need be.");
    return std::nullopt;
  }
  return found;
}

bool WebSocketReader::fits(const Head& head) {
  if (is_control(head.kind) && (!head.last || head.length > kMostOfControl)) {
    fail("A control frame is in pieces or too long.");
  } else if (head.kind == Kind::continuation && !fragmented_) {
    fail("A fragment continues nothing.");
  } else if (!is_control(head.kind) && head.kind != Kind::continuation && fragmented_) {
    fail("A message begins within another one.");
  } else if (!is_control(head.kind) && head.length > most_ - (fragmented_ ? message_.size() : 0)) {
    fail(fmt::format("A message is longer than {} bytes.", most_), WebSocketCode::too_big);
  }
  return !fault_;
}

std::optional<WebSocketReader::Head> WebSocketReader::head() {
  const std::string_view bytes = unread();
  if (bytes.size() < 2) return std::nullopt;
  const std::uint8_t first = byte_at(bytes, 0);
  if ((first & kReserved) != 0 || !is_known(first & 0x0f)) {
    fail("A frame is of no kind that was agreed on.");
    return std::nullopt;
  }
  if ((byte_at(bytes, 1) & kMasked) != 0) {
    fail("A frame of the server is masked.");
    return std::nullopt;
  }
  Head out{.last = (first & kLast) != 0, .kind = static_cast<Kind>(first & 0x0f), .size = 2, .length = 0};
  auto payload = length(bytes, out.size);
  if (!payload) return std::nullopt;
  out.length = static_cast<std::size_t>(*payload);
  if (!fits(out)) return std::nullopt;
  return out;
}

std::optional<WebSocketMessage> WebSocketReader::next() {
  while (!fault_ && !closed_) {
    const auto frame = head();
    if (!frame || unread().size() - frame->size < frame->length) return std::nullopt;
    const std::string_view payload = unread().substr(frame->size, frame->length);
    at_ += frame->size + frame->length;
    if (auto message = is_control(frame->kind) ? whole(*frame, payload) : part(*frame, payload))
      return message;
  }
  return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketReader::whole(const Head& head, std::string_view payload) {
  if (head.kind == Kind::close) return closing(payload);
  return WebSocketMessage{head.kind, payload, 0};
}

std::optional<WebSocketMessage> WebSocketReader::part(const Head& head, std::string_view payload) {
  const bool alone = head.last && !fragmented_;
  const Kind kind = fragmented_.value_or(head.kind);
  if (!alone) {
    if (!fragmented_) message_.clear();
    message_.append(payload);
    fragmented_ = kind;
    if (!head.last) return std::nullopt;
    payload = message_;
    fragmented_.reset();
  }
  if (kind == Kind::text && !valid_utf8(payload)) {
    fail("A text is not UTF-8.", WebSocketCode::not_utf8);
    return std::nullopt;
  }
  return WebSocketMessage{kind, payload, 0};
}

std::optional<WebSocketMessage> WebSocketReader::closing(std::string_view payload) {
  std::uint16_t code = static_cast<std::uint16_t>(WebSocketCode::none);
  if (payload.size() >= 2) code = static_cast<std::uint16_t>(big_endian(payload.substr(0, 2)));
  if (payload.size() == 1 || (payload.size() >= 2 && !may_be_sent(code))) {
    fail("The end is announced with a code that does not exist.");
    return std::nullopt;
  }
  const std::string_view reason = payload.substr(std::min<std::size_t>(2, payload.size()));
  if (!valid_utf8(reason)) {
    fail("The reason of the end is not UTF-8.", WebSocketCode::not_utf8);
    return std::nullopt;
  }
  closed_ = true;
  return WebSocketMessage{Kind::close, reason, code};
}

}  // namespace nbform
