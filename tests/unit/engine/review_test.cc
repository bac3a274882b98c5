// What may go wrong between two requests: a run that dies at each of them, a cloud that others change
// meanwhile, and data that must outlive all of it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "support/catch.h"
#include "support/stage.h"

using namespace nbform;
using State = ChangeResult::State;

// Under AddressSanitizer a run costs many times as much: a part of each enumeration then, the same every
// time.
#ifdef __SANITIZE_ADDRESS__
constexpr int kEvery = 6;
#else
constexpr int kEvery = 1;
#endif

namespace {

const std::string kZone = "projects/acme-ml/zones/us-central1-b/";

Value vm_of(Stage& stage, const std::string& name = "train") {
  return stage.world.resource(kZone + "instances/" + name);
}

std::int64_t disk_id(Stage& stage, const std::string& name) {
  return stage.world.resource(kZone + "disks/" + name)["id"].as_int();
}

void wait(Stage& stage, Duration d) {
  bool over = false;
  stage.env.after(d, [&] { over = true; });
  while (!over) stage.env.step();
}

// As a colleague would, with gcloud.
void by_hand(Stage& stage, const std::string& method, const std::string& path, Value body = {}) {
  Request request{.method = method, .url = "https://compute.googleapis.com/compute/v1/" + kZone + path};
  request.headers = {{"Authorization", "Bearer sandbox"}, {"Content-Type", "application/json"}};
  if (!body.is_null()) request.body = to_json(body);
  sim::Answer answer = stage.world.handle(request, stage.env.now());
  INFO(answer.response->body);
  REQUIRE(answer.response->status == 200);
}

// Like apply: what is under way is awaited first.
Planned settled_plan(Stage& stage, const DiffOptions& options = {}) {
  for (;;) {
    Planned planned = stage.plan(options);
    const auto& live = planned.snapshot.live;
    bool busy = std::any_of(live.begin(), live.end(),
                            [](const Live& one) { return one.health.state == Health::State::settling; });
    if (!busy) return planned;
    wait(stage, std::chrono::seconds(5));
  }
}

std::string text_of(const Planned& planned) {
  std::string out;
  for (const Diagnostic& d : planned.plan.diagnostics)
    out += fmt::format("{} {} {}\n", d.address, d.summary, d.detail);
  for (const Change& c : planned.plan.changes) {
    out += fmt::format("{} {} {}\n", action_name(c.action), c.address, c.reason_text);
    for (const Edit& e : c.edits)
      out += fmt::format("  {} {} -> {}\n", e.attr, canonical(e.before), canonical(e.after));
  }
  return out;
}

std::string text_of(const Outcome& outcome) {
  std::string out;
  for (const ChangeResult& r : outcome.results)
    out += fmt::format("{} {} {} {} {}\n", r.address, static_cast<int>(r.state), r.failure.summary,
                       r.failure.detail, r.blocked_by);
  return out;
}

bool all_done(const Outcome& outcome) {
  return std::all_of(outcome.results.begin(), outcome.results.end(),
                     [](const ChangeResult& r) { return r.state == State::done; });
}

void expect_done(const Outcome& outcome) {
  INFO(text_of(outcome));
  CHECK(all_done(outcome));
}

void expect_empty(Stage& stage, const DiffOptions& options = {}) {
  Planned again = settled_plan(stage, options);
  INFO(text_of(again));
  CHECK(again.plan.empty());
  CHECK_FALSE(again.plan.diagnostics.has_errors());
}

Disk data_disk(Keep keep = Keep::always) {
  Disk disk;
  disk.size_gb = Number(200);
  disk.type = Text("balanced");
  disk.keep = Setting<Keep>(keep);
  return disk;
}

Notebook& train(Stage& stage) {
  return stage.manifest().notebooks[0];
}

void other_image(Stage& stage) {
  Image other;
  other.family = Text("pytorch-2-9-cu129-ubuntu-2404-nvidia-580");
  train(stage).image = Setting<Image>(other);
}

// --- death at every mutation ---

struct Scenario {
  const char* name;
  bool exists;  // made before, in peace
  std::function<void(Stage&)> declare, change;
  bool destroy = false;
};

const std::vector<Scenario>& scenarios() {
  auto with_disk = [](Stage& s) { s.notebook("train").disks["data"] = Setting<Disk>(data_disk()); };
  auto bare = [](Stage& s) { s.notebook("train"); };
  auto nothing = [](Stage&) {};
  static const std::vector<Scenario> all = {
      {"create", false, with_disk, nothing},
      {"fallback", false,
       [=](Stage& s) {
         with_disk(s);
         train(s).where = {"us-central1-b", "us-central1-f"};
         s.world.stockout("us-central1-b");
       },
       nothing},
      {"fallback, no data", false,
       [=](Stage& s) {
         bare(s);
         train(s).where = {"us-central1-b", "us-central1-f"};
         s.world.stockout("us-central1-b");
       },
       nothing},
      {"restart", true, with_disk,
       [](Stage& s) {
         train(s).machine.type = Text("e2-standard-4");
         train(s).labels["team"] = Text("vision");
       }},
      {"replace", true, with_disk, other_image},
      {"replace, keep: never", true,
       [](Stage& s) { s.notebook("train").disks["data"] = Setting<Disk>(data_disk(Keep::never)); },
       other_image},
      {"new disk", true, bare, [](Stage& s) { train(s).disks["data"] = Setting<Disk>(data_disk()); }},
      {"disk let go", true, with_disk, [](Stage& s) { train(s).disks.erase("data"); }},
      {"rename", true, with_disk,
       [](Stage& s) {
         train(s).key = "learn";
         train(s).moved_from = Text("train");
       }},
      {"adopt", true, with_disk,
       [](Stage& s) {
         DiffOptions forget;
         forget.forget = {"train"};
         expect_done(s.plan_and_apply(forget));
         train(s).adopt = Text("us-central1-b/train");
       }},
      {"stop and change", true, with_disk,
       [](Stage& s) {
         train(s).power.state = Setting<PowerState>(PowerState::stopped);
         train(s).machine.type = Text("e2-standard-4");
       }},
      {"destroy", true, with_disk, nothing, true},
  };
  return all;
}

// How a run ends early at one of its mutations: before it leaves, with its answer never heard, or by Ctrl-C.
enum class End { unsent, unheard, interrupted };

struct Death {
  int at = 0;  // mutation, from 0
  End how = End::unsent;
  Duration later{};  // until the next run
  std::string variant;
};

// Applies and dies; false: the run was over before.
bool apply_and_die(Stage& stage, const DiffOptions& diff, const Death& death) {
  bool dead = false, soft = death.how == End::interrupted;
  int left = death.at, sent_after = 0;
  std::set<std::string> ids;  // a further try of what has left is no new mutation
  Time died;
  stage.env.set_gate([&](const Request& r) {
    bool mutation = r.method != "GET" && r.url.find("/wait") == std::string::npos;
    bool fresh = mutation && ids.insert(r.url.substr(r.url.find("requestId="))).second;
    if (dead && fresh && stage.env.now() > died) ++sent_after;
    if (dead) return soft;
    if (!mutation || left-- > 0) return true;
    dead = true;
    died = stage.env.now();
    return death.how != End::unsent;
  });
  ApplyOptions options;
  options.interrupts = [&] { return !dead ? 0 : soft ? 1 : 2; };
  Planned planned = stage.plan(diff);
  (void)stage.apply(planned, options);
  stage.env.set_gate({});
  CHECK(sent_after == 0);
  if (dead) CHECK(stage.env.now() - died <= std::chrono::seconds(5));
  return dead;
}

// False: there are fewer mutations than that.
bool survives(const Scenario& scenario, const Death& death) {
  Stage stage;
  INFO(scenario.name << ", death at mutation " << death.at
                     << (death.how == End::unsent    ? " unsent"
                         : death.how == End::unheard ? " unheard"
                                                     : " interrupted")
                     << ", " << format_span(death.later) << " later, " << death.variant);
  if (!death.variant.empty()) REQUIRE(stage.world.add_variant(death.variant).ok());
  scenario.declare(stage);
  if (scenario.exists) expect_done(stage.plan_and_apply());
  std::int64_t data = disk_id(stage, "train-data");
  bool never =
      scenario.exists && train(stage).disks.count("data") && *train(stage).disks["data"]->keep == Keep::never;
  scenario.change(stage);
  DiffOptions options;
  options.destroy = scenario.destroy;
  if (!apply_and_die(stage, options, death)) return false;
  stage.world.end_stockout();  // nothing must be made twice because there is room again
  wait(stage, death.later);

  Planned again = settled_plan(stage, options);
  INFO(text_of(again));
  expect_done(stage.apply(again));
  expect_empty(stage, options);
  auto machines = stage.world.resources("instances");
  CHECK(machines.size() == (scenario.destroy ? 0u : 1u));
  bool stopped = !scenario.destroy && train(stage).power.state.set();
  for (const Value& vm : machines) CHECK(vm["status"].as_text() == (stopped ? "TERMINATED" : "RUNNING"));
  if (data != 0 && !never) CHECK(disk_id(stage, "train-data") == data);
  bool boot = !scenario.destroy;
  std::size_t disks = (boot ? 1u : 0u) + (data != 0 || train(stage).disks.count("data") ? 1u : 0u);
  CHECK(stage.world.resources("disks").size() == disks);
  return true;
}

}  // namespace

