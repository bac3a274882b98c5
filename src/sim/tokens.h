// Everything that gives out and judges credentials: the OAuth token endpoint (RS256 assertions, refresh
// tokens), STS, IAM Credentials, the metadata server, and the bearer check of the other services.
#pragma once

#include "sim/state.h"

namespace nbform::sim {

std::string issue_token(State& state, const std::string& principal, std::int64_t seconds);
// The principal behind the Authorization header; refusal authError.
Result<std::string> bearer(const State& state, const Request& request);

Response answer_oauth(State& state, const Request& request, const Url& url);
Response answer_sts(State& state, const Request& request);
Response answer_iam(State& state, const Request& request, const Url& url);
Response answer_metadata(State& state, const Request& request, const Url& url);

}  // namespace nbform::sim
