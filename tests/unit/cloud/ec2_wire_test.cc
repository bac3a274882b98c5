// Groups, volumes and images of EC2 as they are read, and the calls that make and change them.
#include "cloud/labels.h"
#include "unit/cloud/ec2_fixtures.h"

using namespace nbform;
using namespace nbform::ec2_fixtures;

TEST_CASE("a security group reads rule by rule, and changes by rule ids") {
  const Kind& kind = ec2::security_group_kind();
  auto live = kind.decode(
      kScope, xml("<x><groupId>sg-1</groupId><groupName>n</groupName><ipPermissions><item>"
                  "<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges>"
                  "<item><cidrIp>203.0.113.7/32</cidrIp></item><item><cidrIp>198.51.100.1/32</cidrIp>"
                  "<description>nbform connect until 12:00</description></item></ipRanges>"
                  "<ipv6Ranges><item><cidrIpv6>2001:db8::/64</cidrIpv6></item></ipv6Ranges></item>"
                  "<item><ipProtocol>-1</ipProtocol><groups><item><groupId>sg-2</groupId></item>"
                  "</groups></item></ipPermissions>" +
                  tags(owner_tags("security-group")) + "</x>"));
  REQUIRE(live.ok());
  CHECK(live->attributes["ingress"] ==
        Value(List{"tcp 22 203.0.113.7/32", "tcp 22 2001:db8::/64", "all sg-2"}));

  kind.fold(
      *live,
      xml("<x><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId>"
          "<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>"
          "<cidrIpv4>203.0.113.7/32</cidrIpv4></item><item><securityGroupRuleId>sgr-0</securityGroupRuleId>"
          "<isEgress>true</isEgress><ipProtocol>-1</ipProtocol><cidrIpv4>0.0.0.0/0</cidrIpv4></item>"
          "</securityGroupRuleSet></x>"));
  // The rules' own list may lag behind: what either says comes in.
  CHECK(live->attributes["ingress"] ==
        Value(List{"tcp 22 203.0.113.7/32", "tcp 22 2001:db8::/64", "all sg-2"}));

  Resource wanted;
  wanted.attributes.set("ingress", List{"tcp 22 192.0.2.0/24"});
  Edit edit;
  edit.attr = "ingress";
  std::vector<Edit> edits{edit};
  StepContext c;
  c.resource = &wanted;
  c.live = &*live;
  c.edits = &edits;
  auto steps = kind.update(edits);
  REQUIRE(steps.size() == 2);
  Query opened = parameters(*steps[0].call(c));
  for (const auto& pair : form("AuthorizeSecurityGroupIngress",
                               "GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&"
                               "IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=192.0.2.0%2F24&"
                               "TagSpecification.1.ResourceType=security-group-rule"))
    CHECK(std::find(opened.begin(), opened.end(), pair) != opened.end());
  CHECK(parameters(*steps[1].call(c)) ==
        form("RevokeSecurityGroupIngress", "GroupId=sg-1&SecurityGroupRuleId.1=sgr-1"));
}

TEST_CASE("a volume is made in its machine's zone and modified in one call") {
  const Kind& kind = ec2::volume_kind();
  Resource r;
  r.notebook = "dlami";
  r.part = "disk-data";
  r.attributes.set("size_gb", 10);
  r.attributes.set("type", "gp3");
  Map owner;
  labels::write_owner(owner, {"research", "dlami", "disk-data"}, labels::kAws);
  r.attributes.set("tags", owner);
  Live machine = instance("running");
  StepContext c;
  c.resource = &r;
  c.attempt = {"us-west-2c", false};
  c.live_at = [&](std::string_view address) { return address == "dlami/instance" ? &machine : nullptr; };
  c.resource_at = [](std::string_view) -> const Resource* { return nullptr; };
  auto steps = kind.create(r);
  REQUIRE(steps.size() == 2);
  auto create = steps[0].call(c);
  CHECK(create->method == "CreateVolume");
  CHECK(create->body["AvailabilityZone"].as_text() == "us-west-2a");
  CHECK(create->body["Encrypted"].as_bool());
  CHECK(create->body["ClientToken"].as_text().size() <= 64);
  auto live = kind.decode(
      kScope, xml("<x>" + volume_xml("vol-1", "disk-data", "", "available") + "</x>").at_path("0"));
  REQUIRE(live.ok());
  c.live = &*live;
  CHECK(steps[1].call(c)->method == "AttachVolume");
  r.attributes.set("size_gb", 300);
  r.attributes.set("throughput", 250);
  Edit size, throughput;
  size.attr = "size_gb";
  throughput.attr = "throughput";
  std::vector<Edit> edits{size, throughput};
  c.edits = &edits;
  auto update = kind.update(edits);
  REQUIRE(update.size() == 1);
  CHECK(parameters(*update[0].call(c)) == form("ModifyVolume", "VolumeId=vol-1&Size=300&Throughput=250"));
}

