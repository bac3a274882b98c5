// Things whose labels say less than they should: torn by a colleague, let go, copied, or not taken over yet.
#include <utility>

#include "checks.h"
#include "support/catch.h"

using namespace nbform;

namespace {

const std::string kOtherZone = "projects/acme-ml/zones/us-central1-f/";

DiffOptions forget_train() {
  DiffOptions options;
  options.forget = {"train"};
  return options;
}

DiffOptions destroy_all() {
  DiffOptions options;
  options.destroy = true;
  return options;
}

DiffOptions power_of_train(PowerPolicy::Want want) {
  DiffOptions options;
  options.power_only = true;
  options.power["train"] = want;
  return options;
}

void make_train(Stage& stage, Keep data = Keep::always) {
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk(data));
  expect_done(stage.plan_and_apply());
}

void adopt_train(Stage& stage) {
  train(stage).adopt = Text("us-central1-b/train");
}

void tear(Stage& stage) {
  Value vm = vm_of(stage);
  Map labels = vm["labels"].as_map();
  labels.erase("nbform-notebook");
  by_hand(stage, "POST", "instances/train/setLabels",
          Map{{"labels", labels}, {"labelFingerprint", vm["labelFingerprint"]}});
  wait(stage, std::chrono::minutes(1));
}

// Where a restart was cut short between its stop and its start.
void leave_stopped(Stage& stage) {
  train(stage).machine.type = Text("e2-standard-4");
  apply_until(stage, "/setMachineType");
  REQUIRE(vm_of(stage)["status"].as_text() == "TERMINATED");
}

}  // namespace

TEST_CASE("a machine that lost a label is left alone, nothing is made beside it, and adopt takes it back") {
  Stage stage;
  make_train(stage, Keep::never);
  Value id = vm_of(stage)["id"];
  tear(stage);
  train(stage).where = {"us-central1-f"};  // where its name is free
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
  CHECK(planned.plan.changes.empty());

  std::vector<Notebook> declared = std::exchange(stage.manifest().notebooks, {});
  stage.notebook("other");
  Planned undeclared = stage.plan();
  INFO(text_of(undeclared));
  CHECK(undeclared.plan.count(Action::destroy) == 0);  // nor is its disk, which is in use
  CHECK(undeclared.plan.elsewhere.size() == 2);

  stage.manifest().notebooks = declared;
  adopt_train(stage);
  expect_done(stage.plan_and_apply());
  CHECK(vm_of(stage)["id"] == id);
  expect_empty(stage);
}

TEST_CASE("what adopt names and no apply took over is not forgotten, destroyed, started or made again") {
  Stage stage;
  make_train(stage);
  expect_done(stage.plan_and_apply(power_of_train(PowerPolicy::Want::stopped)));
  expect_done(stage.plan_and_apply(forget_train()));
  adopt_train(stage);
  for (const DiffOptions& options :
       {forget_train(), destroy_all(), power_of_train(PowerPolicy::Want::running)}) {
    Planned planned = stage.plan(options);
    INFO(text_of(planned));
    CHECK(planned.plan.changes.empty());
    CHECK_FALSE(planned.plan.notebooks.at(0).notes.empty());
  }
  DiffOptions again;
  again.replace = {"train"};
  CHECK(stage.plan(again).plan.blocked == std::vector<std::string>{"train"});
  expect_done(stage.plan_and_apply());
  CHECK(vm_of(stage)["status"].as_text() == "TERMINATED");
  expect_empty(stage);
}

TEST_CASE("a machine that the cloud took before it was adopted is started with the adoption") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  spot.restart = Flag(true);
  stage.notebook("train").spot = Setting<Spot>(spot);
  expect_done(stage.plan_and_apply());
  expect_done(stage.plan_and_apply(forget_train()));
  REQUIRE(stage.world.preempt("acme-ml", "us-central1-b", "train").ok());
  wait(stage, std::chrono::minutes(2));
  adopt_train(stage);
  expect_done(stage.plan_and_apply());
  CHECK(vm_of(stage)["status"].as_text() == "RUNNING");
  expect_empty(stage);
}

