// GCE through planner and engine against the simulated cloud: what a user would notice, and the requests
// behind it.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "support/catch.h"
#include "support/stage.h"

using namespace nbform;
using State = ChangeResult::State;

namespace {

const NotebookPlan* line_of(const Plan& plan, std::string_view key) {
  for (const NotebookPlan& line : plan.notebooks)
    if (line.key == key) return &line;
  return nullptr;
}

std::string text_of(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics)
    out += fmt::format("[{}] {} {} {}\n", code_name(d.code), d.address, d.summary, d.detail);
  return out;
}

void expect_done(const Outcome& outcome) {
  for (const ChangeResult& r : outcome.results) {
    INFO(r.address << ": " << r.failure.summary << " " << r.failure.detail << " blocked by " << r.blocked_by);
    CHECK(r.state == State::done);
  }
}

void expect_empty(Stage& stage) {
  Planned again = stage.plan();
  INFO(text_of(again.plan.diagnostics));
  for (const Change& change : again.plan.changes)
    for (const Edit& edit : change.edits)
      FAIL_CHECK(change.address << " " << edit.attr << " " << canonical(edit.before) << " -> "
                                << canonical(edit.after));
  CHECK(again.plan.empty());
  CHECK(again.plan.notebooks.empty());
  CHECK_FALSE(again.plan.diagnostics.has_errors());
}

// As a colleague would, with gcloud.
void add_key_by_hand(Stage& stage, const std::string& name, const std::string& line) {
  std::string path = "projects/acme-ml/zones/us-central1-b/instances/" + name;
  Map metadata = stage.world.resource(path)["metadata"].as_map();
  for (Value& item : metadata["items"].list())
    if (item["key"].as_text() == "ssh-keys")
      item.map().set("value", fmt::format("{}\n{}", line, item["value"].as_text()));
  Request request{.method = "POST",
                  .url = "https://compute.googleapis.com/compute/v1/" + path + "/setMetadata"};
  request.headers = {{"Authorization", "Bearer sandbox"}, {"Content-Type", "application/json"}};
  metadata.erase("kind");
  request.body = to_json(Value(metadata));
  sim::Answer answer = stage.world.handle(request, stage.env.now());
  REQUIRE(answer.response->status == 200);
  stage.env.after(std::chrono::minutes(1), [] {});
  stage.env.step();
}

Disk data_disk(std::int64_t gb = 200) {
  Disk disk;
  disk.size_gb = Number(gb);
  disk.type = Text("balanced");
  return disk;
}

}  // namespace

TEST_CASE("a notebook is created, and the second plan is empty and sends nothing") {
  Stage stage;
  stage.notebook("train");
  Planned planned = stage.plan();
  INFO(text_of(planned.plan.diagnostics));
  REQUIRE(line_of(planned.plan, "train") != nullptr);
  CHECK(line_of(planned.plan, "train")->action == Action::create);
  CHECK(planned.snapshot.calls <= 6);
  expect_done(stage.apply(planned));
  CHECK(stage.mutations() == std::vector<std::string>{"POST zones/us-central1-b/instances"});
  expect_empty(stage);
  CHECK(stage.mutations().empty());
}

TEST_CASE("labels change live, in one call") {
  Stage stage;
  stage.notebook("train").labels["team"] = Text("research");
  expect_done(stage.plan_and_apply());
  stage.manifest().notebooks[0].labels["team"] = Text("vision");
  stage.mutations();
  Planned planned = stage.plan();
  CHECK(line_of(planned.plan, "train")->action == Action::update);
  expect_done(stage.apply(planned));
  auto sent = stage.mutations();
  CHECK(std::count(sent.begin(), sent.end(), "POST zones/us-central1-b/instances/train/setLabels") == 1);
  expect_empty(stage);
}

