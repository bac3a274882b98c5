// What is let in while somebody is connected: what is written is what is read, of this stack alone, and what
// was left behind is known.
#include "cloud/opening.h"

#include "base/json.h"
#include "cloud/ec2/ec2.h"
#include "cloud/gce/firewall.h"
#include "support/catch.h"

using namespace nbform;

namespace {

const Time kNow = *parse_rfc3339("2026-11-21T12:00:00Z");

Opening opening(std::string notebook, std::string caller, std::string source, Duration left) {
  return {notebook + caller, std::move(notebook), std::move(caller), std::move(source), kNow + left};
}

std::string ids(const std::vector<Opening>& all) {
  std::string out;
  for (const Opening& one : all) out += one.id + " ";
  return out;
}

Live vm(bool with_address = true) {
  Live out;
  out.scope = {"gce", "gcp", "acme-ml", ""};
  out.name = "train";
  out.attributes.set("network", "projects/acme-ml/global/networks/lab");
  out.attributes.set("access_tags", List{"nbform-01234567-89abcdef"});
  if (with_address) out.attributes.set("address", "198.51.100.9");
  return out;
}

Live instance() {
  Live out;
  out.scope = {"ec2", "aws", "", "us-west-2"};
  out.name = "i-1";
  out.refs = {"vol-1", "sg-1"};
  return out;
}

}  // namespace

TEST_CASE("left behind is what is over, and what this caller needs no more") {
  using std::chrono::hours;
  Opening mine = opening("train", "me", "192.0.2.1/32", hours(12));
  auto stale = [&](std::vector<Opening> all) {
    return ids(left_behind(all, mine, kNow, [](const std::string& notebook) { return notebook == "open"; }));
  };
  CHECK(stale({opening("train", "ana", "192.0.2.9/32", hours(0)), opening("eda", "ana", "", hours(-1))}) ==
        "trainana edaana ");
  CHECK(stale({opening("train", "ana", "192.0.2.9/32", hours(1)), opening("eda", "ana", "", hours(1))}) ==
        "");
  CHECK(stale({opening("train", "me", "192.0.2.1/32", hours(1))}) == "");
  CHECK(stale({opening("train", "me", "198.51.100.1/32", hours(1))}) == "trainme ");
  CHECK(stale({opening("eda", "me", "192.0.2.1/32", hours(1))}) == "edame ");
  CHECK(stale({opening("open", "me", "198.51.100.1/32", hours(1))}) == "");
}

TEST_CASE("GCE: an opening is a firewall rule for the VM's tag, and reads as it was written") {
  Opening mine = opening("train", "01234567", "192.0.2.1/32", std::chrono::hours(1));
  auto call = gce::openings().open(vm(), "demo", mine, 2222, "id-1");
  REQUIRE(call.ok());
  CHECK(call->method == "POST");
  CHECK(call->path == "projects/acme-ml/global/firewalls");
  CHECK(call->query == Query{{"requestId", "id-1"}});
  CHECK(call->body["sourceRanges"] == Value(List{"192.0.2.1/32"}));
  CHECK(call->body["targetTags"] == Value(List{"nbform-01234567-89abcdef"}));
  CHECK(call->body["network"].as_text() == "projects/acme-ml/global/networks/lab");
  CHECK(call->body.at_path("allowed/0/ports/0").as_text() == "2222");

  Value renamed = call->body, endless = call->body;
  renamed.map().set("name", "nbform-01234567-01234567-firewall-me-01234567");
  endless.map().set("description", "nbform:demo/train/firewall-me-01234567");
  Value page = Map{{"items", List{renamed, call->body, endless}}};
  auto read = gce::openings().read(page, "demo");
  REQUIRE(read.size() == 1);
  CHECK(read[0].id == call->body["name"].as_text());
  CHECK(read[0].notebook == "train");
  CHECK(read[0].caller == "01234567");
  CHECK(read[0].source == "192.0.2.1/32");
  CHECK(read[0].until == mine.until);
  CHECK(gce::openings().read(page, "other").empty());
  CHECK(gce::openings().close(vm(), read[0], "").path == "projects/acme-ml/global/firewalls/" + read[0].id);
}

TEST_CASE("GCE: a VM without the tag waits for an apply, one without an address for its relay") {
  Live bare = vm();
  bare.attributes.erase("access_tags");
  auto call = gce::openings().open(bare, "demo", opening("train", "01234567", "192.0.2.1/32", {}), 22, "");
  REQUIRE_FALSE(call.ok());
  CHECK(call.error().hint.find("nbform apply") != std::string::npos);
  CHECK(gce::openings().relay_range(vm()) == "");
  CHECK(gce::openings().relay_range(vm(false)) == gce::kIapRange);
}

TEST_CASE("EC2: an opening is a rule of the instance's own group, and reads as EC2 shows it") {
  Opening mine = opening("dlami", "01234567", "192.0.2.1/32", std::chrono::hours(1));
  auto call = ec2::openings().open(instance(), "demo", mine, 22, "");
  REQUIRE(call.ok());
  CHECK(call->body["GroupId"].as_text() == "sg-1");
  const Value& range = call->body.at_path("IpPermissions/0/IpRanges/0");
  CHECK(range["CidrIp"].as_text() == "192.0.2.1/32");
  auto shown = [&](std::string_view stack, std::string_view description) {
    return Value(Map{{"securityGroupRuleId", "sgr-1"},
                     {"groupId", "sg-1"},
                     {"cidrIpv4", "192.0.2.1/32"},
                     {"description", description},
                     {"tagSet", Map{{"nbform:stack", stack}, {"nbform:notebook", "dlami"}}}});
  };
  std::string_view text = range["Description"].as_text();
  Value page = Map{
      {"securityGroupRuleSet", List{shown("demo", "from the lab"), shown("demo", text), shown("other", text),
                                    shown("demo", "nbform connect until 2026-11-21T13:00:00Z")}}};
  auto read = ec2::openings().read(page, "demo");
  REQUIRE(read.size() == 1);
  CHECK(read[0].notebook == "dlami");
  CHECK(read[0].caller == "01234567");
  CHECK(read[0].source == "192.0.2.1/32");
  CHECK(read[0].until == mine.until);
  Call close = ec2::openings().close(instance(), read[0], "");
  CHECK(close.body["GroupId"].as_text() == "sg-1");
  CHECK(close.body["SecurityGroupRuleId"] == Value(List{"sgr-1"}));

  Live bare = instance();
  bare.refs = {"vol-1"};
  CHECK_FALSE(ec2::openings().open(bare, "demo", mine, 22, "").ok());
}
