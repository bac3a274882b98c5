// What is on a disk outlives changes, replaces and mistakes.
#include "checks.h"
#include "support/catch.h"

using namespace nbform;

TEST_CASE("a disk that becomes `keep: always` in the same plan outlives the replace") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
  expect_done(stage.plan_and_apply());
  std::int64_t data = disk_id(stage, "train-data");
  other_image(stage);
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::always));
  expect_done(stage.plan_and_apply());
  CHECK(disk_id(stage, "train-data") == data);
  expect_empty(stage);
}

TEST_CASE("a destroy asks before it deletes what only the manifest spares so far") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  CHECK(stage.plan(destroy).plan.data_loss({}).empty());
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::until_destroy));
  CHECK(stage.plan(destroy).plan.data_loss({}) == std::vector<std::string>{"train"});
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::never));
  Disk boot;
  boot.keep = Setting<Keep>(Keep::always);
  train(stage).disks["boot"] = Setting<Disk>(boot);
  CHECK(stage.plan(destroy).plan.data_loss({}) == std::vector<std::string>{"train"});
}

TEST_CASE("a destroy leaves, and marks, a disk that only the manifest keeps so far") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
  expect_done(stage.plan_and_apply());
  std::int64_t disk = disk_id(stage, "train-data");
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::always));
  DiffOptions destroy;
  destroy.destroy = true;
  Planned planned = stage.plan(destroy);
  CHECK(planned.plan.data_loss({}).empty());
  REQUIRE(planned.plan.kept.size() == 1);
  expect_done(stage.apply(planned));
  CHECK(vm_of(stage).is_null());
  REQUIRE(disk_id(stage, "train-data") == disk);
  CHECK(stage.world.resource(kZone + "disks/train-data").at_path("labels/nbform-keep") == Value("always"));
  expect_empty(stage, destroy);
  expect_done(stage.plan_and_apply());
  CHECK(disk_id(stage, "train-data") == disk);
}

TEST_CASE("another notebook's kept disk is never taken for a new boot disk") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  expect_done(stage.plan_and_apply(destroy));
  stage.manifest().notebooks.clear();
  stage.notebook("train-data");
  REQUIRE(stage.world.add_variant("disk-name-attaches").ok());
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train-data"});
}

TEST_CASE("a replace makes the boot disk anew even where a colleague switched autoDelete off") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  std::int64_t boot = disk_id(stage, "train");
  by_hand(stage, "POST", "instances/train/setDiskAutoDelete?autoDelete=false&deviceName=boot");
  wait(stage, std::chrono::minutes(1));
  other_image(stage);
  Planned planned = stage.plan();
  CHECK(planned.plan.data_loss({}) == std::vector<std::string>{"train"});
  expect_done(stage.apply(planned));
  CHECK(disk_id(stage, "train") != boot);
  expect_empty(stage);
}

TEST_CASE("a boot disk that cannot be seen is no reason for a replace") {
  Stage stage;
  Disk boot;
  boot.type = Text("ssd");
  stage.notebook("train").disks["boot"] = Setting<Disk>(boot);
  expect_done(stage.plan_and_apply());
  Value disk = stage.world.resource(kZone + "disks/train");
  by_hand(stage, "POST", "disks/train/setLabels",
          Map{{"labelFingerprint", disk["labelFingerprint"]}, {"labels", Map()}});
  wait(stage, std::chrono::minutes(1));
  Planned planned = stage.plan();
  INFO(text_of(planned));
  REQUIRE(planned.plan.changes.size() == 1);
  CHECK(planned.plan.changes[0].action == Action::update);
  expect_done(stage.apply(planned));
  expect_empty(stage);
}

TEST_CASE("another type of a data disk is refused: its data would go with it") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  train(stage).disks["data"].get().type = Text("ssd");
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

TEST_CASE("a kept boot disk is the machine's again") {
  Stage stage;
  Disk boot;
  boot.keep = Setting<Keep>(Keep::always);
  stage.notebook("train").disks["boot"] = Setting<Disk>(boot);
  expect_done(stage.plan_and_apply());
  std::int64_t id = disk_id(stage, "train");
  DiffOptions destroy;
  destroy.destroy = true;
  expect_done(stage.plan_and_apply(destroy));
  CHECK(disk_id(stage, "train") == id);
  expect_done(stage.plan_and_apply());
  CHECK(disk_id(stage, "train") == id);
  expect_empty(stage);
}

TEST_CASE("a copied disk pins its notebook: a stock-out there is lack of capacity, and nothing else") {
  Stage stage;
  Notebook& source = stage.notebook("old");
  source.disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  Notebook& n = stage.notebook("train");
  n.where = {"us-central1-b", "us-central1-f"};
  Disk copy = data_disk();
  copy.source = Text("disk:old-data");
  n.disks["data"] = Setting<Disk>(copy);
  stage.world.stockout("us-central1-b");
  Outcome outcome = stage.plan_and_apply();
  INFO(text_of(outcome));
  CHECK(outcome.all_failures_are_capacity());
  stage.world.end_stockout();
  expect_done(stage.apply(stage.settled_plan()));
  expect_empty(stage);
}
