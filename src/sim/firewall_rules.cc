// What a firewall rule may say: fields of the Firewall message, one by one, with the cloud's own words.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sim/aws/groups.h"
#include "sim/firewalls.h"
#include "sim/refusal.h"
#include "sim/state.h"

namespace nbform::sim {

namespace {

Diagnostic bad_field(std::string_view field, std::string_view value, std::string_view why) {
  return refuse("invalid", fmt::format("Invalid value for field '{}': '{}'. {}", field, value, why));
}

bool is_number(std::string_view text, std::int64_t most) {
  bool digits = !text.empty() && text.size() <= 5 &&
                std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && Value(text).as_int() <= most;
}

// "22" or "8000-8010".
bool is_port_range(std::string_view text) {
  auto dash = text.find('-');
  if (dash == std::string_view::npos) return is_number(text, 65535);
  std::string_view from = text.substr(0, dash), to = text.substr(dash + 1);
  return is_number(from, 65535) && is_number(to, 65535) && Value(from).as_int() <= Value(to).as_int();
}

Result<> check_protocol(const Value& item, const std::string& field) {
  constexpr std::array kNames = {"tcp", "udp", "icmp", "esp", "ah", "sctp", "ipip", "all"};
  std::string protocol = to_lower(item["IPProtocol"].as_text());
  bool known = std::find(kNames.begin(), kNames.end(), protocol) != kNames.end() || is_number(protocol, 255);
  if (!known)
    return bad_field(field + ".IPProtocol", protocol, "Must be a well-known IP protocol, or its number.");
  bool has_ports = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
  const List& ports = item["ports"].as_list();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    std::string at = fmt::format("{}.ports[{}]", field, i);
    if (!has_ports)
      return bad_field(at, ports[i].as_text(), fmt::format("Protocol {} has no ports.", protocol));
    if (!is_port_range(ports[i].as_text()))
      return bad_field(at, ports[i].as_text(), "Invalid port range specification.");
  }
  return Ok{};
}

Result<> check_actions(const Value& rule) {
  bool allows = !rule["allowed"].as_list().empty(), denies = !rule["denied"].as_list().empty();
  if (allows && denies) return bad_field("resource.denied", "", "A rule allows or denies, not both.");
  if (!allows && !denies) return refuse("required", "Required field 'resource.allowed' not specified");
  std::string_view list = allows ? "allowed" : "denied";
  for (std::size_t i = 0; i < rule[list].as_list().size(); ++i)
    NB_TRY(check_protocol(rule[list].as_list()[i], fmt::format("resource.{}[{}]", list, i)));
  return Ok{};
}

// No bits beyond the prefix, and one family in a rule.
Result<> check_ranges(const Value& rule, std::string_view list) {
  const List& ranges = rule[list].as_list();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::string_view text = ranges[i].as_text();
    std::string at = fmt::format("resource.{}[{}]", list, i);
    auto plain = aws::canonical_cidr(text.find('/') == std::string_view::npos ? fmt::format("{}/32", text)
                                                                              : std::string(text));
    bool v6 = text.find(':') != std::string_view::npos;
    bool same = plain && (*plain == text || *plain == fmt::format("{}/32", text));
    if (!same)
      return bad_field(at, text, fmt::format("Must be a valid {} CIDR address range.", v6 ? "IPV6" : "IPV4"));
    if (v6 != (ranges[0].as_text().find(':') != std::string_view::npos))
      return bad_field(at, text, "IPv4 and IPv6 ranges do not go into one rule.");
  }
  return Ok{};
}

Result<> check_tags(const Value& rule, std::string_view list, std::size_t most) {
  const List& tags = rule[list].as_list();
  if (tags.size() > most)
    return bad_field(fmt::format("resource.{}", list), "", fmt::format("At most {} tags.", most));
  for (std::size_t i = 0; i < tags.size(); ++i)
    NB_TRY(check_name(tags[i].as_text(), fmt::format("resource.{}[{}]", list, i)));
  return Ok{};
}

// Tags and service accounts do not go together; one side at least says whence.
Result<> check_ends(const Value& rule) {
  NB_TRY(check_tags(rule, "targetTags", 70));
  NB_TRY(check_tags(rule, "sourceTags", 30));
  auto has = [&](std::string_view list) { return !rule[list].as_list().empty(); };
  bool accounts = has("sourceServiceAccounts") || has("targetServiceAccounts");
  if (accounts && (has("sourceTags") || has("targetTags")))
    return bad_field("resource.targetTags", "", "Tags and service accounts cannot be used at the same time.");
  bool egress = rule["direction"].as_text() == "EGRESS";
  if (egress && (has("sourceTags") || has("sourceServiceAccounts") || has("sourceRanges")))
    return bad_field("resource.sourceTags", "", "Sources cannot be given for EGRESS.");
  if (!egress && !has("sourceRanges") && !has("sourceTags") && !has("sourceServiceAccounts"))
    return refuse("required", "Required field 'resource.sourceRanges' not specified");
  return Ok{};
}

Result<std::string> read_network(const Call& call, const Value& asked) {
  if (asked.is_null()) return global_link(call.project(), "global/networks/default");
  Target network = NB_TRY(read_reference(call, asked.as_text(), "networks", "resource.network"));
  if (network.project != call.project())
    return bad_field("resource.network", asked.as_text(),
                     "Cross-project references for this resource type are not allowed.");
  if (network.name != "default") return not_found(network.key(), "networks");
  return link(network.key(), "networks");
}

}  // namespace

Result<Map> checked_firewall(const Call& call, const Value& asked) {
  std::string_view name = asked["name"].as_text();
  NB_TRY(check_name(name, "resource.name"));
  std::string network = NB_TRY(read_network(call, asked["network"]));
  Map wire{{"kind", "compute#firewall"},
           {"name", name},
           {"description", asked["description"].as_text()},
           {"network", network},
           {"priority", asked["priority"].as_int(1000)},
           {"direction", asked["direction"].as_text("INGRESS")},
           {"logConfig", Map{{"enable", asked["logConfig"]["enable"].as_bool()}}},
           {"disabled", asked["disabled"].as_bool()},
           {"selfLink", link(call.key(name), "firewalls")}};
  if (std::int64_t p = wire.find("priority")->as_int(); p < 0 || p > 65535)
    return bad_field("resource.priority", std::to_string(p), "Must be between 0 and 65535.");
  if (asked["description"].as_text().size() > 2048)
    return bad_field("resource.description", "", "Must be at most 2048 characters.");
  for (std::string_view list : {"sourceRanges", "destinationRanges", "sourceTags", "sourceServiceAccounts",
                                "targetTags", "targetServiceAccounts", "allowed", "denied"})
    if (!asked[list].as_list().empty()) wire.set(list, asked[list]);
  Value rule(wire);
  NB_TRY(check_actions(rule));
  NB_TRY(check_ranges(rule, "sourceRanges"));
  NB_TRY(check_ranges(rule, "destinationRanges"));
  NB_TRY(check_ends(rule));
  return wire;
}

}  // namespace nbform::sim
