#include "sim/aws/rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/tags.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

std::optional<std::string> canonical_cidr(std::string_view cidr) {
  auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string address(cidr.substr(0, slash));
  int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::int64_t bits = Value(cidr.substr(slash + 1)).as_int(-1), most = family == AF_INET ? 32 : 128;
  std::array<unsigned char, 16> raw{};
  if (bits < 0 || bits > most || inet_pton(family, address.c_str(), raw.data()) != 1) return std::nullopt;
  for (std::int64_t bit = bits; bit < most; ++bit)
    raw[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family, raw.data(), text, sizeof(text));
  return fmt::format("{}/{}", text, bits);
}

bool Rule::same_as(const Value& wire) const {
  bool same = wire["isEgress"].as_bool() == egress && wire["ipProtocol"].as_text() == protocol &&
              wire["fromPort"].as_int() == from && wire["toPort"].as_int() == to;
  for (const auto& [name, value] : source) same = same && wire[name] == value;
  return same;
}

std::string put_rule(Region& region, std::string_view group, const Rule& rule, const Value& tags) {
  std::string id = region.new_id("sgr-");
  Map wire{{"securityGroupRuleId", id},
           {"groupId", group},
           {"groupOwnerId", region.account},
           {"isEgress", rule.egress},
           {"ipProtocol", rule.protocol},
           {"fromPort", rule.from},
           {"toPort", rule.to},
           {"tagSet", tags},
           {"securityGroupRuleArn", arn(region, "security-group-rule/" + id)}};
  for (const auto& [name, value] : rule.source) wire.set(name, value);
  if (!rule.description.empty()) wire.set("description", rule.description);
  region.put("security-group-rules", id, Value(std::move(wire)));
  Map& of_group = region.get("security-groups", group).hidden.map();
  List ids = of_group["rules"].as_list();
  ids.push_back(id);
  of_group.set("rules", std::move(ids));
  return id;
}

void drop_rule(Region& region, const std::string& id) {
  std::string_view group = region.get("security-group-rules", id)["groupId"].as_text();
  std::erase(region.get("security-groups", group).hidden.map()["rules"].list(), Value(id));
  region.erase("security-group-rules", id);
}

namespace {

constexpr std::size_t kRulesEachWay = 60;

Result<std::string> read_protocol(std::string_view text) {
  if (text == "6") return std::string("tcp");
  if (text == "17") return std::string("udp");
  if (text == "1") return std::string("icmp");
  if (text == "58") return std::string("icmpv6");
  std::int64_t number = Value(text).as_int(-2);
  for (std::string_view known : {"tcp", "udp", "icmp", "icmpv6", "-1"})
    if (text == known) return std::string(text);
  if (number >= 0 && number <= 255) return std::string(text);
  return refuse("InvalidParameterValue",
                fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", text));
}

// -1 and protocols without ports ignore what is said about them.
Result<> read_ports(const Value& in, Rule& rule) {
  bool ports = rule.protocol == "tcp" || rule.protocol == "udp", icmp = rule.protocol.starts_with("icmp");
  if (!ports && !icmp) return Ok{};
  if (in["FromPort"].is_null() || in["ToPort"].is_null())
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid value 'Must specify both from and to ports with "
                              "TCP/UDP.' for portRange."));
  rule.from = in["FromPort"].as_int();
  rule.to = in["ToPort"].as_int();
  bool fits = icmp ? rule.from >= -1 && rule.to >= -1 && rule.from <= 255 && rule.to <= 255
                   : rule.from >= 0 && rule.to <= 65535 && rule.from <= rule.to;
  if (fits) return Ok{};
  return refuse("InvalidParameterValue",
                fmt::format("Invalid TCP/UDP port range ({}:{})", rule.from, rule.to));
}

Result<std::string> read_cidr(std::string_view text, bool v6) {
  auto cidr = canonical_cidr(text);
  if (cidr && (cidr->find(':') != std::string::npos) == v6) return *cidr;
  return refuse("InvalidParameterValue", fmt::format("CIDR block {} is malformed", text));
}

Result<Map> group_source(Region& region, std::string_view id) {
  NB_TRY(region.need("security-groups", id));
  return Map{{"referencedGroupInfo", Map{{"groupId", id}, {"userId", region.account}}}};
}

Result<Map> cidr_source(std::string_view name, std::string_view text) {
  std::string cidr = NB_TRY(read_cidr(text, name == "cidrIpv6"));
  return Map{{std::string(name), cidr}};
}

