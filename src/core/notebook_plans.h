// The screen's view of a plan: changes of one notebook as one line with its consequences. Pure.
#pragma once

#include <set>
#include <string>

#include "core/diff.h"

namespace nbform {

// Fills plan.notebooks and plan.unchanged from plan.changes; notes that stand there already are kept.
void group_into_notebooks(Plan& plan, const Graph& graph, const std::set<std::string, std::less<>>& declared,
                          const DiffOptions& options,
                          const std::function<const Live*(const std::string&)>& live_machine);

}  // namespace nbform
