// ec2.instance: what a DescribeInstances item reads as, the health of each Spot state, and the bytes of each
// step (the expected bodies are those that the AWS SDK for Python writes).
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"
#include "unit/cloud/ec2_fixtures.h"

using namespace nbform;
using namespace nbform::ec2_fixtures;

namespace {

const std::string kSpot =
    "<instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>sir-1"
    "</spotInstanceRequestId>";

Value request(const std::string& state, const std::string& status, const std::string& type = "persistent") {
  return xml(
      fmt::format("<x><spotInstanceRequestId>sir-1</spotInstanceRequestId><state>{}</state><status><code>{}"
                  "</code></status><type>{}</type><spotPrice>0.60</spotPrice><instanceId>i-1</instanceId>"
                  "<instanceInterruptionBehavior>stop</instanceInterruptionBehavior></x>",
                  state, status, type));
}

Live spot_instance(const std::string& power, const std::string& state, const std::string& status,
                   const std::string& type = "persistent") {
  std::string interrupted =
      status.find("no-capacity") != std::string::npos || status.find("by-price") != std::string::npos
          ? "<stateReason><code>Server.SpotInstanceShutdown</code></stateReason>"
          : "";
  Live live = instance(power, kSpot + interrupted);
  ec2::fold_spot_request(live, request(state, status, type));
  return live;
}

// What a step may look at, over one live instance.
struct Stage {
  Resource wanted;
  std::vector<Edit> edits;
  Live live = instance("running");
  std::map<std::string, Live> siblings;
  Facts facts;
  std::map<std::string, Resource> resources;
  Attempt attempt{"us-west-2a", false};
  int incarnation = 1;

  Stage() {
    wanted.notebook = "dlami";
    wanted.part = "instance";
    wanted.kind = &ec2::instance_kind();
    wanted.scope = kScope;
    Live group;
    group.id = "sg-own";
    siblings["dlami/security-group"] = group;
    facts[ec2::subnets_fact(kScope.region)] =
        Map{{"subnet-0123456789abcdef0", Map{{"default", true}, {"zone", "us-west-2a"}}}};
  }

  void edit(const std::string& attr, Value after) {
    Edit e;
    e.attr = attr;
    e.after = after;
    edits.push_back(e);
    if (attr.find('.') == std::string::npos) wanted.attributes.set(attr, after);
  }

  StepContext context(bool there = true) {
    StepContext c;
    c.resource = &wanted;
    c.live = there ? &live : nullptr;
    c.edits = &edits;
    c.facts = &facts;
    c.attempt = attempt;
    c.incarnation = incarnation;
    c.live_at = [this](std::string_view address) -> const Live* {
      if (address == "dlami/instance") return &live;
      auto it = siblings.find(std::string(address));
      return it != siblings.end() ? &it->second : nullptr;
    };
    c.resource_at = [this](std::string_view address) -> const Resource* {
      return address == "dlami/instance" ? &wanted : nullptr;
    };
    return c;
  }

  // The calls of the steps, in order, as things stand.
  std::vector<Call> calls(const std::vector<Step>& steps) {
    std::vector<Call> out;
    for (const Step& step : steps)
      if (auto call = step.call(context())) out.push_back(*call);
    return out;
  }
  Query update() {
    auto all = calls(ec2::instance_kind().update(edits));
    REQUIRE(all.size() == 1);
    return parameters(all.front());
  }
};

Resource new_instance() {
  Resource r;
  r.notebook = "dlami";
  r.kind = &ec2::instance_kind();
  r.scope = kScope;
  Map owner;
  labels::write_owner(owner, {"research", "dlami", "instance"}, labels::kAws);
  r.attributes.set("tags", owner);
  labels::write_owner(owner, {"research", "dlami", "boot"}, labels::kAws);
  r.attributes.set("root_tags", owner);
  r.attributes.set("machine_type", "g5.xlarge");
  r.attributes.set("root_size_gb", 100);
  r.attributes.set("root_type", "gp3");
  r.attributes.set("root_delete_on_termination", true);
  r.attributes.set("instance_profile", "nb-profile");
  r.attributes.set("key_name", "nb-key");
  r.attributes.set("max_price", "0.600000");
  r.defaults.set("user_data", "#!/bin/sh\n");
  r.defaults.set("resolved_image", Map{{"id", "ami-0123456789abcdef0"}, {"root_device", "/dev/sda1"}});
  return r;
}

}  // namespace

