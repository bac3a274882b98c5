// What is played on each cloud: its scenarios, the simulator's variants in which they are played once more,
// and the ways in which the simulated cloud is told to misbehave.
#pragma once

#include <vector>

#include "intents.h"

namespace nbform::crash {

// One bad answer, or an operation that fails.
struct Trouble {
  const char* name;
  Value what;     // `do` of a fault script
  bool harmless;  // the same run gets over it
};

struct Repertoire {
  const Ground* ground;
  const std::vector<Intent>* intents;
  std::vector<std::string> variants;
  std::vector<Trouble> troubles;
  int part = 1;  // in variants, and of bad answers, every so-manieth request, another one each time
};

const Repertoire& gce_repertoire();
const Repertoire& ec2_repertoire();

}  // namespace nbform::crash
