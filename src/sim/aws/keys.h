// Key pairs by name.
#pragma once

#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

std::string key_named(Region& region, std::string_view name);  // its id, "" where there is none

}  // namespace nbform::sim::aws
