#include "sim/aws/region.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr std::array kIds = {
    IdKind{"i-", "instances", "instance", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed",
           "instance ID"},
    IdKind{"vol-", "volumes", "volume", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed", "volume"},
    IdKind{"eni-", "network-interfaces", "network-interface", "InvalidNetworkInterfaceID.NotFound",
           "InvalidNetworkInterfaceID.Malformed", "networkInterface ID"},
    IdKind{"sg-", "security-groups", "security-group", "InvalidGroup.NotFound", "InvalidGroupId.Malformed",
           "security group"},
    IdKind{"sgr-", "security-group-rules", "security-group-rule", "InvalidSecurityGroupRuleId.NotFound",
           "InvalidSecurityGroupRuleId.Malformed", "security group rule ID"},
    IdKind{"key-", "key-pairs", "key-pair", "InvalidKeyPair.NotFound", "InvalidKeyPair.Format", "key pair"},
    IdKind{"sir-", "spot-requests", "spot-instances-request", "InvalidSpotInstanceRequestID.NotFound",
           "InvalidSpotInstanceRequestID.Malformed", "spot instance request ID"},
    IdKind{"vpc-", "vpcs", "vpc", "InvalidVpcID.NotFound", "InvalidVpcId.Malformed", "vpc ID"},
    IdKind{"subnet-", "subnets", "subnet", "InvalidSubnetID.NotFound", "InvalidSubnetId.Malformed",
           "subnet ID"},
    IdKind{"rtb-", "route-tables", "route-table", "InvalidRouteTableID.NotFound",
           "InvalidRouteTableId.Malformed", "routeTable ID"},
    IdKind{"igw-", "internet-gateways", "internet-gateway", "InvalidInternetGatewayID.NotFound",
           "InvalidInternetGatewayId.Malformed", "internetGateway ID"},
    IdKind{"iip-assoc-", "profile-associations", "", "InvalidAssociationID.NotFound",
           "InvalidAssociationID.Malformed", "association ID"},
    IdKind{"ami-", "images", "image", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "image id"},
};

}  // namespace

const IdKind* id_kind(std::string_view id) {
  auto it = std::find_if(kIds.begin(), kIds.end(), [&](const IdKind& k) { return id.starts_with(k.prefix); });
  return it == kIds.end() ? nullptr : &*it;
}

const IdKind& id_kind_of(std::string_view kind) {
  for (const IdKind& k : kIds)
    if (k.kind == kind) return k;
  bug("a kind of thing without ids");
}

bool well_formed(const IdKind& kind, std::string_view id) {
  if (!id.starts_with(kind.prefix)) return false;
  std::string_view rest = id.substr(kind.prefix.size());
  if (kind.kind == "spot-requests") return rest.size() >= 8;
  return (rest.size() == 8 || rest.size() == 17) &&
         rest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Diagnostic no_such(const IdKind& kind, const std::vector<std::string>& ids) {
  if (ids.size() == 1)
    return refuse(kind.not_found, fmt::format("The {} '{}' does not exist", kind.noun, ids[0]));
  return refuse(kind.not_found, fmt::format("The {}s '{}' do not exist", kind.noun, join(ids, ", ")));
}

Resource* Region::find(std::string_view kind, std::string_view id) {
  Shelf& shelf = state.aws.shelf(kind);
  auto it = shelf.find(key(id));
  return it == shelf.end() ? nullptr : &it->second;
}

Resource& Region::get(std::string_view kind, std::string_view id) {
  Resource* found = find(kind, id);
  if (found == nullptr) bug("a thing that must be there is not");
  return *found;
}

Result<Resource*> Region::need(std::string_view kind, std::string_view id) {
  const IdKind& ids = id_kind_of(kind);
  if (!well_formed(ids, id)) return refuse(ids.malformed, fmt::format("Invalid id: \"{}\"", id));
  Resource* found = find(kind, id);
  if (found == nullptr || !visible(*found)) return no_such(ids, {std::string(id)});
  return found;
}

bool Region::visible(const Resource& resource) const {
  if (resource.visible_from > state.now) return false;
  bool young = resource.hidden["young_until"].as_int() > state.now.us;
  return !(young && state.now.millis() / 700 % 2 == 1);
}

std::ranges::subrange<Shelf::iterator> Region::all(std::string_view kind) {
  Shelf& shelf = state.aws.shelf(kind);
  auto belongs = [&](const auto& item) { return item.first.project == account && item.first.scope == name; };
  auto from = shelf.lower_bound(key(""));
  return {from, std::find_if_not(from, shelf.end(), belongs)};
}

std::string Region::new_id(std::string_view prefix) {
  std::string digits = hex(sha256(fmt::format("{} {} {}", state.random, prefix, state.new_id())));
  return fmt::format("{}0{}", prefix, digits.substr(0, 16));
}

Resource& Region::put(std::string_view kind, const std::string& id, Value wire, Value hidden) {
  Resource& r = state.aws.shelf(kind)[key(id)];
  r = Resource(std::move(wire));
  r.hidden = std::move(hidden);
  Time later = state.now + state.pace(12);
  if (variant("slow-visibility")) r.visible_from = later;
  if (variant("flickering-visibility")) r.hidden.map().set("young_until", later.us);
  return r;
}

void Region::erase(std::string_view kind, std::string_view id) {
  state.aws.shelf(kind).erase(key(id));
}

void Region::clear(std::string_view kind) {
  auto things = all(kind);
  state.aws.shelf(kind).erase(things.begin(), things.end());
}

void Region::plan(double seconds, std::string what, std::string_view id, Value detail) {
  plan_at(state.now + state.pace(seconds), std::move(what), id, std::move(detail));
}

void Region::plan_at(Time at, std::string what, std::string_view id, Value detail) {
  state.plan(std::max(at, state.now), {std::move(what), key(id), std::move(detail), state.actor});
}

void Region::note(std::string kind, std::string_view shelf, std::string_view id, Value detail) {
  Resource* thing = find(shelf, id);
  std::string zone = name;
  if (thing != nullptr) {
    const Value& wire = thing->wire();
    zone = wire["availabilityZone"].as_text(wire["placement"]["availabilityZone"].as_text(name));
  }
  state.diary.push_back({state.now, std::move(kind), account, zone, fmt::format("{}/{}", shelf, id),
                         state.actor, std::move(detail)});
}

std::string arn(const Region& region, std::string_view rest) {
  return fmt::format("arn:aws:ec2:{}:{}:{}", region.name, region.account, rest);
}

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> out;
  for (const Value& item : list.as_list()) out.emplace_back(item.as_text());
  return out;
}

}  // namespace nbform::sim::aws
