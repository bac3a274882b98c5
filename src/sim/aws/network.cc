#include "sim/aws/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/describe.h"
#include "sim/aws/groups.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

std::string stable_id(const Region& region, std::string_view prefix, std::string_view what) {
  return fmt::format("{}0{}", prefix,
                     hex(sha256(fmt::format("{} {} {}", region.account, region.name, what))).substr(0, 16));
}

void make_subnet(Region& region, const std::string& vpc, const std::string& zone, int number) {
  std::string id = stable_id(region, "subnet-", zone);
  region.state.aws.shelf("subnets")[region.key(id)] =
      Resource(Map{{"subnetId", id},
                   {"subnetArn", arn(region, "subnet/" + id)},
                   {"state", "available"},
                   {"vpcId", vpc},
                   {"cidrBlock", fmt::format("172.31.{}.0/20", 16 * number)},
                   {"availableIpAddressCount", 4091},
                   {"availabilityZone", zone},
                   {"availabilityZoneId", zone_id(zone)},
                   {"defaultForAz", true},
                   {"mapPublicIpOnLaunch", true},
                   {"assignIpv6AddressOnCreation", false},
                   {"ipv6Native", false},
                   {"ownerId", region.account},
                   {"tagSet", List()}});
}

Value route(const std::string& to, const std::string& gateway, std::string_view origin) {
  return Map{{"destinationCidrBlock", to}, {"gatewayId", gateway}, {"state", "active"}, {"origin", origin}};
}

void make_routes(Region& region, const std::string& vpc) {
  std::string gateway = stable_id(region, "igw-", "default"), table = stable_id(region, "rtb-", "default");
  region.state.aws.shelf("internet-gateways")[region.key(gateway)] =
      Resource(Map{{"internetGatewayId", gateway},
                   {"ownerId", region.account},
                   {"attachmentSet", List{Map{{"vpcId", vpc}, {"state", "available"}}}},
                   {"tagSet", List()}});
  Value association = Map{{"routeTableAssociationId", stable_id(region, "rtbassoc-", "default")},
                          {"routeTableId", table},
                          {"main", true},
                          {"associationState", Map{{"state", "associated"}}}};
  region.state.aws.shelf("route-tables")[region.key(table)] =
      Resource(Map{{"routeTableId", table},
                   {"vpcId", vpc},
                   {"ownerId", region.account},
                   {"routeSet", List{route("172.31.0.0/16", "local", "CreateRouteTable"),
                                     route("0.0.0.0/0", gateway, "CreateRoute")}},
                   {"associationSet", List{association}},
                   {"propagatingVgwSet", List()},
                   {"tagSet", List()}});
}

// It was there long before anybody asked, whatever new things need to be seen.
void settle(Region& region, std::string_view kind) {
  for (auto& [key, thing] : region.all(kind)) {
    thing.visible_from = {};
    thing.hidden.map().erase("young_until");
  }
}

}  // namespace

void make_network(Region& region) {
  if (!region.state.aws.made_regions.insert(region.account + "/" + region.name).second) return;
  std::string vpc = stable_id(region, "vpc-", "default");
  Value cidr = Map{{"associationId", stable_id(region, "vpc-cidr-assoc-", "default")},
                   {"cidrBlock", "172.31.0.0/16"},
                   {"cidrBlockState", Map{{"state", "associated"}}}};
  region.state.aws.shelf("vpcs")[region.key(vpc)] =
      Resource(Map{{"vpcId", vpc},
                   {"state", "available"},
                   {"cidrBlock", "172.31.0.0/16"},
                   {"cidrBlockAssociationSet", List{cidr}},
                   {"dhcpOptionsId", stable_id(region, "dopt-", "default")},
                   {"instanceTenancy", "default"},
                   {"isDefault", true},
                   {"ownerId", region.account},
                   {"tagSet", List()}});
  int number = 0;
  for (const std::string& zone : zones_of(region.name)) make_subnet(region, vpc, zone, number++);
  make_routes(region, vpc);
  make_group(region, stable_id(region, "sg-", "default"), "default", "default VPC security group", vpc,
             List());
  for (std::string_view kind : {"security-groups", "security-group-rules"}) settle(region, kind);
}

void drop_default_vpc(Region& region) {
  make_network(region);
  for (std::string_view kind : {"vpcs", "subnets", "route-tables", "internet-gateways"}) region.clear(kind);
}