TEST_CASE("stopped-only changes share one restart, marked and unmarked") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  Notebook& n = stage.manifest().notebooks[0];
  n.machine.type = Text("e2-standard-4");
  n.identity.service_account = Text("nb@acme-ml.iam.gserviceaccount.com");
  stage.mutations();
  Planned planned = stage.plan();
  CHECK(line_of(planned.plan, "train")->action == Action::restart);
  expect_done(stage.apply(planned));
  std::string base = "POST zones/us-central1-b/instances/train/";
  CHECK(stage.mutations() == std::vector<std::string>{base + "setLabels", base + "stop",
                                                      base + "setMachineType", base + "setServiceAccount",
                                                      base + "start", base + "setLabels"});
  expect_empty(stage);
}

TEST_CASE("a replace keeps data disks and erases the boot disk only with consent") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  std::int64_t disk_id =
      stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train-data")["id"].as_int();
  REQUIRE(disk_id != 0);
  Image other;
  other.family = Text("pytorch-2-9-cu129-ubuntu-2404-nvidia-580");
  stage.manifest().notebooks[0].image = Setting<Image>(other);
  Planned planned = stage.plan();
  REQUIRE(line_of(planned.plan, "train") != nullptr);
  CHECK(line_of(planned.plan, "train")->action == Action::replace);
  CHECK(planned.plan.data_loss({}) == std::vector<std::string>{"train"});
  expect_done(stage.apply(planned));
  Value disk = stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train-data");
  CHECK(disk["id"].as_int() == disk_id);
  CHECK(disk["users"].as_list().size() == 1);
  expect_empty(stage);
}

TEST_CASE("a new data disk on a living machine is made and attached, and let go when it is undeclared") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.manifest().notebooks[0].disks["data"] = Setting<Disk>(data_disk());
  Planned planned = stage.plan();
  CHECK(line_of(planned.plan, "train")->action == Action::update);
  expect_done(stage.apply(planned));
  expect_empty(stage);
  stage.manifest().notebooks[0].disks.erase("data");
  planned = stage.plan();
  CHECK(planned.plan.data_loss({}).empty());
  expect_done(stage.apply(planned));
  Value disk = stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train-data");
  CHECK(disk["users"].as_list().empty());
  CHECK(stage.plan().plan.kept.size() == 1);
}

TEST_CASE("shrinking a disk is an error that blocks its notebook") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.manifest().notebooks[0].disks["boot"].get().size_gb = Number(100);
  Planned planned = stage.plan();
  REQUIRE(planned.plan.diagnostics.has_errors());
  CHECK(planned.plan.diagnostics[0].summary == "A disk cannot shrink");
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

TEST_CASE("a stock-out takes the next zone, whole, and leaves nothing in the first") {
  Stage stage;
  Notebook& n = stage.notebook("train");
  n.where = {"us-central1-b", "us-central1-f"};
  n.disks["data"] = Setting<Disk>(data_disk());
  stage.world.stockout("us-central1-b");
  REQUIRE(stage.world.add_variant("leftover-disks").ok());
  Outcome outcome = stage.plan_and_apply();
  expect_done(outcome);
  CHECK_FALSE(stage.world.resource("projects/acme-ml/zones/us-central1-f/instances/train").is_null());
  CHECK_FALSE(stage.world.resource("projects/acme-ml/zones/us-central1-f/disks/train-data").is_null());
  CHECK(stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train-data").is_null());
  CHECK(stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train").is_null());
  expect_empty(stage);
}

TEST_CASE("spot: auto falls back to on demand, and that is no difference afterwards") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::automatic);
  stage.notebook("train").spot = Setting<Spot>(spot);
  stage.world.stockout("us-central1-b", "spot:*");
  Planned planned = stage.plan();
  CHECK(planned.plan.changes[0].attempts.size() == 2);
}

TEST_CASE("an edit that the cloud refuses while the machine is stopped does not leave it off") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  stage.notebook("train").spot = Setting<Spot>(spot);
  expect_done(stage.plan_and_apply());
  REQUIRE(stage.world.add_variant("spot-switch-refused").ok());
  spot.market = Setting<Market>(Market::on_demand);
  stage.manifest().notebooks[0].spot = Setting<Spot>(spot);
  Outcome outcome = stage.plan_and_apply();
  CHECK(outcome.results[0].state == ChangeResult::State::failed);
  CHECK(outcome.results[0].failure.hint.find("--replace train") != std::string::npos);
  Value vm = stage.world.resource("projects/acme-ml/zones/us-central1-b/instances/train");
  CHECK(vm["status"].as_text() == "RUNNING");
  CHECK(vm["labels"]["nbform-resume"].is_null());
  CHECK(stage.plan().plan.count(Action::restart) == 1);
}

