// Volumes of the simulated EC2 in virtual time: what may be done in which state, and how long things take.
#include "aws_fixture.h"

namespace nbform::sim {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct Disks : Ec2 {
  using Ec2::Ec2;
  std::string volume(std::string zone = "us-west-2a") {
    std::string id = element(
        ok("CreateVolume", {{"AvailabilityZone", std::move(zone)}, {"Size", "50"}, {"VolumeType", "gp3"}}),
        "volumeId");
    wait(seconds(10));
    return id;
  }
  std::string modification(const std::string& id) {
    return element(ok("DescribeVolumesModifications", {{"VolumeId.1", id}}), "modificationState");
  }
  std::int64_t size(const std::string& id) const {
    return world.resource("ec2.volumes/" + id)["size"].as_int();
  }

  std::string vm = running({{"Placement.AvailabilityZone", "us-west-2a"}});
};

}  // namespace

TEST_CASE("EC2: a volume is attached where it is, once, and to one that is not just starting") {
  Disks c;
  std::string id = c.volume(), elsewhere = c.volume("us-west-2b");
  CHECK(c.refused("AttachVolume", {{"VolumeId", elsewhere}, {"InstanceId", c.vm}, {"Device", "/dev/sdf"}}) ==
        "InvalidVolume.ZoneMismatch");
  CHECK(c.refused("AttachVolume", {{"VolumeId", id}, {"InstanceId", c.vm}, {"Device", "/dev/sda1"}}) ==
        "InvalidParameterValue");
  std::string young = c.run({{"Placement.AvailabilityZone", "us-west-2a"}});
  CHECK(c.refused("AttachVolume", {{"VolumeId", id}, {"InstanceId", young}, {"Device", "/dev/sdf"}}) ==
        "IncorrectState");
  c.ok("AttachVolume", {{"VolumeId", id}, {"InstanceId", c.vm}, {"Device", "/dev/sdf"}});
  CHECK(c.refused("AttachVolume", {{"VolumeId", id}, {"InstanceId", c.vm}, {"Device", "/dev/sdg"}}) ==
        "VolumeInUse");
  CHECK(c.refused("DeleteVolume", {{"VolumeId", id}}) == "VolumeInUse");
  c.wait(seconds(10));
  c.ok("DetachVolume", {{"VolumeId", id}});
  c.wait(seconds(10));
  CHECK(c.refused("DetachVolume", {{"VolumeId", id}}) == "IncorrectState");
  c.ok("DeleteVolume", {{"VolumeId", id}});
  c.wait(minutes(1));
  CHECK(c.refused("DeleteVolume", {{"VolumeId", id}}) == "InvalidVolume.NotFound");
}

TEST_CASE("EC2: the root leaves a stopped instance only") {
  Disks c;
  std::string root(c.world.resource("ec2.instances/" + c.vm)["blockDeviceMapping"]
                       .as_list()
                       .at(0)["ebs"]["volumeId"]
                       .as_text());
  CHECK(c.refused("DetachVolume", {{"VolumeId", root}}) == "OperationNotPermitted");
  c.ok("StopInstances", {{"InstanceId.1", c.vm}});
  c.wait(minutes(1));
  c.ok("DetachVolume", {{"VolumeId", root}});
}

TEST_CASE("EC2: a volume grows by degrees, never shrinks, and four times a day") {
  Disks c;
  std::string id = c.volume();
  CHECK(c.refused("DescribeVolumesModifications", {{"VolumeId.1", id}}) ==
        "InvalidVolumeModification.NotFound");
  CHECK(c.refused("ModifyVolume", {{"VolumeId", id}, {"Size", "40"}}) == "InvalidParameterValue");
  c.ok("ModifyVolume", {{"VolumeId", id}, {"Size", "80"}});
  CHECK(c.modification(id) == "modifying");
  CHECK(c.size(id) == 50);
  CHECK(c.refused("ModifyVolume", {{"VolumeId", id}, {"Size", "90"}}) == "IncorrectModificationState");
  CHECK(c.refused("AttachVolume", {{"VolumeId", id}, {"InstanceId", c.vm}, {"Device", "/dev/sdf"}}) ==
        "OperationNotPermitted");
  c.wait(seconds(10));
  CHECK(c.modification(id) == "optimizing");
  CHECK(c.size(id) == 80);
  CHECK(c.refused("ModifyVolume", {{"VolumeId", id}, {"Size", "90"}}) == "IncorrectModificationState");
  c.wait(minutes(5));
  CHECK(c.modification(id) == "completed");
  for (const char* size : {"81", "82", "83"}) {
    c.ok("ModifyVolume", {{"VolumeId", id}, {"Size", size}});
    c.wait(minutes(5));
  }
  CHECK(c.refused("ModifyVolume", {{"VolumeId", id}, {"Size", "84"}}) == "VolumeModificationRateExceeded");
  c.wait(hours(24));
  c.ok("ModifyVolume", {{"VolumeId", id}, {"Size", "84"}});
}

TEST_CASE("EC2: variants of what is not known about modifications") {
  Disks c({"volume-cooldown", "unmodified-volume-empty"});
  std::string id = c.volume();
  CHECK(c.modification(id).empty());
  c.ok("ModifyVolume", {{"VolumeId", id}, {"Size", "60"}});
  c.wait(hours(5));
  CHECK(c.refused("ModifyVolume", {{"VolumeId", id}, {"Size", "70"}}) == "VolumeModificationRateExceeded");
  c.wait(hours(1));
  c.ok("ModifyVolume", {{"VolumeId", id}, {"Size", "70"}});
}

}  // namespace nbform::sim