TEST_CASE("an EC2 instance reads as what it is") {
  auto with = owner_tags();
  with["nbform:resume"] = "1767225600000";
  with["nbform:image"] = "ssm /aws/x";
  with["nbform:incarnation"] = "3";
  Live live = instance("stopped", "<reason>User initiated (2026-01-02 03:04:05 GMT)</reason>", with);
  CHECK(live.id == "i-1");
  CHECK(live.zone == "us-west-2a");
  CHECK(live.owner == Owner{"research", "dlami", "instance"});
  CHECK(live.incarnation == 3);
  CHECK(live.attributes["machine_type"] == Value("g4dn.xlarge"));
  CHECK_FALSE(live.attributes.has("spot_machine_type"));
  CHECK(live.attributes["security_groups"] == Value(List{"sg-lab"}));
  CHECK(live.attributes["own_group"] == Value(true));
  CHECK(live.attributes["attachments"] == Value(Map{{"vol-data", "/dev/sdf"}}));
  CHECK(live.attributes["image"] == Value("ssm /aws/x"));
  CHECK_FALSE(live.attributes.has("public_ip"));  // says nothing while it is stopped
  CHECK(live.refs == std::vector<std::string>{"vol-data", "sg-own"});
  CHECK(live.erased_by_replace);
  CHECK(live.health.state == Health::State::stopped);
  CHECK(live.health.wants_resume());
  CHECK(format_rfc3339(*live.health.since) == "2026-01-02T03:04:05Z");
}

TEST_CASE("without an id nothing is an instance, a volume, a group or a key") {
  for (const Kind* kind :
       {&ec2::instance_kind(), &ec2::volume_kind(), &ec2::security_group_kind(), &ec2::key_pair_kind()})
    CHECK_FALSE(kind->decode(kScope, Value(Map{})).ok());
}

TEST_CASE("a terminated instance and an empty set are not there; a refusal says nothing") {
  auto found = [](const Response& r) {
    auto body = r.ok() ? read_aws_body(r.body) : Result<Value>(Value());
    return ec2::instance_kind().found(kScope, r, *body);
  };
  auto there = found(answer("DescribeInstances", in_reservation(instance_xml("running"))));
  REQUIRE(there.ok());
  CHECK(there->has_value());
  for (const Response& gone : {answer("DescribeInstances", in_reservation(instance_xml("terminated"))),
                               answer("DescribeInstances", "<reservationSet/>")}) {
    auto result = found(gone);
    REQUIRE(result.ok());
    CHECK_FALSE(result->has_value());
  }
  CHECK_FALSE(found(refusal(403, "UnauthorizedOperation")).ok());
  CHECK_FALSE(found(refusal(400, "InvalidInstanceID.NotFound")).ok());  // never the answer to a filter
}

TEST_CASE("each state of a Spot request is one health") {
  using State = Health::State;
  struct Row {
    std::string power, state, status;
    State health;
    std::string detail;
  };
  const std::string ec2_only = "stopped by EC2 for capacity; only EC2 may restart it";
  const std::vector<Row> rows = {
      {"running", "active", "fulfilled", State::running, "running"},
      {"running", "active", "marked-for-stop", State::settling, "about to be stopped"},
      {"running", "active", "marked-for-termination", State::settling, "about to be terminated by EC2"},
      {"running", "cancelled", "request-canceled-and-instance-running", State::running, "running"},
      {"stopped", "active", "marked-for-stop", State::settling, "about to be stopped"},
      {"stopped", "active", "fulfilled", State::settling,
       "stopped, and its Spot request is not ready for a start yet"},
      {"stopped", "disabled", "instance-stopped-by-user", State::stopped, "stopped"},
      {"stopped", "disabled", "instance-stopped-no-capacity", State::settling, ec2_only},
      {"stopped", "disabled", "instance-stopped-by-price", State::settling,
       "stopped by EC2, as the Spot price is above `spot.max_price`; only EC2 may restart it"},
      {"stopped", "open", "capacity-not-available", State::settling,
       "waiting for Spot capacity; EC2 starts it then"},
      {"stopped", "open", "pending-evaluation", State::settling, "waiting for EC2 Spot to look at its start"},
      {"stopped", "cancelled", "canceled-before-fulfillment", State::settling,
       "about to be terminated by EC2: its Spot request was cancelled"},
      {"stopped", "failed", "system-error", State::degraded,
       "refused by EC2 Spot: a system error, as AWS calls it"},
  };
  for (const Row& row : rows) {
    INFO(row.power << " " << row.state << " " << row.status);
    Live live = spot_instance(row.power, row.state, row.status);
    CHECK(live.health.state == row.health);
    CHECK(live.health.detail == row.detail);
    CHECK(live.health.stopped_by != Health::StoppedBy::preemption);  // nothing may plan a start
  }
  Live unread =
      instance("stopped", kSpot + "<stateReason><code>Server.SpotInstanceShutdown</code></stateReason>");
  CHECK(unread.health.detail == ec2_only);
}

