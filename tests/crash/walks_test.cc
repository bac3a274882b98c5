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

constexpr int kShown = 3;  // of each rule

Map counts(const std::map<std::string, int>& by_rule) {
  Map out;
  for (const auto& [rule, n] : by_rule) out.set(rule, n);
  return out;
}

void go(Steps (*steps_of_seed)(std::uint64_t), int full, const std::string& name, const std::string& input) {
  int walks = 0, runs = 0, deaths = 0, console = 0, blocked = 0;
  std::map<std::string, int> failures;  // by rule
  for (int seed = 1; seed <= seeds(full); ++seed) {
    if (!in_shard(seed)) continue;
    Steps steps = steps_of_seed(static_cast<std::uint64_t>(seed));
    Walked walked = walk(steps);
    ++walks;
    runs += walked.runs;
    deaths += walked.deaths;
    console += walked.console;
    blocked += walked.blocked;
    if (walked.wrong.empty() || ++failures[walked.rule] > kShown) continue;
    Steps few = shortened(steps, walked.rule);
    FAIL_CHECK("seed " << seed << "\n" << replay_script(few, walk(few).wrong));
  }
  report(name, {1, 2, 3, 4, 10},
         Map{{"walks", walks},
             {"runs", runs},
             {"early_ends", deaths},
             {"console_actions", console},
             {"ended_blocked", blocked},
             {"violations", counts(failures)}},
         input);
  CHECK(failures.empty());
}

}  // namespace

TEST_CASE("whatever users, colleagues, the cloud and death do, the auditor finds nothing", "[walks]") {
  go(steps_of, 10'000, "crash-walks",
     "seeded edits x applies x faults x early ends x console actions, preemptions, stock-outs, outages");
}

TEST_CASE("EC2: whatever users, colleagues, the cloud and death do, the auditor finds nothing",
          "[ec2-walks]") {
  go(ec2_steps_of, 2'000, "crash-ec2-walks",
     "seeded edits x applies x faults x early ends x console actions, interruptions, stock-outs");
}

// Each is the shortest that found its fault.
TEST_CASE("walks that once ended badly end well", "[auditor]") {
  const Steps walks[] = {
      {"on ec2", "apply", "where us-west-2c", "disk data never", "apply consent", "apply replace consent"},
      {"on ec2", "range 198.51.100.0/24", "apply consent", "apply forget"},
      {"on ec2", "apply consent", "console untagall later=38", "console clone"},
      {"on ec2", "spot auto", "apply die=unheard@29", "preempt", "apply consent die=unheard@5"},
      {"on ec2", "variant shuffled-sets", "disk more never", "apply consent bad=12", "spot on"},
      {"on ec2", "apply", "apply destroy consent die=unheard@15", "apply forget consent", "apply consent"},
      {"on ec2", "spot on", "apply consent bad=9 die=heard@7", "preempt later=50", "apply forget consent"},
      {"on ec2", "spot on", "apply consent die=unsent@39", "power stopped", "console cancelspot"},
      {"on ec2", "apply", "power stopped", "apply consent die=unheard@7", "image base",
       "apply consent die=interrupted@18", "power any"},
      {"on ec2", "apply", "power stopped", "spot on", "apply consent die=heard@17", "power any"},
      {"on ec2", "where us-west-2c us-west-2a", "console terminate later=38", "apply consent",
       "console clone"},
      {"on ec2", "variant shuffled-sets", "apply", "console tag", "apply start consent bad=11", "image base",
       "console autodelete later=44", "apply consent bad=4"},
      {"on ec2", "apply die=unheard@6", "apply consent bad=1 die=unheard@3", "spot on",
       "console clone later=30", "apply consent bad=4 die=unheard@15"},
      {"on ec2", "apply consent", "machine g4dn.2xlarge", "apply die=unheard@17", "spot on",
       "apply stop consent die=unheard@5"},
      {"on ec2", "apply", "spot on", "apply consent bad=12 die=heard@38", "undeclare", "stockout us-west-2a",
       "wait 60", "apply consent die=heard@7"},
  };
  for (const Steps& steps : walks) {
    std::string wrong = walk(steps).wrong;
    INFO(replay_script(steps, wrong));
    CHECK(wrong.empty());
  }
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
