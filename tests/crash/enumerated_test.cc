// Every way to die at every request of every scenario; then the same wish again, at once and when the cloud
// has forgotten the operations.
#include <fmt/format.h>

#include <iostream>

#include "effort.h"
#include "repertoire.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;
using How = Death::How;

namespace {

struct Count {
  int requests = 0, mutations = 0, deaths = 0, failures = 0, left_files = 0;
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

// At once and when the cloud has forgotten the operations; with what the run left in its directory, and
// without.
void try_again(const Intent& intent, const Rehearsal& stage, const Wish& wish, const std::string& variant,
               const std::string& story, Count& count) {
  std::vector<Duration> delays{Duration(0)};
  if (variant.empty()) delays.emplace_back(std::chrono::minutes(61));  // no variant shows any more by then
  for (Duration later : delays)
    for (bool with_files : {true, false}) {
      if (!with_files && stage.home.empty()) continue;
      Rehearsal next = stage;
      if (!with_files) next.home.clear();
      ++count.deaths;
      count.left_files += !stage.home.empty();
      std::string wrong = aftermath(intent, std::move(next), wish, later);
      if (wrong.empty()) continue;
      if (++count.failures > 3) continue;
      FAIL_CHECK(story << ", next run " << format_span(later) << " later" << (with_files ? "" : " elsewhere")
                       << ":\n"
                       << wrong);
    }
}

void die_everywhere(const Repertoire& repertoire, const Intent& intent, const std::string& variant,
                    Count& count) {
  const Ready ready = make_ready(*repertoire.ground, intent, variant);
  int part = variant.empty() ? 1 : repertoire.part, first = 0;
  for (How how : {How::unsent, How::unheard, How::heard, How::interrupted})
    for (int at = first++ % part;; at += stride() * part) {
      Rehearsal stage = ready.stage;
      Ending ending = stage.run(ready.wish, {how, at});
      if (!ending.died) {
        INFO(intent.name << ", " << variant << "\n" << ending.text);
        REQUIRE(ending.mutations > 0);
        count.requests = ending.requests;
        count.mutations = ending.mutations;
        break;
      }
      if (how == How::interrupted) {
        CHECK(ending.sent_after == 0);
        CHECK(ending.lingered <= std::chrono::seconds(5));
      }
      std::string story =
          fmt::format("{}, {}, death at request {} ({})", intent.name, variant, at, name_of(how));
      try_again(intent, stage, ready.wish, variant, story, count);
    }
}

void enumerate(const Repertoire& repertoire, const std::string& name) {
  int deaths = 0, failures = 0, scenarios = 0, left_files = 0, number = 0;
  Map each;
  std::cout << "scenario                            requests  mutations  early ends  not converged\n";
  for (const Intent& intent : *repertoire.intents) {
    if (!in_shard(++number)) continue;
    ++scenarios;
    Count count;
    die_everywhere(repertoire, intent, "", count);
    for (const std::string& variant : repertoire.variants) die_everywhere(repertoire, intent, variant, count);
    std::cout << fmt::format("{:36}{:8}{:11}{:12}{:15}\n", intent.name, count.requests, count.mutations,
                             count.deaths, count.failures);
    deaths += count.deaths;
    failures += count.failures;
    left_files += count.left_files;
    each.set(intent.name, count.deaths);
  }
  report(name, {1, 2, 3, 10},
         Map{{"early_ends", deaths},
             {"not_converged", failures},
             {"with_files_left_behind", left_files},
             {"scenarios", scenarios},
             {"by_scenario", each}},
         fmt::format(
             "each request x {{unsent, unheard, heard, Ctrl-C}} x {{at once, 61 min later}}, and 1 in {} "
             "at once in each of {} simulator variants",
             repertoire.part, repertoire.variants.size()));
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("a run that dies at any request is finished by the next one", "[enumerated]") {
  enumerate(gce_repertoire(), "crash-enumerated");
}

TEST_CASE("EC2: a run that dies at any request is finished by the next one", "[ec2-enumerated]") {
  enumerate(ec2_repertoire(), "crash-ec2-enumerated");
}