TEST_CASE("lists do without a parameter that dated interfaces refuse, and an operation may be known late") {
  for (const char* variant : {"dated-interface", "late-operations"}) {
    Stage stage;
    REQUIRE(stage.world.add_variant(variant).ok());
    stage.notebook("train");
    expect_done(stage.plan_and_apply());
    expect_empty(stage);
  }
}

TEST_CASE("a longest run that is no longer wanted is cleared") {
  Stage stage;
  Power power;
  power.max_uptime_s = Number(3600);
  stage.notebook("train").power = power;
  expect_done(stage.plan_and_apply());
  power.max_uptime_s = Number::removal();
  stage.manifest().notebooks[0].power = power;
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
}

TEST_CASE("preempted: started again only where the manifest says so") {
  for (bool restart : {true, false}) {
    Stage stage;
    Spot spot;
    spot.market = Setting<Market>(Market::spot);
    spot.restart = Flag(restart);
    stage.notebook("train").spot = Setting<Spot>(spot);
    expect_done(stage.plan_and_apply());
    REQUIRE(stage.world.preempt("acme-ml", "us-central1-b", "train").ok());
    stage.env.after(std::chrono::minutes(3), [] {});
    stage.env.step();
    Planned planned = stage.plan();
    const NotebookPlan* line = line_of(planned.plan, "train");
    REQUIRE(line != nullptr);
    CHECK(line->action == (restart ? Action::start : Action::none));
    if (restart) CHECK(line->reason.starts_with("was preempted by the cloud at "));
    if (!restart) CHECK(line->notes.size() == 1);
    if (restart) expect_done(stage.apply(planned));
  }
}

TEST_CASE("destroy keeps what is kept, and deletes it when asked by name") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  Planned planned = stage.plan(destroy);
  CHECK(line_of(planned.plan, "train")->action == Action::destroy);
  CHECK(planned.plan.data_loss({}).empty());
  CHECK(planned.plan.kept.size() == 1);
  expect_done(stage.apply(planned));
  CHECK(stage.world.resources("instances").empty());
  CHECK(stage.world.resources("disks").size() == 1);
  destroy.delete_kept = {"train-data"};
  planned = stage.plan(destroy);
  CHECK(planned.plan.data_loss({}) == std::vector<std::string>{"train"});
  expect_done(stage.apply(planned));
  CHECK(stage.world.resources("disks").empty());
}

TEST_CASE("a kept disk comes back under its notebook, in its own zone") {
  Stage stage;
  Notebook& n = stage.notebook("train");
  n.where = {"us-central1-b", "us-central1-f"};
  n.disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  expect_done(stage.plan_and_apply(destroy));
  stage.manifest().notebooks[0].where = {"us-central1-f", "us-central1-b"};
  Planned planned = stage.plan();
  CHECK(line_of(planned.plan, "train")->place == "us-central1-b");
  expect_done(stage.apply(planned));
  CHECK(stage.world.resource("projects/acme-ml/zones/us-central1-b/disks/train-data")["users"]
            .as_list()
            .size() == 1);
  expect_empty(stage);
}

TEST_CASE("a name held by somebody else is an error that names the owner") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.manifest().stack = {"other", "11111111", {}};
  Planned planned = stage.plan();
  REQUIRE(planned.plan.diagnostics.has_errors());
  CHECK(planned.plan.diagnostics[0].detail.find("notebook train of stack research_3f9a1c2e") !=
        std::string::npos);
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

