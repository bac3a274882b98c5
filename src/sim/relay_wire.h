// The server's side of WebSocket (RFC 6455) and of the relay's messages (version 4), as bytes: what a client
// may send is judged more strictly than by Google's, so that what passes here passes there. Shares no code
// with nbform's client. Knows no socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/message.h"

namespace nbform::sim {

// A request's head at the beginning of `bytes`, with an URL of http://Host; none: it is not whole.
std::optional<Request> read_request_head(std::string_view bytes);
// "" where the handshake's own headers are as they must be, else what is wrong.
std::string handshake_problem(const Request& request);
std::string handshake_answer(const Request& request);
std::string plain_answer(const Response& response);

struct ClientFrame {
  enum class Kind { message, ping, pong, close } kind = Kind::message;
  std::string payload;
};

class ClientFrames {
 public:
  void feed(std::string_view bytes) { in_ += bytes; }
  std::optional<ClientFrame> next();
  const std::string& problem() const { return problem_; }  // "" = none so far

 private:
  std::optional<ClientFrame> take(bool last, int opcode, std::string payload);
  std::string in_, parts_, mask_, problem_;
  bool within_ = false;
};

// `pieces`: bytes of a fragment, 0 = whole.
std::string server_frame(ClientFrame::Kind kind, std::string_view payload, std::size_t pieces = 0);

std::string big_endian(std::uint64_t number, int bytes);
std::uint64_t read_big_endian(std::string_view bytes);

}  // namespace nbform::sim
