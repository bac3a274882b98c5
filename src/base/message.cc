#include "base/message.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::array<std::string_view, 8> kSecretHeaders = {"authorization",
                                                            "x-amz-security-token",
                                                            "proxy-authorization",
                                                            "cookie",
                                                            "x-goog-iam-authorization-token",
                                                            "metadata-token",
                                                            "x-amz-sso_bearer_token",
                                                            "x-aws-ec2-metadata-token"};
// Query and form parameters, and JSON members, whose values are credentials.
constexpr std::array<std::string_view, 24> kSecretFields = {"WebIdentityToken",
                                                            "UserData",
                                                            "TokenCode",
                                                            "SecretAccessKey",
                                                            "secretAccessKey",
                                                            "SessionToken",
                                                            "sessionToken",
                                                            "Token",
                                                            "refreshToken",
                                                            "clientSecret",
                                                            "assertion",
                                                            "refresh_token",
                                                            "client_secret",
                                                            "access_token",
                                                            "subject_token",
                                                            "key",
                                                            "token",
                                                            "subjectToken",
                                                            "accessToken",
                                                            "id_token",
                                                            "signature",
                                                            "X-Amz-Signature",
                                                            "private_key",
                                                            "password"};

bool secret_field(std::string_view name) {
  for (std::string_view field : kSecretFields)
    if (iequals(field, name)) return true;
  return false;
}

std::string redact_form(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view part : split(text, '&')) {
    auto eq = part.find('=');
    bool hide = eq != std::string_view::npos && secret_field(percent_decode(part.substr(0, eq)));
    parts.push_back(hide ? std::string(part.substr(0, eq)) + "=[redacted]" : std::string(part));
  }
  return join(parts, "&");
}

// Replaces the text value of every secret member, without needing the text to be valid JSON.
std::string redact_json(std::string_view text) {
  std::string out(text);
  for (std::string_view field : kSecretFields) {
    if (field == "key") continue;  // an API key in a URL; in JSON the name of a metadata item
    std::string needle = fmt::format("\"{}\"", field);
    for (auto at = out.find(needle); at != std::string::npos; at = out.find(needle, at + 1)) {
      auto colon = out.find_first_not_of(" \t\r\n", at + needle.size());
      if (colon == std::string::npos || out[colon] != ':') continue;
      auto open = out.find_first_not_of(" \t\r\n", colon + 1);
      if (open == std::string::npos || out[open] != '"') continue;
      auto close = open + 1;
      while (close < out.size() && out[close] != '"') close += out[close] == '\\' ? 2 : 1;
      if (close > out.size()) close = out.size();
      out.replace(open + 1, close - open - 1, "[redacted]");
    }
  }
  return out;
}

}  // namespace

std::string redacted_url(std::string_view url) {
  auto query = url.find('?');
  if (query == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, query + 1)) + redact_form(url.substr(query + 1));
}

std::string redacted_body(std::string_view body, std::string_view content_type) {
  return content_type.find("form-urlencoded") != std::string_view::npos ? redact_form(body)
                                                                        : redact_json(body);
}

std::string Request::display() const {
  std::string out = method + " " + redacted_url(url);
  for (const auto& [name, value] : headers) {
    bool hide = false;
    for (std::string_view secret : kSecretHeaders) hide = hide || iequals(secret, name);
    if (hide) out += fmt::format("\n{}: [redacted]", name);
  }
  if (!body.empty()) out += "\n" + redacted_body(body, header(headers, "content-type").value_or(""));
  return out;
}

std::optional<std::string_view> header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (iequals(key, name)) return value;
  return std::nullopt;
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  for (auto& [key, old] : headers)
    if (iequals(key, name)) {
      old = std::move(value);
      return;
    }
  headers.emplace_back(std::string(name), std::move(value));
}

std::string Url::origin() const {
  std::string name = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  return port == 0 ? fmt::format("{}://{}", scheme, name) : fmt::format("{}://{}:{}", scheme, name, port);
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return std::nullopt;
  url.scheme = to_lower(text.substr(0, scheme_end));
  text.remove_prefix(scheme_end + 3);
  auto authority_end = text.find_first_of("/?#");
  std::string_view authority = text.substr(0, authority_end);
  text = authority_end == std::string_view::npos ? std::string_view{} : text.substr(authority_end);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
  auto colon = authority.rfind(':');
  if (authority.front() == '[') {
    auto close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    url.host = authority.substr(1, close - 1);
    colon = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
  } else {
    url.host = to_lower(authority.substr(0, colon));
  }
  if (url.host.empty()) return std::nullopt;
  if (colon != std::string_view::npos) {
    std::string_view digits = authority.substr(colon + 1);
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    bool fits = ec == std::errc() && end == digits.data() + digits.size() && url.port > 0 && url.port < 65536;
    if (authority[colon] != ':' || !fits) return std::nullopt;
  }
  text = text.substr(0, text.find('#'));
  auto query = text.find('?');
  url.path = text.substr(0, query);
  if (url.path.empty()) url.path = "/";
  if (query != std::string_view::npos) url.query = text.substr(query + 1);
  return url;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string_view::npos && split(host, '.').size() == 4;
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain)
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string form_encode(const Query& query) {
  std::string out;
  for (const auto& [key, value] : query) {
    if (!out.empty()) out.push_back('&');
    out += percent_encode(key) + "=" + percent_encode(value);
  }
  return out;
}

Query form_decode(std::string_view text) {
  Query query;
  if (text.empty()) return query;
  auto decode = [](std::string_view part) {
    std::string plus(part);
    for (char& c : plus)
      if (c == '+') c = ' ';
    return percent_decode(plus);
  };
  for (std::string_view part : split(text, '&')) {
    if (part.empty()) continue;
    auto eq = part.find('=');
    query.emplace_back(decode(part.substr(0, eq)),
                       eq == std::string_view::npos ? "" : decode(part.substr(eq + 1)));
  }
  return query;
}

}  // namespace nbform
