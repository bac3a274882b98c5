#include "net/route.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/text.h"

namespace nbform {

namespace {

// The first of `names` that is set.
std::string first_set(const Lookup& env, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = env(name)) return *value;
  return {};
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (std::string_view part : parts) {
    unsigned octet = 256;
    auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), octet);
    if (ec != std::errc() || end != part.data() + part.size() || octet > 255) return std::nullopt;
    address = address << 8 | octet;
  }
  return address;
}

bool in_block(std::string_view host, std::string_view cidr) {
  auto slash = cidr.find('/');
  auto address = parse_ipv4(host), network = parse_ipv4(cidr.substr(0, slash));
  unsigned bits = 33;
  std::string_view length = cidr.substr(slash + 1);
  std::from_chars(length.data(), length.data() + length.size(), bits);
  if (!address || !network || bits > 32) return false;
  return bits == 0 || (*address ^ *network) >> (32 - bits) == 0;
}

int port_of(const Url& url) {
  if (url.port != 0) return url.port;
  return url.scheme == "https" ? 443 : 80;
}

// One entry of NO_PROXY.
bool entry_covers(std::string_view entry, const Url& url) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return in_block(url.host, entry);
  if (auto colon = entry.rfind(':'); colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != fmt::format("{}", port_of(url))) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty()) return false;
  std::string name = to_lower(entry);
  return url.host == name || url.host.ends_with("." + name);
}

bool is_metadata_host(std::string_view host) {
  return host == "metadata.google.internal" || in_block(host, "169.254.0.0/16") || host == "fd00:ec2::254" ||
         host == "fd00:ec2::23";
}

}  // namespace

namespace {
// As much of a URL as a message may quote: no user name or password, no query.
std::string without_secrets(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  auto at = text.rfind('@');
  if (at == std::string_view::npos) return printable(text);
  auto host = text.find("://");
  std::string_view scheme = host == std::string_view::npos || host > at ? "" : text.substr(0, host + 3);
  return printable(fmt::format("{}[hidden]{}", scheme, text.substr(at)));
}
}  // namespace

Result<Url> allowed_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) {
    return error(
        Code::usage, "Not a usable URL",
        fmt::format("'{}' is not an absolute URL of the form https://host[:port]/path without user name.",
                    without_secrets(text)));
  }
  if (url->scheme == "https") return *url;
  if (url->scheme == "http" && (is_loopback(url->host) || is_metadata_host(url->host))) return *url;
  return error(
      Code::usage, "A URL without TLS is refused",
      fmt::format("{} would go over the network readable by others. http is accepted for loopback hosts "
                  "only; use https.",
                  printable(url->origin())));
}

std::string proxy_for(const Url& url, const Lookup& env) {
  if (url.scheme != "https" || is_loopback(url.host) || is_metadata_host(url.host)) return {};
  std::string proxy = first_set(env, {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"});
  if (proxy.empty()) return {};
  std::string exceptions = first_set(env, {"NO_PROXY", "no_proxy"});
  for (std::string_view entry : split(exceptions, ','))
    if (entry_covers(trim(entry), url)) return {};
  return proxy.find("://") == std::string::npos ? "http://" + proxy : proxy;
}

namespace {
bool is_of_aws(std::string_view host) {
  for (std::string_view domain : {".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aws.amazon.com"})
    if (host.ends_with(domain)) return true;
  return false;
}
}  // namespace

std::string ca_file(const Url& url, const Lookup& env) {
  const char *aws = "AWS_CA_BUNDLE", *google = "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE";
  if (!is_of_aws(url.host)) std::swap(aws, google);
  return first_set(env, {"SSL_CERT_FILE", aws, google});
}

}  // namespace nbform