Result<Map> read_source(Region& region, std::string_view list, const Value& item) {
  if (list == "IpRanges") return cidr_source("cidrIpv4", item["CidrIp"].as_text());
  if (list == "Ipv6Ranges") return cidr_source("cidrIpv6", item["CidrIpv6"].as_text());
  if (list == "PrefixListIds") return Map{{"prefixListId", item["PrefixListId"]}};
  return group_source(region, item["GroupId"].as_text());
}

Result<> read_permission(Region& region, const Value& permission, bool egress, std::vector<Rule>& out) {
  Rule base;
  base.egress = egress;
  base.protocol = NB_TRY(read_protocol(permission["IpProtocol"].as_text()));
  NB_TRY(read_ports(permission, base));
  std::size_t before = out.size();
  for (std::string_view list : {"IpRanges", "Ipv6Ranges", "PrefixListIds", "Groups"})
    for (const Value& item : permission[list].as_list()) {
      Rule rule = base;
      rule.source = NB_TRY(read_source(region, list, item));
      rule.description = item["Description"].as_text();
      out.push_back(std::move(rule));
    }
  if (out.size() > before) return Ok{};
  return refuse("InvalidPermission.Malformed", "Unsupported IP permission: it names no source.");
}

}  // namespace

// CidrIp, IpProtocol, FromPort, ToPort at the top are one permission, in the older spelling.
Result<std::vector<Rule>> read_permissions(Region& region, const Value& in, bool egress) {
  std::vector<Rule> out;
  for (const Value& permission : in["IpPermissions"].as_list())
    NB_TRY(read_permission(region, permission, egress, out));
  if (!in["CidrIp"].is_null()) {
    Value one = in;
    one.map().set("IpRanges", List{Map{{"CidrIp", in["CidrIp"]}}});
    NB_TRY(read_permission(region, one, egress, out));
  }
  if (out.empty()) return refuse("MissingParameter", "The request must contain the parameter ipPermissions");
  return out;
}

namespace {

Result<std::string> group_of(Region& region, const Value& in) {
  std::string id(in["GroupId"].as_text());
  for (const auto& [key, group] : region.all("security-groups"))
    if (id.empty() && group["groupName"] == in["GroupName"]) id = key.name;
  if (id.empty())
    return refuse("MissingParameter", "The request must contain the parameter groupName or groupId");
  NB_TRY(region.need("security-groups", id));
  return id;
}

std::string said(const Rule& rule) {
  const Value& first = rule.source.begin()->second;
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW",
                     first.is_map() ? first["groupId"].as_text() : first.as_text(), rule.protocol, rule.from,
                     rule.to);
}

Result<> check_new(Region& region, const std::string& group, const std::vector<Rule>& rules) {
  std::size_t same_way = rules.size();
  for (const std::string& id : rules_of(region, group)) {
    const Value& old = region.get("security-group-rules", id).wire();
    same_way += old["isEgress"].as_bool() == rules[0].egress ? 1 : 0;
    for (const Rule& rule : rules)
      if (rule.same_as(old))
        return refuse("InvalidPermission.Duplicate",
                      fmt::format("the specified rule \"{}\" already exists", said(rule)));
  }
  if (same_way <= kRulesEachWay) return Ok{};
  return refuse("RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.");
}

Result<Value> authorize(Region& region, const Value& in, bool egress) {
  std::string group = NB_TRY(group_of(region, in));
  auto rules = NB_TRY(read_permissions(region, in, egress));
  NB_TRY(check_new(region, group, rules));
  Value tags = NB_TRY(tags_for(in, "security-group-rule"));
  List shown;
  for (const Rule& rule : rules) {
    std::string id = put_rule(region, group, rule, tags);
    const Value& wire = region.get("security-group-rules", id).wire();
    region.note("authorize", "security-groups", group, Map{{"rule", wire}});
    shown.push_back(wire);
  }
  return Value(Map{{"return", true}, {"securityGroupRuleSet", std::move(shown)}});
}

Result<Value> authorize_ingress(Region& region, const Value& in) {
  return authorize(region, in, false);
}
Result<Value> authorize_egress(Region& region, const Value& in) {
  return authorize(region, in, true);
}

// --- revoke

