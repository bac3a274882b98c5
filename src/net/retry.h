// Which failures deserve another try, how long to wait for it, and what a Google answer means. Pure: no
// clock, no randomness of its own. The one place that says whether a Code may be retried.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"

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

// Retry-After in seconds or as an HTTP date, never negative (RFC 9110 10.2.3).
std::optional<Duration> retry_after(const Response& response, Time now);

// A failed answer of any Google API, told by its reason before its status (gcp.md 0 and 2.7). Not for 2xx.
Code classify_google(const Response& response);
// The same for one code: an error item of a DONE operation, or a reason. 0 = status not known.
Code classify_google_code(std::string_view code, int http_status, std::string_view message = {});

// What a Google error envelope says, whichever of its shapes it has; members are "" or 0 where absent.
struct GoogleProblem {
  int http_status = 0;
  std::string
      reason;  // the most specific word: ErrorInfo reason, errors[0].reason, status, or OAuth's `error`
  std::string message;
  std::string url;              // where to go, e.g. the page that switches the API on
  std::string zones_available;  // the cloud's hint in a stock-out, comma separated
};
GoogleProblem parse_google_error(const Response& response);
// An item of operation.error.errors[], with the operation's httpErrorStatusCode.
GoogleProblem parse_google_operation_error(const Value& item, int http_status);

// Stable summary by class, the cloud's words and the remedy in detail and hint, provider code and request id.
Diagnostic google_error(const Response& response);
Diagnostic google_error(const GoogleProblem& problem);

}  // namespace nbform
