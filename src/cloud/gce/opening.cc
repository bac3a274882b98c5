#include "cloud/gce/opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "cloud/gce/firewall.h"
#include "cloud/ingress.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

constexpr std::string_view kUntil = " until ";

std::string description(const Owner& owner, Time until) {
  return description_of(owner) + std::string(kUntil) + format_rfc3339(until);
}

// The tag that the VM has, for the rules that the manifest asks for; else the one that it is to get.
std::string tag_for(const Live& vm, const Owner& owner) {
  const List& own = live_value(vm, "access_tags").as_list();
  return own.empty() ? access_tag(owner.stack, owner.notebook) : std::string(own.front().as_text());
}

}  // namespace

Owner opening_owner(std::string_view stack, std::string_view notebook, std::string_view caller) {
  return {std::string(stack), std::string(notebook), fmt::format("{}{}", kOpeningPart, labels::h8(caller))};
}

Call open_call(const Live& vm, const Owner& owner, std::string_view source, std::int64_t port, Time until,
               std::string_view request_id) {
  Map body = ingress_fields({Value(rule_text("tcp", port, port, range_of(source)))});
  body.set("description", description(owner, until));
  body.set("direction", "INGRESS");
  body.set("disabled", false);
  body.set("name", rule_name(owner));
  body.set("network", live_text(vm, "network"));
  body.set("priority", kRulePriority);
  body.set("targetTags", List{tag_for(vm, owner)});
  return firewall_call("POST", vm.scope, {}, request_id, std::move(body));
}

Call renew_call(const Live& vm, const Owner& owner, std::string_view source, Time until,
                std::string_view request_id) {
  Map body{{"description", description(owner, until)},
           {"sourceRanges", List{range_of(source)}},
           {"targetTags", List{tag_for(vm, owner)}}};
  return firewall_call("PATCH", vm.scope, rule_name(owner), request_id, std::move(body));
}

Call close_call(const Scope& scope, std::string_view name, std::string_view request_id) {
  return firewall_call("DELETE", scope, name, request_id);
}

std::optional<Call> tag_call(const Live& vm, const Owner& owner, std::string_view request_id) {
  const List& own = live_value(vm, "access_tags").as_list();
  if (!own.empty()) return std::nullopt;
  List items = live_value(vm, "tags").as_list();
  items.emplace_back(access_tag(owner.stack, owner.notebook));
  const Value* fingerprint = vm.tokens.find("tags");
  return zonal(
      "POST", vm.scope, vm.zone, fmt::format("instances/{}/setTags", vm.name), request_id,
      Map{{"fingerprint", fingerprint != nullptr ? *fingerprint : Value()}, {"items", std::move(items)}});
}

Call list_openings(const Scope& scope) {
  Call call = firewall_call("GET", scope);
  call.query = {{"filter", fmt::format("name eq \"nbform-.*-{}.*\"", kOpeningPart)},
                {"maxResults", "500"},
                {"fields", "items(name,description,sourceRanges),nextPageToken"}};
  return call;
}

std::optional<Opening> read_opening(const Value& rule) {
  std::string_view text = rule["description"].as_text(), name = rule["name"].as_text();
  Owner owner = read_description(text);
  auto end = text.find(kUntil);
  bool ours = owner.part.starts_with(kOpeningPart) && name == rule_name(owner);
  if (!ours || end == std::string_view::npos) return std::nullopt;
  auto until = parse_rfc3339(text.substr(end + kUntil.size()));
  if (!until) return std::nullopt;
  return Opening{std::move(owner), std::string(name), std::string(rule.at_path("sourceRanges/0").as_text()),
                 *until};
}

std::vector<Opening> stale_openings(const Value& page, std::string_view stack, Time now) {
  std::vector<Opening> out;
  for (const Value& item : page["items"].as_list())
    if (auto opening = read_opening(item); opening && opening->owner.stack == stack && opening->until <= now)
      out.push_back(std::move(*opening));
  return out;
}

}  // namespace nbform::gce
