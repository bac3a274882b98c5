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
  auto at = corrections_.find(origin);
  return at == corrections_.end() ? local : local + at->second.offset;
}

bool ClockSkew::learn(const std::string& origin, const Response& answer, Time sent, Time local) {
  if (!may_blame_the_clock(parse_aws_error(answer).code)) return false;
  if (auto known = corrections_.find(origin); known != corrections_.end() && known->second.learnt >= sent)
    return true;
  auto date = parse_http_date(header(answer.headers, "date").value_or(""));
  if (!date || std::chrono::abs(*date - now(origin, local)) <= kTolerated) return false;
  latest_ = *date - local;
  corrections_[origin] = {latest_, local};
  return true;
}

}  // namespace nbform
