// Firewall rules of the simulated Compute Engine, as a client meets them.
#include <fmt/format.h>

#include "world_fixture.h"

using namespace nbform;
using namespace nbform::sim;

namespace {

const std::string kRules = "projects/acme-ml/global/firewalls";

Value rule(const std::string& name, List sources = {"203.0.113.7/32"}) {
  return Map{{"name", name},
             {"description", "nbform:demo/train/firewall"},
             {"network", "projects/acme-ml/global/networks/default"},
             {"sourceRanges", std::move(sources)},
             {"targetTags", List{"nbform-x"}},
             {"allowed", List{Map{{"IPProtocol", "tcp"}, {"ports", List{"22"}}}}}};
}

// Sends a mutation and lets it end: its operation then.
Value run(Cloud& cloud, const std::string& method, const std::string& path, const Value& body = {}) {
  Value op = cloud.ask(method, path, body);
  CHECK(op["status"].as_text() != "DONE");
  CHECK(op["zone"].is_null());
  return cloud.ask("POST", fmt::format("projects/acme-ml/global/operations/{}/wait", op["name"].as_text()));
}

std::string refusal(Cloud& cloud, const std::string& field, const Value& value) {
  Value body = rule("bad");
  body.map().set(field, value);
  Value error = cloud.ask("POST", kRules, body, 400)["error"];
  return std::string(error["message"].as_text());
}

std::vector<std::string> names(const Value& page) {
  std::vector<std::string> out;
  for (const Value& item : page["items"].as_list()) out.emplace_back(item["name"].as_text());
  return out;
}

Value put(Value body, std::string_view field, Value value) {
  body.map().set(field, std::move(value));
  return body;
}

}  // namespace

TEST_CASE("every project has the four rules of its default network") {
  Cloud cloud;
  CHECK(names(cloud.get(kRules)) == std::vector<std::string>{"default-allow-icmp", "default-allow-internal",
                                                             "default-allow-rdp", "default-allow-ssh"});
  Value ssh = cloud.get("projects/other-one/global/firewalls/default-allow-ssh");
  CHECK(ssh["priority"].as_int() == 65534);
  CHECK(ssh.at_path("sourceRanges/0").as_text() == "0.0.0.0/0");
  CHECK(ssh.at_path("allowed/0/ports/0").as_text() == "22");
  CHECK(ssh["selfLink"].as_text() ==
        "https://www.googleapis.com/compute/v1/projects/other-one/global/firewalls/default-allow-ssh");
}

TEST_CASE("a default rule that was deleted stays away, also in a world that is read again") {
  Cloud cloud;
  Value op = cloud.ask("DELETE", kRules + "/default-allow-rdp");
  cloud.wait(std::chrono::minutes(1));
  auto again = World::from_json(cloud.world.to_json());
  REQUIRE(again.ok());
  cloud.world = std::move(again).value();
  cloud.get(kRules + "/default-allow-rdp", 404);
  CHECK(names(cloud.get(kRules)).size() == 3);
}

TEST_CASE("a rule is made by a global operation, with defaults filled in") {
  Cloud cloud;
  CHECK(cloud.ask("POST", kRules, rule("mine"))["operationType"].as_text() == "insert");
  cloud.get(kRules + "/mine", 404);
  cloud.wait(std::chrono::seconds(10));
  Value made = cloud.get(kRules + "/mine");
  CHECK(made["kind"].as_text() == "compute#firewall");
  CHECK(made["direction"].as_text() == "INGRESS");
  CHECK(made["priority"].as_int() == 1000);
  CHECK(made["disabled"] == Value(false));
  CHECK(made["network"].as_text() ==
        "https://www.googleapis.com/compute/v1/projects/acme-ml/global/networks/default");
  Value taken = cloud.ask("POST", kRules, rule("mine"), 409)["error"];
  CHECK(taken.at_path("errors/0/reason").as_text() == "alreadyExists");
  CHECK(taken["message"].as_text() == "The resource 'projects/acme-ml/global/firewalls/mine' already exists");
}

