// What is asked before an instance is made: a zone that offers the type, a subnet that the internet reaches,
// an image that fits, a quota that is large enough. Each that is missing is a diagnostic with its remedy.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

// --- places ---

Diagnostic of_notebook(Diagnostic d, const Resource& r, std::string_view path) {
  d.address = r.notebook;
  if (r.mark) d.mark = r.mark(path);
  return d;
}

bool zone_fits(std::string_view pattern, std::string_view zone) {
  return glob_match(pattern, zone) || pattern == region_of(zone);
}

// Zones that offer the type, in the order of `where`.
std::vector<std::string> zones_for(const Resource& r, const Value& offers) {
  std::vector<std::string> sorted, out;
  for (const Value& zone : offers.as_list()) sorted.emplace_back(zone.as_text());
  std::sort(sorted.begin(), sorted.end());
  for (const std::string& pattern : r.where)
    for (const std::string& zone : sorted)
      if (zone_fits(pattern, zone) && std::find(out.begin(), out.end(), zone) == out.end())
        out.push_back(zone);
  return out;
}

Diagnostic not_offered(const Resource& r, const Value& offers) {
  std::string_view type = wanted(r, "machine_type").as_text();
  std::vector<std::string> zones;
  for (const Value& zone : offers.as_list()) zones.emplace_back(zone.as_text());
  std::sort(zones.begin(), zones.end());
  Diagnostic d = error(Code::not_found, "The machine type is not offered there",
                       fmt::format("No zone of {} offers {}.", join(r.where, ", "), type));
  d.hint = zones.empty() ? fmt::format("{} has none at all; take another region or type.", r.scope.region)
                         : fmt::format("{} offers it in {}.", r.scope.region, join(zones, ", "));
  return of_notebook(std::move(d), r, zones.empty() ? "machine.type" : "where");
}

Diagnostic no_subnet(const Resource& r, const std::vector<std::string>& zones) {
  std::string_view subnet = wanted(r, "subnet").as_text(), vpc = wanted(r, "network").as_text();
  if (!subnet.empty()) {
    Diagnostic d =
        error(Code::not_found, "The subnet is not there",
              fmt::format("{} is no subnet of {} in {}.", subnet, r.scope.region, join(zones, ", ")));
    return of_notebook(std::move(d), r, "network.subnet");
  }
  if (!vpc.empty()) {
    Diagnostic d = error(Code::not_found, "The VPC has no subnet there",
                         fmt::format("{} has no subnet in {}.", vpc, join(zones, ", ")));
    return of_notebook(std::move(d), r, "network.network");
  }
  Diagnostic d =
      error(Code::not_found, "There is no default subnet",
            fmt::format("{} has no default VPC with a subnet in {}.", r.scope.region, join(zones, ", ")));
  d.hint =
      "Name a subnet in `network.subnet`, or make a default VPC:\n  aws ec2 create-default-vpc --region " +
      r.scope.region;
  return of_notebook(std::move(d), r, "where");
}

// --- what does not go together ---

void check_root_size(const Resource& r, Diagnostics& problems) {
  std::int64_t image_gb = wanted(r, "resolved_image")["size_gb"].as_int();
  const Value* declared = r.attributes.find("root_size_gb");
  if (declared == nullptr || declared->as_int() >= image_gb) return;
  Diagnostic d =
      error(Code::bad_manifest, "The boot disk is smaller than its image",
            fmt::format("The image needs {} GB and the manifest says {} GB.", image_gb, declared->as_int()));
  d.hint = fmt::format("Write {}GB or more.", image_gb);
  problems.add(of_notebook(std::move(d), r, "disks.boot.size"));
}

void check_driver(const Resource& r, Diagnostics& problems) {
  std::string_view type = wanted(r, "machine_type").as_text();
  std::string_view image = wanted(r, "resolved_image")["name"].as_text();
  bool said_already = has_open_driver(wanted(r, "image").as_text());  // without a look at the cloud
  if (said_already || !needs_proprietary_driver(type) || !has_open_driver(image)) return;
  Diagnostic d =
      error(Code::bad_manifest, "The image's driver does not know the GPU",
            fmt::format("{} has NVIDIA's open driver, which starts with Turing; the GPU of {} is older.",
                        image, type));
  d.hint =
      "Take an AMI with the proprietary driver:\n"
      "  image: {name: \"Deep Learning Base Proprietary Nvidia Driver *\", owner: amazon}";
  problems.add(of_notebook(std::move(d), r, "image"));
}

void check_architecture(const Resource& r, const Value& type, Diagnostics& problems) {
  const Value& image = wanted(r, "resolved_image");
  const List& takes = type["architectures"].as_list();
  bool unknown = takes.empty() || image["architecture"].as_text().empty();
  if (unknown || std::find(takes.begin(), takes.end(), image["architecture"]) != takes.end()) return;
  Diagnostic d = error(Code::bad_manifest, "The image is for another processor",
                       fmt::format("{} ({}) is for {}; {} is {}.", image["id"].as_text(),
                                   image["name"].as_text(), image["architecture"].as_text(),
                                   wanted(r, "machine_type").as_text(), takes.front().as_text()));
  problems.add(of_notebook(std::move(d), r, "image"));
}

