#include "sim/firewalls.h"

#include <fmt/format.h>

#include "sim/effects.h"
#include "sim/lists.h"
#include "sim/quotas.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kKind = "firewalls";

std::vector<Charge> charge(const Key& key) {
  return {{{key.project, "", "FIREWALLS"}, 1}};
}

std::string said(const Key& key) {
  return "firewalls/" + key.name;
}

struct DefaultRule {
  std::string_view name, about, source;
  std::vector<std::pair<std::string_view, std::string_view>> allowed;  // protocol, ports
};

// As the console shows them in a new project.
const std::vector<DefaultRule>& default_rules() {
  static const std::vector<DefaultRule> all = {
      {"default-allow-icmp", "Allow ICMP from anywhere", "0.0.0.0/0", {{"icmp", ""}}},
      {"default-allow-internal",
       "Allow internal traffic on the default network",
       "10.128.0.0/9",
       {{"tcp", "0-65535"}, {"udp", "0-65535"}, {"icmp", ""}}},
      {"default-allow-rdp", "Allow RDP from anywhere", "0.0.0.0/0", {{"tcp", "3389"}}},
      {"default-allow-ssh", "Allow SSH from anywhere", "0.0.0.0/0", {{"tcp", "22"}}}};
  return all;
}

Map default_wire(const Key& key, const DefaultRule& rule, std::size_t number) {
  List allowed;
  for (const auto& [protocol, ports] : rule.allowed) {
    Map item{{"IPProtocol", protocol}};
    if (!ports.empty()) item.set("ports", List{ports});
    allowed.push_back(std::move(item));
  }
  return Map{{"kind", "compute#firewall"},
             {"id", std::to_string(2'900'000'000'000'000'000u + number)},
             {"creationTimestamp", "2014-01-21T18:35:16.514-08:00"},
             {"name", rule.name},
             {"description", rule.about},
             {"network", global_link(key.project, "global/networks/default")},
             {"priority", 65534},
             {"sourceRanges", List{rule.source}},
             {"allowed", std::move(allowed)},
             {"direction", "INGRESS"},
             {"logConfig", Map{{"enable", false}}},
             {"disabled", false},
             {"selfLink", link(key, kKind)}};
}

}  // namespace

// Projects are there as soon as somebody names one.
void make_default_rules(State& state, const std::string& project) {
  if (!state.firewalled.insert(project).second) return;
  std::size_t number = 0;
  for (const DefaultRule& rule : default_rules()) {
    Key key{project, "global", std::string(rule.name)};
    Resource made(default_wire(key, rule, ++number));
    (void)take_quota(state, made, "exists", charge(key));
    state.firewalls.emplace(key, std::move(made));
  }
}