TEST_CASE("two inserts of one name at once: the second finds it taken in its operation") {
  Cloud cloud;
  cloud.ask("POST", kRules, rule("mine"));
  Value second = cloud.ask("POST", kRules, rule("mine"));
  cloud.wait(std::chrono::minutes(1));
  Value op = cloud.get(fmt::format("projects/acme-ml/global/operations/{}", second["name"].as_text()));
  CHECK(op.at_path("error/errors/0/code").as_text() == "RESOURCE_ALREADY_EXISTS");
  cloud.get(kRules + "/mine");
}

TEST_CASE("a request id stands for one insert") {
  Cloud cloud;
  std::string path = kRules + "?requestId=11111111-2222-3333-4444-555555555555";
  Value first = cloud.ask("POST", path, rule("mine"));
  cloud.wait(std::chrono::minutes(1));
  CHECK(cloud.ask("POST", path, rule("mine"))["name"] == first["name"]);
}

TEST_CASE("what a rule cannot say is refused, with its field") {
  Cloud cloud;
  CHECK(
      refusal(cloud, "sourceRanges", List{"10.0.0.1/24"}) ==
      "Invalid value for field 'resource.sourceRanges[0]': '10.0.0.1/24'. Must be a valid IPV4 CIDR address "
      "range.");
  CHECK_THAT(refusal(cloud, "sourceRanges", List{"10.0.0.0/8", "2001:db8::/32"}),
             Catch::Contains("do not go into one rule"));
  CHECK_THAT(refusal(cloud, "sourceRanges", List{"nonsense"}), Catch::Contains("sourceRanges[0]"));
  CHECK_THAT(refusal(cloud, "sourceRanges", List{}), Catch::Contains("Required field"));
  CHECK_THAT(refusal(cloud, "allowed", List{}), Catch::Contains("Required field 'resource.allowed'"));
  CHECK_THAT(refusal(cloud, "allowed", List{Map{{"IPProtocol", "tcp"}, {"ports", List{"22..23"}}}}),
             Catch::Contains("Invalid port range specification."));
  CHECK_THAT(refusal(cloud, "allowed", List{Map{{"IPProtocol", "tcp"}, {"ports", List{"70000"}}}}),
             Catch::Contains("allowed[0].ports[0]"));
  CHECK_THAT(refusal(cloud, "allowed", List{Map{{"IPProtocol", "icmp"}, {"ports", List{"1"}}}}),
             Catch::Contains("has no ports"));
  CHECK_THAT(refusal(cloud, "allowed", List{Map{{"IPProtocol", "carrier-pigeon"}}}),
             Catch::Contains("IPProtocol"));
  CHECK_THAT(refusal(cloud, "priority", 65536), Catch::Contains("priority"));
  CHECK_THAT(refusal(cloud, "name", "Not_a_name"), Catch::Contains("Must be a match of regex"));
  CHECK_THAT(refusal(cloud, "targetTags", List{"Bad tag"}), Catch::Contains("targetTags[0]"));
  CHECK_THAT(refusal(cloud, "targetServiceAccounts", List{"a@b.iam.gserviceaccount.com"}),
             Catch::Contains("Tags and service accounts"));
  CHECK_THAT(refusal(cloud, "denied", List{Map{{"IPProtocol", "tcp"}}}), Catch::Contains("allows or denies"));
  CHECK_THAT(refusal(cloud, "network", "projects/elsewhere/global/networks/default"),
             Catch::Contains("Cross-project"));
  CHECK_THAT(refusal(cloud, "labels", Map{{"team", "x"}}), Catch::Contains("labels"));
  Value missing = cloud.ask("POST", kRules, put(rule("a"), "network", "global/networks/lab"), 404);
  CHECK_THAT(std::string(missing.at_path("error/message").as_text()), Catch::Contains("global/networks/lab"));
}

