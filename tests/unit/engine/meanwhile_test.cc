// Others act between the plan and its apply, or between two requests of it.
#include "checks.h"
#include "support/catch.h"

using namespace nbform;
using State = ChangeResult::State;

TEST_CASE("a machine that goes away during its restart is a failure, not a crash") {
  sim::Options instant;
  instant.op_times = sim::OpTimes::instant;
  Stage stage(instant);
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  train(stage).machine.type = Text("e2-standard-4");
  Planned planned = stage.plan();
  bool changed = false, removed = false;
  stage.env.set_gate([&](const Request& r) {
    if (changed && !removed && r.url.find("/wait") == std::string::npos) {
      removed = true;
      by_hand(stage, "DELETE", "instances/train");
    }
    changed = changed || r.url.find("/setMachineType") != std::string::npos;
    return true;
  });
  Outcome outcome = stage.apply(planned);
  REQUIRE(removed);
  CHECK(outcome.results[0].state == State::failed);
}

TEST_CASE("a removal whose first sends were lost is judged by what is there when it is sent again") {
  sim::Options instant;
  instant.op_times = sim::OpTimes::instant;
  Stage stage(instant);
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  std::int64_t data = disk_id(stage, "train-data");
  Map lost{{"match", Map{{"method", "instances.delete"}}}, {"do", Map{{"drop", "before"}}}, {"times", 9}};
  REQUIRE(stage.world.add_faults(List{lost}).ok());
  int attempts = 0;
  stage.env.set_gate([&](const Request& r) {
    if (r.method == "DELETE" && ++attempts == 2)
      by_hand(stage, "POST", "instances/train/setDiskAutoDelete?autoDelete=true&deviceName=data");
    return true;
  });
  DiffOptions destroy;
  destroy.destroy = true;
  Outcome outcome = stage.apply(stage.plan(destroy));
  CHECK(attempts > 2);
  CHECK(disk_id(stage, "train-data") == data);
  INFO(text_of(outcome));
  CHECK(outcome.any_failed());
}

TEST_CASE("a machine that goes away while it is destroyed is destroyed") {
  sim::Options instant;
  instant.op_times = sim::OpTimes::instant;
  Stage stage(instant);
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  by_hand(stage, "POST", "instances/train/setDiskAutoDelete?autoDelete=true&deviceName=data");
  wait(stage, std::chrono::minutes(1));
  std::int64_t data = disk_id(stage, "train-data");
  DiffOptions destroy;
  destroy.destroy = true;
  Planned planned = stage.plan(destroy);
  bool kept = false, removed = false;
  stage.env.set_gate([&](const Request& r) {
    if (kept && !removed && r.url.find("/wait") == std::string::npos) {
      removed = true;
      by_hand(stage, "DELETE", "instances/train");
    }
    kept = kept || r.url.find("/setDiskAutoDelete") != std::string::npos;
    return true;
  });
  expect_done(stage.apply(planned));
  CHECK(disk_id(stage, "train-data") == data);
}

TEST_CASE("a change approved for a stopped machine does not stop one that runs by now") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  by_hand(stage, "POST", "instances/train/stop");
  wait(stage, std::chrono::minutes(5));
  train(stage).machine.type = Text("e2-standard-4");
  Planned planned = stage.plan();
  REQUIRE(planned.plan.changes.size() == 1);
  CHECK(planned.plan.changes[0].action == Action::update);
  by_hand(stage, "POST", "instances/train/start");
  wait(stage, std::chrono::minutes(5));
  Outcome outcome = stage.apply(planned);
  CHECK(outcome.results[0].failure.code == Code::drift);
  CHECK(vm_of(stage)["status"].as_text() == "RUNNING");
}

TEST_CASE("a set that comes in another order is still what the plan saw") {
  Stage stage;
  stage.notebook("train").network.tags = std::vector<std::string>{"jupyter", "lab"};
  expect_done(stage.plan_and_apply());
  train(stage).network.tags = std::vector<std::string>{"jupyter", "lab", "new"};
  Planned planned = stage.plan();
  by_hand(stage, "POST", "instances/train/setTags",
          Map{{"fingerprint", vm_of(stage)["tags"]["fingerprint"]}, {"items", List{"lab", "jupyter"}}});
  wait(stage, std::chrono::minutes(1));
  expect_done(stage.apply(planned));
  CHECK(vm_of(stage)["tags"]["items"].as_list().size() == 3);
}

