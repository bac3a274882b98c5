// World's administration: what befalls the simulated cloud, by call and as data.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "sim/aws/deeds.h"
#include "sim/command.h"
#include "sim/instances.h"
#include "sim/names.h"
#include "sim/refusal.h"
#include "sim/state.h"
#include "sim/variants.h"

namespace nbform::sim {

namespace {

Diagnostic usage(std::string detail) {
  return Command::usage(std::move(detail));
}

Key vm_key(std::string_view project, std::string_view zone, std::string_view name) {
  return {std::string(project), "zones/" + std::string(zone), std::string(name)};
}

}  // namespace

Result<> World::preempt(std::string_view project, std::string_view zone, std::string_view name) {
  if (auto ec2 = aws::find_instance(*state_, name)) return aws::interrupt_at(*state_, *ec2, std::nullopt);
  return preempt_instance(*state_, vm_key(project, zone, name));
}

Result<> World::preempt_at(std::string_view project, std::string_view zone, std::string_view name, Time at) {
  if (auto ec2 = aws::find_instance(*state_, name)) return aws::interrupt_at(*state_, *ec2, at);
  Key key = vm_key(project, zone, name);
  if (state_->find("instances", key) == nullptr) return not_found(key, "instances");
  state_->plan(std::max(at, state_->now), {"vm.preempt", key, {}});
  return Ok{};
}

void World::stockout(std::string zone_glob, std::string machine_glob,
                     std::vector<std::string> zones_available) {
  state_->stockouts.push_back({std::move(zone_glob), std::move(machine_glob), std::move(zones_available)});
}

void World::end_stockout(std::string_view zone_glob) {
  std::erase_if(state_->stockouts,
                [&](const Stockout& s) { return zone_glob == "*" || s.zone_glob == zone_glob; });
  aws::capacity_returns(*state_);
}

void World::set_quota(std::string project_glob, std::string region_glob, std::string metric_glob,
                      double limit) {
  state_->quota_rules.push_back(
      {std::move(project_glob), std::move(region_glob), std::move(metric_glob), limit});
}

Result<> World::add_faults(const Value& list) {
  return state_->faults.add(list);
}
void World::clear_faults() {
  state_->faults.clear();
}

void World::set_rate_limit(std::int64_t per_minute) {
  state_->options.rate_limit = per_minute;
}

void World::set_unreachable(std::string zone, bool unreachable) {
  if (state_->unreachable.contains(zone) != unreachable)
    state_->note("outage", {"", "zones/" + zone, ""}, "", Map{{"unreachable", unreachable}});
  if (unreachable)
    state_->unreachable.insert(std::move(zone));
  else
    state_->unreachable.erase(zone);
}

Result<> World::add_variant(std::string_view name) {
  if (!is_variant(name))
    return usage(fmt::format("There is no variant '{}'; nbsim --list-variants names them.", name));
  state_->options.variants.emplace(name);
  return Ok{};
}

void World::set_clock_offset(Duration offset) {
  state_->clock_offset = offset;
}

void World::add_token(std::string token, std::string principal, std::optional<Time> expires) {
  state_->tokens[std::move(token)] = {std::move(principal), expires};
}

void World::expire_tokens() {
  for (auto& [text, token] : state_->tokens)
    if (token.expires) token.expires = state_->cloud_time();
  for (auto& [id, key] : state_->aws.keys)
    if (key.expires) key.expires = state_->cloud_time();
}

void World::add_service_account(std::string email, std::string public_pem) {
  state_->service_accounts[std::move(email)] = std::move(public_pem);
}

void World::publish_image(std::string project, std::string family, std::string name) {
  state_->published.push_back({std::move(project), std::move(family), std::move(name), state_->cloud_time()});
}

void World::write_guest_attribute(std::string_view project, std::string_view zone, std::string_view instance,
                                  std::string space, std::string key, std::string value) {
  if (Resource* vm = state_->find("instances", vm_key(project, zone, instance)))
    vm->hidden.map()["guest"].map()[space].map().set(key, std::move(value));
}

void World::add_aws_key(std::string id, std::string secret, std::string account, std::string arn) {
  std::string user_id = "AIDA" + id.substr(std::min<std::size_t>(4, id.size()));
  state_->aws.keys[std::move(id)] = {std::move(secret), "", std::move(account), std::move(arn), user_id, {}};
}

void World::give_loopback_addresses() {
  state_->on_loopback = true;
}

void World::deny(std::string permission) {
  if (permission.empty())
    state_->denied.clear();
  else
    state_->denied.insert(std::move(permission));
}

namespace {

struct Deed {
  std::string_view name;
  Result<Value> (*run)(World&, Command&, const std::string& project);
};

Result<Value> do_preempt(World& w, Command& c, const std::string& project) {
  std::string zone = c.text("zone"), name = c.text("name");
  const Value& after = c.value("after");
  NB_TRY(c.done());
  if (after.is_null())
    NB_TRY(w.preempt(project, zone, name));
  else if (auto delay = parse_delay(after))
    NB_TRY(w.preempt_at(project, zone, name, w.now() + *delay));
  else
    return usage("'after' is no duration.");
  return Value();
}

Result<Value> do_stockout(World& w, Command& c, const std::string&) {
  std::string zone = c.text("zone", "*"), machine = c.text("machine", "*");
  bool off = c.value("end").as_bool();
  auto available = c.texts("zones_available");
  NB_TRY(c.done());
  for (const std::string& one : available) NB_TRY(check_zone_glob(one));
  NB_TRY(check_zone_glob(zone));
  if (off)
    w.end_stockout(zone);
  else
    w.stockout(zone, machine, available);
  return Value();
}

Result<Value> do_quota(World& w, Command& c, const std::string& project) {
  std::string region = c.text("region", "*"), metric = c.text("metric");
  const Value& limit = c.value("limit");
  NB_TRY(c.done());
  if (metric.empty() || (!limit.is_int() && !limit.is_real()))
    return usage("'quota' needs a metric and a limit.");
  NB_TRY(check_quota_glob(metric));
  w.set_quota(project, region, metric, limit.as_real());
  return Value();
}

Result<Value> do_faults(World& w, Command& c, const std::string&) {
  const Value& list = c.value("list");
  bool clear = c.value("clear").as_bool();
  NB_TRY(c.done());
  if (clear) w.clear_faults();
  if (!list.is_null()) NB_TRY(w.add_faults(list));
  return Value();
}

// A delay, or one with a minus before it: the cloud's clock is behind its callers'.
std::optional<Duration> parse_offset(const Value& value) {
  std::string_view text = value.as_text();
  if (!text.starts_with('-')) return parse_delay(value);
  auto by = parse_delay(Value(text.substr(1)));
  return by ? std::optional(-*by) : std::nullopt;
}

Result<Value> do_clock(World& w, Command& c, const std::string&) {
  const Value &advance = c.value("advance"), &offset = c.value("offset");
  NB_TRY(c.done());
  if (auto by = parse_delay(advance); by && !advance.is_null()) w.advance(w.now() + *by);
  if (auto by = parse_offset(offset); by && !offset.is_null()) w.set_clock_offset(*by);
  return Value(Map{{"now", format_rfc3339(w.now())}});
}

Result<Value> do_rate(World& w, Command& c, const std::string&) {
  const Value& limit = c.value("limit");
  NB_TRY(c.done());
  if (!limit.is_int() || limit.as_int() < 0) return usage("'rate' needs a limit per minute; 0 = unlimited.");
  w.set_rate_limit(limit.as_int());
  return Value();
}

Result<Value> do_unreachable(World& w, Command& c, const std::string&) {
  std::string zone = c.text("zone");
  bool off = c.value("end").as_bool();
  NB_TRY(c.done());
  w.set_unreachable(zone, !off);
  return Value();
}

Result<Value> do_image(World& w, Command& c, const std::string&) {
  std::string project = c.text("image_project", "deeplearning-platform-release"), family = c.text("family"),
              name = c.text("name");
  NB_TRY(c.done());
  NB_TRY(check_name(name, "name"));
  w.publish_image(project, family, name);
  return Value();
}

Result<Value> do_guest(World& w, Command& c, const std::string& project) {
  std::string zone = c.text("zone"), vm = c.text("name"), space = c.text("namespace"), key = c.text("key"),
              value = c.text("value");
  NB_TRY(c.done());
  w.write_guest_attribute(project, zone, vm, space, key, value);
  return Value();
}

Result<Value> do_variant(World& w, Command& c, const std::string&) {
  std::string name = c.text("name");
  NB_TRY(c.done());
  NB_TRY(w.add_variant(name));
  return Value();
}

Result<Value> do_token(World& w, Command& c, const std::string&) {
  std::string token = c.text("token");
  bool expire = c.value("expire_all").as_bool();
  NB_TRY(c.done());
  if (!token.empty()) w.add_token(token, "user@example.com");
  if (expire) w.expire_tokens();
  return Value();
}

Result<Value> do_deny(World& w, Command& c, const std::string&) {
  std::string permission = c.text("permission");
  NB_TRY(c.done());
  w.deny(permission);
  return Value();
}

// The metadata of a whole project; an empty value takes a key away.
Result<Value> do_project(State& state, Command& c, const std::string& project) {
  std::string key = c.text("key"), value = c.text("value");
  NB_TRY(c.done());
  if (key.empty()) return usage("'project' needs a key.");
  if (value.empty())
    state.project_metadata[project].erase(key);
  else
    state.project_metadata[project].set(key, value);
  return Value();
}

// The name that OS Login gives to somebody.
Result<Value> do_posix(State& state, Command& c) {
  std::string email = c.text("email"), username = c.text("username");
  NB_TRY(c.done());
  if (email.empty() || username.empty()) return usage("'posix' needs an email and a username.");
  state.posix_names[email] = username;
  return Value();
}

Result<Value> do_loopback(World& w, Command& c, const std::string&) {
  NB_TRY(c.done());
  w.give_loopback_addresses();
  return Value();
}

// What a guest prints on its first serial port.
Result<Value> do_console(State& state, Command& c, const std::string& project) {
  std::string zone = c.text("zone"), name = c.text("name"), text = c.text("text");
  NB_TRY(c.done());
  Resource* vm = state.find("instances", vm_key(project, zone, name));
  if (vm == nullptr) return usage(fmt::format("There is no instance '{}' in {}.", name, zone));
  Value& serial = vm->hidden.map()["serial"];
  serial = std::string(serial.as_text()) + text;
  return Value();
}

constexpr std::array kDeeds = {
    Deed{"preempt", do_preempt},  Deed{"stockout", do_stockout}, Deed{"quota", do_quota},
    Deed{"faults", do_faults},    Deed{"clock", do_clock},       Deed{"unreachable", do_unreachable},
    Deed{"image", do_image},      Deed{"guest", do_guest},       Deed{"variant", do_variant},
    Deed{"token", do_token},      Deed{"deny", do_deny},         Deed{"rate", do_rate},
    Deed{"loopback", do_loopback}};

}  // namespace

Result<Value> World::administer(const Value& command) {
  Command members(command);
  std::string project = members.text("project", state_->options.project);
  for (const Deed& deed : kDeeds)
    if (deed.name == command["do"].as_text()) return deed.run(*this, members, project);
  bool of_compute = command["do"].as_text() == "console" && !command["zone"].is_null();
  if (of_compute) return do_console(*state_, members, project);
  if (command["do"].as_text() == "project") return do_project(*state_, members, project);
  if (command["do"].as_text() == "posix") return do_posix(*state_, members);
  if (auto done = aws::do_deed(*state_, members, command["do"].as_text())) return *std::move(done);
  return usage(fmt::format("There is no '{}'.", command["do"].as_text()));
}

}  // namespace nbform::sim
