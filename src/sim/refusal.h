// A refusal: what a service answers instead of doing the thing, as a Diagnostic whose provider_code is the
// reason
// ("notFound", "conditionNotMet"), and its form on the wire, which differs by service (section "envelopes" of
// docs/simulator.md). Knows no state.
#pragma once

#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform::sim {

Diagnostic refuse(std::string_view reason, std::string message);
int http_status(std::string_view reason);  // 400 for a reason not in the table

// {"error":{"code","message","errors":[{"domain","message","reason"}]}}, with `status` and details where
// newer.
Response compute_refusal(const Diagnostic& refusal);
// {"error":{"code","message","status"}}: IAM Credentials.
Response rpc_refusal(const Diagnostic& refusal);
// {"error":"invalid_grant","error_description":M}: token endpoints.
Response oauth_refusal(std::string_view error, std::string_view description, int status = 400);

Response json_response(int status, std::string body);
std::string to_text(const Value& value);  // a text as it is, anything else as JSON: for messages

}  // namespace nbform::sim
