#include "sim/aws/signature.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

Diagnostic incomplete(std::string_view what, std::string_view header) {
  return refuse("IncompleteSignature", fmt::format("Authorization header requires {}. Authorization={}", what,
                                                   header.substr(0, header.find(' '))));
}

std::string part_of(std::string_view header, std::string_view name) {
  for (std::string_view part : split(header, ',')) {
    part = trim(part);
    if (part.starts_with(name) && part.size() > name.size() && part[name.size()] == '=')
      return std::string(part.substr(name.size() + 1));
  }
  return {};
}

// Trimmed, with inner runs of blanks as one.
std::string folded(std::string_view value) {
  std::string out;
  for (char c : trim(value))
    if (c != ' ' || out.empty() || out.back() != ' ') out.push_back(c);
  return out;
}

std::string header_value(const Request& request, const Url& url, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : request.headers)
    if (iequals(key, name)) values.push_back(folded(value));
  if (values.empty() && name == "host") return url.origin().substr(url.scheme.size() + 3);
  return join(values, ",");
}

// Without empty and dot segments; a trailing slash stays.
std::string normal_path(std::string_view path) {
  std::vector<std::string> kept;
  for (std::string_view part : split(path, '/')) {
    if (part == ".." && !kept.empty()) kept.pop_back();
    if (part != ".." && part != "." && !part.empty()) kept.emplace_back(part);
  }
  std::string out = "/" + join(kept, "/");
  bool slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  return slash && out.size() > 1 ? out + "/" : out;
}

std::string canonical_path(const Url& url, bool s3) {
  std::string path = url.path.empty() ? "/" : url.path;
  return s3 ? path : percent_encode(normal_path(path), true);
}

std::string canonical_query(const Url& url) {
  if (url.query.empty()) return "";
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::string_view item : split(url.query, '&')) {
    auto eq = item.find('=');
    std::string_view value = eq == std::string_view::npos ? std::string_view() : item.substr(eq + 1);
    pairs.emplace_back(percent_encode(percent_decode(item.substr(0, eq))),
                       percent_encode(percent_decode(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::string> texts;
  for (const auto& [name, value] : pairs) texts.push_back(name + "=" + value);
  return join(texts, "&");
}

}  // namespace

std::string Claim::scope() const {
  return fmt::format("{}/{}/{}/aws4_request", date, region, service);
}

Result<Claim> read_claim(const Request& request) {
  auto given = header(request.headers, "authorization");
  if (!given) return refuse("MissingAuthenticationToken", "Request is missing Authentication Token");
  std::string_view text = trim(*given);
  if (!text.starts_with(kAlgorithm) || text.size() <= kAlgorithm.size())
    return refuse("IncompleteSignature", "Unsupported AWS 'algorithm' in the Authorization header.");
  text.remove_prefix(kAlgorithm.size());
  std::string credential = part_of(text, "Credential"), names = part_of(text, "SignedHeaders");
  auto scope = split(credential, '/');
  if (scope.size() != 5 || scope[4] != "aws4_request")
    return incomplete("'Credential' parameter with a scope of date/region/service/aws4_request", *given);
  Claim claim{std::string(scope[0]),
              std::string(scope[1]),
              std::string(scope[2]),
              std::string(scope[3]),
              {},
              part_of(text, "Signature"),
              std::string(header(request.headers, "x-amz-date").value_or(""))};
  for (std::string_view name : split(names, ';'))
    if (!name.empty()) claim.signed_headers.emplace_back(name);
  if (claim.signature.empty()) return incomplete("'Signature' parameter", *given);
  if (claim.signed_headers.empty()) return incomplete("'SignedHeaders' parameter", *given);
  if (claim.stamp.size() != 16) return incomplete("existence of an 'X-Amz-Date' header", *given);
  return claim;
}

std::string canonical_request(const Request& request, const Url& url, const Claim& claim, bool s3) {
  std::string headers;
  for (const std::string& name : claim.signed_headers)
    headers += name + ":" + header_value(request, url, name) + "\n";
  auto given = header(request.headers, "x-amz-content-sha256");
  std::string payload = given ? std::string(*given) : hex(sha256(request.body));
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, canonical_path(url, s3), canonical_query(url),
                     headers, join(claim.signed_headers, ";"), payload);
}

std::string string_to_sign(const Claim& claim, const std::string& canonical) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, claim.stamp, claim.scope(), hex(sha256(canonical)));
}

std::string sign(const std::string& secret, const Claim& claim, const std::string& string_to_sign) {
  std::string key = hmac_sha256("AWS4" + secret, claim.date);
  for (const std::string& part : {claim.region, claim.service, std::string("aws4_request")})
    key = hmac_sha256(key, part);
  return hex(hmac_sha256(key, string_to_sign));
}

}  // namespace nbform::sim::aws
