// Wire: from a Call of a pure Kind to a signed exchange: endpoint, credential, retry. One per run. Knows no
// plan.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/kind.h"
#include "net/client.h"
#include "net/endpoints.h"
#include "net/env.h"

namespace nbform {

struct WireOptions {
  std::string sandbox_token;  // not empty: the sandbox; no credential and no endpoint is read
  std::map<std::string, std::string> impersonate;  // by entry of `clouds`
};

class Wire {
 public:
  Wire(Env& env, WireOptions options);
  ~Wire();

  // `repeat` as the caller knows it: reads are safe, mutations with a request id are keyed. `done` runs from
  // Env::step(). An error: no verdict; the mutation may have taken effect.
  CallId send(const Scope& scope, const Call& call, ApiRequest::Repeat repeat,
              std::function<void(Result<Answer>)> done,
              std::function<void(const RetryNotice&)> on_retry = {});
  void cancel(const Scope& scope, CallId id);

  // What a non-2xx answer of that cloud means.
  Diagnostic refusal(const Scope& scope, const Response& answer) const;

  int calls() const { return calls_; }

 private:
  struct Cloud;
  Cloud& cloud_of(const Scope& scope);
  Result<std::string> base_of(const std::string& api);

  Env& env_;
  WireOptions options_;
  std::map<std::string, std::unique_ptr<Cloud>> clouds_;
  std::map<std::string, std::string> bases_;
  int calls_ = 0;
};

}  // namespace nbform
