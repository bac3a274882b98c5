// What must come before what among the changes of one plan. Pure.
#pragma once

#include <vector>

#include "core/plan.h"

namespace nbform {

// Sorts by address, lets new disks ride in their machine's create call, and fills in `after`.
void order_changes(std::vector<Change>& changes);

}  // namespace nbform
