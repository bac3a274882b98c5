// EC2's answers: what they say of a mutation, what the lists fold into, and which facts they are.
#include "base/json.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"
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

Value body_of(const Response& r) {
  auto value = read_aws_body(r.body);
  REQUIRE(value.ok());
  return *value;
}

std::string volume_xml(const std::string& id, const std::string& part, const std::string& extra = "",
                       const std::string& status = "in-use") {
  auto with = owner_tags(part);
  with["nbform:keep"] = "always";
  return fmt::format(
      "<item><volumeId>{}</volumeId><size>100</size><availabilityZone>us-west-2a</availabilityZone>"
      "<status>{}</status><volumeType>gp3</volumeType><iops>3000</iops><throughput>125</throughput>"
      "<encrypted>true</encrypted>{}{}</item>",
      id, status, tags(with), extra);
}

std::string attached_to(const std::string& instance) {
  return fmt::format(
      "<attachmentSet><item><instanceId>{}</instanceId><device>/dev/sdf</device>"
      "<status>attached</status></item></attachmentSet>",
      instance);
}

void add(Listing& listing, std::string_view id, std::string_view action, const std::string& members) {
  auto next = listing.add_page(id, body_of(answer(action, members)));
  REQUIRE(next.ok());
  CHECK(next->empty());
}

std::string tagged(const std::vector<std::string>& ids) {
  std::string items;
  for (const std::string& id : ids) items += fmt::format("<item><resourceId>{}</resourceId></item>", id);
  return "<tagSet>" + items + "</tagSet>";
}

const Live* of_kind(const Folded& all, const Kind& kind) {
  for (const Live& live : all.live)
    if (live.kind == &kind) return &live;
  return nullptr;
}

}  // namespace

TEST_CASE("a list with an entry that cannot be read is no list") {
  for (auto [id, members] :
       {std::pair{"instances", in_reservation("<item><instanceId>i-1</instanceId></item>")},
        {"volumes", "<volumeSet><item><size>1</size></item></volumeSet>"},
        {"volumes", "<volumeSet><item><volumeId>vol-1</volumeId></item></volumeSet>"},
        {"keys", "<keySet><item><keyName>k</keyName></item></keySet>"}}) {
    INFO(id);
    auto next = ec2::listing(kScope)->add_page(id, body_of(answer("X", members)));
    REQUIRE_FALSE(next.ok());
    CHECK(next.error().code == Code::unavailable);
  }
  // Somebody's broken server is not a defect of nbform.
  auto read = ec2::instance_kind().decode(kScope, Map{{"imageId", "ami-1"}});
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == Code::unavailable);
}

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

TEST_CASE("a region is listed with eight calls, by token, by tag and by group") {
  Stack stack;
  stack.name = "research";
  stack.id = "3f9a1c2e";
  auto lists = ec2::lists(kScope, stack);
  REQUIRE(lists.size() == 8);
  CHECK(parameters(lists[0].call) ==
        form("DescribeInstances",
             fmt::format("Filter.1.Name=client-token&Filter.1.Value.1={}%2A&Filter.1.Value.2={}%2A&"
                         "MaxResults=1000",
                         ec2::token_prefix("research_3f9a1c2e"), ec2::token_prefix("research"))));
  CHECK(parameters(lists[1].call) ==
        form("DescribeTags",
             "Filter.1.Name=resource-type&Filter.1.Value.1=instance&Filter.2.Name=key&"
             "Filter.2.Value.1=nbform%3Astack&Filter.3.Name=value&Filter.3.Value.1=research_3f9a1c2e&"
             "Filter.3.Value.2=research&MaxResults=1000"));
  for (const ListCall& list : lists) CHECK(list.call.path.empty());
}

TEST_CASE("an instance, its root volume and its data volume fold into two") {
  auto listing = ec2::listing(kScope);
  std::string page = in_reservation(instance_xml("running"));
  add(*listing, "instances", "DescribeInstances", page);
  add(*listing, "tags", "DescribeTags", tagged({"i-1"}));  // both lists show it
  CHECK(listing->follow_ups().empty());
  add(*listing, "volumes", "DescribeVolumes",
      "<volumeSet>" + volume_xml("vol-root", "boot", attached_to("i-1")) +
          volume_xml("vol-data", "disk-data", attached_to("i-1")) + "</volumeSet>");
  Folded all = listing->fold();
  REQUIRE(all.live.size() == 2);
  const Live* machine = of_kind(all, ec2::instance_kind());
  CHECK(machine->attributes.find("root_size_gb")->as_int() == 100);
  CHECK(machine->keep == KeepRule::always);
  const Live* volume = of_kind(all, ec2::volume_kind());
  CHECK(volume->id == "vol-data");
  CHECK(volume->attributes.find("attached")->as_bool());
  CHECK(volume->holds_data);
  CHECK(volume->pins);
  CHECK(all.incarnations.at("dlami/instance") == 1);
}

