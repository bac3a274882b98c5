// Who one is and may become: STS, the SSO portal and its token endpoint. Knows no EC2.
#pragma once

#include <optional>

#include "sim/aws/access.h"

namespace nbform::sim::aws {

// GetCallerIdentity, AssumeRole, AssumeRoleWithWebIdentity: the members of <ActionResult>.
Result<Value> answer_identity(State& state, const std::optional<Caller>& caller, const std::string& action,
                              const Value& in);
Response answer_sso(State& state, const Request& request, const Url& url);

}  // namespace nbform::sim::aws
