#include "sim/relay_wire.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/text.h"

namespace nbform::sim {

namespace {

constexpr std::size_t kMostOfMessage = 16'384 + 6;  // data of the relay and its head

std::string value(const Request& request, std::string_view name) {
  return std::string(header(request.headers, name).value_or(""));
}

}  // namespace

std::string big_endian(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(number >> (8 * i)));
  return out;
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (char c : bytes) out = out * 256 + static_cast<unsigned char>(c);
  return out;
}

std::optional<Request> read_request_head(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  Request out;
  auto lines = split(bytes.substr(0, end), '\n');
  const auto words = split(trim(lines.front()), ' ');
  out.method = words.front();
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const auto colon = std::min(line.find(':'), line.size());
    out.headers.emplace_back(line.substr(0, colon), trim(line.substr(std::min(colon + 1, line.size()))));
  }
  const bool http = words.size() == 3 && words[2] == "HTTP/1.1";
  out.url = fmt::format("http://{}{}", value(out, "Host"), http ? words[1] : "/");
  return out;
}

std::string handshake_problem(const Request& request) {
  if (value(request, "Host").empty()) return "Host is missing.";
  if (!iequals(value(request, "Upgrade"), "websocket")) return "Upgrade must be 'websocket'.";
  if (!iequals(value(request, "Connection"), "Upgrade")) return "Connection must be 'Upgrade'.";
  const auto key = base64_decode(value(request, "Sec-WebSocket-Key"));
  if (!key || key->size() != 16) return "Sec-WebSocket-Key is not 16 bytes in base64.";
  return "";
}

std::string handshake_answer(const Request& request) {
  const std::string secret = value(request, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: relay.tunnel.cloudproxy.app\r\n\r\n",
      base64(sha1(secret)));
}

std::string plain_answer(const Response& response) {
  std::string out = fmt::format("HTTP/1.1 {} No\r\nConnection: close\r\nContent-Length: {}\r\n",
                                response.status, response.body.size());
  for (const auto& [name, text] : response.headers) out += fmt::format("{}: {}\r\n", name, text);
  return out + "\r\n" + response.body;
}

std::optional<ClientFrame> ClientFrames::next() {
  while (problem_.empty() && in_.size() >= 6) {
    const int first = static_cast<unsigned char>(in_[0]), second = static_cast<unsigned char>(in_[1]);
    std::size_t length = second & 127, head = 2;
    if (length > 125) {
      const std::size_t wide = length == 126 ? 2 : 8;
      if (in_.size() < 2 + wide + 4) return std::nullopt;
      const std::uint64_t told = read_big_endian(in_.substr(2, wide));
      if (told <= (wide == 2 ? 125u : 65'535u))
        return problem_ = "a length is not the shortest form", std::nullopt;
      if (told > kMostOfMessage) return problem_ = "a message is too long", std::nullopt;
      length = told;
      head += wide;
    }
    if ((first & 0x70) != 0) return problem_ = "a reserved bit is set", std::nullopt;
    if ((second & 128) == 0) return problem_ = "a frame is not masked", std::nullopt;
    if (in_.size() < head + 4 + length) return std::nullopt;
    const std::string mask = in_.substr(head, 4);
    if (mask == mask_ && length > 0) return problem_ = "a mask is used twice", std::nullopt;
    mask_ = mask;
    std::string payload = in_.substr(head + 4, length);
    for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    in_.erase(0, head + 4 + length);
    if (auto frame = take((first & 128) != 0, first & 15, std::move(payload))) return frame;
  }
  return std::nullopt;
}

std::optional<ClientFrame> ClientFrames::take(bool last, int opcode, std::string payload) {
  using Kind = ClientFrame::Kind;
  if (opcode >= 8) {
    if (!last || payload.size() > 125 || opcode > 10)
      return problem_ = "a control frame is in pieces, too long or unknown", std::nullopt;
    if (opcode == 8 && payload.size() == 1) return problem_ = "a close code of one byte", std::nullopt;
    return ClientFrame{opcode == 8 ? Kind::close : opcode == 9 ? Kind::ping : Kind::pong, std::move(payload)};
  }
  if (opcode != (within_ ? 0 : 2)) return problem_ = "not a binary message", std::nullopt;
  parts_ += payload;
  within_ = !last;
  if (parts_.size() > kMostOfMessage) return problem_ = "a message is too long", std::nullopt;
  if (!last) return std::nullopt;
  return ClientFrame{Kind::message, std::exchange(parts_, {})};
}

std::string server_frame(ClientFrame::Kind kind, std::string_view payload, std::size_t pieces) {
  using Kind = ClientFrame::Kind;
  const int opcode = kind == Kind::close ? 8 : kind == Kind::ping ? 9 : kind == Kind::pong ? 10 : 2;
  const bool whole = pieces == 0 || opcode >= 8;
  std::string out;
  for (std::size_t at = 0; at == 0 || at < payload.size();) {
    const std::string_view piece = whole ? payload : payload.substr(at, pieces);
    const bool last = at + piece.size() == payload.size();
    out.push_back(static_cast<char>((last ? 128 : 0) | (at == 0 ? opcode : 0)));
    if (piece.size() < 126)
      out.push_back(static_cast<char>(piece.size()));
    else
      out +=
          piece.size() < 65'536 ? "\x7e" + big_endian(piece.size(), 2) : "\x7f" + big_endian(piece.size(), 8);
    out += piece;
    at += piece.size();
    if (last) break;
  }
  return out;
}

}  // namespace nbform::sim
