// Filters, pages, parameters, client tokens: what all of EC2's actions share.
#include "aws_fixture.h"
#include "sim/aws/describe.h"
#include "sim/aws/groups.h"
#include "sim/aws/xml.h"

namespace nbform::sim {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("EC2: wildcards of filters") {
  CHECK(aws::wildcard_match("a*c", "abc"));
  CHECK(aws::wildcard_match("a?c", "abc"));
  CHECK(aws::wildcard_match("*", ""));
  CHECK_FALSE(aws::wildcard_match("a?c", "ac"));
  CHECK_FALSE(aws::wildcard_match("abc", "ABC"));
  CHECK(aws::wildcard_match("a\\*c", "a*c"));
  CHECK_FALSE(aws::wildcard_match("a\\*c", "abc"));
}

TEST_CASE("EC2: XML escapes what it must") {
  CHECK(aws::xml_document("R", "u:r:i",
                          Map{{"a", "<&\">\n"}, {"b", List{1, true}}, {"c", List()}, {"d", Value()}}) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"u:r:i\"><a>&lt;&amp;&quot;&gt;&#xa;</a>"
        "<b><item>1</item><item>true</item></b><c/></R>");
  CHECK(aws::stamp(Time{1'795'262'400'123'456}) == "2026-11-21T12:00:00.123Z");
}

TEST_CASE("EC2: CIDRs lose their host bits") {
  CHECK(aws::canonical_cidr("203.0.113.7/24") == "203.0.113.0/24");
  CHECK(aws::canonical_cidr("203.0.113.7/32") == "203.0.113.7/32");
  CHECK(aws::canonical_cidr("2001:db8::1/64") == "2001:db8::/64");
  CHECK(aws::canonical_cidr("10.1.2.3/9") == "10.0.0.0/9");
  CHECK_FALSE(aws::canonical_cidr("10.1.2.3"));
  CHECK_FALSE(aws::canonical_cidr("10.1.2.3/33"));
  CHECK_FALSE(aws::canonical_cidr("10.1.2.300/8"));
}

TEST_CASE("EC2: pages hold together while things come and go") {
  Ec2 c;
  for (int i = 0; i < 12; ++i) c.run();
  std::size_t seen = 0, pages = 0;
  Query next{{"MaxResults", "5"}};
  for (std::string token = "first"; !token.empty(); ++pages) {
    std::string page = c.ok("DescribeInstances", next);
    seen += Ec2::count(page, "<instanceId>");
    token = Ec2::element(page, "nextToken");
    next = {{"MaxResults", "5"}, {"NextToken", token}};
    if (pages == 0) c.run();  // a new one may be on a later page or on none, but none is shown twice
  }
  CHECK(pages == 3);
  CHECK(seen >= 12);
  CHECK(seen <= 13);
  std::string token = Ec2::element(c.ok("DescribeInstances", {{"MaxResults", "5"}}), "nextToken");
  CHECK(c.refused("DescribeInstances",
                  {{"NextToken", token}, {"Filter.1.Name", "image-id"}, {"Filter.1.Value.1", "x"}}) ==
        "InvalidNextToken");
}

TEST_CASE("EC2: a page may begin with what the last one ended with") {
  Ec2 c({"repeated-rows"});
  for (int i = 0; i < 12; ++i) c.run();
  std::size_t seen = 0, pages = 0;
  Query next{{"MaxResults", "5"}};
  for (std::string token = "first"; !token.empty(); ++pages) {
    std::string page = c.ok("DescribeInstances", next);
    seen += Ec2::count(page, "<instanceId>");
    token = Ec2::element(page, "nextToken");
    next = {{"MaxResults", "5"}, {"NextToken", token}};
  }
  CHECK(pages == 3);
  CHECK(seen == 14);
}

TEST_CASE("EC2: where ids are seen late, so are tags; each change counts") {
  Ec2 c({"slow-visibility"});
  std::string id = c.running();
  auto found = [&](const char* value) {
    return Ec2::count(c.ok("DescribeInstances", {{"Filter.1.Name", "tag:a"}, {"Filter.1.Value.1", value}}),
                      "<instanceId>");
  };
  c.ok("CreateTags", {{"ResourceId.1", id}, {"Tag.1.Key", "a"}, {"Tag.1.Value", "1"}});
  c.ok("CreateTags", {{"ResourceId.1", id}, {"Tag.1.Key", "b"}, {"Tag.1.Value", "2"}});
  CHECK(found("1") == 0);
  c.wait(seconds(15));
  CHECK(found("1") == 1);
  CHECK(c.world.resource("ec2.instances/" + id)["tagSet"].as_list().size() == 2);
  c.ok("DeleteTags", {{"ResourceId.1", id}, {"Tag.1.Key", "a"}});
  CHECK(found("1") == 1);
  c.wait(seconds(15));
  CHECK(found("1") == 0);
}

TEST_CASE("EC2: the diary says whose doing it was, also later") {
  Ec2 c;
  auto actor_of = [&](std::string_view kind, std::string_view shelf) {
    std::string last = "nobody";
    for (const Event& e : c.world.events())
      if (e.kind == kind && e.resource.starts_with(shelf)) last = e.actor;
    return last;
  };
  std::string user = "arn:aws:iam::123456789012:user/sandbox";
  std::string id = c.running(Ec2::spot());
  CHECK(actor_of("insert", "instances/") == user);
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(seconds(40));
  CHECK(actor_of("delete", "instances/") == user);
  CHECK(actor_of("delete", "volumes/") == user);
  c.wait(minutes(2));
  CHECK(c.events("insert", "instances/") == 2);
  CHECK(actor_of("insert", "instances/").empty());  // EC2 launched another one, of its own
}

TEST_CASE("EC2: a fault can make a page empty, with more to come") {
  Ec2 c;
  std::string id = c.run();
  REQUIRE(c.world.add_faults(
      List{Map{{"match", Map{{"method", "DescribeInstances"}}}, {"do", Map{{"page", 0}}}}}));
  std::string first = c.ok("DescribeInstances");
  CHECK(Ec2::count(first, "<instanceId>") == 0);
  std::string rest = c.ok("DescribeInstances", {{"NextToken", Ec2::element(first, "nextToken")}});
  CHECK(Ec2::element(rest, "instanceId") == id);
}

TEST_CASE("EC2: a client token stands for its launch until a day after the end") {
  Ec2 c;
  Query asked{{"ClientToken", "t"}, {"Placement.AvailabilityZone", "us-west-2a"}};
  std::string id = c.running(asked);
  CHECK(c.run(asked) == id);
  Query other = asked;
  other.emplace_back("EbsOptimized", "true");
  CHECK(c.refused("RunInstances", c.launch(other)) == "IdempotentParameterMismatch");
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(minutes(5));
  CHECK(Ec2::element(c.ok("RunInstances", c.launch(asked)), "name") == "terminated");
  c.wait(hours(3));  // the instance itself is forgotten
  std::string again = c.ok("RunInstances", c.launch(asked));
  CHECK(Ec2::element(again, "instanceId") == id);
  CHECK(Ec2::count(again, "<name>terminated</name>") == 1);
  CHECK(c.events("insert", "instances/") == 1);
  c.wait(hours(22));
  CHECK(c.run(asked) != id);
}

TEST_CASE("EC2: client tokens are a zone's, or a region's where no zone is named") {
  Ec2 c;
  auto in = [](const char* zone) {
    return Query{{"ClientToken", "t"}, {"Placement.AvailabilityZone", zone}};
  };
  std::string a = c.run(in("us-west-2a"));
  CHECK(c.run(in("us-west-2b")) != a);
  CHECK(c.refused("RunInstances", c.launch({{"ClientToken", "t"}})) == "IdempotentParameterMismatch");
  c.region = "us-east-1";
  CHECK(c.run({{"ClientToken", "t"}}) != a);
}

TEST_CASE("EC2: a refused launch does not use its token up") {
  Ec2 c;
  c.world.stockout("us-west-2a");
  Query asked{{"ClientToken", "t"}, {"Placement.AvailabilityZone", "us-west-2a"}};
  Response r = c.send("RunInstances", c.launch(asked));
  CHECK(r.status == 500);
  CHECK(Ec2::element(r.body, "Code") == "InsufficientInstanceCapacity");
  c.world.end_stockout();
  CHECK(c.run(asked).starts_with("i-0"));
}

TEST_CASE("EC2: a new id flickers before it is seen for good") {
  Ec2 c({"flickering-visibility"});
  std::string id = c.run();
  int found = 0;
  for (int i = 0; i < 12; ++i, c.wait(std::chrono::milliseconds(700)))
    found += c.send("DescribeInstances", {{"InstanceId.1", id}}).status == 200;
  CHECK(found > 0);
  CHECK(found < 12);
  c.wait(seconds(30));
  CHECK(c.send("DescribeInstances", {{"InstanceId.1", id}}).status == 200);
}

TEST_CASE("EC2: the world goes through JSON and stays the same") {
  Ec2 c;
  std::string id = c.run(Ec2::spot({{"ClientToken", "t"}}));
  auto copy = World::from_json(c.world.to_json());
  REQUIRE(copy.ok());
  CHECK(copy->to_json() == c.world.to_json());
  copy->advance(c.now + minutes(1));
  CHECK(copy->resource("ec2.instances/" + id)["instanceState"]["name"].as_text() == "running");
}

TEST_CASE("EC2: requests and effects are in the diary") {
  Ec2 c;
  std::string id = c.run();
  const Event* request = nullptr;
  for (const Event& e : c.world.events())
    if (e.kind == "request" && e.detail["action"].as_text() == "RunInstances") request = &e;
  REQUIRE(request != nullptr);
  CHECK(request->detail["region"].as_text() == "us-west-2");
  CHECK(request->detail["body"]["InstanceType"].as_text() == "g4dn.xlarge");
  CHECK(c.events("insert", "instances/" + id) == 1);
  CHECK(c.events("insert", "volumes/") == 1);
  CHECK(c.events("insert", "network-interfaces/") == 1);
}

TEST_CASE("EC2: groups go only after the interface of a terminated instance") {
  Ec2 c;
  std::string group =
      Ec2::element(c.ok("CreateSecurityGroup", {{"GroupName", "g"}, {"GroupDescription", "d"}}), "groupId");
  std::string id = c.running({{"SecurityGroupId.1", group}});
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(seconds(36));
  CHECK(c.state(id) == "terminated");
  CHECK(c.refused("DeleteSecurityGroup", {{"GroupId", group}}) == "DependencyViolation");
  c.wait(seconds(10));
  c.ok("DeleteSecurityGroup", {{"GroupId", group}});
}

TEST_CASE("EC2: an instance that never ran cannot be stopped, and volumes end as they should") {
  Ec2 c;
  std::string id = c.run({{"BlockDeviceMapping.1.DeviceName", "/dev/sdf"},
                          {"BlockDeviceMapping.1.Ebs.VolumeSize", "10"},
                          {"BlockDeviceMapping.1.Ebs.VolumeType", "gp3"}});
  CHECK(c.refused("StopInstances", {{"InstanceId.1", id}}) == "IncorrectInstanceState");
  c.wait(minutes(1));
  // Left out, DeleteOnTermination means true here.
  c.ok("ModifyInstanceAttribute", {{"InstanceId", id},
                                   {"BlockDeviceMapping.1.DeviceName", "/dev/sdf"},
                                   {"BlockDeviceMapping.1.Ebs.VolumeId", ""}});
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(minutes(1));
  CHECK(c.world.resources("ec2.volumes").empty());
}

TEST_CASE("EC2: throttling by action, where it is asked for") {
  Ec2 c({"request-buckets"});
  for (int i = 0; i < 5; ++i) c.run();
  Response r = c.send("RunInstances", c.launch());
  CHECK(r.status == 503);
  CHECK(Ec2::element(r.body, "Code") == "RequestLimitExceeded");
  c.ok("DescribeInstances");
  c.wait(seconds(1));
  c.run();
}

}  // namespace nbform::sim
