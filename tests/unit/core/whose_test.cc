// Whose a live thing is, on a made-up cloud, and what may be done to it: clones, what is undeclared,
// protected, kept or to be adopted; and what goes first.
#include "unit/core/made_up_cloud.h"

using namespace nbform;

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
