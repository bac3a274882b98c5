// Whether firewall rules let traffic in: the lowest priority number counts, at one priority a deny beats an
// allow, and what no rule names stays out.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "sim/firewalls.h"

namespace nbform::sim {

namespace {

struct Range {
  std::uint32_t address = 0, mask = 0;
  bool valid = false;
};

Range range_of(std::string_view text) {
  const auto slash = text.find('/');
  const auto bits = slash == std::string_view::npos ? 32 : Value(text.substr(slash + 1)).as_int(-1);
  Range out;
  const auto parts = split(text.substr(0, slash), '.');
  if (parts.size() != 4 || bits < 0 || bits > 32) return out;
  for (std::string_view part : parts)
    out.address = out.address << 8 | static_cast<std::uint32_t>(Value(part).as_int());
  out.mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  out.valid = true;
  return out;
}

// All of `narrow`, or any of it.
bool covers(const Range& wide, const Range& narrow, bool whole) {
  const std::uint32_t mask = whole ? wide.mask : wide.mask & narrow.mask;
  if (whole && (narrow.mask & wide.mask) != wide.mask) return false;
  return wide.valid && narrow.valid && (wide.address & mask) == (narrow.address & mask);
}

bool names_source(const Value& rule, std::string_view source, bool whole) {
  const List& ranges = rule["sourceRanges"].as_list();
  return std::any_of(ranges.begin(), ranges.end(), [&](const Value& range) {
    return covers(range_of(range.as_text()), range_of(source), whole);
  });
}

bool names_port(const Value& item, int port) {
  const std::string protocol = to_lower(item["IPProtocol"].as_text());
  if (protocol == "all") return true;
  if (protocol != "tcp" && protocol != "6") return false;
  const List& ports = item["ports"].as_list();
  return ports.empty() || std::any_of(ports.begin(), ports.end(), [&](const Value& text) {
           const auto ends = split(text.as_text(), '-');
           return Value(ends.front()).as_int() <= port && port <= Value(ends.back()).as_int();
         });
}

bool any_port(const Value& items, int port) {
  return std::any_of(items.as_list().begin(), items.as_list().end(),
                     [&](const Value& i) { return names_port(i, port); });
}

bool share(const List& targets, const List& has) {
  return std::any_of(targets.begin(), targets.end(),
                     [&](const Value& t) { return std::find(has.begin(), has.end(), t) != has.end(); });
}

std::string_view project_path(std::string_view link) {
  const auto at = link.find("projects/");
  return at == std::string_view::npos ? link : link.substr(at);
}

bool is_for(const Value& rule, const Value& vm) {
  const Value& nic = vm["networkInterfaces"].as_list().front();
  if (project_path(rule["network"].as_text()) != project_path(nic["network"].as_text())) return false;
  const List &tags = rule["targetTags"].as_list(), &accounts = rule["targetServiceAccounts"].as_list();
  if (tags.empty() && accounts.empty()) return true;
  List own;
  for (const Value& account : vm["serviceAccounts"].as_list()) own.push_back(account["email"]);
  return share(tags, vm["tags"]["items"].as_list()) || share(accounts, own);
}

}  // namespace

bool lets_in(State& state, const std::string& project, const Value& vm, std::string_view source, int port) {
  make_default_rules(state, project);
  std::int64_t allowed = INT64_MAX, denied = INT64_MAX;
  for (const auto& [key, resource] : state.firewalls) {
    const Value& rule = resource.wire();
    const bool counts = key.project == project && rule["direction"].as_text() == "INGRESS" &&
                        !rule["disabled"].as_bool() && is_for(rule, vm);
    if (!counts) continue;
    const std::int64_t priority = rule["priority"].as_int(1000);
    if (any_port(rule["allowed"], port) && names_source(rule, source, true))
      allowed = std::min(allowed, priority);
    if (any_port(rule["denied"], port) && names_source(rule, source, false))
      denied = std::min(denied, priority);
  }
  return allowed < denied;
}

}  // namespace nbform::sim
