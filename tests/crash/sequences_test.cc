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

// What is there in the end, in words that both clouds share.
struct Found {
  std::string label, machine;
};

struct Field {
  const Ground* ground;
  const char *small, *large;  // machine types
  Duration within;            // all of it, at a twentieth of the clouds' own times
  Found (*found)(const sim::World& world);
};

Found gce_found(const sim::World& world) {
  Value vm = world.resource("projects/acme-ml/zones/us-central1-b/instances/train");
  std::string type(vm["machineType"].as_text());
  return {std::string(vm["labels"]["team"].as_text()), type.substr(type.rfind('/') + 1)};
}

Found ec2_found(const sim::World& world) {
  Value vm = ec2_machine(world);
  Found found{"", std::string(vm["instanceType"].as_text())};
  for (const Value& tag : vm["tagSet"].as_list())
    if (tag["key"].as_text() == "team") found.label = tag["value"].as_text();
  return found;
}

const Field& gce_field() {
  static const Field field{&gce_ground(), "e2-standard-2", "e2-standard-4", std::chrono::minutes(1),
                           gce_found};
  return field;
}
const Field& ec2_field() {
  static const Field field{&ec2_ground(), "g4dn.xlarge", "g4dn.2xlarge", std::chrono::minutes(5), ec2_found};
  return field;
}

std::vector<Sequence> sequences(const Field& field) {
  using Want = PowerPolicy::Want;
  Move make = [](Rehearsal&) { return Wish(); };
  Move destroy = [](Rehearsal&) { return destroy_wish(); };
  Move stop = [](Rehearsal&) { return power_wish(Want::stopped); };
  Move start = [](Rehearsal&) { return power_wish(Want::running); };
  std::vector<Move> labels{label("a"), label("b"), label("a"), label("b")};
  std::vector<Move> types{machine(field.small), machine(field.large), machine(field.small),
                          machine(field.large)};
  return {{"create, destroy, create", false, {make, destroy, make}, "RUNNING", "", field.small},
          {"destroy, create, destroy", true, {destroy, make, destroy}, "absent", "", ""},
          {"stop, start, stop", true, {stop, start, stop}, "TERMINATED", "", field.small},
          {"start, stop, start", true, {start, stop, start}, "RUNNING", "", field.small},
          {"labels a, b, a, b", true, labels, "RUNNING", "b", field.small},
          {"small, large, small, large", true, types, "RUNNING", "", field.large}};
}

struct Cut {
  std::size_t move;
  Death death;
};

// "" where all is well; `died`: the run was that long.
std::string play(const Field& field, const Sequence& sequence, const Rehearsal& before, const Cut& cut,
                 bool& died) {
  Rehearsal stage = before;
  Time began = stage.now();
  Wish wish;
  for (std::size_t i = 0; i < sequence.moves.size(); ++i) {
    wish = sequence.moves[i](stage);
    Ending ending = stage.run(wish, i == cut.move ? cut.death : Death());
    if (i == cut.move) died = ending.died;
  }
  bool long_ago = stage.now() - began > field.within;
  std::string late = long_ago ? "took " + format_span(stage.now() - began) + "\n" : "";
  Ending last = stage.converge(wish);
  stage.wait(std::chrono::minutes(1));
  stage.end({{"train", sequence.expect}});
  Found found = field.found(stage.world);
  bool right = found.label == sequence.label && found.machine == sequence.machine;
  if (!last.done) return "the last run did not finish:\n" + last.text;
  return stage.report() + late + (right ? "" : "the last wish is not what is there\n");
}

void go_back_and_forth(const Field& field, const std::string& name) {
  int cases = 0, failures = 0;
  sim::Options fast = field.ground->options();
  fast.op_times = sim::OpTimes::fast;
  const std::vector<Sequence> all = sequences(field);
  for (const Sequence& sequence : all) {
    Rehearsal before(*field.ground, fast);
    before.declare("train").disks["data"] = Setting<Disk>(data_disk());
    if (sequence.exists) REQUIRE(before.run().done);
    for (std::size_t move = 0; move < sequence.moves.size(); ++move)
      for (Death::How how : {Death::How::unsent, Death::How::unheard, Death::How::heard}) {
        bool died = true;
        for (int at = 0; died; at += stride()) {
          ++cases;
          std::string wrong = play(field, sequence, before, {move, {how, at}}, died);
          if (!wrong.empty() && ++failures <= 5)
            FAIL_CHECK(sequence.name << ", death in run " << move << " at request " << at << " ("
                                     << name_of(how) << "):\n"
                                     << wrong);
        }
      }
  }
  report(
      name, {1, 2, 4, 10},
      Map{{"sequences", static_cast<int>(all.size())}, {"cases", cases}, {"violations", failures}},
      "create-destroy-create, stop-start-stop, labels a-b-a-b... within minutes x a death at each request");
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("back and forth within a minute arrives at the last wish, wherever a run dies", "[sequences]") {
  go_back_and_forth(gce_field(), "crash-sequences");
}

TEST_CASE("EC2: back and forth within minutes arrives at the last wish, wherever a run dies",
          "[ec2-sequences]") {
  go_back_and_forth(ec2_field(), "crash-ec2-sequences");
}