TEST_CASE("a set that has lost an item since is not") {
  Stage stage;
  stage.notebook("train").network.tags = std::vector<std::string>{"jupyter", "lab"};
  expect_done(stage.plan_and_apply());
  train(stage).network.tags = std::vector<std::string>{"jupyter", "lab", "new"};
  Planned planned = stage.plan();
  by_hand(stage, "POST", "instances/train/setTags",
          Map{{"fingerprint", vm_of(stage)["tags"]["fingerprint"]}, {"items", List{"lab"}}});
  wait(stage, std::chrono::minutes(1));
  CHECK(stage.apply(planned).results[0].failure.code == Code::drift);
}

TEST_CASE("a machine stopped by a person stays so, whatever mark an interrupted run left") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  train(stage).machine.type = Text("e2-standard-4");
  apply_until(stage, "/stop");  // marked, not stopped
  train(stage).machine.type = Text("e2-standard-2");
  wait(stage, std::chrono::minutes(1));
  DiffOptions stop;
  stop.power_only = true;
  stop.power["train"] = PowerPolicy::Want::stopped;
  expect_done(stage.plan_and_apply(stop));
  CHECK(vm_of(stage)["status"].as_text() == "TERMINATED");
  expect_empty(stage);
}

TEST_CASE("Ctrl-C sends no removal of leftovers") {
  Stage stage;
  Notebook& n = stage.notebook("train");
  n.where = {"us-central1-b", "us-central1-f"};
  stage.world.stockout("us-central1-b");
  REQUIRE(stage.world.add_variant("leftover-disks").ok());
  Planned planned = stage.plan();
  bool failed = false;
  stage.env.set_gate([&](const Request& r) {
    failed = failed || r.url.find("/disks/train") != std::string::npos;
    return true;
  });
  ApplyOptions options;
  options.interrupts = [&] { return failed ? 1 : 0; };
  stage.mutations();
  (void)stage.apply(planned, options);
  CHECK(stage.mutations().size() == 1);
}

TEST_CASE("a preemption at any mutation of a restart loses nothing") {
  for (bool restart : {false, true})
    for (int at = 0; at < 6; ++at) {
      Stage stage;
      INFO("preempted at mutation " << at << ", restart " << restart);
      Spot spot;
      spot.market = Setting<Market>(Market::spot);
      spot.restart = Flag(restart);
      Notebook& n = stage.notebook("train");
      n.spot = Setting<Spot>(spot);
      n.disks["data"] = Setting<Disk>(data_disk());
      expect_done(stage.plan_and_apply());
      std::int64_t data = disk_id(stage, "train-data");
      train(stage).machine.type = Text("e2-standard-4");
      train(stage).labels["team"] = Text("vision");
      Planned planned = stage.plan();
      int left = at;
      stage.env.set_gate([&](const Request& r) {
        bool mutation = r.method != "GET" && r.url.find("/wait") == std::string::npos;
        if (mutation && left-- == 0) (void)stage.world.preempt("acme-ml", "us-central1-b", "train");
        return true;
      });
      (void)stage.apply(planned);
      wait(stage, std::chrono::minutes(3));
      Planned again = stage.settled_plan();
      INFO(text_of(again));
      expect_done(stage.apply(again));
      Planned third = stage.settled_plan();
      INFO(text_of(third));
      CHECK(third.plan.empty());
      CHECK(disk_id(stage, "train-data") == data);
      if (restart) CHECK(vm_of(stage)["status"].as_text() == "RUNNING");
    }
}

TEST_CASE("nothing is deleted in a zone that answered only half") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  REQUIRE(stage.world
              .add_faults(List{Map{{"match", Map{{"method", "disks.aggregatedList"}}},
                                   {"do", Map{{"unreachable", List{"us-central1-b"}}}}}})
              .ok());
  DiffOptions destroy;
  destroy.destroy = true;
  Planned planned = stage.plan(destroy);
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
  CHECK(planned.plan.empty());
}