TEST_CASE("a volume that hangs on another notebook's machine is not attached") {
  auto listing = ec2::listing(kScope);
  auto other = owner_tags();
  other["nbform:notebook"] = "other";
  add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("running", "", other)));
  add(*listing, "volumes", "DescribeVolumes",
      "<volumeSet>" + volume_xml("vol-9", "disk-data", attached_to("i-1")) + "</volumeSet>");
  Folded all = listing->fold();
  CHECK_FALSE(of_kind(all, ec2::volume_kind())->attributes.find("attached")->as_bool());
}

TEST_CASE("terminated instances count incarnations and are not there") {
  auto listing = ec2::listing(kScope);
  auto with = owner_tags();
  with["nbform:incarnation"] = "4";
  add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("terminated", "", with)));
  Folded all = listing->fold();
  CHECK(all.live.empty());
  CHECK(all.incarnations.at("dlami/instance") == 4);
}

TEST_CASE("tags that somebody removed are not the end: a sibling and the token tell whose it is") {
  Resource resource;
  resource.notebook = "dlami";
  StepContext context;
  context.resource = &resource;
  context.live_at = [](std::string_view) -> const Live* { return nullptr; };
  std::string token = ec2::client_token({"research", "dlami", "instance"}, context);
  std::string extra = fmt::format("<clientToken>{}</clientToken>", token);
  SECTION("with its volume in the list") {
    auto listing = ec2::listing(kScope);
    add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("running", extra, {})));
    CHECK(listing->follow_ups().empty());
    add(*listing, "volumes", "DescribeVolumes",
        "<volumeSet>" + volume_xml("vol-root", "boot") + "</volumeSet>");
    CHECK(listing->unreachable().empty());
    Folded all = listing->fold();
    CHECK(of_kind(all, ec2::instance_kind())->owner == Owner{"research", "dlami", "instance"});
  }
  SECTION("alone it forbids every create: a second one would be made") {
    auto listing = ec2::listing(kScope);
    add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("running", extra, {})));
    CHECK(listing->unreachable() == std::vector<std::string>{"i-1 (its nbform tags are gone)"});
    CHECK(listing->fold().live.empty());
  }
}

TEST_CASE("an instance with tags of ours and no token is asked about by its id") {
  auto listing = ec2::listing(kScope);
  add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("terminated")));
  add(*listing, "tags", "DescribeTags", tagged({"i-1", "i-2"}));
  REQUIRE(listing->follow_ups().size() == 1);
  const ListCall more = listing->follow_ups()[0];
  CHECK(to_json(more.call.body) ==
        R"({"Filter":[{"Name":"instance-id","Value":["i-2"]}],"MaxResults":1000})");
  std::string adopted = instance_xml("running");
  adopted.replace(adopted.find("i-1"), 3, "i-2");
  add(*listing, more.id, "DescribeInstances", in_reservation(adopted));
  CHECK(listing->follow_ups().empty());
  CHECK(of_kind(listing->fold(), ec2::instance_kind())->id == "i-2");
  auto page = read_aws_body(
      "<DescribeTagsResponse><tagSet><item><resourceType>instance</resourceType></item></tagSet></"
      "DescribeTagsResponse>");
  CHECK_FALSE(listing->add_page("tags", *page).ok());
}

TEST_CASE("however many instances were adopted, no request names more of them than EC2 takes") {
  auto listing = ec2::listing(kScope);
  std::vector<std::string> ids;
  for (int i = 0; i < 401; ++i) ids.push_back(fmt::format("i-{}", i));
  add(*listing, "tags", "DescribeTags", tagged(ids));
  std::vector<std::size_t> named;
  for (const ListCall& list : listing->follow_ups())
    named.push_back(list.call.body.at_path("Filter/0/Value").as_list().size());
  CHECK(named == std::vector<std::size_t>{200, 200, 1});
}

