// What a failed answer of AWS means: four envelopes (EC2, Query, S3, JSON), one reading, by the code before
// the status: a stock-out arrives as HTTP 500, a rate limit as 503 (EC2 API Reference). Pure; knows no retry
// and no transport.
#pragma once

#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"

namespace nbform {

// What an error says; members are empty or 0 where it does not.
struct AwsProblem {
  int http_status = 0;
  std::string code;  // "InsufficientInstanceCapacity", without namespace or prefix; "" without an envelope
  std::string message;
  std::string request_id;
  std::string region;  // where S3 says that the bucket is
};

AwsProblem parse_aws_error(const Response& response);

// Not for 2xx.
Code classify_aws(const AwsProblem& problem);
Code classify_aws(const Response& response);
// For a code that stands somewhere else, e.g. "Server.InsufficientInstanceCapacity" of a stateReason.
Code classify_aws_code(std::string_view code, std::string_view message = {});

// Stable summary by class; the cloud's words in detail, the remedy in hint, provider code and request id set.
Diagnostic aws_error(const AwsProblem& problem);
Diagnostic aws_error(const Response& response);

// The answer to a request with DryRun that would have succeeded; its status is an error's.
bool is_dry_run_success(const AwsProblem& problem);

}  // namespace nbform