TEST_CASE("while a zone is silent nothing is adopted: the notebook may be there") {
  Stage stage;
  make_train(stage);
  expect_done(stage.plan_and_apply(forget_train()));
  adopt_train(stage);
  stage.world.set_unreachable("us-central1-f");
  CHECK(stage.plan().plan.blocked == std::vector<std::string>{"train"});
  stage.world.set_unreachable("us-central1-f", false);
  expect_done(stage.plan_and_apply());
}

TEST_CASE("adopt with a further disk makes it where the machine is") {
  Stage stage;
  make_train(stage);
  expect_done(stage.plan_and_apply(forget_train()));
  adopt_train(stage);
  train(stage).disks["more"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  CHECK(disk_id(stage, "train-more") != 0);
  expect_empty(stage);
}

TEST_CASE("a disk's name that is taken is an error of the plan, before anything is sent") {
  Stage stage;
  make_train(stage);
  by_hand(stage, "POST", "disks", Map{{"name", "train-more"}, {"sizeGb", "10"}});
  wait(stage, std::chrono::minutes(1));
  train(stage).labels["team"] = Text("vision");
  train(stage).disks["more"] = Setting<Disk>(data_disk());
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

TEST_CASE("forget ends an interrupted change before it takes the mark off") {
  Stage stage;
  make_train(stage);
  leave_stopped(stage);
  Planned planned = stage.plan(forget_train());
  CHECK(planned.plan.notebooks.at(0).reason == "started first: an earlier change was interrupted");
  expect_done(stage.apply(planned));
  CHECK(vm_of(stage)["status"].as_text() == "RUNNING");
  CHECK(vm_of(stage)["labels"].as_map().empty());
}

TEST_CASE("a disk that is made and not attached yet holds its notebook in its zone") {
  Stage stage;
  make_train(stage, Keep::never);
  train(stage).disks["more"] = Setting<Disk>(data_disk(Keep::always));
  apply_until(stage, "/attachDisk");
  std::int64_t more = disk_id(stage, "train-more");
  REQUIRE(more != 0);
  train(stage).where = {"us-central1-f"};
  DiffOptions options;
  options.replace = {"train"};
  expect_done(stage.plan_and_apply(options));
  CHECK(stage.world.resource(kOtherZone + "disks/train-more").is_null());
  CHECK(disk_id(stage, "train-more") == more);
  expect_empty(stage);
}

TEST_CASE("a disk that is never kept and lost its machine is not made a second time in another zone") {
  Stage stage;
  make_train(stage, Keep::never);
  by_hand(stage, "POST", "instances/train/setDiskAutoDelete?autoDelete=false&deviceName=data");
  wait(stage, std::chrono::minutes(1));
  by_hand(stage, "DELETE", "instances/train");
  wait(stage, std::chrono::minutes(1));
  train(stage).where = {"us-central1-b", "us-central1-f"};
  stage.world.stockout("us-central1-b");
  Planned planned = stage.plan();
  CHECK(stage.apply(planned).all_failures_are_capacity());
  CHECK(stage.world.resources("disks").size() == 1);
  stage.world.end_stockout();
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
}

TEST_CASE("a copy that a colleague made with our labels is not deleted with the notebook") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  Map boot{{"boot", true},
           {"initializeParams", Map{{"sourceImage",
                                     "projects/deeplearning-platform-release/global/images/family/"
                                     "common-cu129-ubuntu-2404-nvidia-580"}}}};
  by_hand(stage, "POST", "instances",
          Map{{"name", "copy"},
              {"labels", vm_of(stage)["labels"]},
              {"machineType", "zones/us-central1-b/machineTypes/e2-standard-2"},
              {"disks", List{boot}},
              {"networkInterfaces", List{Map{{"network", "global/networks/default"}}}}});
  by_hand(stage, "DELETE", "instances/train");
  wait(stage, std::chrono::minutes(2));
  stage.manifest().notebooks.clear();
  stage.notebook("other");
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.count(Action::destroy) == 0);
  CHECK(planned.plan.elsewhere.size() == 1);
}

TEST_CASE("a disk that was not attached yet is attached to the machine that is adopted") {
  Stage stage;
  make_train(stage);
  train(stage).disks["more"] = Setting<Disk>(data_disk());
  apply_until(stage, "/attachDisk");
  std::int64_t more = disk_id(stage, "train-more");
  tear(stage);
  adopt_train(stage);
  expect_done(stage.plan_and_apply());
  CHECK(disk_id(stage, "train-more") == more);
  expect_empty(stage);
}
