// The instance metadata service as a program in a VM meets it: tokens (version 2), what an instance is told
// of itself, its role's credentials, the notice of an interruption. One machine at a time: the one that the
// deed `metadata` names, else a machine outside EC2 that has a role and nothing more.
#pragma once

#include "sim/state.h"

namespace nbform::sim::aws {

Response answer_imds(State& state, const Request& request, const Url& url);

}  // namespace nbform::sim::aws
