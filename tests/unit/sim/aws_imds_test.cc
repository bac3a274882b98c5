// The metadata service of a simulated EC2 instance, as a script in the VM meets it.
#include "aws_fixture.h"
#include "base/json.h"

namespace nbform::sim {

using std::chrono::hours;
using std::chrono::minutes;

namespace {

struct Guest : Ec2 {
  Headers token;

  void log_in(const std::string& id) { REQUIRE(world.administer(Map{{"do", "metadata"}, {"name", id}})); }
  Response ask(std::string method, const std::string& path, Headers headers) {
    return *world
                .handle({std::move(method), "http://169.254.169.254/latest/" + path, std::move(headers), ""},
                        now)
                .response;
  }
  void fresh_token() {
    Response r = ask("PUT", "api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    REQUIRE(r.status == 200);
    token = {{"X-aws-ec2-metadata-token", r.body}};
  }
  // The text, or the status where there is none.
  std::string get(const std::string& path) {
    Response r = ask("GET", path, token);
    return r.status == 200 ? r.body : std::to_string(r.status);
  }
};

Query with_everything() {
  return Ec2::spot({{"UserData", "IyEvYmluL3NoCg=="},
                    {"IamInstanceProfile.Name", "nb-s3-read"},
                    {"MetadataOptions.HttpTokens", "required"},
                    {"MetadataOptions.InstanceMetadataTags", "enabled"},
                    {"Placement.AvailabilityZone", "us-west-2b"},
                    {"TagSpecification.1.ResourceType", "instance"},
                    {"TagSpecification.1.Tag.1.Key", "nbform:name"},
                    {"TagSpecification.1.Tag.1.Value", "demo"}});
}

}  // namespace

TEST_CASE("IMDS: an instance is told what it is") {
  Guest c;
  std::string id = c.running(with_everything());
  c.log_in(id);
  CHECK(c.get("meta-data/instance-id") == "401");
  c.fresh_token();
  CHECK(c.get("meta-data/instance-id") == id);
  CHECK(c.get("meta-data/instance-type") == "g4dn.xlarge");
  CHECK(c.get("meta-data/instance-life-cycle") == "spot");
  CHECK(c.get("meta-data/placement/availability-zone") == "us-west-2b");
  CHECK(c.get("meta-data/public-ipv4") == c.world.resource("ec2.instances/" + id)["ipAddress"].as_text());
  CHECK(c.get("meta-data/tags/instance/nbform:name") == "demo");
  CHECK(c.get("meta-data/tags/instance/") == "nbform:name");
  CHECK(c.get("user-data") == "#!/bin/sh\n");
  CHECK(c.get("meta-data/iam/security-credentials/") == "nb-s3-read");
  auto role = parse_json(c.get("meta-data/iam/security-credentials/nb-s3-read"));
  REQUIRE(role);
  CHECK((*role)["Code"].as_text() == "Success");
  CHECK(c.get("meta-data/iam/security-credentials/other") == "404");
  CHECK(c.get("meta-data/nothing") == "404");
  c.now = c.now + hours(7);
  CHECK(c.get("meta-data/instance-id") == "401");
}

TEST_CASE("IMDS: the notice of an interruption is there for its two minutes, and not in the next run") {
  Guest c;
  std::string id = c.running(with_everything());
  c.log_in(id);
  c.fresh_token();
  CHECK(c.get("meta-data/spot/instance-action") == "404");
  REQUIRE(c.world.preempt("", "", id));
  CHECK(c.get("meta-data/spot/instance-action") == R"({"action":"stop","time":"2026-11-21T12:03:00Z"})");
  CHECK(c.get("meta-data/spot/termination-time") == "2026-11-21T12:03:00Z");
  CHECK(c.get("meta-data/events/recommendations/rebalance") ==
        R"({"noticeTime":"2026-11-21T12:01:00.000Z"})");
  c.wait(minutes(3));
  REQUIRE(c.state(id) == "stopped");
  REQUIRE(c.world.administer(Map{{"do", "resume"}, {"name", id}}));
  c.wait(minutes(1));
  CHECK(c.get("meta-data/spot/instance-action") == "404");
}

TEST_CASE("IMDS: what was not asked for is not told") {
  Guest c;
  std::string id = c.running({{"MetadataOptions.HttpTokens", "optional"}});
  c.log_in(id);
  CHECK(c.get("meta-data/instance-id") == id);  // version 1
  CHECK(c.get("meta-data/instance-life-cycle") == "on-demand");
  CHECK(c.get("meta-data/tags/instance/") == "404");
  CHECK(c.get("meta-data/iam/security-credentials/") == "404");
  CHECK(c.get("meta-data/spot/instance-action") == "404");
  CHECK(c.ask("PUT", "api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21601"}}).status == 400);
  CHECK(c.ask("POST", "meta-data/instance-id", {}).status == 405);
  CHECK_FALSE(c.world.administer(Map{{"do", "metadata"}, {"name", "i-none"}}));
}

}  // namespace nbform::sim
