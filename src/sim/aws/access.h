// Who asks: access keys, sessions and roles, and the judgement of a signed request, in the words of each
// protocol. Knows no action.
#pragma once

#include <string>

#include "sim/aws/envelope.h"
#include "sim/state.h"

namespace nbform::sim::aws {

struct Caller {
  std::string account, arn, user_id;
};

// The signer of a request to `service` in `region`. Refusals in the protocol's own codes: not signed, not
// well formed, unknown key, expired session, clock too far off, another scope, another signature.
Result<Caller> authenticate(State& state, const Request& request, const Url& url, Protocol protocol,
                            std::string_view service, std::string_view region);
void expire_caller(State& state, const Request& request);  // its session is over

void ensure_sandbox_key(State& state);
struct Session {
  std::string key_id;
  AccessKey key;
};
// Temporary credentials for a principal.
Session issue_session(State& state, std::string account, std::string arn, std::string user_id,
                      std::int64_t seconds);

}  // namespace nbform::sim::aws
