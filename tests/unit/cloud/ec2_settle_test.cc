// What EC2's answers say of a mutation: done, to be asked about again, refused and why.
#include "unit/cloud/ec2_fixtures.h"

using namespace nbform;
using namespace nbform::ec2_fixtures;

namespace {

using State = Settlement::State;

Settlement settled(const Response& r) {
  return ec2::settle(kScope, r);
}

std::string launched(const std::string& state, const std::string& extra = "") {
  return "<instancesSet>" + instance_xml(state, extra) + "</instancesSet>";
}

}  // namespace

TEST_CASE("a launch is polled by a filter until its state is one that counts") {
  Settlement s = settled(answer("RunInstances", launched("pending")));
  REQUIRE(s.state == State::pending);
  CHECK(s.made == "i-1");
  CHECK(parameters(*s.poll) == form("DescribeInstances",
                                    "Filter.1.Name=instance-id&Filter.1.Value.1=i-1&"
                                    "Filter.2.Name=instance-state-name&Filter.2.Value.1=running&"
                                    "Filter.2.Value.2=stopping&Filter.2.Value.3=stopped&"
                                    "Filter.2.Value.4=shutting-down&Filter.2.Value.5=terminated"));
  Settlement unseen = settled(answer("DescribeInstances", "<reservationSet/>"));
  CHECK(unseen.state == State::pending);  // not visible yet: never "absent"
  CHECK_FALSE(unseen.poll);
  CHECK(settled(answer("DescribeInstances", in_reservation(instance_xml("running")))).state == State::done);
}

TEST_CASE("a launch that EC2 itself ended failed for the reason that it gives") {
  std::string reason =
      "<stateReason><code>Server.InsufficientInstanceCapacity</code><message>none</message>"
      "</stateReason>";
  Settlement s = settled(answer("DescribeInstances", in_reservation(instance_xml("terminated", reason))));
  REQUIRE(s.state == State::failed);
  CHECK(s.failure.code == Code::capacity);
  std::string limit = "<stateReason><code>Client.VolumeLimitExceeded</code></stateReason>";
  s = settled(answer("DescribeInstances", in_reservation(instance_xml("shutting-down", limit))));
  CHECK(s.failure.code == Code::quota);
}

TEST_CASE("an answer to an old token that names what is gone uses the token up") {
  std::string ended = "<stateReason><code>Client.UserInitiatedShutdown</code></stateReason>";
  CHECK(settled(answer("RunInstances", launched("terminated", ended))).state == State::spent);
  // Launched long before this answer: maybe gone from all lists, so its tags are asked for.
  Headers date{{"Date", "Fri, 02 Jan 2026 00:00:00 GMT"}};
  Settlement old = settled(answer("RunInstances", launched("pending"), date));
  REQUIRE(old.state == State::pending);
  CHECK(old.poll->method == "DescribeTags");
  CHECK(settled(answer("DescribeTags", "<tagSet/>")).state == State::spent);
  auto tagged = [](const std::string& key) {
    return settled(
        answer("DescribeTags", fmt::format("<tagSet><item><resourceId>i-1</resourceId><key>{}</key>"
                                           "<value>x</value></item></tagSet>",
                                           key)));
  };
  CHECK(tagged("Name").state == State::spent);  // it was let go
  Settlement alive = tagged("nbform:stack");
  CHECK(alive.poll->method == "DescribeInstances");
}

TEST_CASE("stop, start and terminate wait for their states") {
  auto states = [](std::string_view action) {
    Settlement s =
        settled(answer(action, "<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>"));
    REQUIRE(s.state == State::pending);
    return canonical(s.poll->body.at_path("Filter/1/Value"));
  };
  CHECK(states("StopInstances") == R"(["stopped","shutting-down","terminated"])");
  CHECK(states("StartInstances") == R"(["running","shutting-down","terminated"])");
  CHECK(states("TerminateInstances") == R"(["terminated"])");
  std::string ended = "<stateReason><code>Client.UserInitiatedShutdown</code></stateReason>";
  CHECK(settled(answer("DescribeInstances", in_reservation(instance_xml("terminated", ended)))).state ==
        State::done);
}

TEST_CASE("refusals: by their word, not by their status") {
  auto code = [](int status, std::string_view word, std::string_view message = "no") {
    return settled(refusal(status, word, message)).failure.code;
  };
  CHECK(code(500, "InsufficientInstanceCapacity") == Code::capacity);
  CHECK(code(400, "Unsupported", "not supported in your requested Availability Zone (us-west-2d)") ==
        Code::capacity);
  CHECK(code(400, "InvalidInstanceID.NotFound") == Code::busy);  // of our own making: not visible yet
  CHECK(code(400, "InvalidAMIID.NotFound") == Code::not_found);
  CHECK(code(400, "InvalidPermission.Duplicate") == Code::conflict);
  CHECK(code(400, "IncorrectSpotRequestState") == Code::busy);
  CHECK(code(400, "DependencyViolation") == Code::busy);
  CHECK(code(400, "VolumeModificationRateExceeded") == Code::quota);
  CHECK(code(400, "IncorrectModificationState") == Code::quota);
  // Maybe by this very change, whose answer was lost: asked again, it shows.
  CHECK(code(400, "IncorrectModificationState", "vol-1 cannot be modified in modification state MODIFYING") ==
        Code::busy);
  CHECK(code(400, "InvalidParameterValue", "LaunchPlan instance type does not match attribute value") ==
        Code::busy);
  Settlement hint = settled(refusal(500, "InsufficientInstanceCapacity",
                                    "choose an Availability Zone such as us-west-2a, us-west-2c."));
  CHECK(hint.zone_hints == std::vector<std::string>{"us-west-2a", "us-west-2c"});
  CHECK(settled({200, {}, "<html>"}).state == State::unknown);
}

TEST_CASE("volumes settle by their own states") {
  Settlement made = settled(answer("CreateVolume", "<volumeId>vol-1</volumeId><status>creating</status>"));
  CHECK(made.made == "vol-1");
  CHECK(made.poll->method == "DescribeVolumes");
  CHECK(settled(answer("DescribeVolumes",
                       "<volumeSet>" + volume_xml("v", "disk-a", "", "error") + "</volumeSet>"))
            .state == State::failed);
  auto modified = [](const std::string& state) {
    return settled(
        answer("ModifyVolume", "<volumeModification><volumeId>vol-1</volumeId><modificationState>" + state +
                                   "</modificationState></volumeModification>"));
  };
  CHECK(modified("modifying").poll->method == "DescribeVolumesModifications");
  CHECK(modified("optimizing").state == State::done);  // usable from here on
  CHECK(modified("failed").state == State::failed);
  CHECK(settled(answer("DeleteVolume", "<return>true</return>")).state == State::done);
}
