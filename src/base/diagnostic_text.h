// A Diagnostic as people read it. Knows no terminal: whoever prints says whether there may be colour.
#pragma once

#include <string>

#include "base/diagnostic.h"

namespace nbform {

// Summary, position, source line with the place underlined, then detail, other positions, the cloud's own
// words and the hint; several lines, each ended. Everything from outside is made printable.
std::string render(const Diagnostic& diagnostic, bool color = false);

}  // namespace nbform
