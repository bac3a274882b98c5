// The rules of the diff on a made-up cloud: ownership, change classes, power, data. No service is involved.
#include "core/diff.h"

#include <algorithm>
#include <array>

#include "core/arrange.h"
#include "support/catch.h"

using namespace nbform;
using Want = PowerPolicy::Want;
using HealthState = Health::State;

namespace {

constexpr std::array kAttrs = {
    Attr{"size", "size", "machine", Mutability::stopped, Sameness::exact, "", "changes only while stopped"},
    Attr{"image", "image", "image", Mutability::fixed, Sameness::remembered, "", "made from its image"},
    Attr{"disk_gb", "disk", "disks", Mutability::live, Sameness::at_least, "", ""},
    Attr{"labels", "labels", "labels", Mutability::live, Sameness::entries, "", ""},
    Attr{"links", "network", "network", Mutability::fixed, Sameness::last_segment, "", ""},
    Attr{"tags", "tags", "tags", Mutability::live, Sameness::set, "", ""},
    Attr{"boot", "boot data", "setup", Mutability::at_rest, Sameness::remembered, "", "only while stopped"},
    Attr{"name_hint", "hint", "", Mutability::create_only, Sameness::exact, "", ""},
};

Step step(std::string id, Step::Needs needs = Step::Needs::any) {
  return {needs, std::move(id), "", [](const StepContext&) { return std::nullopt; }};
}

class FakeKind : public Kind {
 public:
  explicit FakeKind(bool machine) : machine_(machine) {}
  std::string_view name() const override { return machine_ ? "fake.machine" : "fake.disk"; }
  std::string_view noun() const override { return machine_ ? "machine" : "disk"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  std::vector<Step> create(const Resource&) const override { return {step("create")}; }
  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    std::vector<Step> steps;
    for (const Edit& edit : edits)
      steps.push_back(step(
          edit.attr, edit.attr == "size" || edit.attr == "boot" ? Step::Needs::stopped : Step::Needs::any));
    return steps;
  }
  std::vector<Step> destroy(const Live&) const override { return {step("destroy")}; }
  std::optional<Step> stop() const override { return machine_ ? std::optional(step("stop")) : std::nullopt; }
  std::optional<Step> start() const override {
    return machine_ ? std::optional(step("start")) : std::nullopt;
  }
  std::optional<Step> mark_resume(bool set) const override {
    return machine_ ? std::optional(step(set ? "mark" : "unmark")) : std::nullopt;
  }
  std::vector<Step> forget() const override { return {step("forget")}; }
  Call read(const Scope&, std::string_view, std::string_view) const override { return {}; }
  Result<std::optional<Live>> found(const Scope&, const Response&, const Value&) const override {
    return std::optional<Live>();
  }
  Result<Live> decode(const Scope&, const Value&) const override { return Live(); }
  Settlement settle(const Scope&, const Response&) const override { return {}; }
  void carry_over(Live&, const Live&) const override {}
  std::vector<std::string> consequences(const Change&) const override { return {}; }
  std::optional<std::string> postpones(const Live& live, const Edit& edit) const override {
    if (edit.attr != "size" || live.tokens.find("busy") == nullptr) return std::nullopt;
    return "its size waits";
  }
  std::vector<std::string> openings(const Resource& resource, const Live*) const override {
    return resource.attributes.has("open") ? std::vector<std::string>{"tcp 443"} : std::vector<std::string>();
  }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view) const override {
    return std::nullopt;
  }
  std::string summary(const Resource&, const Attempt&) const override { return ""; }
  std::string data_name(const Live& live) const override { return "disk " + live.name; }

 private:
  bool machine_;
};

const FakeKind kMachine(true);
const FakeKind kDisk(false);
const Scope kScope{"fake", "c", "acct", ""};

struct Setup {
  Graph graph;
  Snapshot snapshot;
  DiffOptions options;

  Setup() {
    snapshot.scopes.push_back({kScope, true, {}, std::nullopt});
    options.stack = "s_1";
    options.bare_stack = "s";
    options.attempts = [](const Resource&, Diagnostics&) {
      return std::vector<Attempt>{{"z1", false}, {"z2", false}};
    };
  }

