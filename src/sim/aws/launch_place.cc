// Where a launch goes: zone, subnet, interface, groups, and whether there is room for it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sim/aws/groups.h"
#include "sim/aws/instances.h"
#include "sim/aws/launch.h"
#include "sim/aws/network.h"
#include "sim/aws/parameters.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

const Value& first_interface(const Value& in) {
  static const Value none;
  const List& all = in["NetworkInterface"].as_list();
  return all.empty() ? none : all[0];
}

std::string asked_subnet(const Value& in) {
  return std::string(in["SubnetId"].as_text(first_interface(in)["SubnetId"].as_text()));
}

const Stockout* stockout_at(const Region& region, std::string_view type, std::string_view zone, bool spot) {
  std::string market = fmt::format("{}:{}", spot ? "spot" : "on-demand", type);
  for (const Stockout& s : region.state.stockouts)
    if (glob_match(s.zone_glob, zone) &&
        (glob_match(s.machine_glob, type) || glob_match(s.machine_glob, market)))
      return &s;
  return nullptr;
}

std::vector<std::string> offering_zones(const Region& region, std::string_view type) {
  std::vector<std::string> out;
  for (const std::string& zone : zones_of(region.name))
    if (offered(type, zone)) out.push_back(zone);
  return out;
}

std::string other_zones(std::vector<std::string> zones, std::string_view zone) {
  std::erase(zones, zone);
  return join(zones, ", ");
}

Diagnostic no_capacity(Region& region, std::string_view type, const std::string& zone, bool spot,
                       const Stockout& stockout) {
  if (spot)
    return refuse("InsufficientInstanceCapacity",
                  "There is no Spot capacity available that matches your request.");
  auto others = stockout.zones_available.empty() ? offering_zones(region, type) : stockout.zones_available;
  return refuse(
      "InsufficientInstanceCapacity",
      fmt::format("We currently do not have sufficient {} capacity in the Availability Zone you requested "
                  "({}). Our system will be working on provisioning additional capacity. You can currently "
                  "get {} capacity by not specifying an Availability Zone in your request or choosing {}.",
                  type, zone, type, other_zones(others, zone)));
}

}  // namespace

Result<> check_capacity(Region& region, std::string_view type, const std::string& zone, bool spot) {
  if (!offered(type, zone))
    return refuse(
        "Unsupported",
        fmt::format("Your requested instance type ({}) is not supported in your requested Availability Zone "
                    "({}). Please retry your request by not specifying an Availability Zone or choosing {}.",
                    type, zone, join(offering_zones(region, type), ", ")));
  const Stockout* stockout = stockout_at(region, type, zone, spot);
  return stockout == nullptr ? Result<>(Ok{}) : no_capacity(region, type, zone, spot, *stockout);
}

Result<> check_quota(Region& region, std::string_view type, bool spot, std::int64_t count) {
  if (!region.state.options.quotas) return Ok{};
  std::string_view code = quota_code(type, spot);
  double limit = quota_limit(region.state, region.account, region.name, code), used = 0;
  for (const auto& [key, vm] : region.all("instances")) {
    std::string_view its = vm["instanceType"].as_text(), state = state_of(vm);
    bool runs = state == "pending" || state == "running" || state == "stopping";
    if (runs && is_spot(vm) == spot && quota_code(its, spot) == code) used += find_type(its)->vcpus;
  }
  if (used + static_cast<double>(count * find_type(type)->vcpus) <= limit) return Ok{};
  if (spot) return refuse("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded");
  return refuse(
      "VcpuLimitExceeded",
      fmt::format("You have requested more vCPU capacity than your current vCPU limit of {} allows for the "
                  "instance bucket that the specified instance type belongs to. Please visit "
                  "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
                  static_cast<std::int64_t>(limit)));
}

std::string asked_zone(Region& region, const Value& in) {
  std::string zone(in["Placement"]["AvailabilityZone"].as_text());
  if (zone.empty() && !in["Placement"]["AvailabilityZoneId"].is_null())
    zone = zone_by_id(region.name, in["Placement"]["AvailabilityZoneId"].as_text()).value_or("");
  const Resource* subnet = region.find("subnets", asked_subnet(in));
  return zone.empty() && subnet != nullptr ? std::string((*subnet)["availabilityZone"].as_text()) : zone;
}

