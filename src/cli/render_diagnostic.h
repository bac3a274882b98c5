// A Diagnostic as text: where, what, the line with a caret, why, what to do. Pure.
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "cli/ink.h"

namespace nbform::cli {

// "demo.nb.yaml:5:12: error: No such place" and, indented below, whatever else there is.
std::string render_diagnostic(const Diagnostic& diagnostic, const Style& style);

}  // namespace nbform::cli
