// The door to AWS: which requests are for it and for which service and region, and what each service does
// with them: authenticate, read by the published tables, permit, act, answer in its protocol.
#pragma once

#include "sim/service.h"

namespace nbform::sim::aws {

// Null where a request is not for AWS. Told by host (ec2.us-west-2.amazonaws.com), by the scope of its
// signature, by X-Amz-Target, by Action in a form to "/", by the paths of IMDS (/latest/) and the SSO portal.
const nbform::sim::Service* service_for(const Request& request, const Url& url);

void expire_caller(State& state, const Request& request);
void happens(State& state, const Happening& happening);  // aws.*

}  // namespace nbform::sim::aws
