// The rules of the diff on a made-up cloud: classes of changes, power, places, what waits.
#include "unit/core/made_up_cloud.h"

using namespace nbform;

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