namespace {

Result<> check_interfaces(const Value& in) {
  const List& all = in["NetworkInterface"].as_list();
  if (all.empty()) return Ok{};
  if (all.size() > 1 || all[0]["DeviceIndex"].as_int(-1) != 0)
    return refuse("UnsupportedOperation", "nbsim serves one network interface, of device index 0.");
  if (!in["SubnetId"].is_null())
    return refuse(
        "InvalidParameterCombination",
        "Network interfaces and an instance-level subnet ID may not be specified on the same request");
  if (!in["SecurityGroupId"].is_null() || !in["SecurityGroup"].is_null())
    return refuse(
        "InvalidParameterCombination",
        "Network interfaces and an instance-level security groups may not be specified on the same request");
  return Ok{};
}

Result<> place_in_subnet(Region& region, const Value& in, Draft& draft) {
  draft.subnet = asked_subnet(in);
  Resource* subnet = NB_TRY(region.need("subnets", draft.subnet));
  draft.zone = (*subnet)["availabilityZone"].as_text();
  std::string_view asked = in["Placement"]["AvailabilityZone"].as_text(draft.zone);
  if (asked != draft.zone)
    return refuse(
        "InvalidParameterValue",
        fmt::format("The availability zone {} does not match the subnet's, {}.", asked, draft.zone));
  return check_capacity(region, draft.type->name, draft.zone, draft.spot);
}

Result<> place_in_zone(Region& region, const std::string& zone, Draft& draft) {
  auto zones = zones_of(region.name);
  if (std::find(zones.begin(), zones.end(), zone) == zones.end())
    return refuse("InvalidParameterValue", fmt::format("Invalid availability zone: [{}]", zone));
  const Resource* subnet = default_subnet(region, zone);
  if (subnet == nullptr)
    return refuse("MissingInput",
                  fmt::format("No subnets found for the default VPC in {}. Please specify a subnet.", zone));
  draft.zone = zone;
  draft.subnet = (*subnet)["subnetId"].as_text();
  return check_capacity(region, draft.type->name, zone, draft.spot);
}

// EC2's choice: the first zone with room.
Result<> place_anywhere(Region& region, Draft& draft) {
  Result<> last =
      refuse("Unsupported", fmt::format("The requested configuration is currently not supported: {} is not "
                                        "offered in {}.",
                                        draft.type->name, region.name));
  for (const std::string& zone : offering_zones(region, draft.type->name)) {
    last = place_in_zone(region, zone, draft);
    if (last) return last;
  }
  return last;
}

Result<> draft_groups(Region& region, const Value& in, Draft& draft) {
  const Value& nic = first_interface(in);
  draft.groups = texts(nic.is_null() ? in["SecurityGroupId"] : nic["SecurityGroupId"]);
  for (const std::string& name : texts(in["SecurityGroup"])) {
    std::size_t before = draft.groups.size();
    for (const auto& [key, group] : region.all("security-groups"))
      if (group["groupName"].as_text() == name) draft.groups.push_back(key.name);
    if (draft.groups.size() == before)
      return refuse("InvalidGroup.NotFound",
                    fmt::format("The security group '{}' does not exist in default VPC", name));
  }
  if (draft.groups.empty()) draft.groups.push_back(default_group(region, draft.vpc));
  return check_groups(region, draft.groups, draft.vpc);
}

}  // namespace

Result<> draft_place(Region& region, const Value& in, Draft& draft) {
  NB_TRY(check_interfaces(in));
  std::string zone = asked_zone(region, in);
  bool subnet = !asked_subnet(in).empty();
  if (!subnet && default_vpc(region).empty())
    return refuse(
        "VPCIdNotSpecified",
        "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.");
  if (subnet)
    NB_TRY(place_in_subnet(region, in, draft));
  else if (!zone.empty() || !in["Placement"]["AvailabilityZone"].is_null())
    NB_TRY(place_in_zone(region, zone, draft));
  else
    NB_TRY(place_anywhere(region, draft));
  const Resource& net = region.get("subnets", draft.subnet);
  const Value& nic = first_interface(in);
  draft.vpc = net["vpcId"].as_text();
  draft.public_address = nic["AssociatePublicIpAddress"].as_bool(net["mapPublicIpOnLaunch"].as_bool());
  draft.delete_interface = nic["DeleteOnTermination"].as_bool(true);
  draft.interface_description = nic["Description"].as_text();
  return draft_groups(region, in, draft);
}

}  // namespace nbform::sim::aws
