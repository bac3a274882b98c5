#include "net/websocket_upgrade.h"

#include <fmt/format.h>

#include <charconv>

#include "base/crypto.h"
#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kMostOfHead = std::size_t{16} << 10;
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

Diagnostic not_http(std::string why) {
  return error(Code::io, "The answer is not HTTP", std::move(why));
}

int port_of(const Url& url) {
  if (url.port != 0) return url.port;
  return url.scheme == "https" ? 443 : 80;
}

std::string host_port(const Url& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return fmt::format("{}:{}", v6 ? "[" + url.host + "]" : url.host, port_of(url));
}

// "HTTP/1.1 101 Switching Protocols".
std::optional<int> status_in(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
  int status = 0;
  auto [end, problem] = std::from_chars(line.data() + 9, line.data() + 12, status);
  const bool fits = problem == std::errc() && end == line.data() + 12 && status >= 100;
  return fits && (line.size() == 12 || line[12] == ' ') ? std::optional(status) : std::nullopt;
}

// Whether a list such as "keep-alive, Upgrade" holds the word.
bool lists(std::optional<std::string_view> value, std::string_view word) {
  if (!value) return false;
  for (std::string_view item : split(*value, ','))
    if (iequals(trim(item), word)) return true;
  return false;
}

Diagnostic not_agreed(std::string why) {
  return error(Code::io, "The server does not speak WebSocket", std::move(why));
}

}  // namespace

Result<HttpProxy> parse_proxy(std::string_view text) {
  if (auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (!iequals(text.substr(0, scheme), "http"))
      return error(Code::unsupported, "The proxy cannot be used",
                   fmt::format("HTTPS_PROXY names a proxy of the kind {}; the relay is reached through "
                               "http proxies only.",
                               printable(text.substr(0, scheme))))
          .with_hint("Reach the relay directly: add its host to NO_PROXY");
    text.remove_prefix(scheme + 3);
  }
  HttpProxy out;
  text = text.substr(0, text.find_first_of("/?#"));
  if (auto at = text.rfind('@'); at != std::string_view::npos) {
    out.authorization = "Basic " + base64(percent_decode(text.substr(0, at)));
    text.remove_prefix(at + 1);
  }
  auto url = parse_url("http://" + std::string(text) + "/");
  if (!url) return error(Code::usage, "The proxy cannot be used", "HTTPS_PROXY names no host.");
  out.host = url->host;
  out.port = port_of(*url);
  return out;
}

std::string tunnel_request(const Url& to, const HttpProxy& proxy) {
  std::string out = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", host_port(to));
  if (!proxy.authorization.empty()) out += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  return out + "\r\n";
}

std::string upgrade_request(const Url& to, const Headers& headers, std::string_view key,
                            std::string_view protocol) {
  std::string host = to.port == 0 ? to.host : host_port(to);
  std::string out = fmt::format("GET {}{}{} HTTP/1.1\r\nHost: {}\r\n", to.path, to.query.empty() ? "" : "?",
                                to.query, host);
  out += fmt::format(
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Protocol: {}\r\n",
      key, protocol);
  for (const auto& [name, value] : headers) out += fmt::format("{}: {}\r\n", name, value);
  return out + "\r\n";
}

Result<std::optional<HttpHead>> read_http_head(std::string_view bytes) {
  auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos || end > kMostOfHead) {
    if (bytes.size() > kMostOfHead) return not_http("Its head does not end.");
    if (!std::string_view("HTTP/1.").starts_with(bytes.substr(0, 7)))
      return not_http("It begins with other words.");
    return std::optional<HttpHead>();
  }
  HttpHead out;
  out.size = end + 4;
  bool first = true;
  for (std::string_view line : split(bytes.substr(0, end), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false)) {
      auto status = status_in(line);
      if (!status) return not_http("It begins with other words.");
      out.answer.status = *status;
      continue;
    }
    auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return not_http("A line of its head is no header.");
    out.answer.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return std::optional(std::move(out));
}

Result<> check_upgrade(const Response& answer, std::string_view key, std::string_view protocol) {
  auto value = [&](std::string_view name) { return header(answer.headers, name); };
  if (!iequals(value("Upgrade").value_or(""), "websocket") || !lists(value("Connection"), "upgrade"))
    return not_agreed("It answers 101 without saying what it switches to.");
  if (value("Sec-WebSocket-Accept").value_or("") != base64(sha1(std::string(key) + std::string(kGuid))))
    return not_agreed("Its Sec-WebSocket-Accept belongs to another request.");
  if (value("Sec-WebSocket-Protocol").value_or("") != protocol)
    return not_agreed(fmt::format("It does not agree to the protocol {}.", protocol));
  if (value("Sec-WebSocket-Extensions")) return not_agreed("It adds an extension that was not asked for.");
  return Ok{};
}

}  // namespace nbform
