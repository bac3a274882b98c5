#include "walk.h"

#include <sstream>

#include "walker.h"

namespace nbform::crash {

namespace {
constexpr const char* kOnEc2 = "on ec2";
}

Steps steps_of(std::uint64_t seed) {
  Dice dice(seed);
  return gce_steps(dice);
}

Steps ec2_steps_of(std::uint64_t seed) {
  Dice dice(seed);
  Steps steps = ec2_steps(dice);
  steps.insert(steps.begin(), kOnEc2);
  return steps;
}

Walked walk(const Steps& steps, bool keep_log) {
  bool on_ec2 = !steps.empty() && steps.front() == kOnEc2;
  std::unique_ptr<Walker> walker = on_ec2 ? ec2_walker() : gce_walker();
  if (keep_log) walker->keep_log();
  for (const std::string& line : steps)
    if (line != kOnEc2 && !walker->take(line)) return {"a line that makes no sense: " + line, "no sense"};
  return walker->finish();
}

Steps shortened(const Steps& steps, const std::string& rule) {
  Steps best = steps;
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = best.size(); i-- > 0;) {
      if (best[i] == kOnEc2) continue;  // it would be another walk
      Steps fewer = best;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (walk(fewer).rule != rule) continue;
      best = std::move(fewer);
      shorter = true;
    }
  }
  return best;
}

std::string replay_script(const Steps& steps, const std::string& why) {
  std::string out = "#!/bin/sh\n";
  std::istringstream lines(why);
  for (std::string line; std::getline(lines, line);) out += "# " + line + "\n";
  out += "NBFORM_WALK='";
  for (const std::string& step : steps) out += step + "\n";
  return out + "' build/bin/crash_suite 'a walk is gone again'\n";
}

}  // namespace nbform::crash
