// Which failures deserve another try, how long to wait for it, and what a Google answer means. Pure: no
// clock, no randomness of its own. The one place that says whether a Code may be retried.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"

namespace nbform {

// Transient: the same request may succeed in a moment (unavailable, timeout, throttled). `busy` is not: the
// engine repeats the whole step, within its kind's deadline.
bool is_transient(Code code);

struct RetryPolicy {
  Duration first =
      std::chrono::milliseconds(500);  // upper bound of the first wait; doubles with each further one
  Duration cap = std::chrono::seconds(30);
  Duration patience = std::chrono::seconds(180);  // no attempt starts later than this after the first one
  int max_attempts = 12;
};

struct RetryDecision {
  enum class Verdict { again, not_repeatable, permanent, out_of_patience } verdict = Verdict::permanent;
  Duration wait{0};  // for `again`
};

// `attempts` made so far, `elapsed` since the first began, `random(n)` uniform in [0, n). The wait is full
// jitter under an exponential bound, added to `retry_after` where the server gave one.
RetryDecision decide(const RetryPolicy& policy, Code code, bool repeatable, int attempts, Duration elapsed,
                     std::optional<Duration> retry_after,
                     const std::function<std::uint64_t(std::uint64_t)>& random);

// Retry-After in seconds or as an HTTP date (RFC 9110 10.2.3), else AWS's x-amz-retry-after in milliseconds;
// never negative.
std::optional<Duration> retry_after(const Response& response, Time now);

}  // namespace nbform
