// What EC2 knows besides resources: what an image reference means today, which zones offer a type, which
// subnets there are. Keys: "ec2|image|REGION|KIND REFERENCE", "ec2|offers|REGION|TYPE",
// "ec2|subnets|REGION|", "ec2|type|REGION|TYPE", "ec2|ways|REGION|", "ec2|quota|REGION|CODE". Facts: EC2
// API Reference; Service Quotas.
#include <fmt/format.h>

#include <algorithm>

#include "base/aws_error.h"
#include "base/aws_query.h"
#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

constexpr int kPage = 1000, kRoutesPage = 100;

struct Key {
  std::string_view what, region, about;
};

Key parse_key(std::string_view key) {
  Key out;
  for (std::string_view* part : {&out.what, &out.what, &out.region}) {  // the first is the service
    auto bar = key.find('|');
    if (bar == std::string_view::npos) bug("a fact key of EC2 is malformed");
    *part = key.substr(0, bar);
    key.remove_prefix(bar + 1);
  }
  out.about = key;
  return out;
}

struct Reference {
  std::string_view kind, text;
};

Reference parse_image(std::string_view about) {
  auto blank = about.find(' ');
  return {about.substr(0, blank), blank == std::string_view::npos ? "" : about.substr(blank + 1)};
}

// --- calls ---

Call image_by_id(std::string_view id) {
  return call("DescribeImages", Map{{"ImageId", List{id}}});
}

// "amazon/Deep Learning *": the owner, then the pattern of the name.
Call images_by_name(std::string_view text) {
  auto slash = text.find('/');
  return call(
      "DescribeImages",
      Map{{"Filter", List{filter("name", {Value(text.substr(slash + 1))}), filter("state", {"available"})}},
          {"MaxResults", kPage},
          {"Owner", List{text.substr(0, slash)}}});
}

Call image_call(std::string_view about) {
  Reference ref = parse_image(about);
  if (ref.kind == "ami") return image_by_id(ref.text);
  if (ref.kind == "name") return images_by_name(ref.text);
  return {"ssm", "GetParameter", {}, {}, Value(Map{{"Name", ref.text}, {"WithDecryption", false}})};
}

// --- answers ---

Value image_value(const Value& image) {
  std::string_view root = image["rootDeviceName"].as_text();
  std::int64_t size = 0;
  for (const Value& mapping : image["blockDeviceMapping"].as_list())
    if (mapping["deviceName"].as_text() == root) size = mapping.at_path("ebs/volumeSize").as_int();
  return Map{{"architecture", image["architecture"].as_text()},
             {"created", image["creationDate"].as_text()},
             {"id", image["imageId"].as_text()},
             {"name", image["name"].as_text()},
             {"root_device", root},
             {"size_gb", size},
             {"state", image["imageState"].as_text()}};
}

// Creation dates sort as texts; of two the later counts, whatever the order of the pages.
void add_images(const Value& page, Value& fact) {
  for (const Value& image : page["imagesSet"].as_list())
    if (fact.is_null() || fact["created"].as_text() < image["creationDate"].as_text())
      fact = image_value(image);
}

void add_offers(const Value& page, Value& fact) {
  List& zones = fact.list();
  for (const Value& offer : page["instanceTypeOfferingSet"].as_list())
    zones.emplace_back(offer["location"].as_text());
}

void add_subnets(const Value& page, Value& fact) {
  Map& subnets = fact.map();
  for (const Value& subnet : page["subnetSet"].as_list())
    subnets.set(subnet["subnetId"].as_text(), Map{{"default", is_true(subnet["defaultForAz"])},
                                                  {"free", subnet["availableIpAddressCount"].as_int()},
                                                  {"public", is_true(subnet["mapPublicIpOnLaunch"])},
                                                  {"vpc", subnet["vpcId"].as_text()},
                                                  {"zone", subnet["availabilityZone"].as_text()}});
}

void add_type(const Value& page, Value& fact) {
  const Value& type = page.at_path("instanceTypeSet/0");
  if (type.is_null()) return;
  fact = Map{{"architectures", type.at_path("processorInfo/supportedArchitectures").as_list()},
             {"gpus", type.at_path("gpuInfo/gpus").as_list()},
             {"markets", type["supportedUsageClasses"].as_list()},
             {"memory_mib", type.at_path("memoryInfo/sizeInMiB").as_int()},
             {"vcpus", type.at_path("vCpuInfo/defaultVCpus").as_int()}};
}

// A way for both directions: not through a NAT, which nobody comes in by.
bool leads_out(const Value& route) {
  return route["destinationCidrBlock"].as_text() == "0.0.0.0/0" && route["state"].as_text() == "active" &&
         route["natGatewayId"].as_text().empty();
}

// By subnet where a table is associated with one; the main table of a VPC, by its id, serves all others.
void add_ways(const Value& page, Value& fact) {
  Map& ways = fact.map();
  for (const Value& table : page["routeTableSet"].as_list()) {
    const List& routes = table["routeSet"].as_list();
    bool out = std::any_of(routes.begin(), routes.end(), leads_out);
    for (const Value& association : table["associationSet"].as_list()) {
      bool main = is_true(association["main"]);
      ways.set(main ? table["vpcId"].as_text() : association["subnetId"].as_text(), out);
    }
  }
}