TEST_CASE("undeclared notebooks are deleted only by a whole run of a stack with an id") {
  for (bool id : {true, false}) {
    Stage stage;
    if (!id) stage.manifest().stack.id = "";
    stage.notebook("a");
    stage.notebook("b");
    expect_done(stage.plan_and_apply());
    stage.manifest().notebooks.pop_back();
    Planned planned = stage.plan();
    if (id) {
      REQUIRE(line_of(planned.plan, "b") != nullptr);
      CHECK(line_of(planned.plan, "b")->action == Action::destroy);
      CHECK(planned.plan.data_loss({}) == std::vector<std::string>{"b"});
    } else {
      CHECK(planned.plan.empty());
      CHECK_FALSE(planned.plan.elsewhere.empty());
    }
    DiffOptions selected;
    selected.selected = true;
    selected.selects = [](std::string_view key) { return key == "a"; };
    CHECK(stage.plan(selected).plan.empty());
  }
}

TEST_CASE("an unreachable zone forbids creates of what was found nowhere") {
  Stage stage;
  stage.notebook("train");
  stage.world.set_unreachable("europe-west4-a");
  Planned planned = stage.plan();
  REQUIRE(planned.plan.diagnostics.has_errors());
  CHECK(planned.plan.diagnostics[0].code == Code::unavailable);
  CHECK(planned.plan.empty());
}

TEST_CASE("a leaver's key goes, a stranger's stays") {
  Stage stage;
  Notebook& n = stage.notebook("train");
  std::vector<SshKey> both{{"a.pub", "ssh-ed25519 AAAA1 ana", false},
                           {"b.pub", "ssh-ed25519 AAAA2 ben", false}};
  n.access.ssh.keys = Setting(both);
  expect_done(stage.plan_and_apply());
  add_key_by_hand(stage, "train", "root:ssh-rsa BBBB somebody");
  expect_empty(stage);
  both.pop_back();
  stage.manifest().notebooks[0].access.ssh.keys = Setting(both);
  expect_done(stage.plan_and_apply());
  Value vm = stage.world.resource("projects/acme-ml/zones/us-central1-b/instances/train");
  std::string keys;
  for (const Value& item : vm.at_path("metadata/items").as_list())
    if (item["key"].as_text() == "ssh-keys") keys = item["value"].as_text();
  CHECK(keys == "root:ssh-rsa BBBB somebody\nnbform:ssh-ed25519 AAAA1 ana nbform:research_3f9a1c2e");
  expect_empty(stage);
}

TEST_CASE("protect refuses a destroy") {
  Stage stage;
  stage.notebook("train").protect = Flag(true);
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  Planned planned = stage.plan(destroy);
  REQUIRE(planned.plan.diagnostics.has_errors());
  CHECK(planned.plan.diagnostics[0].code == Code::data_loss);
}

// Applies until `mutations` have left, and is gone before the answer of the last.
void apply_and_die_unheard(Stage& stage, int mutations = 1, DiffOptions diff = {}) {
  bool dead = false;
  stage.env.set_gate([&](const Request& r) {
    if (dead) return false;
    bool mutation = r.method != "GET" && r.url.find("/wait") == std::string::npos;
    dead = mutation && --mutations == 0;
    return true;
  });
  ApplyOptions options;
  options.interrupts = [&] { return dead ? 2 : 0; };
  Planned planned = stage.plan(std::move(diff));
  (void)stage.apply(planned, options);
  stage.env.set_gate({});
}

TEST_CASE("a create under way that no list shows yet is awaited, not sent again") {
  Stage stage;
  REQUIRE(stage.world.add_variant("slow-visibility").ok());
  Notebook& nb = stage.notebook("train");
  nb.where = {"us-central1-f"};
  apply_and_die_unheard(stage);
  stage.mutations();
  nb.where = {"us-central1-b"};  // the name alone would not protect here

  Planned at_once = stage.plan();
  const NotebookPlan* line = line_of(at_once.plan, "train");
  REQUIRE(line != nullptr);
  CHECK(line->action == Action::pending);
  CHECK(line->reason.starts_with("VM is being created in us-central1-f (operation operation-"));
  CHECK(at_once.plan.empty());

  Planned awaited = stage.settled_plan();
  expect_done(stage.apply(awaited));
  CHECK(stage.mutations().empty());
  CHECK(stage.world.resources("instances").size() == 1);
  expect_empty(stage);
}

