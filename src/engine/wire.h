// Wire: from a Call of a pure Kind to a signed exchange: endpoint, credential, retry. One per run. Knows no
// plan.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/aws_wire.h"
#include "engine/google_wire.h"

namespace nbform {

struct WireOptions {
  std::string sandbox_token;  // not empty: the sandbox; no credential and no endpoint of Google's is read
  std::map<std::string, std::string> impersonate;    // by entry of `clouds`
  bool mixed_endpoints = false;                      // see GoogleWireOptions
  std::map<std::string, AwsWireOptions> aws;         // likewise
  std::function<void(const RetryNotice&)> on_retry;  // of calls that have none of their own
};

class Wire {
 public:
  Wire(Env& env, WireOptions options);

  // `repeat` as the caller knows it: reads are safe, mutations with a request id are keyed. `done` runs from
  // Env::step(). An error: no verdict; the mutation may have taken effect.
  void send(const Scope& scope, const Call& call, ApiRequest::Repeat repeat,
            std::function<void(Result<Answer>)> done, std::function<void(const RetryNotice&)> on_retry = {},
            Permission may_repeat = {});

  // What a non-2xx answer of that cloud means.
  Diagnostic refusal(const Scope& scope, const Response& answer) const;

  // E-mail of whoever calls, of a cloud where there is one. Errors: unauthenticated.
  void caller(const Scope& scope, std::function<void(Result<std::string>)> done);

  AwsWire& aws(const std::string& cloud);  // an entry of `clouds`
  Authorize google_authorizer(const std::string& cloud);

  int calls() const { return calls_; }

 private:
  GoogleWire& google(const std::string& cloud);

  Env& env_;
  WireOptions options_;
  std::map<std::string, std::unique_ptr<GoogleWire>> google_;
  std::map<std::string, std::unique_ptr<AwsWire>> aws_;
  int calls_ = 0;
};

}  // namespace nbform
