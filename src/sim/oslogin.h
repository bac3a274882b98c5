// OS Login as a service of the simulated cloud: the SSH keys and the POSIX account of whoever calls, and
// which VMs it rules. Knows no guest: what a key then opens is the guest's business.
#pragma once

#include "sim/state.h"

namespace nbform::sim {

Response answer_oslogin(State& state, const Request& request, const Url& url);
// GET /oauth2/v3/userinfo: who a token is of.
Response answer_userinfo(State& state, const Request& request, const Url& url);

// ResourceStatus.effectiveInstanceMetadata of a VM: what stands in its metadata, else in its project's.
Value effective_metadata(const State& state, const Key& key, const Value& instance);

}  // namespace nbform::sim
