// The names that the simulated clouds know, for whoever types one: a script that misspells a zone would test
// nothing. Knows no state.
#pragma once

#include <string_view>

#include "base/result.h"

namespace nbform::sim {

// Usage errors, with the nearest name, where a glob fits no zone, or no quota, of either cloud.
Result<> check_zone_glob(std::string_view glob);
Result<> check_quota_glob(std::string_view glob);

}  // namespace nbform::sim