Value shown_revoked(const Value& wire) {
  Map out;
  for (std::string_view name : {"securityGroupRuleId", "groupId", "isEgress", "ipProtocol", "fromPort",
                                "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "description"})
    out.set(name, wire[name]);
  out.set("referencedGroupId", wire["referencedGroupInfo"]["groupId"]);
  return out;
}

Result<std::vector<std::string>> rules_by_id(Region& region, const std::string& group, const Value& in,
                                             bool egress) {
  std::vector<std::string> out;
  for (const std::string& id : texts(in["SecurityGroupRuleId"])) {
    Resource* rule = NB_TRY(region.need("security-group-rules", id));
    if ((*rule)["groupId"].as_text() != group || (*rule)["isEgress"].as_bool() != egress)
      return refuse("InvalidSecurityGroupRuleId.NotFound",
                    fmt::format("The security group rule ID '{}' does not exist", id));
    out.push_back(id);
  }
  return out;
}

Result<std::vector<std::string>> rules_by_content(Region& region, const std::string& group, const Value& in,
                                                  bool egress) {
  std::vector<std::string> out;
  for (const Rule& rule : NB_TRY(read_permissions(region, in, egress))) {
    std::size_t before = out.size();
    for (const std::string& id : rules_of(region, group))
      if (rule.same_as(region.get("security-group-rules", id).wire())) out.push_back(id);
    if (out.size() == before)
      return refuse("InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.");
  }
  return out;
}

Result<Value> revoke(Region& region, const Value& in, bool egress) {
  std::string group = NB_TRY(group_of(region, in));
  auto ids = in["SecurityGroupRuleId"].is_null() ? NB_TRY(rules_by_content(region, group, in, egress))
                                                 : NB_TRY(rules_by_id(region, group, in, egress));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  List shown;
  for (const std::string& id : ids) {
    const Value wire = region.get("security-group-rules", id).wire();
    region.note("revoke", "security-groups", group, Map{{"rule", wire}});
    shown.push_back(shown_revoked(wire));
    drop_rule(region, id);
  }
  return Value(Map{{"return", true}, {"revokedSecurityGroupRuleSet", std::move(shown)}});
}

Result<Value> revoke_ingress(Region& region, const Value& in) {
  return revoke(region, in, false);
}
Result<Value> revoke_egress(Region& region, const Value& in) {
  return revoke(region, in, true);
}

// --- describe, modify

constexpr FilterRule kRules[] = {{"group-id", "groupId"}, {"security-group-rule-id", "securityGroupRuleId"}};

Result<Value> describe_rules(Region& region, const Value& in) {
  return describe(region, in,
                  {"security-group-rules", "SecurityGroupRuleId", "securityGroupRuleSet", kRules, {}});
}

Result<Rule> read_rule(Region& region, const Value& in, bool egress) {
  Rule rule;
  rule.egress = egress;
  rule.protocol = NB_TRY(read_protocol(in["IpProtocol"].as_text()));
  NB_TRY(read_ports(in, rule));
  rule.description = in["Description"].as_text();
  if (!in["CidrIpv4"].is_null())
    rule.source = NB_TRY(cidr_source("cidrIpv4", in["CidrIpv4"].as_text()));
  else if (!in["CidrIpv6"].is_null())
    rule.source = NB_TRY(cidr_source("cidrIpv6", in["CidrIpv6"].as_text()));
  else if (!in["PrefixListId"].is_null())
    rule.source = Map{{"prefixListId", in["PrefixListId"]}};
  else
    rule.source = NB_TRY(group_source(region, in["ReferencedGroupId"].as_text()));
  return rule;
}

Result<Value> modify_rules(Region& region, const Value& in) {
  std::string group(in["GroupId"].as_text());
  NB_TRY(region.need("security-groups", group));
  for (const Value& update : in["SecurityGroupRule"].as_list()) {
    std::string_view id = update["SecurityGroupRuleId"].as_text();
    Resource* old = NB_TRY(region.need("security-group-rules", id));
    Rule rule = NB_TRY(read_rule(region, update["SecurityGroupRule"], (*old)["isEgress"].as_bool()));
    Map& wire = old->edit();
    for (std::string_view name :
         {"cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupInfo", "description"})
      wire.erase(name);
    for (const auto& [name, value] : rule.source) wire.set(name, value);
    wire.set("ipProtocol", rule.protocol);
    wire.set("fromPort", rule.from);
    wire.set("toPort", rule.to);
    if (!rule.description.empty()) wire.set("description", rule.description);
    region.note("authorize", "security-groups", group, Map{{"rule", old->wire()}});
  }
  return Value();
}

constexpr Action kActions[] = {
    {"AuthorizeSecurityGroupIngress", authorize_ingress}, {"AuthorizeSecurityGroupEgress", authorize_egress},
    {"RevokeSecurityGroupIngress", revoke_ingress},       {"RevokeSecurityGroupEgress", revoke_egress},
    {"DescribeSecurityGroupRules", describe_rules},       {"ModifySecurityGroupRules", modify_rules},
};

}  // namespace

std::span<const Action> rule_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