namespace {

Failure already_exists(const Key& key) {
  return {"RESOURCE_ALREADY_EXISTS",
          409,
          fmt::format("The resource '{}' already exists", path_of(key, kKind)),
          {}};
}

Failure gone(const Key& key) {
  return {"RESOURCE_NOT_FOUND", 404, fmt::format("The resource '{}' was not found", path_of(key, kKind)), {}};
}

Result<Resource*> existing(State& state, const Call& call) {
  make_default_rules(state, call.project());
  Key key = call.key(call.arg("firewall"));
  Resource* rule = state.find(kKind, key);
  if (rule == nullptr || !state.visible(*rule)) return not_found(key, kKind);
  return rule;
}

Result<Reply> insert(State& state, const Call& call) {
  make_default_rules(state, call.project());
  Map wire = NB_TRY(checked_firewall(call, call.body));
  Key key = call.key(call.body["name"].as_text());
  Mutation mutation{"insert", "firewalls.insert", std::string(kKind), key, 5, std::move(wire), {}};
  if (state.find(kKind, key) != nullptr) {
    if (!state.variant("exists-in-operation")) return refuse("alreadyExists", already_exists(key).message);
    mutation.failure = already_exists(key);
    mutation.effect = "firewalls.refused";
  }
  return submit(state, call, std::move(mutation));
}

std::optional<Failure> begin_insert(State& state, const Key& key, Resource& work) {
  if (state.find(kKind, key) != nullptr) return already_exists(key);
  Map wire = work.hidden["args"].as_map();
  wire.set("id", state.new_id());
  wire.set("creationTimestamp", state.stamp());
  Resource made((Value(std::move(wire))));
  if (auto failure = take_quota(state, made, "exists", charge(key))) return failure;
  state.note("insert", key, said(key), Map{{"rule", made.wire()}, {"id", made["id"]}});
  work.hidden.map().set("made", true);
  state.firewalls[key] = std::move(made);
  return std::nullopt;
}

void erase(State& state, const Key& key, std::string_view why) {
  Resource* rule = state.find(kKind, key);
  if (rule == nullptr) return;
  state.note("delete", key, said(key), Map{{"by", why}, {"rule", rule->wire()}, {"id", (*rule)["id"]}});
  give_back_quota(state, *rule, "exists");
  state.firewalls.erase(key);
}

void undo_insert(State& state, const Key& key, Resource& work) {
  if (work.hidden["made"].as_bool()) erase(state, key, "failed insert");
}

std::optional<Failure> nothing(State&, const Key&, Resource&) {
  return std::nullopt;
}

Result<Reply> get(State& state, const Call& call) {
  return reply(call, *NB_TRY(existing(state, call)));
}

// What a rule is about stays: its name, its network and its direction.
Result<> check_fixed(const Value& now, const Value& then) {
  for (std::string_view field : {"name", "network", "direction"})
    if (now[field] != then[field])
      return refuse("invalid", fmt::format("Invalid value for field 'resource.{}': '{}'. The field cannot be "
                                           "changed.",
                                           field, then[field].as_text()));
  return Ok{};
}

Result<Reply> change(State& state, const Call& call, std::string_view type, const Value& asked) {
  Resource* rule = NB_TRY(existing(state, call));
  Value then = NB_TRY(checked_firewall(call, asked));
  NB_TRY(check_fixed(rule->wire(), then));
  Key key = call.key(call.arg("firewall"));
  return submit(state, call,
                {std::string(type),
                 "firewalls.change",
                 std::string(kKind),
                 key,
                 4,
                 Map{{"put", type == "update"}, {"asked", asked}, {"given", call.body}},
                 {}});
}

// RFC 7396 at the top level, which is as deep as rules differ: null takes away, a list replaces.
Value merged(Value now, const Value& given) {
  for (const auto& [field, value] : given.as_map())
    if (value.is_null())
      now.map().erase(field);
    else
      now.map().set(field, value);
  return now;
}

Result<Reply> patch(State& state, const Call& call) {
  Resource* rule = NB_TRY(existing(state, call));
  return change(state, call, "compute.firewalls.patch", merged(rule->wire(), call.body));
}

Result<Reply> update(State& state, const Call& call) {
  NB_TRY(existing(state, call));
  return change(state, call, "update", call.body);
}

// A patch is laid over what stands there when its turn comes.
std::optional<Failure> complete_change(State& state, const Key& key, Resource& work) {
  Resource* rule = state.find(kKind, key);
  if (rule == nullptr) return gone(key);
  const Value args = work.hidden["args"];
  Value before = rule->wire();
  Call call;
  call.args["project"] = key.project;
  auto then = checked_firewall(call, args["put"].as_bool() ? args["asked"] : merged(before, args["given"]));
  if (!then) return Failure{"INVALID_USAGE", 400, then.error().detail, {}};
  for (std::string_view kept : {"id", "creationTimestamp"}) then->set(kept, before[kept]);
  std::vector<std::string> leaving;
  for (const auto& [field, value] : before.as_map())
    if (!then->has(field)) leaving.push_back(field);
  for (const std::string& field : leaving) rule->edit().erase(field);
  for (const auto& [field, value] : *then) rule->edit().set(field, value);
  state.note("firewall", key, said(key), Map{{"before", before}, {"after", rule->wire()}});
  return std::nullopt;
}

Result<Reply> remove(State& state, const Call& call) {
  NB_TRY(existing(state, call));
  return submit(
      state, call,
      {"delete", "firewalls.delete", std::string(kKind), call.key(call.arg("firewall")), 5, {}, {}});
}

std::optional<Failure> complete_delete(State& state, const Key& key, Resource& work) {
  erase(state, key, work["name"].as_text());
  return std::nullopt;
}

Result<Reply> list(State& state, const Call& call) {
  make_default_rules(state, call.project());
  return list_shelf(state, call, kKind, "compute#firewallList");
}

constexpr Effect kEffects[] = {
    {"firewalls.insert", begin_insert, nothing, undo_insert},
    {"firewalls.refused", nothing, nothing},
    {"firewalls.change", nothing, complete_change},
    {"firewalls.delete", nothing, complete_delete},
};
constexpr Handling kMethods[] = {
    {"firewalls.insert", insert}, {"firewalls.get", get},       {"firewalls.list", list},
    {"firewalls.patch", patch},   {"firewalls.update", update}, {"firewalls.delete", remove},
};

}  // namespace

std::span<const Effect> firewall_effects() {
  return kEffects;
}
std::span<const Handling> firewall_methods() {
  return kMethods;
}

}  // namespace nbform::sim
