#include "sim/aws/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/network.h"
#include "sim/aws/rules.h"
#include "sim/aws/tags.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

void make_group(Region& region, const std::string& id, std::string_view name, std::string_view description,
                std::string_view vpc, const Value& tags) {
  region.put("security-groups", id,
             Map{{"groupId", id},
                 {"groupName", name},
                 {"groupDescription", description},
                 {"vpcId", vpc},
                 {"ownerId", region.account},
                 {"securityGroupArn", arn(region, "security-group/" + id)},
                 {"tagSet", tags}});
  Rule all_out;
  all_out.protocol = "-1";
  all_out.egress = true;
  all_out.source = {{"cidrIpv4", "0.0.0.0/0"}};
  put_rule(region, id, all_out, List());
}

Result<> check_groups(Region& region, const std::vector<std::string>& ids, std::string_view vpc) {
  if (ids.size() > 5)
    return refuse("SecurityGroupsPerInterfaceLimitExceeded",
                  "You have exceeded the number of security groups allowed per network interface: 5");
  for (const std::string& id : ids) {
    Resource* group = NB_TRY(region.need("security-groups", id));
    if ((*group)["vpcId"].as_text() != vpc)
      return refuse(
          "InvalidGroup.NotFound",
          fmt::format("You have specified two resources that belong to different networks: {}", id));
  }
  return Ok{};
}

Result<> set_groups(Region& region, std::string_view interface, const std::vector<std::string>& ids) {
  if (ids.empty()) return refuse("InvalidParameterValue", "You must specify at least one security group.");
  Resource& eni = region.get("network-interfaces", interface);
  NB_TRY(check_groups(region, ids, eni["vpcId"].as_text()));
  eni.edit().set("groupSet", shown_groups(region, ids));
  std::string_view vm = eni["attachment"]["instanceId"].as_text();
  region.note("groups", "network-interfaces", interface, Map{{"groupSet", eni["groupSet"]}});
  if (Resource* instance = region.find("instances", vm)) {
    instance->edit().set("groupSet", eni["groupSet"]);
    instance->edit().set("networkInterfaceSet", List{shown_interface(region, interface)});
  }
  return Ok{};
}

std::vector<std::string> rules_of(Region& region, std::string_view group) {
  return texts(region.get("security-groups", group).hidden["rules"]);
}

bool referenced(Region& region, std::string_view group) {
  for (const auto& [key, rule] : region.all("security-group-rules")) {
    if (rule["referencedGroupInfo"]["groupId"].as_text() == group && rule["groupId"].as_text() != group)
      return true;
  }
  return false;
}

namespace {

// The member of an ipPermission that a rule's source goes to, and what it looks like there.
std::pair<std::string_view, Value> permission_source(const Value& rule) {
  Map shown{{"description", rule["description"]}};
  if (!rule["cidrIpv4"].is_null()) {
    shown.set("cidrIp", rule["cidrIpv4"]);
    return {"ipRanges", shown};
  }
  if (!rule["cidrIpv6"].is_null()) {
    shown.set("cidrIpv6", rule["cidrIpv6"]);
    return {"ipv6Ranges", shown};
  }
  if (!rule["prefixListId"].is_null()) {
    shown.set("prefixListId", rule["prefixListId"]);
    return {"prefixListIds", shown};
  }
  shown.set("groupId", rule["referencedGroupInfo"]["groupId"]);
  shown.set("userId", rule["referencedGroupInfo"]["userId"]);
  return {"groups", shown};
}

Value& permission_for(List& permissions, const Value& rule) {
  for (Value& p : permissions)
    if (p["ipProtocol"] == rule["ipProtocol"] && p["fromPort"] == rule["fromPort"] &&
        p["toPort"] == rule["toPort"])
      return p;
  permissions.push_back(Map{{"ipProtocol", rule["ipProtocol"]},
                            {"fromPort", rule["fromPort"]},
                            {"toPort", rule["toPort"]},
                            {"groups", List()},
                            {"ipRanges", List()},
                            {"ipv6Ranges", List()},
                            {"prefixListIds", List()}});
  return permissions.back();
}

}  // namespace

Value permissions_of(Region& region, std::string_view group, bool egress) {
  List out;
  for (const std::string& id : rules_of(region, group)) {
    const Value& rule = region.get("security-group-rules", id).wire();
    if (rule["isEgress"].as_bool() != egress) continue;
    Value shown = rule;
    if (rule["ipProtocol"].as_text() == "-1") {
      shown.map().erase("fromPort");
      shown.map().erase("toPort");
    }
    auto [member, source] = permission_source(rule);
    permission_for(out, shown).map()[member].list().push_back(std::move(source));
  }
  return out;
}

// --- actions

