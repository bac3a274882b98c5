// The end of an apply: what was done, what failed and why, what that blocked, what still goes on, what to do.
// Pure.
#pragma once

#include <string>

#include "base/ink.h"
#include "engine/apply.h"

namespace nbform::cli {

// `again`: the command that goes on from here.
std::string render_outcome(const Outcome& outcome, Duration took, const std::string& again,
                           const Style& style);

}  // namespace nbform::cli