TEST_CASE("a patch changes what it names; null takes away") {
  Cloud cloud;
  Value body = put(rule("mine"), "sourceTags", List{"friends"});
  run(cloud, "POST", kRules, body);
  cloud.wait(std::chrono::minutes(1));
  Value before = cloud.get(kRules + "/mine");
  Value op = run(cloud, "PATCH", kRules + "/mine",
                 Map{{"sourceRanges", List{"198.51.100.0/24"}}, {"sourceTags", Value()}});
  CHECK(op["operationType"].as_text() == "compute.firewalls.patch");
  cloud.wait(std::chrono::minutes(1));
  Value after = cloud.get(kRules + "/mine");
  CHECK(after["sourceRanges"] == Value(List{"198.51.100.0/24"}));
  CHECK(after["sourceTags"].is_null());
  CHECK(after["allowed"] == before["allowed"]);
  CHECK(after["id"] == before["id"]);
  cloud.ask("PATCH", kRules + "/mine", Map{{"direction", "EGRESS"}}, 400);
  cloud.ask("PATCH", kRules + "/mine", Map{{"sourceRanges", Value()}}, 400);
}

TEST_CASE("an update says it all") {
  Cloud cloud;
  run(cloud, "POST", kRules, put(rule("mine"), "priority", 7));
  cloud.wait(std::chrono::minutes(1));
  run(cloud, "PUT", kRules + "/mine", rule("mine", {"10.0.0.0/8"}));
  cloud.wait(std::chrono::minutes(1));
  CHECK(cloud.get(kRules + "/mine")["priority"].as_int() == 1000);
}

TEST_CASE("a deleted rule is gone, and gives its quota back") {
  Cloud cloud;
  cloud.get(kRules);
  cloud.world.set_quota("*", "", "FIREWALLS", 5);
  run(cloud, "POST", kRules, rule("mine"));
  cloud.wait(std::chrono::minutes(1));
  Value op = cloud.ask("POST", kRules, rule("more"));
  cloud.wait(std::chrono::minutes(1));
  Value over = cloud.get(fmt::format("projects/acme-ml/global/operations/{}", op["name"].as_text()));
  CHECK(over.at_path("error/errors/0/code").as_text() == "QUOTA_EXCEEDED");
  cloud.get(kRules + "/more", 404);
  run(cloud, "DELETE", kRules + "/mine");
  cloud.wait(std::chrono::minutes(1));
  cloud.get(kRules + "/mine", 404);
  run(cloud, "POST", kRules, rule("more"));
  cloud.wait(std::chrono::minutes(1));
  cloud.get(kRules + "/more");
}

TEST_CASE("rules are listed by filter, in pages") {
  Cloud cloud;
  run(cloud, "POST", kRules, rule("nbform-aa"));
  cloud.wait(std::chrono::minutes(1));
  CHECK(names(cloud.get(kRules + "?filter=name%20eq%20%22nbform-.*%22")) ==
        std::vector<std::string>{"nbform-aa"});
  Value page = cloud.get(kRules + "?maxResults=2&fields=items(name),nextPageToken");
  CHECK(names(page) == std::vector<std::string>{"default-allow-icmp", "default-allow-internal"});
  CHECK(page.at_path("items/0/network").is_null());
  CHECK(names(cloud.get(kRules + "?maxResults=2&pageToken=" + std::string(page["nextPageToken"].as_text())))
            .front() == "default-allow-rdp");
}

TEST_CASE("who may not list rules is refused by the permission's name") {
  Cloud cloud;
  cloud.world.deny("compute.firewalls.list");
  Value error = cloud.ask("GET", kRules, {}, 403)["error"];
  CHECK_THAT(std::string(error["message"].as_text()), Catch::Contains("compute.firewalls.list"));
}
