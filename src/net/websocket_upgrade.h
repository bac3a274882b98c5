// How an HTTP connection becomes a WebSocket (RFC 6455 section 4), and how a proxy is asked for the way to
// the server (RFC 9110 section 9.3.6): requests as bytes, answers judged. Pure; knows no socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"

namespace nbform {

// A proxy as HTTPS_PROXY names it. Errors: unsupported (a scheme other than http), usage (no address);
// neither quotes it, as it may hold a password.
struct HttpProxy {
  std::string host;
  int port = 0;
  std::string authorization;  // value of Proxy-Authorization, "" = none
};
Result<HttpProxy> parse_proxy(std::string_view text);
std::string tunnel_request(const Url& to, const HttpProxy& proxy);

// `key`: 16 random bytes in base64. `protocol`: the one that is asked for. Headers as given, but those of the
// handshake itself.
std::string upgrade_request(const Url& to, const Headers& headers, std::string_view key,
                            std::string_view protocol);

// An answer's head at the beginning of `bytes`: status, headers, and how many bytes it takes. None: it is not
// whole. Errors: io, it is no HTTP/1.1 or longer than 16 KiB.
struct HttpHead {
  Response answer;
  std::size_t size = 0;
};
Result<std::optional<HttpHead>> read_http_head(std::string_view bytes);

// Whether a 101 really is the server's word on this request: Upgrade, Connection, Sec-WebSocket-Accept, the
// protocol, no extensions. Errors: io.
Result<> check_upgrade(const Response& answer, std::string_view key, std::string_view protocol);

}  // namespace nbform