TEST_CASE("a stopped instance without a root volume was taken apart; one that begins was not") {
  auto bare = [](const std::string& state) {
    Value item =
        xml("<x>" + instance_xml(state, "<rootDeviceType>ebs</rootDeviceType>") + "</x>").at_path("0");
    List& volumes = item.map()["blockDeviceMapping"].list();
    volumes.erase(volumes.begin());
    auto live = ec2::instance_kind().decode(kScope, item);
    REQUIRE(live.ok());
    return live->bootless;
  };
  CHECK(bare("stopped"));
  CHECK_FALSE(bare("pending"));
  CHECK_FALSE(instance("stopped", "<rootDeviceType>ebs</rootDeviceType>").bootless);
}

TEST_CASE("boot data changes while stopped, and is noted only then") {
  Stage s;
  s.live.attributes.set("boot_data", "old");
  s.edit("boot_data", "new");
  s.wanted.defaults.set("user_data", "#!/bin/sh\n");
  auto steps = ec2::instance_kind().update(s.edits);
  REQUIRE(steps.size() == 2);
  for (const Step& step : steps) CHECK(step.needs == Step::Needs::stopped);
  auto calls = s.calls(steps);
  REQUIRE(calls.size() == 2);
  CHECK(parameters(calls[0]) ==
        form("ModifyInstanceAttribute", "InstanceId=i-1&UserData.Value=IyEvYmluL3NoCg%3D%3D"));
  CHECK(parameters(calls[1]) ==
        form("CreateTags", "ResourceId.1=i-1&Tag.1.Key=nbform%3Aboot&Tag.1.Value=new"));
}

TEST_CASE("a Spot instance keeps its type; an on-demand one changes it while stopped") {
  Resource r;
  r.kind = &ec2::instance_kind();
  r.attributes.set("machine_type", "g4dn.2xlarge");
  r.attributes.set("spot_machine_type", "g4dn.2xlarge");
  Diagnostics problems;
  auto edits = edits_between(r, instance("running"), problems);
  REQUIRE(edits.size() == 1);
  CHECK(edits[0].effect == Action::restart);
  edits = edits_between(r, instance("running", kSpot), problems);
  REQUIRE(edits.size() == 1);
  CHECK(edits[0].effect == Action::replace);
  CHECK(edits[0].title == "machine");
}

TEST_CASE("the modifying calls are byte for byte what EC2 takes") {
  SECTION("instance type") {
    Stage s;
    s.edit("machine_type", "g5.2xlarge");
    CHECK(s.update() == form("ModifyInstanceAttribute", "InstanceId=i-1&InstanceType.Value=g5.2xlarge"));
  }
  SECTION("security groups, its own always among them") {
    Stage s;
    s.edit("security_groups", List{"sg-2"});
    CHECK(s.update() == form("ModifyInstanceAttribute", "InstanceId=i-1&GroupId.1=sg-own&GroupId.2=sg-2"));
  }
  SECTION("keep of the root volume") {
    Stage s;
    s.edit("root_delete_on_termination", false);
    CHECK(s.update() == form("ModifyInstanceAttribute",
                             "InstanceId=i-1&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&"
                             "BlockDeviceMapping.1.Ebs.DeleteOnTermination=false"));
  }
  SECTION("tags") {
    Stage s;
    s.edit("tags.team", "a b");
    CHECK(s.update() == form("CreateTags", "ResourceId.1=i-1&Tag.1.Key=team&Tag.1.Value=a+b"));
  }
  SECTION("a removed tag is deleted whatever its value") {
    Stage s;
    auto with = owner_tags();
    with["team"] = "a";
    s.live = instance("running", "", with);
    s.edit("tags.team", Value());
    CHECK(s.update() == form("DeleteTags", "ResourceId.1=i-1&Tag.1.Key=team"));
  }
  SECTION("metadata service") {
    Stage s;
    s.live.attributes.set("imds_tokens", "optional");
    s.edit("imds_tokens", "required");
    s.wanted.attributes.set("imds_hops", 2);
    CHECK(s.update() ==
          form("ModifyInstanceMetadataOptions",
               "InstanceId=i-1&HttpTokens=required&HttpPutResponseHopLimit=2&HttpEndpoint=enabled"));
  }
  SECTION("size and type of the root volume in one call") {
    Stage s;
    s.live.attributes.set("root_size_gb", 100);
    s.live.attributes.set("root_type", "gp2");
    s.edit("root_size_gb", 200);
    s.edit("root_type", "gp3");
    CHECK(s.update() == form("ModifyVolume", "VolumeId=vol-root&Size=200&VolumeType=gp3"));
  }
}

