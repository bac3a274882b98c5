// The Compute service: from a request to a handler, with everything that is the same for all methods: path,
// query, body, request id, permission, unreachable zones.
#pragma once

#include "sim/call.h"
#include "sim/service.h"

namespace nbform::sim {

// What the fault script looks at, found without judging the request.
Subject compute_subject(State& state, const Request& request, const Url& url);

Answer answer_compute(State& state, const Request& request, const Url& url, const std::string& principal);

std::span<const Handling> catalogue_methods();

}  // namespace nbform::sim