TEST_CASE("a machine that only its own tags call ours is a copy of them") {
  auto is_bare = [](const std::string& extra, const std::string& root_part) {
    auto listing = ec2::listing(kScope);
    add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("running", extra)));
    if (!root_part.empty())
      add(*listing, "volumes", "DescribeVolumes",
          "<volumeSet>" + volume_xml("vol-root", root_part) + "</volumeSet>");
    Folded all = listing->fold();
    return of_kind(all, ec2::instance_kind())->bare;
  };
  CHECK(is_bare("", ""));
  CHECK_FALSE(is_bare("", "boot"));  // adopted
  CHECK_FALSE(is_bare("<clientToken>" + ec2::token_prefix("research") + "1-1</clientToken>", ""));
  CHECK(is_bare("<clientToken>" + ec2::token_prefix("another") + "1-1</clientToken>", ""));
}

TEST_CASE("what was forgotten is nobody's, whatever its token says") {
  auto listing = ec2::listing(kScope);
  std::string token =
      "<clientToken>" + ec2::token_prefix("research") + "12345678-0123456789abcdef</clientToken>";
  add(*listing, "instances", "DescribeInstances",
      in_reservation(instance_xml("running", token, {{"nbform:forgotten", "true"}})));
  CHECK(listing->unreachable().empty());
  CHECK(listing->fold().live.empty());
}

TEST_CASE("a Spot request that launches again stands for its instance") {
  auto listing = ec2::listing(kScope);
  auto requests = [&](const std::string& state, const std::string& instance) {
    add(*listing, "spot", "DescribeSpotInstanceRequests",
        fmt::format(
            "<spotInstanceRequestSet><item><spotInstanceRequestId>sir-1</spotInstanceRequestId><state>{}"
            "</state>{}{}</item></spotInstanceRequestSet>",
            state, instance, tags(owner_tags("spot-request"))));
  };
  SECTION("open, its instance gone") {
    requests("open", "");
    auto all = listing->fold();
    CHECK(all.making.empty());
    const Live* live = of_kind(all, ec2::instance_kind());
    REQUIRE(live != nullptr);
    CHECK(live->owner == Owner{"research", "dlami", "instance"});
    CHECK(live->health.held);
    StepContext context;
    context.live = live;
    std::vector<std::string> sent;
    for (const Step& step : ec2::instance_kind().destroy(*live))
      if (auto call = step.call(context)) sent.push_back(call->method);
    CHECK(sent == std::vector<std::string>{"CancelSpotInstanceRequests"});
    CHECK(ec2::instance_kind().read(kScope, "", "sir-1").method == "DescribeSpotInstanceRequests");
  }
  SECTION("active, its instance in no list yet: a create under way") {
    requests("active", "<instanceId>i-9</instanceId>");
    auto all = listing->fold();
    REQUIRE(all.making.size() == 1);
    CHECK(all.making[0].name == ec2::owner_name({"research", "dlami", "instance"}));
    CHECK(all.making[0].operation == "sir-1");
  }
  SECTION("cancelled") {
    requests("cancelled", "<instanceId>i-9</instanceId>");
    CHECK(listing->fold().making.empty());
  }
  SECTION("active, and its instance is listed") {
    requests("active", "<instanceId>i-1</instanceId>");
    add(*listing, "instances", "DescribeInstances", in_reservation(instance_xml("running")));
    CHECK(listing->fold().making.empty());
  }
  const std::string of_request =
      "<instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>sir-1</spotInstanceRequestId>";
  SECTION("active, and its instance has no tags: the notebook's, told by its request") {
    requests("active", "<instanceId>i-1</instanceId>");
    add(*listing, "grouped", "DescribeInstances", in_reservation(instance_xml("running", of_request, {})));
    CHECK(listing->unreachable().empty());
    auto all = listing->fold();
    CHECK(all.making.empty());
    REQUIRE(all.live.size() == 1);
    CHECK(all.live[0].owner == Owner{"research", "dlami", "instance"});
  }
  SECTION("somebody's own instance in a group of ours is left out, and hides nothing") {
    add(*listing, "grouped", "DescribeInstances", in_reservation(instance_xml("running", "", {})));
    CHECK(listing->unreachable().empty());
    CHECK(listing->fold().live.empty());
  }
}

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