void close_public_route(Region& region) {
  make_network(region);
  for (auto& [key, table] : region.all("route-tables")) {
    List& routes = table.edit()["routeSet"].list();
    std::erase_if(routes, [](const Value& r) { return r["gatewayId"].as_text().starts_with("igw-"); });
  }
}

const Resource* default_subnet(Region& region, std::string_view zone) {
  for (const auto& [key, subnet] : region.all("subnets")) {
    if (subnet["availabilityZone"].as_text() == zone && subnet["defaultForAz"].as_bool()) return &subnet;
  }
  return nullptr;
}

std::string default_vpc(Region& region) {
  for (const auto& [key, vpc] : region.all("vpcs"))
    if (vpc["isDefault"].as_bool()) return key.name;
  return {};
}

std::string default_group(Region& region, std::string_view vpc) {
  for (const auto& [key, group] : region.all("security-groups")) {
    if (group["vpcId"].as_text() == vpc && group["groupName"].as_text() == "default") return key.name;
  }
  return {};
}

// --- network interfaces

std::string make_interface(Region& region, const InterfaceSpec& spec) {
  std::string id = region.new_id("eni-");
  const Resource& subnet = region.get("subnets", spec.subnet);
  std::string_view block = subnet["cidrBlock"].as_text();
  std::string net(block.substr(0, block.rfind('.')));
  auto last = region.state.next_random(240);
  std::string address = fmt::format("{}.{}", net, last + 4);
  Value wire = Map{{"networkInterfaceId", id},
                   {"subnetId", spec.subnet},
                   {"vpcId", subnet["vpcId"]},
                   {"availabilityZone", subnet["availabilityZone"]},
                   {"description", spec.description},
                   {"ownerId", region.account},
                   {"status", "in-use"},
                   {"interfaceType", "interface"},
                   {"macAddress", fmt::format("02:{:02x}:{:02x}:{:02x}:00:01", last, last / 2, last / 3)},
                   {"privateIpAddress", address},
                   {"sourceDestCheck", true},
                   {"groupSet", shown_groups(region, spec.groups)},
                   {"tagSet", spec.tags.is_list() ? spec.tags : Value(List())}};
  region.put("network-interfaces", id, wire, Map{{"delete_on_termination", spec.delete_on_termination}});
  region.note("insert", "network-interfaces", id, Map{{"tagSet", wire["tagSet"]}});
  return id;
}

Value shown_groups(Region& region, const std::vector<std::string>& ids) {
  List out;
  for (const std::string& id : ids)
    if (const Resource* g = region.find("security-groups", id))
      out.push_back(Map{{"groupId", id}, {"groupName", (*g)["groupName"]}});
  return out;
}

Value shown_interface(Region& region, std::string_view id) {
  const Resource& eni = region.get("network-interfaces", id);
  Map out;
  for (std::string_view name :
       {"networkInterfaceId", "subnetId", "vpcId", "description", "ownerId", "status", "interfaceType",
        "macAddress", "privateIpAddress", "sourceDestCheck", "groupSet", "attachment", "association"})
    out.set(name, eni[name]);
  out["attachment"].map().erase("instanceId");
  out["attachment"].map().erase("instanceOwnerId");
  out.set("privateIpAddressesSet", List{Map{{"privateIpAddress", eni["privateIpAddress"]},
                                            {"primary", true},
                                            {"association", eni["association"]}}});
  return out;
}

void set_public_address(Region& region, std::string_view interface, bool on) {
  Map& wire = region.get("network-interfaces", interface).edit();
  if (!on) {
    wire.erase("association");
    return;
  }
  auto n = region.state.next_random(200 * 250);
  std::string ip = fmt::format("{}.{}.{}.{}", region.state.on_loopback ? 127 : 54, 180 + n % 8, 1 + n / 250,
                               1 + n % 250),
              dashed = ip;
  std::replace(dashed.begin(), dashed.end(), '.', '-');
  std::string suffix = region.name == "us-east-1" ? "compute-1.amazonaws.com"
                                                  : fmt::format("{}.compute.amazonaws.com", region.name);
  wire.set("association", Map{{"publicIp", ip},
                              {"publicDnsName", fmt::format("ec2-{}.{}", dashed, suffix)},
                              {"ipOwnerId", "amazon"}});
}

bool group_in_use(Region& region, std::string_view group) {
  for (const auto& [key, nic] : region.all("network-interfaces"))
    for (const Value& g : nic["groupSet"].as_list())
      if (g["groupId"].as_text() == group) return true;
  return false;
}

