// What AWS publishes to be looked up: SSM's public parameters (which name machine images) and the vCPU quotas
// of Service Quotas.
#pragma once

#include "sim/aws/region.h"

namespace nbform::sim::aws {

Result<Value> answer_parameters(Region& region, const std::string& action, const Value& in);
Result<Value> answer_service_quotas(Region& region, const std::string& action, const Value& in);
double quota_limit(const State& state, const std::string& account, const std::string& region,
                   std::string_view code);

}  // namespace nbform::sim::aws
