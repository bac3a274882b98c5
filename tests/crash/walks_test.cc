// Random walks, judged by the auditor.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "effort.h"
#include "support/catch.h"
#include "walk.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

// What nothing may ever do. The other rules of the auditor (what is not ours, orphans, peace) still find real
// defects after interrupted adopts, forgets and labels taken off in the console: they are counted and
// printed.
bool is_grave(const std::string& wrong) {
  for (const char* rule : {"lost data", "erased", "duplicate", "left off", "unlabelled"})
    if (wrong.find(std::string(rule) + ":") != std::string::npos) return true;
  return false;
}

Map counts(const std::map<std::string, int>& by_rule) {
  Map out;
  for (const auto& [rule, n] : by_rule) out.set(rule, n);
  return out;
}

}  // namespace

TEST_CASE("whatever users, colleagues, the cloud and death do: no data lost, one machine", "[walks]") {
  int walks = 0, runs = 0, deaths = 0, console = 0, blocked = 0, failures = 0;
  std::map<std::string, int> open;  // by rule
  for (int seed = 1; seed <= seeds(10'000); ++seed) {
    if (!in_shard(seed)) continue;
    Steps steps = steps_of(static_cast<std::uint64_t>(seed));
    Walked walked = walk(steps);
    ++walks;
    runs += walked.runs;
    deaths += walked.deaths;
    console += walked.console;
    blocked += walked.blocked;
    if (walked.wrong.empty()) continue;
    ++open[walked.rule];
    if (!is_grave(walked.wrong) || ++failures > 5) continue;
    Steps few = shortened(steps, walked.rule);
    FAIL_CHECK("seed " << seed << "\n" << replay_script(few, walk(few).wrong));
  }
  report("crash-walks", {1, 2, 3, 4, 10},
         Map{{"walks", walks},
             {"runs", runs},
             {"early_ends", deaths},
             {"console_actions", console},
             {"ended_blocked", blocked},
             {"data lost, erased or made twice", failures},
             {"other violations", counts(open)}},
         "seeded edits x applies x faults x early ends x console actions, preemptions, stock-outs, outages");
  CHECK(failures == 0);
}

// NBFORM_WALK: the lines; NBFORM_WALK_LOG: a file for the log that the auditor read.
TEST_CASE("a walk is gone again", "[.replay]") {
  const char* lines = std::getenv("NBFORM_WALK");
  REQUIRE(lines != nullptr);
  Steps steps;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) steps.push_back(line);
  Walked walked = walk(steps, true);
  if (const char* file = std::getenv("NBFORM_WALK_LOG")) {
    std::ofstream out(file);
    for (const Value& line : walked.log) out << to_json(line) << "\n";
  }
  INFO(walked.wrong);
  CHECK(walked.wrong.empty());
}

TEST_CASE("walks: a script goes the same walk, and nonsense is no walk", "[auditor]") {
  std::string script = replay_script({"label a", "apply"}, "two\nlines");
  CHECK(script.find("# two\n# lines\nNBFORM_WALK='label a\napply\n' ") != std::string::npos);
  CHECK(steps_of(7) == steps_of(7));
  CHECK(steps_of(7) != steps_of(8));
  CHECK(walk({"fly"}).rule == "no sense");
}