TEST_CASE("a destroy takes along what is still being created") {
  Stage stage;
  REQUIRE(stage.world.add_variant("slow-visibility").ok());
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  apply_and_die_unheard(stage);
  DiffOptions destroy;
  destroy.destroy = true;
  CHECK(line_of(stage.plan(destroy).plan, "train")->action == Action::pending);
  expect_done(stage.apply(stage.settled_plan(destroy)));
  CHECK(stage.world.resources("instances").empty());
  CHECK(stage.world.resources("disks").size() == 1);  // the data disk is kept
}

TEST_CASE("a replace of a stopped machine that dies before its stop is stopped by the next run") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  DiffOptions stop, replace;
  stop.power_only = true;
  stop.power = {{"train", PowerPolicy::Want::stopped}};
  expect_done(stage.plan_and_apply(stop));
  replace.replace = {"train"};
  apply_and_die_unheard(stage, 2, replace);  // delete, insert
  auto vm = [&] { return stage.world.resource("projects/acme-ml/zones/us-central1-b/instances/train"); };

  Planned again = stage.settled_plan();
  REQUIRE(line_of(again.plan, "train") != nullptr);
  CHECK(line_of(again.plan, "train")->action == Action::stop);
  expect_done(stage.apply(again));
  CHECK(vm()["status"].as_text() == "TERMINATED");
  CHECK_FALSE(vm()["labels"].as_map().has("nbform-resume"));
  CHECK(stage.plan().plan.empty());

  DiffOptions start;
  start.power_only = true;
  start.power = {{"train", PowerPolicy::Want::running}};
  expect_done(stage.plan_and_apply(start));
  expect_empty(stage);
}

TEST_CASE("a disk that is never kept goes with a replace into another zone, whatever was set by hand") {
  Stage stage;
  Notebook& nb = stage.notebook("train");
  Disk disk = data_disk();
  disk.keep = Setting<Keep>(Keep::never);
  nb.disks["data"] = Setting<Disk>(disk);
  expect_done(stage.plan_and_apply());
  std::string zone = "projects/acme-ml/zones/us-central1-b/";
  Request by_hand{.method = "POST",
                  .url = "https://compute.googleapis.com/compute/v1/" + zone +
                         "instances/train/setDiskAutoDelete?deviceName=data&autoDelete=false"};
  by_hand.headers = {{"Authorization", "Bearer sandbox"}};
  REQUIRE(stage.world.handle(by_hand, stage.env.now()).response->status == 200);
  stage.env.after(std::chrono::minutes(1), [] {});
  stage.env.step();

  nb.where = {"us-central1-f"};
  DiffOptions replace;
  replace.replace = {"train"};
  expect_done(stage.plan_and_apply(replace));
  CHECK(stage.world.resource(zone + "disks/train-data").is_null());
  CHECK(stage.world.resources("disks").size() == 2);
  expect_empty(stage);
}

TEST_CASE("a leftover whose removal is forgotten by the cloud is looked at again") {
  Stage stage;
  stage.notebook("train").where = {"us-central1-b", "us-central1-f"};
  stage.world.stockout("us-central1-b");
  REQUIRE(stage.world.add_variant("leftover-disks").ok());
  // Accepted, never carried out, and no longer known when it is waited for.
  Map accepted{{"kind", "compute#operation"},
               {"name", "operation-forgotten"},
               {"operationType", "delete"},
               {"status", "RUNNING"},
               {"zone", "https://www.googleapis.com/compute/v1/projects/acme-ml/zones/us-central1-b"}};
  REQUIRE(stage.world
              .add_faults(List{Map{{"match", Map{{"method", "disks.delete"}}},
                                   {"do", Map{{"status", 200}, {"body", accepted}}}}})
              .ok());
  Outcome outcome = stage.plan_and_apply();
  REQUIRE(outcome.results.size() == 1);
  CHECK(outcome.results[0].failure.summary == "The outcome of an operation is not known");
  CHECK(stage.world.resources("instances").empty());
  expect_done(stage.apply(stage.settled_plan()));
  expect_empty(stage);
}