TEST_CASE("a run that dies at any mutation is finished by the next one") {
  int deaths = 0;
  const std::vector<std::string> variants = {"", "leftover-disks", "slow-visibility", "staging-after-done",
                                             "disk-name-attaches"};
  for (const Scenario& scenario : scenarios())
    for (const std::string& variant : variants)
      for (End how : {End::unsent, End::unheard, End::interrupted})
        for (Duration later : variant.empty() ? std::vector<Duration>{{}, std::chrono::minutes(61)}
                                              : std::vector<Duration>{{}})
          for (int at = 0; survives(scenario, {at, how, later, variant}); at += kEvery) ++deaths;
  WARN(deaths << " early ends in " << scenarios().size() << " scenarios, " << variants.size() << " variants");
  CHECK(deaths > 450 / kEvery);
}

// --- data ---

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

TEST_CASE("a destroy asks before it deletes what only the manifest keeps so far") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
  expect_done(stage.plan_and_apply());
  DiffOptions destroy;
  destroy.destroy = true;
  CHECK(stage.plan(destroy).plan.data_loss({}).empty());
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::always));
  CHECK(stage.plan(destroy).plan.data_loss({}) == std::vector<std::string>{"train"});
  train(stage).disks["data"] = Setting<Disk>(data_disk(Keep::never));
  Disk boot;
  boot.keep = Setting<Keep>(Keep::always);
  train(stage).disks["boot"] = Setting<Disk>(boot);
  CHECK(stage.plan(destroy).plan.data_loss({}) == std::vector<std::string>{"train"});
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