// A quota that Service Quotas could not look up is none to judge by.
void add_quota(const Value& page, Value& fact) {
  const Value& quota = page["Quota"];
  if (quota["Value"].is_null() || !quota["ErrorReason"].is_null()) return;
  fact = Map{{"limit", static_cast<std::int64_t>(quota["Value"].as_real())},
             {"name", quota["QuotaName"].as_text()}};
}

Diagnostic no_image(const Key& key) {
  Reference ref = parse_image(key.about);
  std::string_view what = ref.kind == "ssm"   ? "has no public parameter"
                          : ref.kind == "ami" ? "has no AMI"
                                              : "has no AMI that fits";
  Diagnostic d =
      error(Code::not_found, "The image is not there", fmt::format("{} {} {}.", key.region, what, ref.text));
  if (ref.kind == "ami")
    d.hint = "AMI ids differ from region to region; `image: {name: ..., owner: ...}` does not.";
  if (ref.kind == "ssm")
    d.hint =
        "List what there is:\n  aws ssm get-parameters-by-path --recursive --path "
        "/aws/service/deeplearning/ami";
  return d;
}

bool says_not_there(Code code, std::string_view provider_code) {
  return code == Code::not_found || provider_code.starts_with("InvalidAMIID");
}

Diagnostic refused(const Key& key, const Response& answer) {
  Diagnostic why = aws_error(answer);
  if (key.what == "image" && says_not_there(why.code, why.provider_code)) return no_image(key);
  if (key.what == "type" && why.provider_code == "InvalidInstanceType")
    return error(Code::not_found, "There is no such machine type",
                 fmt::format("{} is no instance type of EC2.", key.about));
  return why;
}

// What a page leads to: the next one, the AMI that a parameter names, or "".
Result<std::string> add_image_page(const Key& key, const Value& page, Value& fact) {
  if (std::string_view ami = page.at_path("Parameter/Value").as_text(); !ami.empty()) return std::string(ami);
  add_images(page, fact);
  std::string next(page["nextToken"].as_text());
  bool usable = fact["state"].as_text("available") == "available";
  if (next.empty() && (fact.is_null() || !usable)) return no_image(key);
  return next;
}

}  // namespace

std::string image_text(std::string_view kind, std::string_view reference) {
  constexpr std::size_t kLongestTag = 256;
  std::string text = fmt::format("{} {}", kind, reference);
  return text.size() <= kLongestTag ? text : fmt::format("{} {}", kind, digest16(reference));
}

std::string image_fact(std::string_view region, std::string_view image) {
  return fmt::format("ec2|image|{}|{}", region, image);
}

std::string offers_fact(std::string_view region, std::string_view type) {
  return fmt::format("ec2|offers|{}|{}", region, type);
}

std::string subnets_fact(std::string_view region) {
  return fmt::format("ec2|subnets|{}|", region);
}

std::string type_fact(std::string_view region, std::string_view type) {
  return fmt::format("ec2|type|{}|{}", region, type);
}

std::string ways_fact(std::string_view region) {
  return fmt::format("ec2|ways|{}|", region);
}

std::string quota_fact(std::string_view region, std::string_view code) {
  return fmt::format("ec2|quota|{}|{}", region, code);
}

bool is_optional_fact(std::string_view key) {
  std::string_view what = parse_key(key).what;
  return what == "ways" || what == "quota";
}

bool has_way_out(const Value& ways, std::string_view subnet, std::string_view vpc) {
  const Value& own = ways[subnet];
  return (own.is_null() ? ways[vpc] : own).as_bool(true);
}

bool fact_is_of(std::string_view key, const Scope& scope) {
  return parse_key(key).region == scope.region;
}

Call fact_call(std::string_view text) {
  Key key = parse_key(text);
  if (key.what == "image") return image_call(key.about);
  if (key.what == "subnets") return call("DescribeSubnets", Map{{"MaxResults", kPage}});
  if (key.what == "ways") return call("DescribeRouteTables", Map{{"MaxResults", kRoutesPage}});
  if (key.what == "quota")
    return {"servicequotas",
            "GetServiceQuota",
            {},
            {},
            Value(Map{{"QuotaCode", key.about}, {"ServiceCode", "ec2"}})};
  if (key.what == "type") return call("DescribeInstanceTypes", Map{{"InstanceType", List{key.about}}});
  return call("DescribeInstanceTypeOfferings",
              Map{{"Filter", List{filter("instance-type", {Value(key.about)})}},
                  {"LocationType", "availability-zone"},
                  {"MaxResults", kPage}});
}

Call fact_page(std::string_view text, std::string_view token) {
  Key key = parse_key(text);
  if (key.what == "image" && parse_image(key.about).kind == "ssm") return image_by_id(token);
  return at_page(fact_call(text), "NextToken", token);
}

Result<std::string> add_fact(std::string_view text, const Response& answer, Value& fact) {
  Key key = parse_key(text);
  if (!answer.ok()) return refused(key, answer);
  Value page = NB_TRY(read_aws_body(answer.body));
  if (key.what == "image") return add_image_page(key, page, fact);
  if (key.what == "offers") add_offers(page, fact);
  if (key.what == "subnets") add_subnets(page, fact);
  if (key.what == "type") add_type(page, fact);
  if (key.what == "ways") add_ways(page, fact);
  if (key.what == "quota") add_quota(page, fact);
  return std::string(page["nextToken"].as_text());
}

}  // namespace nbform::ec2
