// Which endpoints are not the clouds' own, and that a run is not half simulated: loopback for one cloud and
// the real thing for another. Sends nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/wire.h"
#include "manifest/load.h"
#include "net/route.h"

namespace nbform::cli {

// Base URL and who said so, for the header. Errors: usage (not a usable URL).
Result<std::vector<std::pair<std::string, std::string>>> overridden_endpoints(Wire& wire,
                                                                              const Manifest& manifest,
                                                                              const Lookup& env);

// Errors: usage, where the notebooks' clouds are partly on loopback and partly live.
Result<> check_one_world(Wire& wire, const Manifest& manifest, const Lookup& env);

}  // namespace nbform::cli
