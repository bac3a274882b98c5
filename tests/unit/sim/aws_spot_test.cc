#include "aws_fixture.h"

namespace nbform::sim {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("EC2: a persistent spot request follows its instance through stop and start") {
  Ec2 c;
  std::string id = c.running(Ec2::spot());
  CHECK(c.request(id) == "active/fulfilled");
  c.ok("StopInstances", {{"InstanceId.1", id}});
  CHECK(c.request(id) == "active/marked-for-stop");
  c.wait(seconds(31));
  CHECK(c.state(id) == "stopped");
  // The request is a moment behind: an early start finds it still marked.
  CHECK(c.refused("StartInstances", {{"InstanceId.1", id}}) == "IncorrectSpotRequestState");
  c.wait(seconds(10));
  CHECK(c.request(id) == "disabled/instance-stopped-by-user");
  c.ok("StartInstances", {{"InstanceId.1", id}});
  CHECK(c.request(id) == "active/fulfilled");
}

TEST_CASE("EC2: what EC2 stopped for capacity only EC2 starts again") {
  Ec2 c;
  std::string id = c.running(Ec2::spot());
  REQUIRE(c.world.preempt("", "", id));
  c.wait(minutes(1));
  CHECK(c.state(id) == "running");
  c.wait(minutes(2));
  CHECK(c.state(id) == "stopped");
  CHECK(c.request(id) == "disabled/instance-stopped-no-capacity");
  CHECK(c.events("preempt", "instances/") == 1);
  CHECK(c.refused("StartInstances", {{"InstanceId.1", id}}) == "IncorrectSpotRequestState");
  CHECK(c.refused("ModifyInstanceAttribute", {{"InstanceId", id}, {"InstanceType.Value", "g5.xlarge"}}) ==
        "UnsupportedOperation");
  c.world.stockout("us-west-2a", "spot:*");
  CHECK_FALSE(c.world.administer(Map{{"do", "resume"}, {"name", id}}));
  c.world.end_stockout();
  c.wait(minutes(1));
  CHECK(c.state(id) == "running");
  CHECK(c.request(id) == "active/fulfilled");
}

TEST_CASE("EC2: a Spot price above the limit stops an instance; EC2 starts it when the price falls") {
  Ec2 c;
  std::string id = c.running(Ec2::spot());
  auto price = [&](double dollars) {
    REQUIRE(c.world.administer(Map{{"do", "spot_price"}, {"machine", "*"}, {"price", dollars}}));
    c.wait(minutes(4));
  };
  price(90.0);
  CHECK(c.state(id) == "stopped");
  CHECK(c.request(id) == "disabled/instance-stopped-by-price");
  CHECK(c.refused("StartInstances", {{"InstanceId.1", id}}) == "IncorrectSpotRequestState");
  CHECK_FALSE(c.world.administer(Map{{"do", "resume"}, {"name", id}}));
  price(0.01);
  CHECK(c.state(id) == "running");
  CHECK(c.request(id) == "active/fulfilled");
}

TEST_CASE("EC2: cancelling the request of a stopped instance terminates it") {
  Ec2 c;
  std::string id = c.running(Ec2::spot()), sir = c.sir(id);
  c.ok("StopInstances", {{"InstanceId.1", id}});
  c.wait(minutes(1));
  CHECK(Ec2::element(c.ok("CancelSpotInstanceRequests", {{"SpotInstanceRequestId.1", sir}}), "state") ==
        "cancelled");
  c.wait(minutes(2));
  CHECK(c.state(id) == "terminated");
}

TEST_CASE("EC2: a request cancelled while its instance stops is no way to keep the instance") {
  Ec2 c;
  std::string id = c.running(Ec2::spot()), sir = c.sir(id);
  c.ok("StopInstances", {{"InstanceId.1", id}});
  c.ok("CancelSpotInstanceRequests", {{"SpotInstanceRequestId.1", sir}});
  c.wait(minutes(3));
  CHECK(c.state(id) == "terminated");
}

TEST_CASE("EC2: terminated without a cancel, a persistent request launches another instance") {
  Ec2 c;
  std::string first = c.running(Ec2::spot());
  c.ok("TerminateInstances", {{"InstanceId.1", first}});
  CHECK(c.request(first) == "open/instance-terminated-by-user");
  c.wait(minutes(2));
  CHECK(c.request(first) == "none");
  CHECK(c.events("insert", "instances/") == 2);
  c.wait(hours(2));
  CHECK(c.world.resources("ec2.instances").size() == 1);
}

TEST_CASE("EC2: without capacity a reopened request waits") {
  Ec2 c;
  std::string id = c.running(Ec2::spot());
  c.world.stockout("*", "spot:*");
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(minutes(2));
  CHECK(c.request(id) == "open/capacity-not-available");
  c.world.end_stockout();
  c.wait(minutes(2));
  CHECK(c.events("insert", "instances/") == 2);
}

TEST_CASE("EC2: cancelled, then terminated: nothing comes back") {
  Ec2 c;
  std::string id = c.running(Ec2::spot()), sir = c.sir(id);
  c.ok("CancelSpotInstanceRequests", {{"SpotInstanceRequestId.1", sir}});
  CHECK(c.request(id) == "cancelled/request-canceled-and-instance-running");
  c.ok("TerminateInstances", {{"InstanceId.1", id}});
  c.wait(hours(5));
  CHECK(c.events("insert", "instances/") == 1);
  CHECK(c.world.resources("ec2.instances").empty());
  CHECK(c.world.resources("ec2.spot-requests").empty());
}

TEST_CASE("EC2: a one-time request is closed at once, and its instance has two minutes") {
  Ec2 c;
  std::string id = c.running({{"InstanceMarketOptions.MarketType", "spot"}});
  CHECK(c.refused("StopInstances", {{"InstanceId.1", id}}) == "UnsupportedOperation");
  REQUIRE(c.world.preempt("", "", id));
  CHECK(c.request(id) == "closed/instance-terminated-no-capacity");
  c.wait(seconds(119));
  CHECK(c.state(id) == "running");
  c.wait(minutes(1));
  CHECK(c.state(id) == "terminated");
  CHECK(c.events("insert", "instances/") == 1);
}

TEST_CASE("EC2: an interruption planned for one run does not hit the next") {
  Ec2 c;
  std::string id = c.running(Ec2::spot());
  REQUIRE(c.world.preempt("", "", id));
  c.ok("StopInstances", {{"InstanceId.1", id}});
  c.wait(seconds(60));
  c.ok("StartInstances", {{"InstanceId.1", id}});
  c.wait(minutes(5));
  CHECK(c.state(id) == "running");
}

}  // namespace nbform::sim
