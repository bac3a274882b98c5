// How rules of a security group that a running `nbform connect` has opened are told from the manifest's.
#pragma once

#include <string_view>

#include "base/value.h"

namespace nbform::ec2 {

inline constexpr std::string_view kOpeningText = "nbform connect";  // how its description begins
bool is_opening(const Value& rule);                                 // an IpRange, or a SecurityGroupRule

}  // namespace nbform::ec2
