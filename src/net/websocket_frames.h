// The frames of a WebSocket (RFC 6455 section 5) as bytes and back, from the client's side: what is sent is
// masked, what arrives must not be. Pure; knows no socket, no HTTP and no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nbform {

enum class WebSocketKind : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

// Section 7.4.1, as far as this side sends them or judges by them.
enum class WebSocketCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported = 1003,
  none = 1005,  // a close frame without a code; never sent
  not_utf8 = 1007,
  too_big = 1009
};

using WebSocketMask = std::array<std::uint8_t, 4>;

// Appends one whole frame.
void append_frame(std::string& out, WebSocketKind kind, std::string_view payload, WebSocketMask mask);
// Payload of a close frame; the reason is cut to the 123 bytes that fit.
std::string close_payload(std::uint16_t code, std::string_view reason);

// What arrived: a whole message, put together from its fragments, or a control frame.
struct WebSocketMessage {
  WebSocketKind kind = WebSocketKind::binary;  // never continuation
  std::string_view payload;                    // until the next call
  std::uint16_t code = 0;                      // close; 1005 where it has none
};

// Why the peer's bytes are no WebSocket, and with which code to say so.
struct WebSocketFault {
  WebSocketCode code = WebSocketCode::protocol_error;
  std::string what;
};

class WebSocketReader {
 public:
  // A longer message is a fault as soon as its length is known, before it is stored.
  explicit WebSocketReader(std::size_t most) : most_(most) {}

  void feed(std::string_view bytes);
  // The next message; none: more bytes are needed, or there was a fault, after which there is nothing more.
  std::optional<WebSocketMessage> next();
  const std::optional<WebSocketFault>& fault() const { return fault_; }

 private:
  struct Head {
    bool last = false;
    WebSocketKind kind = WebSocketKind::continuation;
    std::size_t size = 0, length = 0;  // of the head; of the payload
  };

  std::optional<Head> head();
  bool fits(const Head& head);
  std::optional<std::uint64_t> length(std::string_view bytes, std::size_t& size);
  std::optional<WebSocketMessage> whole(const Head& head, std::string_view payload);
  std::optional<WebSocketMessage> part(const Head& head, std::string_view payload);
  std::optional<WebSocketMessage> closing(std::string_view payload);
  std::string_view unread() const { return std::string_view(buffer_).substr(at_); }
  void fail(std::string what, WebSocketCode code = WebSocketCode::protocol_error);

  std::size_t most_;
  std::string buffer_;
  std::size_t at_ = 0;   // of what is unread in the buffer
  std::string message_;  // fragments so far
  std::optional<WebSocketKind> fragmented_;
  std::optional<WebSocketFault> fault_;
  bool closed_ = false;
};

}  // namespace nbform
