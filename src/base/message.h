// An HTTP exchange as plain data. Knows no transport, no signing, no retry.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nbform {

// Names are compared without case; order is kept.
using Headers = std::vector<std::pair<std::string, std::string>>;
using Query = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string url;  // absolute, query included, already escaped
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{60'000};    // of the whole exchange
  std::size_t max_body = std::size_t{8} << 20;  // a longer answer is an error, never a truncated value
  std::string proxy;                            // "" = as HTTPS_PROXY and NO_PROXY say (net/route.h)
  bool secret_answer = false;                   // the answer's body is a credential: never logged

  // Method, URL and body with every credential replaced by "[redacted]": the only form that may be logged.
  std::string display() const;
};

// Summary of the `io` error for an answer beyond its limit: a list may be had in smaller pages.
inline constexpr std::string_view kTooLarge = "The answer is too large";

struct Response {
  int status = 0;
  Headers headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

// A URL's query, and a form or JSON body, with the value of every field that carries a credential replaced by
// "[redacted]". The body need not be well formed.
std::string redacted_url(std::string_view url);
std::string redacted_body(std::string_view body, std::string_view content_type);

std::optional<std::string_view> header(const Headers& headers, std::string_view name);
void set_header(Headers& headers, std::string_view name, std::string value);

// Pieces of a URL; `path` begins with '/', `query` has no '?'. Nothing is unescaped.
struct Url {
  std::string scheme, host, path, query;
  int port = 0;  // 0 = the scheme's own

  std::string origin() const;  // scheme://host[:port]
};
std::optional<Url> parse_url(std::string_view text);
// 127.0.0.0/8, ::1 or localhost: the only hosts to which http is allowed.
bool is_loopback(std::string_view host);

// RFC 3986: everything but unreserved characters is escaped (and '/' where `keep_slash`).
std::string percent_encode(std::string_view text, bool keep_slash = false);
std::string percent_decode(std::string_view text);  // '+' stays '+'; bad escapes stay as they are
std::string form_encode(const Query& query);        // a=b&c=d, both sides escaped
Query form_decode(std::string_view text);           // '+' is a blank here

}  // namespace nbform
