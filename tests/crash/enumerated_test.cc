// Every way to die at every request of every scenario; then the same wish again, at once and when the cloud
// has forgotten the operations.
#include <fmt/format.h>

#include <iostream>

#include "effort.h"
#include "intents.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;
using How = Death::How;

namespace {

const std::vector<std::string> kVariants = {"",
                                            "slow-visibility",
                                            "flickering-visibility",
                                            "short-memory",
                                            "leftover-disks",
                                            "staging-after-done",
                                            "disk-name-attaches",
                                            "exists-in-operation"};

struct Count {
  int requests = 0, mutations = 0, deaths = 0, failures = 0;
};

// The same wish in a fresh run: converges, or says why not.
std::string aftermath(const Intent& intent, Rehearsal stage, const Wish& wish, Duration later) {
  stage.world.end_stockout();  // nothing must be made twice because there is room again
  stage.wait(later);
  Ending again = stage.converge(wish);
  stage.wait(std::chrono::minutes(3));
  stage.end({{intent.notebook, intent.expect}});
  if (!again.done) return "the next run did not finish:\n" + again.text;
  return stage.report();
}

void die_everywhere(const Intent& intent, const std::string& variant, Count& count) {
  const Ready ready = make_ready(intent, variant);
  for (How how : {How::unsent, How::unheard, How::heard, How::interrupted})
    for (int at = 0;; at += stride()) {
      Rehearsal stage = ready.stage;
      Ending ending = stage.run(ready.wish, {how, at});
      if (!ending.died) {
        count.requests = ending.requests;
        count.mutations = ending.mutations;
        break;
      }
      if (how == How::interrupted) {
        CHECK(ending.sent_after == 0);
        CHECK(ending.lingered <= std::chrono::seconds(5));
      }
      for (Duration later : {Duration(0), Duration(std::chrono::minutes(61))}) {
        if (later != Duration(0) && !variant.empty()) continue;  // an hour later no variant shows any more
        ++count.deaths;
        std::string wrong = aftermath(intent, stage, ready.wish, later);
        if (wrong.empty()) continue;
        if (++count.failures > 3) continue;
        FAIL_CHECK(intent.name << ", " << variant << ", death at request " << at << " (" << name_of(how)
                               << "), next run " << format_span(later) << " later:\n"
                               << wrong << "after\n"
                               << ending.text);
      }
    }
}

}  // namespace

TEST_CASE("a run that dies at any request is finished by the next one", "[enumerated]") {
  int deaths = 0, failures = 0, scenarios = 0;
  Map each;
  std::cout << "scenario                            requests  mutations  early ends  not converged\n";
  int number = 0;
  for (const Intent& intent : intents()) {
    if (!in_shard(++number)) continue;
    ++scenarios;
    Count count;
    for (const std::string& variant : kVariants) die_everywhere(intent, variant, count);
    std::cout << fmt::format("{:36}{:8}{:11}{:12}{:15}\n", intent.name, count.requests, count.mutations,
                             count.deaths, count.failures);
    deaths += count.deaths;
    failures += count.failures;
    each.set(intent.name, count.deaths);
  }
  report("crash-enumerated", {1, 2, 3, 10},
         Map{{"early_ends", deaths},
             {"not_converged", failures},
             {"scenarios", scenarios},
             {"by_scenario", each}},
         "each request x {unsent, unheard, heard, Ctrl-C} x {at once, 61 min later, at once in each of 7 "
         "simulator variants}");
  CHECK(failures == 0);
}