// --- actions

namespace {

constexpr FilterRule kVpcRules[] = {{"is-default", "isDefault"}, {"isDefault", "isDefault"},
                                    {"vpc-id", "vpcId"},         {"cidr", "cidrBlock"},
                                    {"state", "state"},          {"owner-id", "ownerId"}};
constexpr FilterRule kSubnetRules[] = {{"vpc-id", "vpcId"},
                                       {"subnet-id", "subnetId"},
                                       {"default-for-az", "defaultForAz"},
                                       {"defaultForAz", "defaultForAz"},
                                       {"availability-zone", "availabilityZone"},
                                       {"availability-zone-id", "availabilityZoneId"},
                                       {"map-public-ip-on-launch", "mapPublicIpOnLaunch"},
                                       {"state", "state"},
                                       {"cidr-block", "cidrBlock"}};
constexpr FilterRule kRouteRules[] = {{"vpc-id", "vpcId"},
                                      {"route-table-id", "routeTableId"},
                                      {"association.main", "associationSet/*/main"},
                                      {"association.subnet-id", "associationSet/*/subnetId"},
                                      {"route.gateway-id", "routeSet/*/gatewayId"},
                                      {"route.destination-cidr-block", "routeSet/*/destinationCidrBlock"}};
constexpr FilterRule kGatewayRules[] = {{"attachment.vpc-id", "attachmentSet/*/vpcId"},
                                        {"attachment.state", "attachmentSet/*/state"},
                                        {"internet-gateway-id", "internetGatewayId"}};
constexpr FilterRule kInterfaceRules[] = {{"network-interface-id", "networkInterfaceId"},
                                          {"subnet-id", "subnetId"},
                                          {"vpc-id", "vpcId"},
                                          {"group-id", "groupSet/*/groupId"},
                                          {"attachment.instance-id", "attachment/instanceId"},
                                          {"attachment.status", "attachment/status"},
                                          {"status", "status"},
                                          {"availability-zone", "availabilityZone"},
                                          {"association.public-ip", "association/publicIp"},
                                          {"private-ip-address", "privateIpAddress"}};

Result<Value> describe_vpcs(Region& region, const Value& in) {
  return describe(region, in, {"vpcs", "VpcId", "vpcSet", kVpcRules, {}});
}
Result<Value> describe_subnets(Region& region, const Value& in) {
  return describe(region, in, {"subnets", "SubnetId", "subnetSet", kSubnetRules, {}});
}
Result<Value> describe_route_tables(Region& region, const Value& in) {
  return describe(region, in, {"route-tables", "RouteTableId", "routeTableSet", kRouteRules, {5, 100}});
}
Result<Value> describe_gateways(Region& region, const Value& in) {
  return describe(region, in,
                  {"internet-gateways", "InternetGatewayId", "internetGatewaySet", kGatewayRules, {}});
}
Result<Value> describe_interfaces(Region& region, const Value& in) {
  return describe(region, in,
                  {"network-interfaces", "NetworkInterfaceId", "networkInterfaceSet", kInterfaceRules, {}});
}

Result<Value> modify_interface(Region& region, const Value& in) {
  std::string_view id = in["NetworkInterfaceId"].as_text();
  Resource* eni = NB_TRY(region.need("network-interfaces", id));
  for (const auto& [name, value] : in.as_map())
    if (name != "NetworkInterfaceId" && name != "SecurityGroupId" && name != "SourceDestCheck")
      return refuse("UnsupportedOperation", fmt::format("nbsim cannot modify {} of an interface.", name));
  if (!in["SecurityGroupId"].is_null()) NB_TRY(set_groups(region, id, texts(in["SecurityGroupId"])));
  if (!in["SourceDestCheck"].is_null())
    eni->edit().set("sourceDestCheck", in["SourceDestCheck"]["Value"].as_bool(true));
  return Value();
}

constexpr Action kActions[] = {
    {"DescribeVpcs", describe_vpcs},
    {"DescribeSubnets", describe_subnets},
    {"DescribeRouteTables", describe_route_tables},
    {"DescribeInternetGateways", describe_gateways},
    {"DescribeNetworkInterfaces", describe_interfaces},
    {"ModifyNetworkInterfaceAttribute", modify_interface},
};

}  // namespace

std::span<const Action> network_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
