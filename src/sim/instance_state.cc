// A VM's state by itself: capacity and quota, addresses, run time, RUNNING, TERMINATED, gone.
#include <fmt/format.h>

#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/disks.h"
#include "sim/effects.h"
#include "sim/instances.h"
#include "sim/quotas.h"
#include "sim/refusal.h"

namespace nbform::sim {

std::string_view status_of(const Resource& instance) {
  return instance["status"].as_text();
}

std::string machine_label(const Value& instance) {
  std::string label(last_segment(instance["machineType"].as_text()));
  const Value& gpu = instance["guestAccelerators"].at_path("0/acceleratorType");
  if (!gpu.is_null()) label += "+" + std::string(last_segment(gpu.as_text()));
  return label;
}

Result<Resource*> existing_instance(State& state, const Call& call) {
  Key key = call.key(call.arg("instance").empty() ? call.arg("resource") : call.arg("instance"));
  Resource* instance = state.find("instances", key);
  if (instance == nullptr || !state.visible(*instance)) return not_found(key, "instances");
  return instance;
}

void set_status(State& state, const Key& key, Resource& instance, std::string_view status,
                std::string_view why) {
  if (status_of(instance) == status) return;
  state.note("status", key, "instances/" + key.name,
             Map{{"before", instance["status"]}, {"after", status}, {"by", why}});
  instance.edit().set("status", status);
}

Value stockout_detail(std::string_view zone, std::string_view machine, std::string_view attachment,
                      const std::vector<std::string>& zones_available) {
  Map data{{"zone", zone},
           {"vmType", machine},
           {"attachment", attachment},
           {"zonesAvailable", join(zones_available, ",")}};
  return Map{
      {"errorInfo",
       Map{{"reason", "resource_availability"}, {"domain", "compute.googleapis.com"}, {"metadatas", data}}}};
}

namespace {

const Stockout* stockout_of(const State& state, const Key& key, const Value& wire) {
  std::string machine(last_segment(wire["machineType"].as_text())), label = machine_label(wire);
  std::string spot = is_spot(wire["scheduling"]) ? "spot:" + label : label;
  for (const Stockout& s : state.stockouts)
    if (glob_match(s.zone_glob, key.zone()) &&
        (glob_match(s.machine_glob, machine) || glob_match(s.machine_glob, label) ||
         glob_match(s.machine_glob, spot)))
      return &s;
  return nullptr;
}

Failure stockout_failure(const State& state, const Key& key, const Value& wire, const Stockout& s) {
  std::string machine(last_segment(wire["machineType"].as_text()));
  std::string text = fmt::format(
      "The zone 'projects/{}/{}' does not have enough resources available to fulfill the "
      "request.  Try a different zone, or try again later.",
      key.project, key.scope);
  if (state.variant("spot-stockout-unsupported") && is_spot(wire["scheduling"]))
    return {"UNSUPPORTED_OPERATION", 400, text, {}};
  if (state.variant("stockout-plain")) return {"ZONE_RESOURCE_POOL_EXHAUSTED", 503, text, {}};
  const Value& gpu = wire["guestAccelerators"].at_path("0");
  std::string attachment = gpu.is_null()
                               ? ""
                               : fmt::format("{}:{}", last_segment(gpu["acceleratorType"].as_text()),
                                             gpu["acceleratorCount"].as_int());
  return {"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
          503,
          text,
          {stockout_detail(key.zone(), machine, attachment, s.zones_available)}};
}

}  // namespace

std::optional<Failure> take_capacity(State& state, const Key& key, Resource& instance) {
  if (const Stockout* s = stockout_of(state, key, instance.wire()))
    return stockout_failure(state, key, instance.wire(), *s);
  return take_quota(state, instance, "running", running_charges(state, key, instance.wire()));
}

std::string ephemeral_address(State& state) {
  std::uint64_t n = ++state.last_id;
  return fmt::format("{}.{}.{}.{}", state.on_loopback ? 127 : 34, 66 + n / 62500 % 60, n / 250 % 250,
                     n % 250 + 2);
}

namespace {

// Ephemeral addresses come with RUNNING and go with TERMINATED.
void set_addresses(State& state, Resource& instance, bool present) {
  for (Value& nic : instance.edit()["networkInterfaces"].list()) {
    if (nic["accessConfigs"].is_null()) continue;
    for (Value& config : nic.map()["accessConfigs"].list())
      if (!present)
        config.map().erase("natIP");
      else if (config["natIP"].is_null())
        config.map().set("natIP", ephemeral_address(state));
  }
}

void set_deadline(State& state, const Key& key, Resource& instance) {
  const Value& s = instance["scheduling"];
  std::optional<Time> end;
  if (!s["maxRunDuration"].is_null())
    end = state.now + std::chrono::seconds(s["maxRunDuration"]["seconds"].as_int());
  if (!s["terminationTime"].is_null())
    end = *parse_rfc3339(s["terminationTime"].as_text()) - state.clock_offset;
  if (!end) return;
  instance.edit()["resourceStatus"].set_path("scheduling/terminationTimestamp",
                                             pacific(*end + state.clock_offset));
  state.plan(*end, {"vm.deadline", key, Map{{"run", instance.hidden["run"]}}});
}

}  // namespace

void run(State& state, const Key& key, Resource& instance, std::string_view why) {
  const MachineFacts* machine = find_machine(key.zone(), last_segment(instance["machineType"].as_text()));
  set_addresses(state, instance, true);
  set_status(state, key, instance, "RUNNING", why);
  Map& wire = instance.edit();
  wire.set("lastStartTimestamp", state.stamp());
  wire.set("cpuPlatform", instance["minCpuPlatform"].is_null() ? default_platform(machine->series)
                                                               : instance["minCpuPlatform"].as_text());
  instance.hidden.map().set("run", instance.hidden["run"].as_int() + 1);
  set_deadline(state, key, instance);
}

void boot(State& state, const Key& key, Resource& instance, std::string_view why) {
  if (!state.variant("staging-after-done")) return run(state, key, instance, why);
  set_status(state, key, instance, "STAGING", why);
  state.plan(state.now + state.pace(4), {"vm.running", key, {}});
}

void halt(State& state, const Key& key, Resource& instance, std::string_view why) {
  set_addresses(state, instance, false);
  set_status(state, key, instance, "TERMINATED", why);
  instance.edit().set("lastStopTimestamp", state.stamp());
  instance.edit().set("cpuPlatform", "Unknown CPU Platform");
  if (!instance["resourceStatus"]["scheduling"].is_null())
    instance.edit()["resourceStatus"].map().erase("scheduling");
  instance.hidden.map().set("run", instance.hidden["run"].as_int() + 1);
  give_back_quota(state, instance, "running");
}

void erase_instance(State& state, const Key& key, std::string_view why) {
  Resource* found = state.find("instances", key);
  if (found == nullptr) return;
  List disks = (*found)["disks"].as_list();
  for (const Value& disk : disks) {
    Key disk_at = disk_key(disk["source"].as_text());
    drop_user(state, disk_at, key);
    if (disk["autoDelete"].as_bool())
      erase_disk(state, disk_at, fmt::format("autoDelete with instances/{}", key.name));
  }
  state.note("delete", key, "instances/" + key.name,
             Map{{"by", why}, {"labels", (*found)["labels"]}, {"id", (*found)["id"]}});
  give_back_quota(state, *found, "running");
  give_back_quota(state, *found, "exists");
  state.instances.erase(key);
}

}  // namespace nbform::sim
