#include "net/retry.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace nbform {

namespace {

// Upper bound of the wait after `attempts` tries.
Duration bound(const RetryPolicy& policy, int attempts) {
  Duration limit = policy.first;
  for (int i = 1; i < attempts && limit < policy.cap; ++i) limit *= 2;
  return std::min(limit, policy.cap);
}

// Not negative, and of seconds at most a year's.
std::optional<std::int64_t> whole_number(std::string_view text) {
  constexpr std::int64_t kYear = 366 * 86'400;
  std::int64_t number = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return ec == std::errc() ? std::min(number, kYear) : kYear;
}

}  // namespace

bool is_transient(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::timeout:
    case Code::throttled:
      return true;
    default:
      return false;
  }
}

RetryDecision decide(const RetryPolicy& policy, Code code, bool repeatable, int attempts, Duration elapsed,
                     std::optional<Duration> retry_after,
                     const std::function<std::uint64_t(std::uint64_t)>& random) {
  using Verdict = RetryDecision::Verdict;
  if (!is_transient(code)) return {Verdict::permanent};
  if (!repeatable) return {Verdict::not_repeatable};
  if (attempts >= policy.max_attempts) return {Verdict::out_of_patience};
  auto jitter = random(static_cast<std::uint64_t>(bound(policy, attempts).count()) + 1);
  Duration wait = retry_after.value_or(Duration(0)) + Duration(static_cast<std::int64_t>(jitter));
  if (elapsed + wait > policy.patience) return {Verdict::out_of_patience};
  return {Verdict::again, wait};
}

std::optional<Duration> retry_after(const Response& response, Time now) {
  auto text = header(response.headers, "retry-after");
  if (!text) {
    auto millis = whole_number(header(response.headers, "x-amz-retry-after").value_or(""));
    return millis ? std::optional<Duration>(std::chrono::milliseconds(*millis)) : std::nullopt;
  }
  std::string_view value = trim(*text);
  if (auto seconds = whole_number(value)) return std::chrono::seconds(*seconds);
  if (auto date = parse_http_date(value)) return std::max(*date - now, Duration(0));
  return std::nullopt;
}

}  // namespace nbform
