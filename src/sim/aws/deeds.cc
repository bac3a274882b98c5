#include "sim/aws/deeds.h"

#include <fmt/format.h>

#include <array>

#include "sim/aws/instances.h"
#include "sim/aws/network.h"
#include "sim/aws/spot.h"

namespace nbform::sim::aws {

std::optional<Key> find_instance(State& state, std::string_view id) {
  for (const auto& [key, vm] : state.aws.shelf("instances"))
    if (key.name == id) return key;
  return std::nullopt;
}

Result<> interrupt_at(State& state, const Key& instance, std::optional<Time> at) {
  Region region(state, instance.project, instance.scope);
  if (!at) return interrupt(region, instance.name);
  region.plan_at(*at, "aws.spot.interrupt", instance.name);
  return Ok{};
}

namespace {
void in_every_region(State& state, void (*deed)(Region&)) {
  std::set<std::pair<std::string, std::string>> places;
  for (const auto& [key, vm] : state.aws.shelf("instances")) places.emplace(key.project, key.scope);
  for (const auto& [account, name] : places) {
    Region region(state, account, name);
    deed(region);
  }
}
}  // namespace

void capacity_returns(State& state) {
  in_every_region(state, resume_where_possible);
}

namespace {

Result<Value> do_resume(State& state, Command& c) {
  std::string id = c.text("name");
  NB_TRY(c.done());
  auto key = find_instance(state, id);
  if (!key) return c.usage(fmt::format("There is no instance '{}'.", id));
  Region region(state, key->project, key->scope);
  NB_TRY(resume(region, id));
  return Value();
}

// Somebody else does.
Result<Value> do_terminate(State& state, Command& c) {
  std::string id = c.text("name");
  NB_TRY(c.done());
  auto key = find_instance(state, id);
  if (!key) return c.usage(fmt::format("There is no instance '{}'.", id));
  Region region(state, key->project, key->scope);
  begin_terminate(region, id, "Client.UserInitiatedShutdown",
                  "Client.UserInitiatedShutdown: User initiated shutdown");
  return Value();
}

// What a guest prints on its console, from its boot on.
Result<Value> do_console(State& state, Command& c) {
  std::string id = c.text("name"), text = c.text("text");
  NB_TRY(c.done());
  auto key = find_instance(state, id);
  if (!key) return c.usage(fmt::format("There is no instance '{}'.", id));
  Region region(state, key->project, key->scope);
  Value& printed = NB_TRY(region.need("instances", id))->hidden.map()["console"];
  printed = std::string(printed.as_text()) + text;
  return Value();
}

Result<Value> do_spot_price(State& state, Command& c) {
  std::string zone = c.text("zone", "*"), machine = c.text("machine", "*");
  const Value& price = c.value("price");
  NB_TRY(c.done());
  if (!price.is_int() && !price.is_real()) return c.usage("'spot_price' needs a price, in dollars an hour.");
  state.aws.spot_prices.push_back({zone, machine, price.as_real()});
  in_every_region(state, heed_prices);
  return Value();
}

Result<Value> do_ami(State& state, Command& c) {
  std::string name = c.text("name"), parameter = c.text("parameter");
  NB_TRY(c.done());
  if (name.empty()) return c.usage("'ami' needs a name.");
  state.aws.published.push_back({name, parameter, state.cloud_time()});
  return Value();
}

Result<Value> do_network(State& state, Command& c) {
  std::string account = c.text("account", kAwsAccount), name = c.text("region");
  bool vpc = c.value("default_vpc").as_bool(true), way_out = c.value("public").as_bool(true);
  NB_TRY(c.done());
  if (name.empty()) return c.usage("'network' needs a region.");
  Region region(state, account, name);
  if (!vpc) drop_default_vpc(region);
  if (!way_out) close_public_route(region);
  return Value();
}

Result<Value> do_profile(State& state, Command& c) {
  std::string name = c.text("name");
  const Value& after = c.value("after");
  NB_TRY(c.done());
  auto delay = after.is_null() ? std::optional<Duration>(std::chrono::hours(24 * 365)) : parse_delay(after);
  if (name.empty() || !delay) return c.usage("'profile' needs a name; `after` is a duration.");
  state.aws.profiles_from[name] = state.now + *delay;
  return Value();
}

Result<Value> do_spot_role(State& state, Command& c) {
  bool there = c.value("exists").as_bool(true);
  NB_TRY(c.done());
  state.aws.no_spot_role = !there;
  return Value();
}

Result<Value> do_metadata(State& state, Command& c) {
  std::string id = c.text("name");
  NB_TRY(c.done());
  if (!id.empty() && !find_instance(state, id)) return c.usage(fmt::format("There is no instance '{}'.", id));
  state.aws.on_instance = id;
  return Value();
}

struct Deed {
  std::string_view name;
  Result<Value> (*run)(State&, Command&);
};
constexpr std::array kDeeds = {Deed{"resume", do_resume},     Deed{"terminate", do_terminate},
                               Deed{"metadata", do_metadata}, Deed{"spot_price", do_spot_price},
                               Deed{"ami", do_ami},           Deed{"network", do_network},
                               Deed{"profile", do_profile},   Deed{"spot_role", do_spot_role},
                               Deed{"console", do_console}};

}  // namespace

std::optional<Result<Value>> do_deed(State& state, Command& command, std::string_view name) {
  for (const Deed& deed : kDeeds)
    if (deed.name == name) return deed.run(state, command);
  return std::nullopt;
}

}  // namespace nbform::sim::aws
