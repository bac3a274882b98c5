// One bad answer, or an operation that fails: the ways in which the simulated cloud is told to misbehave.
#pragma once

#include <vector>

#include "base/value.h"

namespace nbform::crash {

struct Trouble {
  const char* name;
  Value what;     // `do` of a fault script
  bool harmless;  // the same run gets over it
};

const std::vector<Trouble>& troubles();

}  // namespace nbform::crash
