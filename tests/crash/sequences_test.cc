// Back and forth within one virtual minute, with a death anywhere: what a later run sends is never taken for
// a repetition of what an earlier one sent.
#include <fmt/format.h>

#include <iostream>

#include "effort.h"
#include "intents.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

using Move = std::function<Wish(Rehearsal&)>;

struct Sequence {
  const char* name;
  bool exists;
  std::vector<Move> moves;
  std::string expect, label, machine;  // in the end
};

Move label(const char* text) {
  return [text](Rehearsal& r) {
    r.notebook("train").labels["team"] = Text(text);
    return Wish();
  };
}

Move machine(const char* type) {
  return [type](Rehearsal& r) {
    r.notebook("train").machine.type = Text(type);
    return Wish();
  };
}

const std::vector<Sequence>& sequences() {
  using Want = PowerPolicy::Want;
  Move make = [](Rehearsal&) { return Wish(); };
  Move destroy = [](Rehearsal&) { return destroy_wish(); };
  Move stop = [](Rehearsal&) { return power_wish(Want::stopped); };
  Move start = [](Rehearsal&) { return power_wish(Want::running); };
  static const std::vector<Sequence> all = {
      {"create, destroy, create", false, {make, destroy, make}, "RUNNING", "", "e2-standard-2"},
      {"destroy, create, destroy", true, {destroy, make, destroy}, "absent", "", ""},
      {"stop, start, stop", true, {stop, start, stop}, "TERMINATED", "", "e2-standard-2"},
      {"start, stop, start", true, {start, stop, start}, "RUNNING", "", "e2-standard-2"},
      {"labels a, b, a, b",
       true,
       {label("a"), label("b"), label("a"), label("b")},
       "RUNNING",
       "b",
       "e2-standard-2"},
      {"machines 2, 4, 2, 4",
       true,
       {machine("e2-standard-2"), machine("e2-standard-4"), machine("e2-standard-2"),
        machine("e2-standard-4")},
       "RUNNING",
       "",
       "e2-standard-4"}};
  return all;
}

struct Cut {
  std::size_t move;
  Death death;
};

// "" where all is well; `died`: the run was that long.
std::string play(const Sequence& sequence, const Rehearsal& before, const Cut& cut, bool& died) {
  Rehearsal stage = before;
  Time began = stage.now();
  Wish wish;
  for (std::size_t i = 0; i < sequence.moves.size(); ++i) {
    wish = sequence.moves[i](stage);
    Ending ending = stage.run(wish, i == cut.move ? cut.death : Death());
    if (i == cut.move) died = ending.died;
  }
  std::string late =
      stage.now() - began > std::chrono::minutes(1) ? "took " + format_span(stage.now() - began) + "\n" : "";
  Ending last = stage.converge(wish);
  stage.wait(std::chrono::minutes(1));
  stage.end({{"train", sequence.expect}});
  Value vm = stage.world.resource("projects/acme-ml/zones/us-central1-b/instances/train");
  std::string type(vm["machineType"].as_text());
  bool right = vm["labels"]["team"].as_text() == sequence.label && type.ends_with(sequence.machine);
  if (!last.done) return "the last run did not finish:\n" + last.text;
  return stage.report() + late + (right ? "" : "the last wish is not what is there\n");
}

}  // namespace

TEST_CASE("back and forth within a minute arrives at the last wish, wherever a run dies", "[sequences]") {
  int cases = 0, failures = 0;
  sim::Options fast = one_region();
  fast.op_times = sim::OpTimes::fast;
  for (const Sequence& sequence : sequences()) {
    Rehearsal before(fast);
    before.declare("train").disks["data"] = Setting<Disk>(data_disk());
    if (sequence.exists) REQUIRE(before.run().done);
    for (std::size_t move = 0; move < sequence.moves.size(); ++move)
      for (Death::How how : {Death::How::unsent, Death::How::unheard, Death::How::heard}) {
        bool died = true;
        for (int at = 0; died; at += stride()) {
          ++cases;
          std::string wrong = play(sequence, before, {move, {how, at}}, died);
          if (!wrong.empty() && ++failures <= 5)
            FAIL_CHECK(sequence.name << ", death in run " << move << " at request " << at << " ("
                                     << name_of(how) << "):\n"
                                     << wrong);
        }
      }
  }
  report("crash-sequences", {1, 2, 4, 10},
         Map{{"sequences", static_cast<int>(sequences().size())}, {"cases", cases}, {"violations", failures}},
         "create-destroy-create, stop-start-stop, labels a-b-a-b... in one virtual minute x a death at each "
         "request");
  CHECK(failures == 0);
}
