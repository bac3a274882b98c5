// What the engine does for a cloud that names things itself, answers late and is asked again and again.
#include <fmt/format.h>

#include <set>

#include "base/aws_query.h"
#include "checks.h"
#include "cloud/ec2/ec2.h"
#include "support/catch.h"

using namespace nbform;

namespace {

// Instances that were ever launched.
std::size_t launches(const Stage& stage) {
  return stage.world.resources("ec2.instances").size();
}

std::set<std::string> actions(const Stage& stage) {
  std::set<std::string> out;
  for (const sim::Exchange& e : stage.env.exchanges())
    out.insert(e.body.substr(0, e.body.find('&')) + (e.status == 0 ? " (no answer)" : ""));
  return out;
}

std::string refusal_of(const Planned& planned) {
  return planned.plan.diagnostics.empty() ? std::string() : planned.plan.diagnostics[0].summary;
}

Response answer_to(const Stage& stage, const Call& call) {
  Response found;
  for (const sim::Exchange& e : stage.env.exchanges())
    if (e.body == query_body(call.method, "2016-11-15", call.body)) found = {e.status, {}, e.answer};
  return found;
}

std::string text_of(const Live& live) {
  const Health& health = live.health;
  std::string text = fmt::format("{} {} {} {} {} {}", live.id, live.name, live.zone, live.owner.stack,
                                 live.owner.address(), to_json(Value(live.attributes)));
  text += fmt::format(" {} {} {} {}", to_json(Value(live.tokens)), static_cast<int>(health.state),
                      health.detail, health.started ? health.started->millis() : 0);
  text += fmt::format(" {} {} {} {}", keep_name(live.keep), live.protect, live.locked, live.incarnation);
  for (const std::string& ref : live.refs) text += " " + ref;
  return text;
}

// What a service's lists say, read whole or as it reads them.
std::string listed(const Stage& stage, bool whole) {
  const Scope scope{"ec2", "aws", "", "us-west-2"};
  auto listing = ec2::listing(scope);
  for (const ListCall& list : ec2::lists(scope, Stack{"research", "3f9a1c2e", {}})) {
    Fields fields = whole ? Fields() : Fields(list.call.fields);
    auto page = read_aws_body(answer_to(stage, list.call).body, fields);
    REQUIRE(page.ok());
    REQUIRE(listing->add_page(list.id, *page).value().empty());
  }
  std::string text;
  for (const Live& live : listing->fold().live) text += text_of(live) + "\n";
  return text;
}

}  // namespace

TEST_CASE("what is not read of EC2's lists makes no difference") {
  Stage stage;
  Notebook& n = stage.ec2_notebook("train");
  n.disks["data"] = Setting<Disk>(data_disk());
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  n.spot = Setting<Spot>(spot);
  n.access.ssh.allow_from = std::vector<std::string>{"203.0.113.7"};
  stage.ec2_notebook("eda").labels["team"] = Text("research");
  expect_done(stage.plan_and_apply());
  stage.plan();
  std::string whole = listed(stage, true);
  for (const char* part :
       {"train/instance", "train/disk-data", "train/security-group", "tcp 22 203.0.113.7/32", "spot_state"})
    CHECK(whole.find(part) != std::string::npos);
  CHECK(listed(stage, false) == whole);
}

TEST_CASE("a notebook of EC2 is made, found again, and leaves nothing but its tombstone") {
  Stage stage;
  stage.ec2_notebook("train");
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
  CHECK(launches(stage) == 1);
  DiffOptions options;
  options.destroy = true;
  Planned planned = stage.plan(options);
  expect_done(stage.apply(planned));
  CHECK(stage.world.resources("ec2.volumes").empty());
  CHECK(stage.world.resources("ec2.spot-requests").empty());
  REQUIRE(launches(stage) == 1);
  CHECK(stage.world.resources("ec2.instances")[0].at_path("instanceState/name") == Value("terminated"));
}

TEST_CASE("credentials of another account: it is asked who they are of, and nothing else") {
  Stage stage;
  stage.ec2_notebook("train");
  stage.aws_account = "210987654321";
  Planned planned = stage.plan();
  CHECK(refusal_of(planned) == "The credentials are of another AWS account");
  CHECK(planned.plan.blocked == std::vector<std::string>{"train"});
  CHECK(actions(stage) == std::set<std::string>{"Action=GetCallerIdentity"});
}

TEST_CASE("what was made and is not seen yet is waited for: one instance, one group") {
  for (const char* variant : {"slow-visibility", "flickering-visibility"}) {
    INFO(variant);
    Stage stage;
    REQUIRE(stage.world.add_variant(variant).ok());
    stage.ec2_notebook("train").disks["data"] = Setting<Disk>(data_disk());
    expect_done(stage.plan_and_apply());
    CHECK(launches(stage) == 1);
    CHECK(stage.world.resources("ec2.volumes").size() == 2);
    expect_empty(stage);
  }
}