  Resource& want(const std::string& notebook, Map attributes = {}, const Kind& kind = kMachine,
                 std::string part = "instance") {
    Resource r;
    r.address = notebook + "/" + part;
    r.notebook = notebook;
    r.part = part;
    r.kind = &kind;
    r.scope = kScope;
    r.name = notebook;
    r.attributes = std::move(attributes);
    return graph[r.address] = r;
  }

  Live& have(const std::string& notebook, Map attributes = {}, const Kind& kind = kMachine,
             std::string part = "instance") {
    Live l;
    l.id = notebook + "/" + part + std::to_string(snapshot.live.size());
    l.name = notebook;
    l.kind = &kind;
    l.scope = kScope;
    l.zone = "z1";
    l.owner = {"s_1", notebook, part};
    l.attributes = std::move(attributes);
    l.health.state = kind.is_machine() ? HealthState::running : HealthState::none;
    l.erased_by_replace = kind.is_machine();
    l.holds_data = !kind.is_machine();
    l.pins = l.holds_data;
    snapshot.live.push_back(l);
    return snapshot.live.back();
  }

  Plan plan() { return diff(graph, snapshot, options); }
};

Action action_of(const Plan& plan, std::string_view key) {
  for (const NotebookPlan& line : plan.notebooks)
    if (line.key == key) return line.action;
  return Action::none;
}

std::vector<std::string> ids(const std::vector<Step>& steps) {
  std::vector<std::string> out;
  for (const Step& s : steps) out.push_back(s.id);
  return out;
}

}  // namespace

TEST_CASE("values are the same as each attribute says") {
  CHECK(satisfies(Sameness::set, List{"a", "b"}, List{"b", "a"}));
  CHECK_FALSE(satisfies(Sameness::set, List{"a"}, List{"b", "a"}));
  CHECK(satisfies(Sameness::superset, List{"a"}, List{"b", "a"}));
  CHECK_FALSE(satisfies(Sameness::superset, List{"c"}, List{"b", "a"}));
  CHECK(satisfies(Sameness::last_segment, "default", "projects/p/global/networks/default"));
  CHECK(satisfies(Sameness::remembered, "family x", Value()));
  CHECK_FALSE(satisfies(Sameness::remembered, "family x", "family y"));
  CHECK(satisfies(Sameness::entries, Map{{"a", "1"}}, Map{{"a", "1"}, {"b", "2"}}));
  CHECK_FALSE(satisfies(Sameness::entries, Map{{"b", Value()}}, Map{{"a", "1"}, {"b", "2"}}));
}

TEST_CASE("absent is not managed, and null in a map removes") {
  Setup s;
  s.want("a", {{"labels", Map{{"team", "x"}, {"old", Value()}}}});
  s.have("a", {{"labels", Map{{"team", "x"}, {"other", "y"}}}, {"size", "big"}});
  CHECK(s.plan().empty());
  s.snapshot.live[0].attributes.set("labels", Map{{"team", "x"}, {"old", "z"}});
  Plan plan = s.plan();
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].edits[0].attr == "labels.old");
  CHECK(plan.changes[0].edits[0].after.is_null());
}

TEST_CASE("a change has the class of its heaviest edit") {
  Setup s;
  s.want("live", {{"tags", List{"t"}}});
  s.have("live");
  s.want("stopped", {{"size", "big"}, {"tags", List{"t"}}});
  s.have("stopped", {{"size", "small"}});
  s.want("fixed", {{"image", "x"}, {"size", "big"}});
  s.have("fixed", {{"image", "y"}, {"size", "small"}});
  s.want("fresh");
  Plan plan = s.plan();
  CHECK(action_of(plan, "live") == Action::update);
  CHECK(action_of(plan, "stopped") == Action::restart);
  CHECK(action_of(plan, "fixed") == Action::replace);
  CHECK(action_of(plan, "fresh") == Action::create);
  CHECK(plan.data_loss({}) == std::vector<std::string>{"fixed"});
  CHECK(plan.data_loss({"fixed"}).empty());
}

TEST_CASE("a stopped-only change of a stopped machine is no restart and does not start it") {
  Setup s;
  s.want("a", {{"size", "big"}});
  s.have("a", {{"size", "small"}}).health.state = HealthState::stopped;
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::update);
  CHECK(ids(arrange(plan.changes[0], &s.snapshot.live[0])) == std::vector<std::string>{"size"});
}

