// What every command gets: the world, the two streams, the name it was called by. And the exit codes.
#pragma once

#include <string>

#include "cli/screen.h"
#include "net/env.h"

namespace nbform::cli {

// Of several, the first of this list counts: 130, 1, 4, 3, 8, 5, 6, 7, 2.
enum ExitCode {
  kFine = 0,
  kError = 1,    // nothing applied
  kChanges = 2,  // with --detailed-exitcode
  kStale = 3,
  kLockHeld = 4,
  kRefused = 5,     // checks or policy
  kPartly = 6,      // something applied and something failed
  kNoCapacity = 7,  // every failure was lack of capacity
  kDataLoss = 8,    // before any mutation: data would be lost, or `protect` forbids it
  kInterrupted = 130,
};

struct Shell {
  Env& env;
  Screen& screen;
  std::string program;  // "nbform", "nbplan"
};

}  // namespace nbform::cli
