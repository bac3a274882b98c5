// One bad answer at every request of every scenario: the same run gets over it, or the next one does.
#include <fmt/format.h>

#include <iostream>

#include "effort.h"
#include "repertoire.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

// "" where all is well; `struck`: there was such a request.
std::string gets_over(const Intent& intent, const Ready& ready, const Value& script, const Trouble& trouble,
                      int nth, bool& struck) {
  Rehearsal stage = ready.stage;
  Ending first = stage.run(ready.wish, {}, List{script});
  struck = first.requests >= nth;
  stage.world.clear_faults();
  stage.world.end_stockout();
  if (trouble.harmless && !first.done) return "the run did not get over it:\n" + first.text;
  stage.wait(std::chrono::minutes(1));
  Ending again = stage.converge(ready.wish);
  stage.wait(std::chrono::minutes(3));
  stage.end({{intent.notebook, intent.expect}});
  if (!again.done) return "the next run did not finish:\n" + again.text + "after\n" + first.text;
  return stage.report();
}

void misbehave_everywhere(const Repertoire& repertoire, const std::string& name) {
  int runs = 0, failures = 0, first = 0, part = repertoire.part;
  for (const Intent& intent : *repertoire.intents) {
    const Ready ready = make_ready(*repertoire.ground, intent);
    for (const Trouble& trouble : repertoire.troubles) {
      bool struck = true;
      for (int nth = 1 + first++ % part; struck; nth += part * stride()) {
        ++runs;
        Map script{{"match", Map{{"service", repertoire.ground->service}, {"nth", nth}}},
                   {"do", trouble.what}};
        std::string wrong = gets_over(intent, ready, script, trouble, nth, struck);
        if (!wrong.empty() && ++failures <= 5)
          FAIL_CHECK(intent.name << ", " << trouble.name << " at request " << nth << ":\n" << wrong);
      }
    }
  }
  report(name, {1, 8},
         Map{{"bad_answers", runs},
             {"not_mended", failures},
             {"scenarios", static_cast<int>(repertoire.intents->size())},
             {"kinds", static_cast<int>(repertoire.troubles.size())}},
         "each request of each scenario x each kind of bad answer or failed operation");
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("one bad answer at any request is got over, or mended by the next run", "[bad-answers]") {
  misbehave_everywhere(gce_repertoire(), "crash-bad-answers");
}

TEST_CASE("EC2: one bad answer at any request is got over, or mended by the next run", "[ec2-bad-answers]") {
  misbehave_everywhere(ec2_repertoire(), "crash-ec2-bad-answers");
}
