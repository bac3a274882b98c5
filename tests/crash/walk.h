// Walks: a user edits files and applies, runs die, answers go bad, colleagues click in the console and the
// cloud takes and refuses machines, in any order. A walk is a list of lines, so that one that fails can be
// shortened and replayed; a seed makes one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/value.h"

namespace nbform::crash {

using Steps = std::vector<std::string>;

Steps steps_of(std::uint64_t seed);      // over Compute Engine
Steps ec2_steps_of(std::uint64_t seed);  // over EC2: "on ec2" comes first

struct Walked {
  std::string wrong;  // "" where all is well; else the violations, one a line
  std::string rule;   // of the first
  int runs = 0, deaths = 0, console = 0, blocked = 0;
  List log;  // where it was asked for
};
// Goes the walk to its end, then lets everything come to rest. A line that makes no sense is a failure.
Walked walk(const Steps& steps, bool keep_log = false);

// The fewest of these steps that break the same rule.
Steps shortened(const Steps& steps, const std::string& rule);
// A shell script that goes the walk again.
std::string replay_script(const Steps& steps, const std::string& why);

}  // namespace nbform::crash
