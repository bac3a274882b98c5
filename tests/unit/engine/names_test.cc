// Places, names, markets and what `null` means: who is meant, and where it goes.
#include "checks.h"
#include "support/catch.h"

using namespace nbform;

TEST_CASE("a replace that was asked for moves to where the manifest says") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  train(stage).where = {"us-central1-f"};
  DiffOptions options;
  options.replace = {"train"};
  Planned planned = stage.plan(options);
  Outcome outcome = stage.apply(planned);
  expect_done(outcome);
  REQUIRE(stage.world.resources("instances").size() == 1);
  CHECK_FALSE(stage.world.resource("projects/acme-ml/zones/us-central1-f/instances/train").is_null());
  expect_empty(stage);
}

TEST_CASE("a machine of another stack is not adopted") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.manifest().stack = {"other", "11111111", {}};
  train(stage).key = train(stage).name = "mine";
  train(stage).adopt = Text("us-central1-b/train");
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"mine"});
}

TEST_CASE("a machine of a declared notebook is not adopted by another") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.notebook("a").adopt = Text("us-central1-b/train");
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"a"});
}

TEST_CASE("what is to be adopted and cannot be read is not made anew") {
  Stage stage;
  stage.notebook("train").adopt = Text("us-central1-b/old");
  REQUIRE(stage.world
              .add_faults(List{Map{
                  {"match", Map{{"path", "*/instances/old"}}}, {"do", Map{{"status", 403}}}, {"times", 0}}})
              .ok());
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

TEST_CASE("spot: auto that landed on demand stays so, and falls back again at a replace") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::automatic);
  spot.on_preemption = Setting<OnPreemption>(OnPreemption::stop);
  stage.notebook("train").spot = Setting<Spot>(spot);
  stage.world.stockout("us-central1-b", "spot:*");
  expect_done(stage.plan_and_apply());
  CHECK(vm_of(stage).at_path("scheduling/provisioningModel").as_text() == "STANDARD");
  expect_empty(stage);
  other_image(stage);
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
}

TEST_CASE("one at a time, whatever depends on what") {
  Stage stage;
  for (const char* key : {"a", "b", "c"}) stage.notebook(key).disks["data"] = Setting<Disk>(data_disk());
  ApplyOptions options;
  options.parallelism = 1;
  Planned planned = stage.plan();
  expect_done(stage.apply(planned, options));
  expect_empty(stage);
  DiffOptions destroy;
  destroy.destroy = true;
  Planned removal = stage.plan(destroy);
  expect_done(stage.apply(removal, options));
  CHECK(stage.world.resources("disks").size() == 3);
}

TEST_CASE("null takes away what is there, once") {
  Stage stage;
  Notebook& n = stage.notebook("train");
  n.machine.type = Text("n1-standard-4");
  Gpu gpu;
  gpu.model = Text("t4");
  n.gpu = Setting<Gpu>(gpu);
  n.labels["team"] = Text("vision");
  n.metadata["greeting"] = Text("hello");
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
  train(stage).gpu = Setting<Gpu>::removal();
  train(stage).labels["team"] = Text::removal();
  train(stage).metadata["greeting"] = Text::removal();
  expect_done(stage.plan_and_apply());
  Value vm = vm_of(stage);
  CHECK(vm["guestAccelerators"].as_list().empty());
  CHECK(vm["labels"]["team"].is_null());
  CHECK(vm["status"].as_text() == "RUNNING");
  expect_empty(stage);
}