TEST_CASE("a profile is replaced while running, and exchanged while stopped") {
  Stage s;
  s.live.attributes.set("instance_profile", "arn:aws:iam::1:instance-profile/old");
  s.live.tokens.set("profile_association", "iip-assoc-1");
  s.edit("instance_profile", "nb");
  CHECK(s.update() ==
        form("ReplaceIamInstanceProfileAssociation", "AssociationId=iip-assoc-1&IamInstanceProfile.Name=nb"));
  s.live.health.state = Health::State::stopped;
  auto calls = s.calls(ec2::instance_kind().update(s.edits));
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].method == "DisassociateIamInstanceProfile");
}

TEST_CASE("RunInstances for Spot: tags on all four, IMDSv2, encrypted gp3, stoppable") {
  Stage s;
  s.wanted = new_instance();
  s.attempt.spot = true;
  auto step = ec2::instance_kind().create(s.wanted).front();
  CHECK(step.makes);
  Query sent = parameters(*step.call(s.context(false)));
  for (const auto& pair :
       form("RunInstances",
            "ImageId=ami-0123456789abcdef0&InstanceType=g5.xlarge&MinCount=1&MaxCount=1&KeyName=nb-key&"
            "UserData=IyEvYmluL3NoCg%3D%3D&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&"
            "BlockDeviceMapping.1.Ebs.VolumeSize=100&BlockDeviceMapping.1.Ebs.VolumeType=gp3&"
            "BlockDeviceMapping.1.Ebs.Encrypted=true&BlockDeviceMapping.1.Ebs.DeleteOnTermination=true&"
            "NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId=subnet-0123456789abcdef0&"
            "NetworkInterface.1.AssociatePublicIpAddress=true&NetworkInterface.1.DeleteOnTermination=true&"
            "NetworkInterface.1.SecurityGroupId.1=sg-own&Placement.AvailabilityZone=us-west-2a&"
            "IamInstanceProfile.Name=nb-profile&MetadataOptions.HttpTokens=required&"
            "MetadataOptions.HttpPutResponseHopLimit=2&MetadataOptions.HttpEndpoint=enabled&"
            "MetadataOptions.InstanceMetadataTags=disabled&InstanceMarketOptions.MarketType=spot&"
            "InstanceMarketOptions.SpotOptions.MaxPrice=0.600000&"
            "InstanceMarketOptions.SpotOptions.SpotInstanceType=persistent&"
            "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=stop&"
            "TagSpecification.1.ResourceType=instance&TagSpecification.2.ResourceType=volume&"
            "TagSpecification.3.ResourceType=network-interface&"
            "TagSpecification.4.ResourceType=spot-instances-request&"
            "TagSpecification.4.Tag.1.Key=nbform%3Anotebook&TagSpecification.4.Tag.1.Value=dlami")) {
    INFO(pair.first << "=" << pair.second);
    CHECK(std::find(sent.begin(), sent.end(), pair) != sent.end());
  }
  auto has = [&](std::string_view name) {
    return std::any_of(sent.begin(), sent.end(), [&](const auto& pair) { return pair.first == name; });
  };
  CHECK_FALSE(has("SecurityGroupId.1"));  // forbidden beside NetworkInterface
  CHECK_FALSE(has("DisableApiTermination"));
}