TEST_CASE("an image is found by id, by parameter and by name") {
  auto key = [](std::string_view kind, std::string_view text) {
    return ec2::image_fact("us-west-2", ec2::image_text(kind, text));
  };
  CHECK(ec2::fact_is_of(key("ami", "ami-1"), kScope));
  CHECK_FALSE(ec2::fact_is_of(ec2::image_fact("us-east-1", "ami ami-1"), kScope));
  CHECK(parameters(ec2::fact_call(key("ami", "ami-1"))) == form("DescribeImages", "ImageId.1=ami-1"));
  CHECK(parameters(ec2::fact_call(key("name", "amazon/Deep Learning *"))) ==
        form("DescribeImages",
             "Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=Deep+Learning+%2A&"
             "Filter.2.Name=state&Filter.2.Value.1=available&MaxResults=1000"));
  auto image = [](const std::string& id, const std::string& date) {
    return fmt::format(
        "<item><imageId>{}</imageId><imageState>available</imageState><creationDate>{}</creationDate>"
        "<rootDeviceName>/dev/sda1</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/sda1"
        "</deviceName><ebs><volumeSize>75</volumeSize></ebs></item></blockDeviceMapping></item>",
        id, date);
  };
  SECTION("the newest of a name, whatever the order") {
    Value fact;
    auto next = ec2::add_fact(
        key("name", "amazon/x*"),
        answer("DescribeImages", "<imagesSet>" + image("ami-old", "2026-01-01T00:00:00.000Z") +
                                     image("ami-new", "2026-03-01T00:00:00.000Z") +
                                     image("ami-mid", "2026-02-01T00:00:00.000Z") + "</imagesSet>"),
        fact);
    REQUIRE(next.ok());
    CHECK(fact["id"] == Value("ami-new"));
    CHECK(fact["size_gb"] == Value(75));
  }
  SECTION("a parameter names an AMI, which is then looked up") {
    std::string ssm = key("ssm", "/aws/x");
    Call first = ec2::fact_call(ssm);
    CHECK(first.api == "ssm");
    CHECK(first.method == "GetParameter");
    Value fact;
    auto next = ec2::add_fact(ssm, {200, {}, R"({"Parameter":{"Name":"/aws/x","Value":"ami-7"}})"}, fact);
    REQUIRE(next.ok());
    CHECK(*next == "ami-7");
    CHECK(parameters(ec2::fact_page(ssm, *next)) == form("DescribeImages", "ImageId.1=ami-7"));
    CHECK(ec2::add_fact(ssm, answer("DescribeImages", "<imagesSet>" + image("ami-7", "x") + "</imagesSet>"),
                        fact)
              .ok());
    CHECK(fact["root_device"] == Value("/dev/sda1"));
  }
  SECTION("none") {
    Value fact;
    CHECK(ec2::add_fact(key("ami", "ami-1"), refusal(400, "InvalidAMIID.NotFound"), fact).error().code ==
          Code::not_found);
    CHECK(
        ec2::add_fact(key("name", "amazon/x"), answer("DescribeImages", "<imagesSet/>"), fact).error().code ==
        Code::not_found);
  }
}
