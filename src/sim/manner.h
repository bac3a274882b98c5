// Manner: how an answer is written where nobody outside Google can say it (variants.h): links by another host
// or as bare paths, members at their default left out, STOPPED for TERMINATED. It changes the text alone: the
// world behind it knows nothing of this.
#pragma once

#include <string>

#include "sim/state.h"

namespace nbform::sim {

// The JSON text of a Compute answer, as the world's variants have it.
std::string in_manner(const State& state, std::string json);

}  // namespace nbform::sim
