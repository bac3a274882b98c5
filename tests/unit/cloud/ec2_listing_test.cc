// What EC2's lists fold into: whose each thing is, which parts are one, what may not show yet.
#include "base/json.h"
#include "unit/cloud/ec2_fixtures.h"

using namespace nbform;
using namespace nbform::ec2_fixtures;

namespace {

Value body_of(const Response& r) {
  auto value = read_aws_body(r.body);
  REQUIRE(value.ok());
  return *value;
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