TEST_CASE("one stop and one start carry all stopped-only edits, and live edits come before them") {
  Setup s;
  s.want("a", {{"size", "big"}, {"tags", List{"t"}}});
  s.have("a", {{"size", "small"}});
  Plan plan = s.plan();
  CHECK(ids(arrange(plan.changes[0], &s.snapshot.live[0])) ==
        std::vector<std::string>{"tags", "mark", "stop", "size", "start", "unmark"});
}

TEST_CASE("declared stopped: the change rides with the stop and nothing is started") {
  Setup s;
  s.want("a", {{"size", "big"}}).power.want = Want::stopped;
  s.have("a", {{"size", "small"}});
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::stop);
  CHECK(ids(arrange(plan.changes[0], &s.snapshot.live[0])) ==
        std::vector<std::string>{"unmark", "stop", "size"});
}

TEST_CASE("what is no reason for a stop waits for one, and counts as no change") {
  Setup s;
  Resource& resource = s.want("a", {{"boot", "new"}});
  Live& live = s.have("a", {{"boot", "old"}});
  auto steps = [&] {
    Plan plan = s.plan();
    REQUIRE(plan.changes.size() == 1);
    return ids(arrange(plan.changes[0], &live));
  };
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::pending);
  CHECK(plan.empty());
  CHECK(plan.notebooks[0].reason == "waits for the next stop and start; `--restart a` makes one");
  CHECK(steps().empty());

  SECTION("beside a change of a running machine it is left out, and a note") {
    resource.attributes.set("tags", List{"t"});
    CHECK(action_of(s.plan(), "a") == Action::update);
    CHECK(s.plan().notebooks[0].notes.size() == 1);
    CHECK(steps() == std::vector<std::string>{"tags"});
  }
  SECTION("with a change that stops the machine, or when asked, it goes along") {
    std::vector<std::string> restart{"mark", "stop", "boot", "start", "unmark"};
    s.options.restart = {"a"};
    CHECK(steps() == restart);
    s.options.restart = {};
    resource.attributes.set("size", "big");
    CHECK(steps() == std::vector<std::string>{"mark", "stop", "size", "boot", "start", "unmark"});
  }
  SECTION("nbform stop is the stop that it waited for; other differences wait on") {
    resource.attributes.set("size", "big");
    s.options.power_only = true;
    s.options.power = {{"a", Want::stopped}};
    CHECK(steps() == std::vector<std::string>{"unmark", "stop", "boot"});
    live.health.state = HealthState::stopped;
    s.options.power = {{"a", Want::running}};
    CHECK(steps() == std::vector<std::string>{"boot", "start", "unmark"});
  }
  SECTION("a stopped machine takes it at once, and stays stopped") {
    live.health.state = HealthState::stopped;
    CHECK(action_of(s.plan(), "a") == Action::update);
    CHECK(steps() == std::vector<std::string>{"boot"});
  }
  SECTION("of a machine whose boot data nobody wrote down nothing is said") {
    live.attributes.erase("boot");
    CHECK(s.plan().changes.empty());
  }
}

TEST_CASE("who starts a stopped machine") {
  struct Row {
    const char* what;
    Want want;
    bool stops_itself, restart, preempted, marked;
    Action expected;
  };
  auto row =
      GENERATE(Row{"unmanaged", Want::unmanaged, false, false, false, false, Action::none},
               Row{"declared running", Want::running, false, false, false, false, Action::start},
               Row{"idle-stopped", Want::running, true, false, false, false, Action::none},
               Row{"preempted, not asked", Want::unmanaged, false, false, true, false, Action::none},
               Row{"preempted, restart", Want::unmanaged, false, true, true, false, Action::start},
               Row{"stopped by a person, restart", Want::unmanaged, false, true, false, false, Action::none},
               Row{"interrupted change", Want::unmanaged, false, false, false, true, Action::start},
               Row{"interrupted change, idle stop", Want::running, true, false, false, true, Action::start},
               Row{"declared stopped wins", Want::stopped, false, true, true, true, Action::none});
  Setup s;
  Resource& r = s.want("a");
  r.power = {row.want, row.stops_itself, row.restart};
  Health& h = s.have("a").health;
  h.state = HealthState::stopped;
  h.started = Time::from_seconds(1000);
  h.stopped_by = row.preempted ? Health::StoppedBy::preemption : Health::StoppedBy::unknown;
  h.resume_mark = row.marked ? h.started->millis() : 0;
  INFO(row.what);
  CHECK(action_of(s.plan(), "a") == row.expected);
}

