#include "net/retry.h"

#include "support/catch.h"

using namespace nbform;
using Verdict = RetryDecision::Verdict;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::uint64_t highest(std::uint64_t n) {
  return n - 1;
}
std::uint64_t lowest(std::uint64_t) {
  return 0;
}

Response with_retry_after(const char* value) {
  return {503, {{"Retry-After", value}}, ""};
}

}  // namespace

TEST_CASE("only what passes by itself is retried") {
  for (Code code : {Code::unavailable, Code::timeout, Code::throttled})
    CHECK(decide({}, code, true, 1, {}, {}, lowest).verdict == Verdict::again);
  for (Code code : {Code::bad_manifest, Code::unsupported, Code::not_found, Code::exists, Code::conflict,
                    Code::drift, Code::denied, Code::unauthenticated, Code::quota, Code::capacity, Code::busy,
                    Code::cancelled, Code::lock_held, Code::usage, Code::data_loss, Code::io, Code::internal})
    CHECK(decide({}, code, true, 1, {}, {}, lowest).verdict == Verdict::permanent);
}

TEST_CASE("an unprotected mutation is never sent twice, and that is said") {
  for (Code code : {Code::unavailable, Code::timeout, Code::throttled})
    CHECK(decide({}, code, false, 1, {}, {}, lowest).verdict == Verdict::not_repeatable);
}

TEST_CASE("waits are full jitter under a doubling bound with a cap") {
  RetryPolicy policy{.first = seconds(1), .cap = seconds(10), .patience = seconds(1000), .max_attempts = 20};
  std::vector<Duration> bounds = {seconds(1), seconds(2), seconds(4), seconds(8), seconds(10), seconds(10)};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    int attempts = static_cast<int>(i) + 1;
    CHECK(decide(policy, Code::unavailable, true, attempts, {}, {}, highest).wait == bounds[i]);
    CHECK(decide(policy, Code::unavailable, true, attempts, {}, {}, lowest).wait == Duration(0));
  }
}

TEST_CASE("Retry-After is a minimum, not the wait itself") {
  RetryPolicy policy{.first = seconds(1)};
  CHECK(decide(policy, Code::throttled, true, 1, {}, seconds(7), lowest).wait == seconds(7));
  CHECK(decide(policy, Code::throttled, true, 1, {}, seconds(7), highest).wait == seconds(8));
}

TEST_CASE("patience and attempts are bounded") {
  RetryPolicy policy{.first = seconds(1), .patience = seconds(60), .max_attempts = 3};
  CHECK(decide(policy, Code::unavailable, true, 2, seconds(10), {}, highest).verdict == Verdict::again);
  CHECK(decide(policy, Code::unavailable, true, 3, seconds(10), {}, lowest).verdict ==
        Verdict::out_of_patience);
  CHECK(decide(policy, Code::unavailable, true, 1, seconds(60), {}, highest).verdict ==
        Verdict::out_of_patience);
  CHECK(decide(policy, Code::unavailable, true, 1, {}, seconds(86'400), lowest).verdict ==
        Verdict::out_of_patience);
}

TEST_CASE("Retry-After comes as seconds or as a date") {
  Time now = *parse_rfc3339("2026-11-21T03:12:04Z");
  CHECK(retry_after(with_retry_after("120"), now) == seconds(120));
  CHECK(retry_after(with_retry_after(" 0 "), now) == seconds(0));
  CHECK(retry_after(with_retry_after("Sat, 21 Nov 2026 03:12:34 GMT"), now) == seconds(30));
  CHECK(retry_after(with_retry_after("Sat, 21 Nov 2026 03:00:00 GMT"), now) == seconds(0));
  CHECK(retry_after(with_retry_after("99999999999999999999"), now) > seconds(86'400));
  for (auto garbage : {"-1", "soon", "", "1.5", "12x"})
    CHECK_FALSE(retry_after(with_retry_after(garbage), now));
  CHECK_FALSE(retry_after(Response{503, {}, ""}, now));
  CHECK(retry_after(Response{503, {{"x-amz-retry-after", "1500"}}, ""}, now) ==
        std::chrono::milliseconds(1500));
}