void check_market(const Resource& r, const Value& type, Diagnostics& problems) {
  const List& markets = type["markets"].as_list();
  bool spot_only = r.on_spot && !r.on_demand;
  if (!spot_only || markets.empty() ||
      std::find(markets.begin(), markets.end(), Value("spot")) != markets.end())
    return;
  Diagnostic d = error(Code::unsupported, "The machine type has no Spot",
                       fmt::format("{} is not sold as Spot.", wanted(r, "machine_type").as_text()));
  problems.add(of_notebook(std::move(d), r, "spot"));
}

// --- the way in ---

// Of the zones that are left only those whose subnet a public address is of use in, where one is to be had.
void keep_reachable(const Resource& r, const Facts& facts, const Map& chosen, std::vector<std::string>& zones,
                    Diagnostics& problems) {
  const Value& ways = fact_at(facts, ways_fact(r.scope.region));
  const Value& subnets = fact_at(facts, subnets_fact(r.scope.region));
  if (zones.empty() || !wanted(r, "public_ip").as_bool(true)) return;
  std::string closed;
  std::erase_if(zones, [&](const std::string& zone) {
    std::string_view id = chosen.find(zone)->as_text();
    if (has_way_out(ways, id, subnets[id]["vpc"].as_text())) return false;
    if (closed.empty()) closed = fmt::format("{} ({})", id, zone);
    return true;
  });
  if (!zones.empty()) return;
  Diagnostic d = error(Code::unsupported, "The subnet has no way to the internet",
                       fmt::format("{} has no route to an internet gateway: {} would get a public address "
                                   "that nobody reaches, and could fetch nothing.",
                                   closed, r.notebook));
  d.hint =
      "Name another one in `network.subnet`, or give its route table a way out:\n"
      "  aws ec2 create-route --route-table-id rtb-... --destination-cidr-block 0.0.0.0/0 --gateway-id "
      "igw-...\n"
      "If it is reached otherwise (a VPN, a peered network), write `network: {public_ip: false}`.";
  problems.add(of_notebook(std::move(d), r, r.attributes.has("subnet") ? "network.subnet" : "where"));
}

// --- quotas ---

Diagnostic quota_too_small(const Resource& r, const Value& quota, std::string_view code, bool spot,
                           std::int64_t vcpus) {
  std::int64_t limit = quota["limit"].as_int();
  Diagnostic d =
      error(Code::quota, "A quota of the AWS account is too small",
            fmt::format("{} needs {} vCPUs, and the account may have {} of its kind in {} ({}, {}).",
                        r.notebook, vcpus, limit, r.scope.region, quota["name"].as_text(code), code));
  d.hint = fmt::format(
      "Ask for more, which takes hours to days:\n"
      "  aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {} "
      "--desired-value {} --region {}",
      code, vcpus, r.scope.region);
  return of_notebook(std::move(d), r, spot ? "spot" : "machine.type");
}

// Spot first. A market whose quota can never hold one such machine is left out, unless it is the only one.
std::vector<bool> affordable_markets(const Resource& r, const Facts& facts, const Value& type,
                                     Diagnostics& problems) {
  std::vector<bool> out;
  std::optional<Diagnostic> refused;
  for (bool spot : {true, false}) {
    if (!(spot ? r.on_spot : r.on_demand)) continue;
    std::string_view code = quota_code(wanted(r, "machine_type").as_text(), spot);
    const Value& quota = fact_at(facts, quota_fact(r.scope.region, code));
    std::int64_t vcpus = type["vcpus"].as_int();
    if (quota["limit"].is_null() || quota["limit"].as_int() >= vcpus)
      out.push_back(spot);
    else if (!refused)
      refused = quota_too_small(r, quota, code, spot, vcpus);
  }
  if (out.empty() && refused) problems.add(std::move(*refused));
  return out;
}

}  // namespace

const Value& fact_at(const Facts& facts, const std::string& key) {
  static const Value kNone;
  auto it = facts.find(key);
  return it != facts.end() ? it->second : kNone;
}

std::vector<Attempt> attempts(const Resource& r, const Facts& facts, Diagnostics& problems) {
  const std::string type(wanted(r, "machine_type").as_text());
  const Value& offers = fact_at(facts, offers_fact(r.scope.region, type));
  const Value& about = fact_at(facts, type_fact(r.scope.region, type));
  check_root_size(r, problems);
  check_driver(r, problems);
  check_architecture(r, about, problems);
  check_market(r, about, problems);
  std::vector<std::string> zones = zones_for(r, offers), usable;
  if (zones.empty()) problems.add(not_offered(r, offers));
  Map subnets = subnets_for(r, facts);
  for (const std::string& zone : zones)
    if (subnets.has(zone)) usable.push_back(zone);
  if (!zones.empty() && usable.empty()) problems.add(no_subnet(r, zones));
  keep_reachable(r, facts, subnets, usable, problems);
  std::vector<bool> markets = affordable_markets(r, facts, about, problems);
  std::vector<Attempt> out;
  for (bool spot : markets)
    for (const std::string& zone : usable) out.push_back({zone, spot});
  return out;
}

}  // namespace nbform::ec2
