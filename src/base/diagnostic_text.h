// A Diagnostic as people read it: where, what, the line with a caret, why, what to do. Pure.
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/ink.h"

namespace nbform {

// "demo.nb.yaml:5:12: error: No such place" and, indented below, whatever else there is; several lines, each
// ended. Everything from outside is made printable.
std::string render(const Diagnostic& diagnostic, const Style& style = {});

}  // namespace nbform
