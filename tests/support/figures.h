// Figures of a proof: printed, and left for the report where NBFORM_REPORT names a directory. Knows no
// figure.
#pragma once

#include <string>

#include "base/value.h"

namespace nbform {

// `promises`: their numbers in docs/promises.md; `run`: the command that reproduces them.
void report_figures(const std::string& name, const List& promises, Map figures, const std::string& input,
                    const std::string& run);

}  // namespace nbform