TEST_CASE("an answer that got lost is asked for again with the same token") {
  Stage stage;
  stage.ec2_notebook("train");
  Map lost{{"match", Map{{"method", "RunInstances"}}}, {"do", Map{{"drop", "after"}}}, {"times", 2}};
  REQUIRE(stage.world.add_faults(List{lost}).ok());
  expect_done(stage.plan_and_apply());
  CHECK(actions(stage).count("Action=RunInstances (no answer)") == 1);
  CHECK(launches(stage) == 1);
  expect_empty(stage);
}

TEST_CASE("a token outlives what it made: that is looked for in vain, and the next one is made") {
  Stage stage;
  Notebook& n = stage.ec2_notebook("train");
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  spot.on_preemption = Setting<OnPreemption>(OnPreemption::destroy);
  n.spot = Setting<Spot>(spot);
  expect_done(stage.plan_and_apply());
  std::string id(stage.world.resources("ec2.instances")[0]["instanceId"].as_text());
  REQUIRE(stage.world.preempt("", "", id).ok());
  wait(stage, std::chrono::hours(2));  // it is shown no longer
  n.labels["team"] = Text("vision");
  Time before = stage.env.now();
  expect_done(stage.plan_and_apply());
  CHECK(actions(stage).count("Action=RunInstances") == 1);
  CHECK(stage.env.now() - before > std::chrono::minutes(3));
  CHECK(launches(stage) == 1);
  expect_empty(stage);
}

TEST_CASE("of two who make a notebook differently one makes it, and the other says so") {
  Stage stage;
  Notebook& n = stage.ec2_notebook("train");
  Planned late = stage.plan();
  n.machine.type = Text("g4dn.2xlarge");
  expect_done(stage.plan_and_apply());
  Outcome outcome = stage.apply(late);
  CHECK(launches(stage) == 1);
  REQUIRE_FALSE(all_done(outcome));
  INFO(text_of(outcome));
  CHECK(text_of(outcome).find("made meanwhile, by another apply, and differs: machine") != std::string::npos);
  expect_done(stage.plan_and_apply());
  expect_empty(stage);
}

TEST_CASE("a data volume keeps a replace in its zone, whether it is to be kept or not") {
  Stage stage;
  REQUIRE(stage.world.add_variant("shuffled-sets").ok());
  Notebook& n = stage.ec2_notebook("train");
  n.disks["data"] = Setting<Disk>(data_disk(Keep::never));
  n.disks["more"] = Setting<Disk>(data_disk(Keep::never));
  expect_done(stage.plan_and_apply());
  n.where = {"us-west-2c"};
  DiffOptions options;
  options.replace = {"train"};
  expect_done(stage.plan_and_apply(options));
  for (const Value& volume : stage.world.resources("ec2.volumes"))
    CHECK(volume["availabilityZone"] == Value("us-west-2a"));
  expect_empty(stage);
}

TEST_CASE("adopting what is the notebook's already changes nothing, its group included") {
  Stage stage;
  Notebook& n = stage.ec2_notebook("train");
  expect_done(stage.plan_and_apply());
  n.adopt = Text(std::string(stage.world.resources("ec2.instances")[0]["instanceId"].as_text()));
  expect_empty(stage);
}

TEST_CASE("a Spot launch that fails after it was accepted is not left to happen later") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  Notebook& n = stage.ec2_notebook("train");
  n.spot = Setting<Spot>(spot);
  n.where = {"us-west-2a", "us-west-2c"};
  std::string code = GENERATE("Server.InsufficientInstanceCapacity", "Client.InvalidParameterValue");
  CAPTURE(code);
  Map fails{{"match", Map{{"method", "RunInstances"}}}, {"do", Map{{"operation", Map{{"code", code}}}}}};
  REQUIRE(stage.world.add_faults(List{fails}).ok());
  bool moves_on = code.find("Capacity") != std::string::npos;
  CHECK(all_done(stage.plan_and_apply()) == moves_on);
  wait(stage, std::chrono::hours(1));
  std::size_t running = 0;
  for (const Value& machine : stage.world.resources("ec2.instances"))
    running += machine.at_path("instanceState/name") == Value("running") ? 1 : 0;
  CHECK(running == (moves_on ? 1 : 0));
  for (const Value& request : stage.world.resources("ec2.spot-requests"))
    CHECK(request["state"] != Value("open"));
  if (moves_on) expect_empty(stage);
}

TEST_CASE("a Spot instance that EC2 took is left to EC2, and not waited for") {
  Stage stage;
  Spot spot;
  spot.market = Setting<Market>(Market::spot);
  stage.ec2_notebook("train").spot = Setting<Spot>(spot);
  expect_done(stage.plan_and_apply());
  std::string id(stage.world.resources("ec2.instances")[0]["instanceId"].as_text());
  REQUIRE(stage.world.preempt("", "", id).ok());
  wait(stage, std::chrono::minutes(10));
  Time before = stage.env.now();
  Planned planned = stage.settled_plan();
  CHECK(stage.env.now() - before < std::chrono::minutes(1));
  INFO(text_of(planned));
  CHECK(planned.plan.pending());
  CHECK(planned.plan.empty());
}
