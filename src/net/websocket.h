// A WebSocket connection (RFC 6455) on the loop of Env: through a proxy where the environment names one, with
// TLS and a verified certificate, upgraded under a named protocol. Carries whole binary messages, answers
// pings, notices a peer that fell silent. Never reconnects; knows nothing of what the messages mean.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/message.h"
#include "net/env.h"

namespace nbform {

struct WebSocketSettings {
  Url url;                                              // https, or http on loopback
  Headers headers;                                      // of the handshake, beside its own
  std::string protocol;                                 // Sec-WebSocket-Protocol
  Duration handshake_limit = std::chrono::seconds(20);  // connection, TLS and upgrade together
  // So long without a word it is pinged, so long again it is lost; a peer that never answered a ping is not.
  Duration quiet = std::chrono::seconds(8);
  std::size_t most = std::size_t{64} << 10;  // bytes of a message that arrives
};

struct WebSocketEnd {
  enum class How {
    unreachable,  // there is no way to the server, or no trust in it
    refused,      // it answered the handshake with another status than 101
    closed,       // it closed the open connection and said so
    lost          // the open connection broke, fell silent, or made no sense
  };
  How how = How::lost;
  Response answer;         // refused
  std::uint16_t code = 0;  // closed; 1005: without a code
  std::string reason;      // closed; the server's words, not fit for a terminal
  Diagnostic why;          // unreachable, lost
};

// All are called from Env::step(). Only `ended`, the last of them, may destroy the connection.
struct WebSocketCalls {
  std::function<void()> opened;
  std::function<void(std::string_view)> message;
  std::function<void()> drained;  // all that was to be sent is with the system
  std::function<void(WebSocketEnd)> ended;
};

class WebSocket {
 public:
  // Begins with the next steps.
  WebSocket(Env& env, WebSocketSettings settings, WebSocketCalls calls);
  ~WebSocket();  // says goodbye with code 1000 where it is open

  void send(std::string_view message);  // only when open
  std::size_t queued() const;           // bytes that the system has not taken yet
  void pause(bool on);                  // no message arrives meanwhile

  class Machine;  // its insides

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace nbform
