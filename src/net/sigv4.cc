#include "net/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// 20150830T123600Z
std::string stamp(Time at) {
  std::string text = format_rfc3339(Time::from_seconds(at.seconds()));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

// What a transport or a proxy may add or alter on the way is never signed.
bool is_signed(const std::string& name) {
  static constexpr std::array<std::string_view, 18> kUnsigned = {
      "accept",  "accept-encoding",   "authorization",       "baggage", "connection", "content-length",
      "expect",  "keep-alive",        "proxy-authorization", "te",      "tracestate", "proxy-authenticate",
      "trailer", "transfer-encoding", "traceparent",         "upgrade", "user-agent", "x-amzn-trace-id"};
  return std::find(kUnsigned.begin(), kUnsigned.end(), name) == kUnsigned.end();
}

// Trimmed, inner runs of blanks as one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (char c : trim(value))
    if (c != ' ' || out.back() != ' ') out.push_back(c);
  return out;
}

std::string host_of(const Url& url) {
  bool usual = url.port == 0 || url.port == (url.scheme == "https" ? 443 : 80);
  std::string origin = url.origin();
  origin.erase(0, url.scheme.size() + 3);
  return usual ? origin.substr(0, origin.size() - (url.port == 0 ? 0 : fmt::format(":{}", url.port).size()))
               : origin;
}

// By lower-case name; values of one name joined in the order they are sent.
std::map<std::string, std::string> signed_headers(const Request& request) {
  std::map<std::string, std::string> found;
  if (auto url = parse_url(request.url)) found["host"] = host_of(*url);
  bool own_host = header(request.headers, "host").has_value();
  if (own_host) found.erase("host");
  for (const auto& [name, value] : request.headers) {
    std::string key = to_lower(name);
    if (!is_signed(key)) continue;
    auto [at, fresh] = found.emplace(key, canonical_value(value));
    if (!fresh) at->second += "," + canonical_value(value);
  }
  return found;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

// Without empty and dot segments; a slash at the end stays.
std::string normal_path(std::string_view path) {
  std::vector<std::string_view> kept;
  auto parts = split(path, '/');
  for (std::string_view part : parts) {
    if (part == ".." && !kept.empty()) kept.pop_back();
    if (!part.empty() && part != "." && part != "..") kept.push_back(part);
  }
  std::string out;
  for (std::string_view part : kept) out += "/" + percent_encode(part);
  std::string_view last = parts.back();
  bool ends_open = last.empty() || last == "." || last == "..";
  return out.empty() || ends_open ? out + "/" : out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    auto equals = part.find('=');
    auto encode = [](std::string_view text) { return percent_encode(percent_decode(text)); };
    pairs.emplace_back(encode(part.substr(0, equals)),
                       equals == std::string_view::npos ? "" : encode(part.substr(equals + 1)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::string payload_hash(const Request& request) {
  if (auto given = header(request.headers, "x-amz-content-sha256")) return std::string(*given);
  return hex(sha256(request.body));
}

std::string signing_key(const AwsKeys& keys, std::string_view date, const SigningScope& scope) {
  std::string key = hmac_sha256("AWS4" + keys.secret.reveal(), date);
  for (std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")})
    key = hmac_sha256(key, part);
  return key;
}

void drop_header(Headers& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& entry) { return iequals(entry.first, name); });
}

}  // namespace

std::string canonical_request(const Request& request, const SigningScope& scope) {
  auto url = parse_url(request.url);
  if (!url) bug("a URL that is none was to be signed");
  auto headers = signed_headers(request);
  std::string lines;
  for (const auto& [name, value] : headers) lines += fmt::format("{}:{}\n", name, value);
  std::string path = scope.service == "s3" ? url->path : normal_path(url->path);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path, canonical_query(url->query), lines,
                     names_of(headers), payload_hash(request));
}

Request sign_v4(Request request, const AwsKeys& keys, const SigningScope& scope, Time at) {
  std::string time = stamp(at), date = time.substr(0, 8);
  drop_header(request.headers, "authorization");
  drop_header(request.headers, "x-amz-security-token");
  set_header(request.headers, "X-Amz-Date", time);
  if (!keys.token.empty()) set_header(request.headers, "X-Amz-Security-Token", keys.token.reveal());
  if (scope.service == "s3") set_header(request.headers, "X-Amz-Content-Sha256", payload_hash(request));
  std::string within = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, within, hex(sha256(canonical_request(request, scope))));
  request.headers.emplace_back(
      "Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm, keys.id,
                                   within, names_of(signed_headers(request)),
                                   hex(hmac_sha256(signing_key(keys, date, scope), to_sign))));
  return request;
}

}  // namespace nbform
