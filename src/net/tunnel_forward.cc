#include "net/tunnel_forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/message.h"

namespace nbform {

namespace {

constexpr int kSuccessors = 19;
constexpr int kLastPort = 65'535;

std::optional<int> port_in(std::string_view text) {
  int port = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool whole = code == std::errc() && end == text.data() + text.size();
  return whole && port > 0 && port <= kLastPort ? std::optional(port) : std::nullopt;
}

// The pieces between colons, those in brackets whole.
std::vector<std::string> pieces(std::string_view text) {
  std::vector<std::string> out(1);
  bool inside = false;
  for (char c : text) {
    if (c == '[' || c == ']')
      inside = c == '[';
    else if (c == ':' && !inside)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

Diagnostic unreadable(std::string_view text, std::string_view why) {
  return error(Code::usage, "This is no forwarding",
               fmt::format("\"{}\": {}. Write LOCAL:REMOTE or LOCAL:HOST:REMOTE, for example 9999:8888.",
                           text.substr(0, 80), why));
}

}  // namespace

std::string TunnelForward::target() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<TunnelForward> parse_forward(std::string_view text) {
  std::vector<std::string> parts = pieces(text);
  if (parts.size() == 4) {
    if (!is_loopback(parts[0])) return unreadable(text, "it may listen on this computer's loopback only");
    parts.erase(parts.begin());
  }
  if (parts.size() != 2 && parts.size() != 3) return unreadable(text, "it has not two or three parts");
  auto local = port_in(parts.front()), port = port_in(parts.back());
  if (!local || !port) return unreadable(text, "a port is a number from 1 to 65535");
  TunnelForward out{.local = *local, .fixed = true, .port = *port};
  if (parts.size() == 3) out.host = parts[1];
  if (out.host.empty()) return unreadable(text, "the host is missing");
  return out;
}

std::vector<int> local_ports(const TunnelForward& forward) {
  if (forward.fixed || forward.local == 0) return {forward.local};
  std::vector<int> out;
  for (int port = forward.local; port <= std::min(forward.local + kSuccessors, kLastPort); ++port)
    out.push_back(port);
  out.push_back(0);
  return out;
}

Duration Backoff::next(std::uint64_t random) {
  constexpr std::int64_t kFirst = 500'000, kLongest = 30'000'000;  // us
  const std::int64_t pause = std::min(kFirst << std::min(attempts_++, 20), kLongest);
  return Duration(pause * 3 / 4 + pause / 4 * static_cast<std::int64_t>(random % 1000) / 1000);
}

}  // namespace nbform
