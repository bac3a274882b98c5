// One bad answer at every request of every scenario: the same run gets over it, or the next one does.
#include <fmt/format.h>

#include <iostream>

#include "effort.h"
#include "intents.h"
#include "support/catch.h"
#include "trouble.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

// "" where all is well; `struck`: there was such a request.
std::string gets_over(const Intent& intent, const Ready& ready, const Trouble& trouble, int nth,
                      bool& struck) {
  Rehearsal stage = ready.stage;
  Ending first = stage.run(
      ready.wish, {}, List{Map{{"match", Map{{"service", "compute"}, {"nth", nth}}}, {"do", trouble.what}}});
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

}  // namespace

TEST_CASE("one bad answer at any request is got over, or mended by the next run", "[bad-answers]") {
  int runs = 0, failures = 0;
  for (const Intent& intent : intents()) {
    const Ready ready = make_ready(intent);
    for (const Trouble& trouble : troubles()) {
      bool struck = true;
      for (int nth = 1; struck; nth += stride()) {
        ++runs;
        std::string wrong = gets_over(intent, ready, trouble, nth, struck);
        if (!wrong.empty() && ++failures <= 5)
          FAIL_CHECK(intent.name << ", " << trouble.name << " at request " << nth << ":\n" << wrong);
      }
    }
  }
  report("crash-bad-answers", {1, 8},
         Map{{"bad_answers", runs},
             {"not_mended", failures},
             {"scenarios", static_cast<int>(intents().size())},
             {"kinds", static_cast<int>(troubles().size())}},
         "each request of each scenario x each kind of bad answer or failed operation");
  CHECK(failures == 0);
}