TEST_CASE("a stale resume mark starts nothing") {
  Setup s;
  s.want("a");
  Health& h = s.have("a").health;
  h.state = HealthState::stopped;
  h.started = Time::from_seconds(1000);
  h.resume_mark = 999'999;
  CHECK(s.plan().empty());
}

TEST_CASE("two live things under one address block their notebook and are left alone") {
  Setup s;
  s.want("a", {{"size", "big"}});
  s.have("a", {{"size", "small"}});
  s.have("a", {{"size", "small"}});
  Plan plan = s.plan();
  CHECK(plan.blocked == std::vector<std::string>{"a"});
  CHECK(plan.diagnostics[0].summary == "Two live resources carry the labels of one notebook");
  CHECK(std::none_of(plan.changes.begin(), plan.changes.end(),
                     [](const Change& c) { return c.action == Action::destroy; }));
}

TEST_CASE(
    "of two disks of one name in two zones, the one that was never used goes while the other is in use") {
  for (bool used_first : {true, false}) {
    Setup s;
    s.want("a");
    s.want("a", {}, kDisk, "disk-data").carried_by = "a/instance";
    s.have("a");
    for (bool used : {used_first, !used_first}) {
      Live& disk = s.have("a", {}, kDisk, "disk-data");
      disk.zone = used ? "z1" : "z2";
      disk.never_used = !used;
      if (used) disk.users = {s.snapshot.live[0].id};
    }
    Plan plan = s.plan();
    REQUIRE(plan.changes.size() == 1);
    CHECK(plan.changes[0].address == "a/disk-data@z2");
    CHECK(plan.changes[0].action == Action::destroy);
    CHECK(plan.blocked.empty());
    CHECK(plan.data_loss({}).empty());
    s.options.destroy = true;
    plan = s.plan();
    REQUIRE(plan.changes.size() == 2);  // the machine and the spare one
    CHECK(std::count_if(plan.changes.begin(), plan.changes.end(),
                        [](const Change& c) { return c.address == "a/disk-data@z2"; }) == 1);
    CHECK(plan.kept.size() == 1);
    s.options.destroy = false;
    for (Live& live : s.snapshot.live) live.never_used = false;
    CHECK(s.plan().blocked == std::vector<std::string>{"a"});
  }
}

TEST_CASE("a clone is not taken for the notebook, whose own machine is gone") {
  Setup s;
  s.want("a");
  Live& live = s.have("a");
  live.name = "clone";
  live.bare = true;
  Plan plan = s.plan();
  CHECK(plan.changes.empty());
  CHECK(plan.blocked == std::vector<std::string>{"a"});
  s.graph.begin()->second.adopt = s.snapshot.live[0].id;
  CHECK(s.plan().blocked.empty());
  s.graph.begin()->second.adopt.clear();
  s.snapshot.live[0].bare = false;  // a notebook whose `name` was changed since
  CHECK(s.plan().blocked.empty());
}

TEST_CASE("a machine without its boot disk is left alone, and so is the disk, unless both are to go") {
  auto plan_of = [](auto change) {
    Setup s;
    s.want("a", {{"size", "big"}});
    s.have("a", {{"size", "small"}}).bootless = true;
    s.have("a", {}, kDisk, "boot").keep = KeepRule::never;
    change(s);
    return s.plan();
  };
  Plan plan = plan_of([](Setup&) {});
  CHECK(plan.changes.empty());
  CHECK(plan.blocked == std::vector<std::string>{"a"});
  CHECK(plan.diagnostics[0].summary == "A machine has no boot disk");
  CHECK(plan_of([](Setup& s) { s.options.replace = {"a"}; }).changes.empty());
  plan = plan_of([](Setup& s) { s.options.destroy = true; });
  CHECK(plan.blocked.empty());
  CHECK(plan.changes.size() == 2);
}

TEST_CASE("a boot disk that is in no manifest goes only with consent, attached or not") {
  Setup s;
  s.have("gone", {}, kDisk, "boot").keep = KeepRule::never;
  CHECK(s.plan().data_loss({}) == std::vector<std::string>{"gone"});
  s.snapshot.live[0].never_used = true;
  CHECK(s.plan().data_loss({}).empty());
}

