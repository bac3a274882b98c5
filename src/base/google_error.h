// What a failed Google answer means. Five services, five shapes of envelope, one reading (AIP-193 and older).
// Pure; knows no retry and no transport.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform {

// What an error says; members are empty or 0 where it does not.
struct GoogleProblem {
  int http_status = 0;
  bool in_operation = false;  // the failure of an operation, not the refusal of a request
  std::vector<std::string>
      reasons;  // the cloud's words, the most specific first: ErrorInfo, errors[0], status
  std::string message;
  std::string url;              // where to go, e.g. the page that switches an API on
  std::string api;              // the API that is switched off, e.g. compute.googleapis.com
  std::string zones_available;  // the hint in a stock-out, comma separated
  std::string request_id;

  std::string_view reason() const {
    return reasons.empty() ? std::string_view{} : std::string_view(reasons[0]);
  }
};

// Any body: Compute, Notebooks, IAM, Storage, OAuth and STS shapes, a list of one, plain text, HTML.
GoogleProblem parse_google_error(const Response& response);
// One item of operation.error.errors[], with the operation's httpErrorStatusCode.
GoogleProblem parse_google_operation_error(const Value& item, int http_status);

// Reasons before status: a rate limit arrives as 403, a stock-out as 503. Not for 2xx.
Code classify_google(const GoogleProblem& problem);
Code classify_google(const Response& response);
// The same for a single word; camelCase and UPPER_SNAKE are one. 0 = status not known.
Code classify_google_code(std::string_view code, int http_status, std::string_view message = {});

// Stable summary by class; the cloud's words in detail, the remedy in hint, provider code and request id set.
Diagnostic google_error(const GoogleProblem& problem);
Diagnostic google_error(const Response& response);

}  // namespace nbform