TEST_CASE("a restart that was cut short is finished by the next run") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  stage.manifest().notebooks[0].machine.type = Text("e2-standard-4");
  bool dead = false;
  int left = 2;  // the mark and the stop leave, then the power goes
  stage.env.set_gate([&](const Request& r) {
    bool mutation = r.method != "GET" && r.url.find("/wait") == std::string::npos;
    bool leaves = !mutation || left-- > 0;
    dead = dead || !leaves;
    return leaves;
  });
  ApplyOptions options;
  options.interrupts = [&] { return dead ? 2 : 0; };
  Planned planned = stage.plan();
  (void)stage.apply(planned, options);
  stage.env.set_gate({});
  Planned again = stage.plan();
  const NotebookPlan* line = line_of(again.plan, "train");
  REQUIRE(line != nullptr);
  CHECK(line->reason == "an earlier change was interrupted");
  expect_done(stage.apply(again));
  Value vm = stage.world.resource("projects/acme-ml/zones/us-central1-b/instances/train");
  CHECK(vm["status"].as_text() == "RUNNING");
  expect_empty(stage);
}

TEST_CASE("adopt takes over what exists, with labels alone, and is a no-op afterwards") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  DiffOptions forget;
  forget.forget = {"train"};
  expect_done(stage.plan_and_apply(forget));
  CHECK(stage.plan().plan.blocked ==
        std::vector<std::string>{"train"});  // the name is taken by a stranger now
  stage.manifest().notebooks[0].adopt = Text("us-central1-b/train");
  stage.mutations();
  Planned planned = stage.plan();
  INFO(text_of(planned.plan.diagnostics));
  REQUIRE(line_of(planned.plan, "train") != nullptr);
  CHECK(line_of(planned.plan, "train")->action == Action::adopt);
  expect_done(stage.apply(planned));
  for (const std::string& sent : stage.mutations()) CHECK(sent.ends_with("/setLabels"));
  expect_empty(stage);
}

TEST_CASE("moved_from renames without making anything again") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  Notebook& n = stage.manifest().notebooks[0];
  n.key = "learn";
  n.moved_from = Text("train");
  stage.mutations();
  Planned planned = stage.plan();
  REQUIRE(line_of(planned.plan, "learn") != nullptr);
  CHECK(line_of(planned.plan, "learn")->action == Action::update);
  expect_done(stage.apply(planned));
  for (const std::string& sent : stage.mutations()) CHECK(sent.ends_with("/setLabels"));
  expect_empty(stage);
}

TEST_CASE("a stack that gets its id relabels what it declares") {
  Stage stage;
  stage.manifest().stack.id = "";
  Notebook& n = stage.notebook("train");
  n.access.ssh.keys = Setting(std::vector<SshKey>{{"a.pub", "ssh-ed25519 AAAA1 ana", false}});
  expect_done(stage.plan_and_apply());
  stage.manifest().stack.id = "3f9a1c2e";
  Planned planned = stage.plan();
  REQUIRE(line_of(planned.plan, "train") != nullptr);
  CHECK(line_of(planned.plan, "train")->action == Action::update);
  expect_done(stage.apply(planned));
  expect_empty(stage);
}

TEST_CASE("a disk gets another key: it stays attached as it is, and nothing is left to do") {
  Stage stage;
  stage.notebook("train").disks["old"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  Disk renamed = data_disk();
  renamed.moved_from = Text("old");
  stage.manifest().notebooks[0].disks.erase("old");
  stage.manifest().notebooks[0].disks["new"] = Setting<Disk>(renamed);
  stage.mutations();
  expect_done(stage.plan_and_apply());
  CHECK(stage.mutations() == std::vector<std::string>{"POST zones/us-central1-b/disks/train-old/setLabels"});
  expect_empty(stage);
}
