// The order of mutations inside one change: mark, live edits, stop, stopped-only edits, start, unmark. Pure.
#pragma once

#include <vector>

#include "core/plan.h"

namespace nbform {

// All steps of a change on a resource whose live side is now `live` (null: not there). However many
// stopped-only edits there are, there is one stop and one start.
std::vector<Step> arrange(const Change& change, const Live* live);

}  // namespace nbform