// --- places and names ---

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

// --- others, meanwhile ---

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

TEST_CASE("a machine stopped by a person stays so, whatever mark an interrupted run left") {
  Stage stage;
  stage.notebook("train");
  expect_done(stage.plan_and_apply());
  train(stage).machine.type = Text("e2-standard-4");
  REQUIRE(apply_and_die(stage, {}, {1, End::unsent, {}, ""}));  // marked, not stopped
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

TEST_CASE("another type of a data disk is refused: its data would go with it") {
  Stage stage;
  stage.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  expect_done(stage.plan_and_apply());
  train(stage).disks["data"].get().type = Text("ssd");
  Planned planned = stage.plan();
  INFO(text_of(planned));
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
}

// --- one bad answer at every request ---

namespace {

struct Fault {
  const char* name;
  Value what;
  bool harmless;  // the same run gets over it
};

std::vector<Fault> faults() {
  return {{"503", Map{{"status", 503}}, true},
          {"lost request", Map{{"drop", "before"}}, true},
          {"lost answer", Map{{"drop", "after"}}, true},
          {"cut answer", Map{{"cut", 7}}, true},
          {"late answer", Map{{"delay", "200s"}}, true},
          {"403", Map{{"status", 403}}, false},
          {"404", Map{{"status", 404}}, false},
          {"412", Map{{"status", 412}}, false},
          {"busy operation", Map{{"operation", Map{{"code", "RESOURCE_NOT_READY"}, {"status", 400}}}}, true},
          {"stale operation", Map{{"operation", Map{{"code", "CONDITION_NOT_MET"}, {"status", 412}}}}, true},
          {"failed operation", Map{{"operation", Map{{"code", "INTERNAL_ERROR"}, {"status", 500}}}}, false}};
}

// False: there are fewer requests than that.
bool gets_over(const Scenario& scenario, const Fault& fault, int nth) {
  Stage stage;
  INFO(scenario.name << ", " << fault.name << " at request " << nth);
  scenario.declare(stage);
  if (scenario.exists) expect_done(stage.plan_and_apply());
  std::int64_t data = disk_id(stage, "train-data");
  bool never =
      scenario.exists && train(stage).disks.count("data") && *train(stage).disks["data"]->keep == Keep::never;
  scenario.change(stage);
  DiffOptions options;
  options.destroy = scenario.destroy;
  Planned planned = settled_plan(stage, options);
  std::size_t before = stage.env.exchanges().size();
  REQUIRE(stage.world
              .add_faults(List{Map{{"match", Map{{"service", "compute"}, {"nth", nth}}}, {"do", fault.what}}})
              .ok());
  Outcome first = stage.apply(planned);
  bool struck = stage.env.exchanges().size() - before >= static_cast<std::size_t>(nth);
  stage.world.clear_faults();
  stage.world.end_stockout();
  if (fault.harmless) expect_done(first);
  wait(stage, std::chrono::minutes(1));
  if (!all_done(first)) {
    Planned again = settled_plan(stage, options);
    INFO(text_of(first) << text_of(again));
    expect_done(stage.apply(again));
  }
  expect_empty(stage, options);
  CHECK(stage.world.resources("instances").size() == (scenario.destroy ? 0u : 1u));
  if (data != 0 && !never) CHECK(disk_id(stage, "train-data") == data);
  return struck;
}

}  // namespace

TEST_CASE("one bad answer at any request is got over, or mended by the next run") {
  int runs = 0;
  for (const Scenario& scenario : scenarios())
    for (const Fault& fault : faults())
      for (int nth = 1; gets_over(scenario, fault, nth); nth += kEvery) ++runs;
  WARN(runs << " bad answers in " << scenarios().size() << " scenarios");
  CHECK(runs > 500 / kEvery);
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
      Planned again = settled_plan(stage);
      INFO(text_of(again));
      expect_done(stage.apply(again));
      Planned third = settled_plan(stage);
      INFO(text_of(third));
      CHECK(third.plan.empty());
      CHECK(disk_id(stage, "train-data") == data);
      if (restart) CHECK(vm_of(stage)["status"].as_text() == "RUNNING");
    }
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
  expect_done(stage.apply(settled_plan(stage)));
  expect_empty(stage);
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

namespace {

struct Walk {
  Stage stage;
  std::uint64_t seed;
  std::int64_t disks_before = 0;
  std::int64_t kept = 0;  // id of train-data since a machine ran with it

  explicit Walk(std::uint64_t first) : seed(first) {
    Spot spot;
    spot.market = Setting<Market>(Market::automatic);
    spot.restart = Flag(true);
    Notebook& n = stage.notebook("train");
    n.where = {"us-central1-b", "us-central1-f"};
    n.disks["data"] = Setting<Disk>(data_disk());
    if (random(2) == 0) n.spot = Setting<Spot>(spot);
    for (const char* variant : {"leftover-disks", "slow-visibility", "staging-after-done"})
      if (random(2) == 0) REQUIRE(stage.world.add_variant(variant).ok());
  }

  std::uint64_t random(std::uint64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
  }

  void edit() {
    Notebook& n = train(stage);
    switch (random(9)) {
      case 0:
        n.machine.type = Text(random(2) ? "e2-standard-4" : "e2-standard-2");
        break;
      case 1:
        n.labels["team"] = Text(random(2) ? "vision" : "speech");
        break;
      case 2:
        other_image(stage);
        break;
      case 3:
        n.image.get().family = Text("common-cu129-ubuntu-2404-nvidia-580");
        break;
      case 4:
        n.power.state = Setting<PowerState>(random(2) ? PowerState::stopped : PowerState::running);
        break;
      case 5:
        n.disks["more"] = Setting<Disk>(data_disk(random(2) ? Keep::never : Keep::always));
        break;
      case 6:
        n.disks.erase("more");
        break;
      case 7:
        n.disks.erase("data");
        break;
      case 8:
        n.disks["data"] = Setting<Disk>(data_disk());
        break;
    }
  }

  void run() {
    DiffOptions options;
    options.destroy = random(8) == 0;
    if (random(2) == 0) edit();
    std::uint64_t luck = random(4);
    if (random(2) == 0)
      REQUIRE(stage.world
                  .add_faults(List{Map{{"match", Map{{"service", "compute"}, {"chance", 0.1}}},
                                       {"do", faults()[random(faults().size())].what},
                                       {"times", 0}}})
                  .ok());
    if (luck < 3) {
      End how = luck == 0 ? End::unsent : luck == 1 ? End::unheard : End::interrupted;
      (void)apply_and_die(stage, options, {static_cast<int>(random(5)), how, {}, ""});
    } else {
      (void)stage.plan_and_apply(options);
    }
    stage.world.clear_faults();
    stage.world.end_stockout();
    for (const char* zone : {"us-central1-b", "us-central1-f"}) {
      if (random(4) == 0) (void)stage.world.preempt("acme-ml", zone, "train");
      if (random(3) == 0) stage.world.stockout(zone);
    }
    wait(stage, std::chrono::seconds(random(90)));
    bool there = false, runs = false;
    for (const Value& vm : stage.world.resources("instances")) runs = vm["status"].as_text() == "RUNNING";
    for (const Value& disk : stage.world.resources("disks")) {
      if (disk["name"].as_text() != "train-data") continue;
      there = there || disk["id"].as_int() == kept;
      if (kept == 0 && runs && !disk["users"].as_list().empty()) kept = disk["id"].as_int();
    }
    if (kept != 0) CHECK((there || disks_before == 0));
    disks_before = kept;
    CHECK(stage.world.resources("instances").size() <= 1);
  }
};

}  // namespace

TEST_CASE("random edits, early ends and preemptions: the disk stays, one machine, and then peace") {
  for (std::uint64_t seed = 1; seed <= 60 / kEvery; ++seed) {
    Walk walk(seed);
    INFO("seed " << seed);
    for (int i = 0; i < 12; ++i) walk.run();
    Stage& stage = walk.stage;
    stage.world.end_stockout();
    train(stage).power.state = Setting<PowerState>(PowerState::running);
    Planned last = settled_plan(stage);
    INFO(text_of(last));
    expect_done(stage.apply(last));
    Planned again = settled_plan(stage);
    INFO(text_of(again));
    CHECK(again.plan.empty());
    CHECK(stage.world.resources("instances").size() == 1);
  }
}
