// How much of each proof is run: all of it in an optimised build, a fixed part elsewhere. The environment
// variable NBFORM_CRASH_COUNT sets the number of seeds; figures go where NBFORM_REPORT says.
#pragma once

#include <string>

#include "base/value.h"

namespace nbform::crash {

// Every n-th case of an enumeration.
int stride();
// Of `full` seeds, those to run here.
int seeds(int full);
// This shard of a proof that ctest runs as several: NBFORM_CRASH_SHARD=1/2.
bool in_shard(int seed);
// Prints the figures, and writes them as a JSON file where NBFORM_REPORT names a directory.
void report(const std::string& name, const List& promises, Map figures, const std::string& input);

}  // namespace nbform::crash
