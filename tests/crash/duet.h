// Two runs of nbform on one cloud at the same time, without a lock: their requests interleave on one virtual
// clock. Each runs its own loop on a fiber of its own, and they take turns: the same input always gives the
// same course.
#pragma once

#include <array>

#include "rehearsal.h"

namespace nbform::crash {

struct Voice {
  Manifest files;
  Wish wish;
  Death death;
  Duration begins{};
  sim::SimOptions network;
};

std::array<Ending, 2> run_both(Rehearsal& stage, const std::array<Voice, 2>& voices);

}  // namespace nbform::crash