namespace {

constexpr std::string_view kText =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*";

Result<> check_group_text(std::string_view text, std::string_view parameter) {
  if (!text.empty() && text.size() <= 255 && text.find_first_not_of(kText) == std::string_view::npos)
    return Ok{};
  return refuse(
      "InvalidParameterValue",
      fmt::format("Value ({}) for parameter {} is invalid. Character sets beyond ASCII are not supported.",
                  text, parameter));
}

Result<> check_name_free(Region& region, std::string_view name, std::string_view vpc) {
  for (const auto& [key, group] : region.all("security-groups")) {
    if (group["vpcId"].as_text() == vpc && iequals(group["groupName"].as_text(), name))
      return refuse("InvalidGroup.Duplicate",
                    fmt::format("The security group '{}' already exists for VPC '{}'", name, vpc));
  }
  return Ok{};
}

Result<Value> create_group(Region& region, const Value& in) {
  std::string_view name = in["GroupName"].as_text();
  NB_TRY(check_group_text(name, "GroupName"));
  NB_TRY(check_group_text(in["GroupDescription"].as_text(), "GroupDescription"));
  if (name.starts_with("sg-"))
    return refuse(
        "InvalidParameterValue",
        fmt::format("Invalid security group name '{}'. Group names may not be in the format sg-*.", name));
  std::string vpc(in["VpcId"].as_text());
  if (vpc.empty()) vpc = default_vpc(region);
  if (vpc.empty()) return refuse("VPCIdNotSpecified", "No default VPC for this user");
  NB_TRY(region.need("vpcs", vpc));
  NB_TRY(check_name_free(region, name, vpc));
  Value tags = NB_TRY(tags_for(in, "security-group"));
  std::string id = region.new_id("sg-");
  make_group(region, id, name, in["GroupDescription"].as_text(), vpc, tags);
  region.note("insert", "security-groups", id, Map{{"groupName", name}, {"tagSet", tags}});
  return Value(
      Map{{"groupId", id}, {"tagSet", tags}, {"securityGroupArn", arn(region, "security-group/" + id)}});
}

Result<std::string> group_to_delete(Region& region, const Value& in) {
  if (!in["GroupId"].is_null()) return std::string(in["GroupId"].as_text());
  for (const auto& [key, group] : region.all("security-groups"))
    if (group["groupName"] == in["GroupName"]) return key.name;
  if (in["GroupName"].is_null())
    return refuse("MissingParameter", "The request must contain the parameter groupName or groupId");
  return refuse("InvalidGroup.NotFound", fmt::format("The security group '{}' does not exist in default VPC",
                                                     in["GroupName"].as_text()));
}

Result<Value> delete_group(Region& region, const Value& in) {
  std::string id = NB_TRY(group_to_delete(region, in));
  Resource* group = NB_TRY(region.need("security-groups", id));
  if ((*group)["groupName"].as_text() == "default")
    return refuse(
        "CannotDelete",
        fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", id));
  if (group_in_use(region, id) || referenced(region, id))
    return refuse("DependencyViolation", fmt::format("resource {} has a dependent object", id));
  region.note("delete", "security-groups", id);
  for (const std::string& rule : rules_of(region, id)) drop_rule(region, rule);
  region.erase("security-groups", id);
  return Value(Map{{"return", true}, {"groupId", id}});
}

Value shown_group(Region& region, const Value& wire) {
  Value out = wire;
  out.map().set("ipPermissions", permissions_of(region, wire["groupId"].as_text(), false));
  out.map().set("ipPermissionsEgress", permissions_of(region, wire["groupId"].as_text(), true));
  return out;
}

constexpr FilterRule kGroupRules[] = {{"group-id", "groupId"},
                                      {"group-name", "groupName"},
                                      {"vpc-id", "vpcId"},
                                      {"description", "groupDescription"},
                                      {"owner-id", "ownerId"},
                                      {"ip-permission.cidr", "ipPermissions/*/ipRanges/*/cidrIp"},
                                      {"ip-permission.from-port", "ipPermissions/*/fromPort"},
                                      {"ip-permission.to-port", "ipPermissions/*/toPort"},
                                      {"ip-permission.protocol", "ipPermissions/*/ipProtocol"}};

// Names are looked up in the default VPC only.
Result<std::vector<Row>> named_groups(Region& region, const Value& names) {
  std::vector<Row> rows;
  std::string vpc = default_vpc(region);
  for (const std::string& name : texts(names)) {
    std::size_t before = rows.size();
    for (const auto& [key, g] : region.all("security-groups")) {
      if (g["groupName"].as_text() == name && g["vpcId"].as_text() == vpc && region.visible(g))
        rows.push_back({key.name, &g.wire()});
    }
    if (rows.size() == before)
      return refuse("InvalidGroup.NotFound",
                    fmt::format("The security group '{}' does not exist in default VPC", name));
  }
  return rows;
}

// Permissions are put together when a group is shown, or where filters look at them.
bool asks_for_permissions(const Value& in) {
  const List& filters = in["Filter"].as_list();
  return std::any_of(filters.begin(), filters.end(),
                     [](const Value& f) { return f["Name"].as_text().starts_with("ip-permission."); });
}

Result<Value> describe_groups(Region& region, const Value& in) {
  std::vector<Row> rows = in["GroupName"].is_null()
                              ? NB_TRY(rows_of(region, "security-groups", in["GroupId"]))
                              : NB_TRY(named_groups(region, in["GroupName"]));
  Listing listing{"security-groups", "GroupId", "securityGroupInfo", kGroupRules, {}, shown_group};
  if (!asks_for_permissions(in)) return describe_rows(region, in, std::move(rows), listing);
  std::vector<Value> whole;
  whole.reserve(rows.size());
  for (Row& row : rows) {
    whole.push_back(shown_group(region, *row.wire));
    row.wire = &whole.back();
  }
  return describe_rows(region, in, std::move(rows), listing);
}

constexpr Action kActions[] = {
    {"CreateSecurityGroup", create_group},
    {"DeleteSecurityGroup", delete_group},
    {"DescribeSecurityGroups", describe_groups},
};

}  // namespace

std::span<const Action> group_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