TEST_CASE("a boot disk that was put aside for another one is left alone") {
  Setup s;
  s.want("a");
  s.have("a");
  s.have("a", {}, kDisk, "boot").keep = KeepRule::never;
  Plan plan = s.plan();
  CHECK(plan.empty());
  REQUIRE(plan.elsewhere.size() == 1);
  CHECK(plan.elsewhere[0].find("left alone") != std::string::npos);
  s.options.destroy = true;
  CHECK(s.plan().changes.size() == 2);
}

TEST_CASE("a boot disk that its machine does not boot from stays where it was used, and goes where not") {
  for (bool used : {true, false}) {
    Setup s;
    s.want("a");
    s.have("a");
    Live& boot = s.have("a", {}, kDisk, "boot");
    boot.zone = "z2";
    boot.keep = KeepRule::never;
    boot.never_used = !used;
    Plan plan = s.plan();
    CHECK(plan.changes.size() == (used ? 0u : 1u));
    CHECK(plan.elsewhere.size() == (used ? 1u : 0u));
    CHECK(plan.data_loss({}).empty());
  }
}

TEST_CASE("what is undeclared goes only with an id, without a selection, in a scope that is named") {
  auto destroyed = [](auto change) {
    Setup s;
    s.have("gone");
    change(s);
    return action_of(s.plan(), "gone") == Action::destroy;
  };
  CHECK(destroyed([](Setup&) {}));
  CHECK_FALSE(destroyed([](Setup& s) { s.options.selected = true; }));
  CHECK_FALSE(destroyed([](Setup& s) { s.snapshot.scopes[0].declared = false; }));
  CHECK_FALSE(destroyed([](Setup& s) { s.snapshot.scopes[0].failure = error(Code::denied, "no"); }));
  CHECK_FALSE(destroyed([](Setup& s) { s.snapshot.live[0].owner.stack = "s"; }));
  CHECK_FALSE(destroyed(
      [](Setup& s) { s.options.stack = s.options.bare_stack = s.snapshot.live[0].owner.stack = "s"; }));
  CHECK(destroyed([](Setup& s) {
    s.options.stack = s.options.bare_stack = s.snapshot.live[0].owner.stack = "s";
    s.options.prune = true;
  }));
  CHECK_FALSE(destroyed([](Setup& s) { s.snapshot.live[0].owner.stack = "somebody"; }));
}

TEST_CASE("a part that nobody knows is told of, and never deleted") {
  for (bool destroy : {false, true}) {
    Setup s;
    s.want("a");
    s.have("a");
    s.have("a", {}, kDisk, "scratch").keep = KeepRule::never;
    s.options.destroy = destroy;
    Plan plan = s.plan();
    CHECK(std::none_of(plan.changes.begin(), plan.changes.end(),
                       [](const Change& c) { return c.kind == &kDisk; }));
    CHECK(plan.elsewhere.size() == 1);
  }
}

TEST_CASE(
    "deleting an undeclared notebook is data loss; destroying a declared one is not, unless a disk goes") {
  Setup s;
  s.have("gone");
  CHECK(s.plan().data_loss({}) == std::vector<std::string>{"gone"});
  Setup d;
  d.want("a");
  d.have("a");
  d.options.destroy = true;
  CHECK(d.plan().data_loss({}).empty());
  d.want("a", {}, kDisk, "disk-data");
  d.have("a", {}, kDisk, "disk-data").keep = KeepRule::until_destroy;
  CHECK(d.plan().data_loss({}) == std::vector<std::string>{"a"});
  d.snapshot.live[1].keep = KeepRule::always;
  Plan plan = d.plan();
  CHECK(plan.data_loss({}).empty());
  CHECK(plan.kept.size() == 1);
}

TEST_CASE("protect refuses to remove, whoever asks") {
  Setup s;
  s.want("a", {{"image", "x"}}).protect = true;
  s.have("a", {{"image", "y"}});
  Plan plan = s.plan();
  REQUIRE(plan.diagnostics.has_errors());
  CHECK(plan.diagnostics[0].code == Code::data_loss);
  Setup gone;
  gone.have("b").protect = true;
  CHECK(gone.plan().diagnostics[0].code == Code::data_loss);
  CHECK(gone.plan().empty());
}

