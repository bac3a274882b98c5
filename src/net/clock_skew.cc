#include "net/clock_skew.h"

#include <algorithm>
#include <array>

#include "base/aws_error.h"

namespace nbform {

namespace {

constexpr Duration kTolerated = std::chrono::seconds(240);

bool may_blame_the_clock(std::string_view code) {
  static constexpr std::array<std::string_view, 6> kCodes = {
      "RequestTimeTooSkewed",      "RequestExpired",       "RequestInTheFuture", "AuthFailure",
      "InvalidSignatureException", "SignatureDoesNotMatch"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

Time ClockSkew::now(const std::string& origin, Time local) const {
  auto at = offsets_.find(origin);
  return at == offsets_.end() ? local : local + at->second;
}

bool ClockSkew::learn(const std::string& origin, const Response& answer, Time local) {
  if (!may_blame_the_clock(parse_aws_error(answer).code)) return false;
  auto date = parse_http_date(header(answer.headers, "date").value_or(""));
  if (!date || std::chrono::abs(*date - now(origin, local)) <= kTolerated) return false;
  latest_ = offsets_[origin] = *date - local;
  return true;
}

}  // namespace nbform
