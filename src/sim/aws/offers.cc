#include "sim/aws/offers.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

std::vector<ImageFacts> images_of(const Region& region) {
  std::vector<ImageFacts> out = images();
  for (const PublishedAmi& p : region.state.aws.published) {
    auto like = std::find_if(out.rbegin(), out.rend(),
                             [&](const ImageFacts& i) { return i.parameter == p.parameter; });
    ImageFacts image = like == out.rend() ? images().front() : *like;
    image.name = p.name;
    image.parameter = p.parameter;
    image.created = format_rfc3339(p.created).substr(0, 10);
    out.push_back(std::move(image));
  }
  return out;
}

std::optional<ImageFacts> find_image(const Region& region, std::string_view id) {
  for (ImageFacts& image : images_of(region))
    if (image_id(region.name, image.name) == id) return std::move(image);
  return std::nullopt;
}

double spot_price(const Region& region, std::string_view zone, std::string_view type) {
  const auto& rules = region.state.aws.spot_prices;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule)
    if (glob_match(rule->zone_glob, zone) && glob_match(rule->machine_glob, type)) return rule->price;
  const TypeFacts* facts = find_type(type);
  return facts == nullptr ? 0 : facts->hourly * 0.35;
}

namespace {

// --- images

Value shown_image(const Region& region, const ImageFacts& image) {
  std::string id = image_id(region.name, image.name);
  Value root = Map{{"deviceName", image.root},
                   {"ebs", Map{{"snapshotId", snapshot_id(region.name, image.name)},
                               {"volumeSize", image.gb},
                               {"volumeType", "gp3"},
                               {"iops", 3000},
                               {"throughput", 125},
                               {"deleteOnTermination", true},
                               {"encrypted", false}}}};
  return Map{{"imageId", id},
             {"imageLocation", "amazon/" + image.name},
             {"imageState", "available"},
             {"imageOwnerId", image.owner},
             {"imageOwnerAlias", image.alias},
             {"creationDate", image.created + "T06:00:00.000Z"},
             {"deprecationTime", fmt::format("{}{}T06:00:00.000Z", std::atoi(image.created.c_str()) + 2,
                                             image.created.substr(4))},
             {"isPublic", true},
             {"architecture", image.arch},
             {"imageType", "machine"},
             {"name", image.name},
             {"description", image.description},
             {"rootDeviceType", "ebs"},
             {"rootDeviceName", image.root},
             {"blockDeviceMapping", List{root}},
             {"virtualizationType", "hvm"},
             {"hypervisor", "xen"},
             {"enaSupport", true},
             {"bootMode", image.arch == "arm64" ? "uefi" : "uefi-preferred"},
             {"imdsSupport", image.root == "/dev/xvda" ? Value("v2.0") : Value()},
             {"platformDetails", "Linux/UNIX"},
             {"usageOperation", "RunInstances"},
             {"publicSsmParameterName", image.parameter.empty() ? Value() : Value(image.parameter)},
             {"tagSet", List()}};
}

constexpr FilterRule kImageRules[] = {{"name", "name"},
                                      {"image-id", "imageId"},
                                      {"architecture", "architecture"},
                                      {"state", "imageState"},
                                      {"owner-alias", "imageOwnerAlias"},
                                      {"owner-id", "imageOwnerId"},
                                      {"root-device-type", "rootDeviceType"},
                                      {"root-device-name", "rootDeviceName"},
                                      {"virtualization-type", "virtualizationType"},
                                      {"creation-date", "creationDate"},
                                      {"description", "description"},
                                      {"image-type", "imageType"},
                                      {"is-public", "isPublic"},
                                      {"ena-support", "enaSupport"},
                                      {"hypervisor", "hypervisor"},
                                      {"platform", "platform"},
                                      {"public-ssm-parameter-name", "publicSsmParameterName"}};

bool owned_by(const Region& region, const ImageFacts& image, const Value& owners) {
  if (owners.as_list().empty()) return true;
  return std::any_of(owners.as_list().begin(), owners.as_list().end(), [&](const Value& owner) {
    std::string_view who = owner.as_text();
    return who == image.owner || who == image.alias || (who == "self" && image.owner == region.account);
  });
}

Result<Value> describe_images(Region& region, const Value& in) {
  auto all = images_of(region);
  std::deque<Value> made;
  std::vector<Row> rows;
  auto add = [&](const ImageFacts& image) {
    made.push_back(shown_image(region, image));
    rows.push_back({image_id(region.name, image.name), &made.back()});
  };
  for (const std::string& id : texts(in["ImageId"])) {
    const IdKind& ids = id_kind_of("images");
    if (!well_formed(ids, id)) return refuse(ids.malformed, fmt::format("Invalid id: \"{}\"", id));
    auto image = find_image(region, id);
    if (!image) return refuse(ids.not_found, fmt::format("The image id '[{}]' does not exist", id));
    if (owned_by(region, *image, in["Owner"])) add(*image);
  }
  if (in["ImageId"].as_list().empty())
    for (const ImageFacts& image : all)
      if (owned_by(region, image, in["Owner"]) && (!image.deprecated || in["IncludeDeprecated"].as_bool()))
        add(image);
  return describe_rows(region, in, std::move(rows),
                       {"images", "ImageId", "imagesSet", kImageRules, {1, 1000}});
}

// --- types

Value shown_gpus(const TypeFacts& type) {
  if (type.gpus == 0) return {};
  Value gpu = Map{{"name", type.gpu},        {"manufacturer", type.maker},
                  {"count", type.gpus},      {"logicalGpuCount", static_cast<double>(type.gpus)},
                  {"gpuPartitionSize", 1.0}, {"memoryInfo", Map{{"sizeInMiB", type.gpu_memory_mb}}}};
  return Map{{"gpus", List{gpu}}, {"totalGpuMemoryInMiB", type.gpus * type.gpu_memory_mb}};
}

Value shown_storage(const TypeFacts& type) {
  if (type.local_gb == 0) return {};
  return Map{{"totalSizeInGB", type.local_gb},
             {"disks", List{Map{{"sizeInGB", type.local_gb}, {"count", 1}, {"type", "ssd"}}}},
             {"nvmeSupport", "required"},
             {"encryptionSupport", "required"}};
}

Value shown_type(const TypeFacts& type) {
  std::string_view family = family_of(type.name);
  bool xen = family == "p2" || family == "p3", burst = family[0] == 't', large = type.vcpus >= 2;
  List usage{"on-demand", "spot"};
  return Map{
      {"instanceType", type.name},
      {"currentGeneration", family != "p2"},
      {"freeTierEligible", type.name == "t3.micro"},
      {"supportedUsageClasses", usage},
      {"supportedRootDeviceTypes", List{"ebs"}},
      {"supportedVirtualizationTypes", List{"hvm"}},
      {"bareMetal", false},
      {"hypervisor", xen ? "xen" : "nitro"},
      {"processorInfo", Map{{"supportedArchitectures", List{type.arch}}, {"sustainedClockSpeedInGhz", 2.5}}},
      {"vCpuInfo", Map{{"defaultVCpus", type.vcpus},
                       {"defaultCores", large ? type.vcpus / 2 : 1},
                       {"defaultThreadsPerCore", type.arch == "arm64" ? 1 : 2}}},
      {"memoryInfo", Map{{"sizeInMiB", type.memory_mb}}},
      {"instanceStorageSupported", type.local_gb > 0},
      {"instanceStorageInfo", shown_storage(type)},
      {"ebsInfo", Map{{"ebsOptimizedSupport", "default"},
                      {"encryptionSupport", "supported"},
                      {"nvmeSupport", xen ? "unsupported" : "required"},
                      {"maximumEbsAttachments", type.max_volumes},
                      {"attachmentLimitType", type.shared_attachments ? "shared" : "dedicated"}}},
      {"networkInfo", Map{{"networkPerformance", "Up to 25 Gigabit"},
                          {"maximumNetworkInterfaces", 4},
                          {"enaSupport", xen ? "supported" : "required"},
                          {"efaSupported", false}}},
      {"gpuInfo", shown_gpus(type)},
      {"hibernationSupported", type.gpus == 0 && type.arch == "x86_64"},
      {"burstablePerformanceSupported", burst},
      {"dedicatedHostsSupported", !burst},
      {"autoRecoverySupported", type.local_gb == 0},
      {"supportedBootModes", xen ? List{"legacy-bios"} : List{"legacy-bios", "uefi"}}};
}

constexpr FilterRule kTypeRules[] = {
    {"instance-type", "instanceType"},
    {"current-generation", "currentGeneration"},
    {"bare-metal", "bareMetal"},
    {"hypervisor", "hypervisor"},
    {"processor-info.supported-architecture", "processorInfo/supportedArchitectures/*"},
    {"supported-usage-class", "supportedUsageClasses/*"},
    {"vcpu-info.default-vcpus", "vCpuInfo/defaultVCpus"},
    {"memory-info.size-in-mib", "memoryInfo/sizeInMiB"},
    {"instance-storage-supported", "instanceStorageSupported"},
    {"burstable-performance-supported", "burstablePerformanceSupported"}};

bool offered_in_region(const Region& region, std::string_view type) {
  auto zones = zones_of(region.name);
  return std::any_of(zones.begin(), zones.end(), [&](const std::string& z) { return offered(type, z); });
}

Result<Value> describe_types(Region& region, const Value& in) {
  std::deque<Value> made;
  std::vector<Row> rows;
  std::vector<std::string> wanted = texts(in["InstanceType"]), unknown;
  if (wanted.size() > 100)
    return refuse("InvalidParameterValue", "The number of instance types exceeds the limit of 100.");
  for (const std::string& name : wanted)
    if (find_type(name) == nullptr || !offered_in_region(region, name)) unknown.push_back(name);
  if (!unknown.empty())
    return refuse(
        "InvalidInstanceType",
        fmt::format("The following supplied instance types do not exist: [{}]", join(unknown, ", ")));
  for (const TypeFacts& type : instance_types()) {
    bool named = wanted.empty() || std::find(wanted.begin(), wanted.end(), type.name) != wanted.end();
    if (!named || !offered_in_region(region, type.name)) continue;
    made.push_back(shown_type(type));
    rows.push_back({type.name, &made.back()});
  }
  return describe_rows(region, in, std::move(rows), {"", "", "instanceTypeSet", kTypeRules, {5, 100}});
}

constexpr FilterRule kOfferingRules[] = {{"instance-type", "instanceType"}, {"location", "location"}};

std::vector<std::pair<std::string, std::string>> locations(const Region& region, std::string_view kind) {
  std::vector<std::pair<std::string, std::string>> out;  // zone, its name as a location
  for (const std::string& zone : zones_of(region.name))
    out.emplace_back(zone, kind == "availability-zone-id" ? zone_id(zone) : zone);
  return out;
}

Result<Value> describe_offerings(Region& region, const Value& in) {
  std::string_view kind = in["LocationType"].as_text("region");
  std::deque<Value> made;
  std::vector<Row> rows;
  auto add = [&](const std::string& type, const std::string& location) {
    made.push_back(Map{{"instanceType", type}, {"locationType", kind}, {"location", location}});
    rows.push_back({fmt::format("{} {}", type, location), &made.back()});
  };
  for (const TypeFacts& type : instance_types()) {
    if (kind == "region" && offered_in_region(region, type.name)) add(type.name, region.name);
    if (kind.starts_with("availability-zone"))
      for (const auto& [zone, location] : locations(region, kind))
        if (offered(type.name, zone)) add(type.name, location);
  }
  return describe_rows(region, in, std::move(rows), {"", "", "instanceTypeOfferingSet", kOfferingRules, {}});
}

// --- zones, regions

constexpr FilterRule kZoneRules[] = {{"zone-name", "zoneName"},        {"zone-id", "zoneId"},
                                     {"region-name", "regionName"},    {"state", "zoneState"},
                                     {"opt-in-status", "optInStatus"}, {"zone-type", "zoneType"},
                                     {"group-name", "groupName"}};

Result<Value> describe_zones(Region& region, const Value& in) {
  std::deque<Value> made;
  std::vector<Row> rows;
  auto names = texts(in["ZoneName"]), ids = texts(in["ZoneId"]);
  for (const std::string& zone : zones_of(region.name)) {
    bool named = names.empty() || std::erase(names, zone) > 0;
    bool chosen = ids.empty() || std::find(ids.begin(), ids.end(), zone_id(zone)) != ids.end();
    if (!named || !chosen) continue;
    made.push_back(Map{{"zoneName", zone},
                       {"zoneId", zone_id(zone)},
                       {"zoneState", "available"},
                       {"regionName", region.name},
                       {"zoneType", "availability-zone"},
                       {"optInStatus", "opt-in-not-required"},
                       {"groupName", region.name + "-zg-1"},
                       {"networkBorderGroup", region.name},
                       {"messageSet", List()}});
    rows.push_back({zone, &made.back()});
  }
  if (!names.empty() && !in["ZoneName"].is_null())
    return refuse("InvalidParameterValue", fmt::format("Invalid availability zone: [{}]", names[0]));
  return describe_rows(region, in, std::move(rows), {"", "", "availabilityZoneInfo", kZoneRules, {}});
}

constexpr FilterRule kRegionRules[] = {
    {"region-name", "regionName"}, {"endpoint", "regionEndpoint"}, {"opt-in-status", "optInStatus"}};

Result<Value> describe_regions(Region& region, const Value& in) {
  std::deque<Value> made;
  std::vector<Row> rows;
  auto names = texts(in["RegionName"]);
  for (const RegionFacts& r : regions()) {
    bool named = names.empty() ? r.opted_in || in["AllRegions"].as_bool() : std::erase(names, r.name) > 0;
    if (!named) continue;
    std::string_view status =
        r.name == "af-south-1" ? (r.opted_in ? "opted-in" : "not-opted-in") : "opt-in-not-required";
    made.push_back(Map{{"regionName", r.name},
                       {"regionEndpoint", fmt::format("ec2.{}.amazonaws.com", r.name)},
                       {"optInStatus", status}});
    rows.push_back({std::string(r.name), &made.back()});
  }
  if (!names.empty() && !in["RegionName"].is_null())
    return refuse("InvalidParameterValue", fmt::format("Region not found: {}", names[0]));
  return describe_rows(region, in, std::move(rows), {"", "", "regionInfo", kRegionRules, {}});
}

// --- spot prices

constexpr FilterRule kPriceRules[] = {{"instance-type", "instanceType"},
                                      {"availability-zone", "availabilityZone"},
                                      {"product-description", "productDescription"},
                                      {"spot-price", "spotPrice"}};

Result<Value> describe_prices(Region& region, const Value& in) {
  std::deque<Value> made;
  std::vector<Row> rows;
  auto types = texts(in["InstanceType"]), products = texts(in["ProductDescription"]);
  std::string_view only = in["AvailabilityZone"].as_text();
  auto has = [](const std::vector<std::string>& list, std::string_view one) {
    return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
  };
  for (const TypeFacts& type : instance_types())
    for (const std::string& zone : zones_of(region.name)) {
      if (!has(types, type.name) || !has(products, "Linux/UNIX") || !offered(type.name, zone)) continue;
      if (!only.empty() && only != zone) continue;
      made.push_back(Map{{"instanceType", type.name},
                         {"productDescription", "Linux/UNIX"},
                         {"spotPrice", fmt::format("{:.6f}", spot_price(region, zone, type.name))},
                         {"timestamp", stamp(region.now())},
                         {"availabilityZone", zone},
                         {"availabilityZoneId", zone_id(zone)}});
      rows.push_back({fmt::format("{} {}", type.name, zone), &made.back()});
    }
  return describe_rows(region, in, std::move(rows), {"", "", "spotPriceHistorySet", kPriceRules, {1, 1000}});
}

constexpr Action kActions[] = {
    {"DescribeImages", describe_images},
    {"DescribeInstanceTypes", describe_types},
    {"DescribeInstanceTypeOfferings", describe_offerings},
    {"DescribeAvailabilityZones", describe_zones},
    {"DescribeRegions", describe_regions},
    {"DescribeSpotPriceHistory", describe_prices},
};

}  // namespace

std::span<const Action> offer_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