TEST_CASE("--replace does not lift a protection that is there; a replace that the manifest asks for may") {
  Setup s;
  s.want("a", {{"labels", Map{{"protect", Value()}}}});
  s.have("a", {{"labels", Map{{"protect", "true"}}}}).protect = true;
  s.options.replace = {"a"};
  CHECK(s.plan().diagnostics.has_errors());
  s.options.replace = {};
  s.graph.begin()->second.attributes.set("image", "x");
  s.snapshot.live[0].attributes.set("image", "y");
  CHECK_FALSE(s.plan().diagnostics.has_errors());
  CHECK(action_of(s.plan(), "a") == Action::replace);
}

TEST_CASE("a protected notebook is a blocked line of a destroy, and its disks are in use, not kept") {
  Setup s;
  s.want("a").protect = true;
  s.have("a");
  s.want("a", {}, kDisk, "disk-data");
  s.have("a", {}, kDisk, "disk-data").keep = KeepRule::always;
  s.options.destroy = true;
  Plan plan = s.plan();
  REQUIRE(plan.notebooks.size() == 1);
  CHECK(plan.notebooks[0].blocked);
  CHECK(plan.notebooks[0].action == Action::destroy);
  CHECK(plan.kept.empty());
  CHECK(plan.empty());
}

TEST_CASE("disks of a machine that nobody declares and nobody removes are in use, not kept") {
  Setup s;
  s.options.stack = s.options.bare_stack = "s";
  s.have("old").owner.stack = "s";
  s.have("old", {}, kDisk, "disk-data").owner.stack = "s";
  CHECK(s.plan().kept.empty());
  s.snapshot.live.erase(s.snapshot.live.begin());
  CHECK(s.plan().kept.size() == 1);
}

TEST_CASE("a machine in another account is not the declared one, and nothing is done to it") {
  Setup s;
  s.want("a");
  s.have("a").scope.account = "another";
  s.snapshot.scopes.push_back({s.snapshot.live[0].scope, false, {}, std::nullopt});
  Plan plan = s.plan();
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].action == Action::create);
  REQUIRE(plan.elsewhere.size() == 1);
  CHECK(plan.elsewhere[0].find("not the declared one, as it is in another") != std::string::npos);
  s.snapshot.scopes[1].declared = true;
  CHECK(s.plan().changes.size() == 1);
}

TEST_CASE("what is to be adopted and is not there is an error, never a create") {
  Setup s;
  s.want("a").adopt = "z1/nothere";
  Plan plan = s.plan();
  CHECK(plan.changes.empty());
  REQUIRE(plan.diagnostics.has_errors());
  CHECK(plan.diagnostics[0].summary == "There is nothing to adopt");
  s.have("a");  // adopted before: the id is of no interest any more
  CHECK_FALSE(s.plan().diagnostics.has_errors());
}

TEST_CASE("an existing data disk pins the place; a leftover does not, and goes first") {
  Setup s;
  s.want("a");
  s.want("a", {}, kDisk, "disk-data").carried_by = "a/instance";
  s.have("a", {}, kDisk, "disk-data").zone = "z2";
  Plan plan = s.plan();
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].attempts == std::vector<Attempt>{{"z2", false}});
  s.snapshot.live[0].never_used = true;
  plan = s.plan();
  REQUIRE(plan.changes.size() == 3);
  const Change& made = plan.changes[2];
  CHECK(made.address == "a/instance");
  CHECK(made.attempts.size() == 2);
  CHECK(made.after == std::vector<std::string>{"a/disk-data@z2"});
  CHECK(plan.changes[0].carried_by == "a/instance");
  CHECK(plan.data_loss({}).empty());
}

TEST_CASE("what is under way is pending, not counted and not edited") {
  Setup s;
  s.want("a", {{"size", "big"}});
  s.have("a", {{"size", "small"}}).health.state = HealthState::settling;
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::pending);
  CHECK(plan.empty());
}

TEST_CASE("what needs a stop waits while a machine is suspended; labels and a replace need not") {
  Setup s;
  s.want("a", {{"size", "big"}, {"tags", List{"t"}}});
  Live& live = s.have("a", {{"size", "small"}});
  live.health.state = HealthState::degraded;
  live.health.detail = "SUSPENDED";
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::pending);
  CHECK(plan.notebooks[0].reason == "machine is SUSPENDED; its change needs one that runs or is stopped");
  s.options.replace = {"a"};
  CHECK(action_of(s.plan(), "a") == Action::replace);
  s.options.replace = {};
  s.graph.begin()->second.attributes.erase("size");
  CHECK(action_of(s.plan(), "a") == Action::update);
}

