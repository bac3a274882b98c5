// Sends one API request until there is a verdict: pace, authorise each attempt, send, classify, perhaps
// again. Knows no cloud's resources and no screen. How many requests run at once is the caller's business.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/google_error.h"
#include "base/json.h"
#include "base/value.h"
#include "net/env.h"
#include "net/retry.h"

namespace nbform {

// In one answer; a page of 500 machines with 64 labels and 64 metadata entries each has fewer.
inline constexpr std::size_t kMostValues = 250'000;

// A request that may leave now, and the number of the credential it carries.
struct Authorized {
  Request request;
  std::uint64_t grant = 0;
};
// The grant of this call that the server did not accept, 0 at first, what it said to it, and when the attempt
// had left, by Env's clock.
struct Refused {
  std::uint64_t grant = 0;
  Response answer;
  Time sent;
};
// Adds what authorises one attempt (a token, a signature). A refused grant must not be used again as it is.
// Errors end the call.
using Authorize = std::function<void(Request request, const Refused& refused,
                                     std::function<void(Result<Authorized>)> done)>;

// Another attempt is coming, and why.
struct RetryNotice {
  std::string method, url;  // without the query
  int attempts = 0;         // made so far
  Duration wait{0};
  Code code = Code::unavailable;
  int status = 0;      // of the answer, 0 without one
  std::string reason;  // "HTTP 503", "rateLimitExceeded", "no connection"
};

// Asked before each attempt but the first, whether what is asked for is still meant; `go` may be called
// later. An error ends the call with it.
using Permission = std::function<void(std::function<void(Result<>)> go)>;

struct ApiRequest {
  // safe: reads. keyed: a mutation that cannot happen twice (requestId, fingerprint, precondition). never: a
  // mutation without such protection; sent exactly once, except that an attempt which was not authenticated
  // is followed by one with a fresh credential.
  enum class Repeat { safe, keyed, never };

  Request http;
  Repeat repeat = Repeat::safe;
  RetryPolicy policy;
  bool expects_json = true;  // a 2xx but 204 whose body is not a JSON object (see `read`) counts as cut
  std::function<void(const RetryNotice&)> on_retry;
  Permission may_repeat;  // none: always
  // Of this answer, instead of the client's own; it may use up the body.
  std::function<Result<Value>(Response&)> read;
};

// The service's own word on the request: 2xx, or a refusal that another attempt would not change.
struct Answer {
  Response http;
  Value json;  // the body, null where it is empty or neither expected nor JSON
};

struct ClientOptions {
  Authorize authorize;  // none: requests leave as they are
  // The body as a Value, for services whose objects arrive in another form than JSON.
  std::function<Result<Value>(const Response&)> read = [](const Response& r) {
    return parse_json(r.body, kMostValues);
  };
  // Of a non-2xx. `unauthenticated` asks `authorize` once more.
  std::function<Code(const Response&)> classify = static_cast<Code (*)(const Response&)>(classify_google);
  std::function<Diagnostic(const Response&)> describe =
      static_cast<Diagnostic (*)(const Response&)>(google_error);
};

using CallId = std::uint64_t;

class Client {
 public:
  Client(Env& env, ClientOptions options);
  ~Client();  // cancels what is under way
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `done` runs from Env::step(), once. An error means that there is no verdict (unreachable, throttled or
  // failing beyond patience, not repeatable, no credential): a mutation may or may not have taken effect. The
  // detail says how often it was tried and why no more.
  CallId send(ApiRequest request, std::function<void(Result<Answer>)> done);
  void cancel(CallId id);  // `done` is not called any more; the request may still take effect

  std::size_t in_flight() const;

 private:
  struct Call;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nbform