TEST_CASE("a client token stands for one thing, whatever is wished of it") {
  Stage s;
  s.wanted = new_instance();
  auto token = [&] { return std::string(ec2::run_parameters(s.context(false))["ClientToken"].as_text()); };
  std::string first = token();
  CHECK(first.size() <= 64);
  CHECK(first.starts_with(ec2::token_prefix("research")));
  s.attempt = {"us-west-2b", true};
  s.wanted.attributes.set("root_size_gb", 101);
  CHECK(token() == first);
  s.incarnation = 2;
  CHECK(token() != first);
  s.incarnation = 1;
  s.siblings["dlami/security-group"].id = "sg-of-the-next-life";
  CHECK(token() != first);
  CHECK(ec2::client_token({"research", "dlami", "disk-a"}, s.context()) !=
        ec2::client_token({"research", "dlami", "disk-b"}, s.context()));
}

TEST_CASE("removal cancels the Spot request first, and never loses what is kept") {
  Stage s;
  s.live = spot_instance("stopped", "disabled", "instance-stopped-by-user");
  s.wanted.keep = KeepRule::never;
  auto steps = ec2::instance_kind().destroy(s.live);
  auto calls = s.calls(steps);
  REQUIRE(calls.size() == 2);
  CHECK(parameters(calls[0]) == form("CancelSpotInstanceRequests", "SpotInstanceRequestId.1=sir-1"));
  CHECK(parameters(calls[1]) == form("TerminateInstances", "InstanceId.1=i-1"));
  CHECK(steps.back().removes);

  s.wanted.keep = KeepRule::always;
  CHECK(s.calls(steps).front().method == "ModifyInstanceAttribute");
  for (const Step& step : steps)
    if (step.id == "cancel-spot" || step.id == "terminate")
      CHECK(step.forbid(s.context())->code == Code::data_loss);
}

TEST_CASE("nothing but a removal cancels a Spot request") {
  Stage s;
  s.live = spot_instance("stopped", "disabled", "instance-stopped-by-user");
  s.edit("tags.team", "a");
  s.edit("root_delete_on_termination", false);
  for (const Call& call : s.calls(ec2::instance_kind().update(s.edits)))
    CHECK(call.method != "CancelSpotInstanceRequests");
}

TEST_CASE("a Spot instance that EC2 stopped is never started, a one-time one never stopped") {
  Stage s;
  s.live = spot_instance("stopped", "disabled", "instance-stopped-no-capacity");
  REQUIRE(ec2::instance_kind().start()->forbid(s.context()));
  CHECK(ec2::instance_kind().start()->forbid(s.context())->code == Code::capacity);
  s.live = spot_instance("stopped", "disabled", "instance-stopped-by-user");
  CHECK_FALSE(ec2::instance_kind().start()->forbid(s.context()));
  s.live = spot_instance("running", "active", "fulfilled", "one-time");
  CHECK(ec2::instance_kind().stop()->forbid(s.context()));
  s.live = spot_instance("running", "active", "fulfilled");
  CHECK_FALSE(ec2::instance_kind().stop()->forbid(s.context()));
}

TEST_CASE("data volumes take free device names, each the same whoever asks") {
  Stage s;
  s.wanted.defaults.set("volumes", List{"disk-a", "disk-data", "disk-z"});
  Live data;
  data.name = "vol-data";  // attached as /dev/sdf already
  s.siblings["dlami/disk-data"] = data;
  CHECK(ec2::device_for(s.context(), "disk-data") == "/dev/sdf");
  CHECK(ec2::device_for(s.context(), "disk-a") == "/dev/sdg");
  CHECK(ec2::device_for(s.context(), "disk-z") == "/dev/sdh");
  Live fresh;
  fresh.name = "vol-z";
  auto attach = ec2::attach_call(s.context(), fresh, s.live, "disk-z");
  REQUIRE(attach);
  CHECK(parameters(*attach) == form("AttachVolume", "Device=%2Fdev%2Fsdh&InstanceId=i-1&VolumeId=vol-z"));
  CHECK_FALSE(ec2::attach_call(s.context(), data, s.live, "disk-data"));
}

TEST_CASE("every attribute of EC2 is documented and named once") {
  for (const Kind* kind :
       {&ec2::instance_kind(), &ec2::volume_kind(), &ec2::security_group_kind(), &ec2::key_pair_kind()})
    for (const Attr& attr : kind->attrs()) {
      INFO(kind->name() << " " << attr.name);
      CHECK_FALSE(attr.doc.empty());
      CHECK(kind->attr(attr.name) == &attr);
      if (attr.mutability != Mutability::live) CHECK_FALSE(attr.why.empty());
    }
}