TEST_CASE("made anew by a change that was to end stopped: it is stopped, unless somebody wants it running") {
  Setup s;
  s.want("a");
  s.have("a").health.rest_mark = true;
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::stop);
  CHECK(plan.notebooks[0].reason == "an earlier change was interrupted");
  CHECK(ids(arrange(plan.changes[0], &s.snapshot.live[0])) == std::vector<std::string>{"stop", "unmark"});
  s.options.power = {{"a", Want::running}};
  CHECK(ids(arrange(s.plan().changes[0], &s.snapshot.live[0])) ==
        std::vector<std::string>{"start", "unmark"});
  s.options.power = {};
  s.graph.begin()->second.power.want = Want::running;
  CHECK(action_of(s.plan(), "a") == Action::none);
}

TEST_CASE("a failed scope judges nothing and blocks its notebooks") {
  Setup s;
  s.want("a");
  s.snapshot.scopes[0].failure = error(Code::unauthenticated, "No credentials");
  Plan plan = s.plan();
  CHECK(plan.changes.empty());
  CHECK(plan.blocked == std::vector<std::string>{"a"});
}

TEST_CASE("where one scope fails and another goes on, those that are left out are named") {
  Setup s;
  s.want("a");
  s.want("b");
  Scope other = kScope;
  other.account = "other";
  s.graph.at("b/instance").scope = other;
  s.snapshot.scopes.push_back({other});
  s.snapshot.scopes[0].failure = error(Code::unauthenticated, "No credentials", "Tried nothing.");
  Plan plan = s.plan();
  CHECK(plan.blocked == std::vector<std::string>{"a"});
  REQUIRE(plan.diagnostics.size() == 1);
  CHECK(plan.diagnostics[0].detail == "Tried nothing. Left out: a.");
}

TEST_CASE("an edit that cannot be made now is pending; what else differs is done") {
  Setup s;
  s.want("alone", {{"size", "big"}});
  s.have("alone", {{"size", "small"}}).tokens.set("busy", true);
  s.want("beside", {{"size", "big"}, {"tags", List{"t"}}});
  s.have("beside", {{"size", "small"}}).tokens.set("busy", true);
  Plan plan = s.plan();
  CHECK(action_of(plan, "alone") == Action::pending);
  CHECK(action_of(plan, "beside") == Action::update);
  for (const Change& change : plan.changes)
    if (change.notebook == "alone") CHECK(change.reason_text == "its size waits");
}

TEST_CASE("what the internet reaches is told of in every plan, changed or not") {
  Setup s;
  s.want("new", {{"open", true}});
  s.want("there", {{"open", true}});
  s.have("there");
  Plan plan = s.plan();
  REQUIRE(plan.notebooks.size() == 2);
  for (const NotebookPlan& line : plan.notebooks) CHECK(line.open == std::vector<std::string>{"tcp 443"});
}

TEST_CASE("asked: replace reads `where` again, restart restarts, start and stop do just that") {
  Setup s;
  s.want("a");
  s.have("a");
  s.options.replace = {"a"};
  Plan plan = s.plan();
  CHECK(action_of(plan, "a") == Action::replace);
  CHECK(plan.changes[0].attempts.size() == 2);
  s.options.replace = {};
  s.options.restart = {"a"};
  CHECK(action_of(s.plan(), "a") == Action::restart);
  s.options.restart = {};
  s.options.power = {{"a", Want::stopped}};
  CHECK(action_of(s.plan(), "a") == Action::stop);
  s.snapshot.live[0].health.state = HealthState::stopped;
  s.options.power = {{"a", Want::running}};
  CHECK(action_of(s.plan(), "a") == Action::start);
}

TEST_CASE("a disk is deleted after the machine that holds it") {
  Setup s;
  s.have("gone", {}, kDisk, "disk-data").keep = KeepRule::never;
  std::string disk = s.snapshot.live[0].id;
  s.have("gone").refs = {disk};
  Plan plan = s.plan();
  REQUIRE(plan.changes.size() == 2);
  CHECK(plan.changes[0].address == "gone/disk-data");
  CHECK(plan.changes[0].after == std::vector<std::string>{"gone/instance"});
}
