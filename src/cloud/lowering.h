// What lowering a notebook has in common, whatever the service: positions, problems, market, power. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cloud/labels.h"
#include "core/resource.h"
#include "manifest/notebook.h"

namespace nbform {

// From the manifest path of an attribute to its line. `prefix`: of a part, "disks.data"; "" of the notebook.
// Labels of our own words point to the key that they stand for.
std::function<Mark(std::string_view)> marks_of(const Notebook& notebook, labels::Spelling spelling,
                                               std::string prefix = {});

// A problem that only the service can see, at `path` of the notebook.
Diagnostic problem_at(const Notebook& notebook, std::string_view path, std::string summary,
                      std::string detail, std::string hint = {});

KeepRule keep_rule(const Setting<Keep>& keep, KeepRule fallback);

// Markets to try, and "market" where one is asked for.
void lower_market(const Notebook& notebook, Resource& machine);
void lower_power(const Notebook& notebook, Resource& machine);
// "delete" or "stop".
std::string_view preemption_word(OnPreemption what);

}  // namespace nbform
