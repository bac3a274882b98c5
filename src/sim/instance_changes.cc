// What can be set on a VM: labels, metadata, tags, machine, scheduling, protection; and how any change is
// made.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/disks.h"
#include "sim/effects.h"
#include "sim/instances.h"
#include "sim/refusal.h"

namespace nbform::sim {

void note_change(State& state, const Key& key, std::string_view kind, const Value& before,
                 const Value& after) {
  state.note(std::string(kind), key, "instances/" + key.name, Map{{"before", before}, {"after", after}});
}

namespace {

Failure stale(std::string_view what) {
  return {"CONDITION_NOT_MET", 412, std::string(what), {}};
}

constexpr std::string_view kStaleLabels = "Labels fingerprint either invalid or resource labels have changed";
constexpr std::string_view kStaleMetadata =
    "Supplied fingerprint does not match current metadata fingerprint.";
constexpr std::string_view kStaleTags = "Supplied fingerprint does not match current tags fingerprint.";

Result<Value> if_fresh(const State& state, const Value& given, const Value& current, std::string_view message,
                       const Value& args) {
  if (given == current || state.variant("stale-in-operation")) return args;
  return refuse("conditionNotMet", std::string(message));
}

// --- labels, metadata, tags

Result<Value> read_labels(State& state, const Call& call, const Key&, Resource& vm) {
  NB_TRY(check_labels(call.body["labels"], "labels"));
  return if_fresh(state, call.body["labelFingerprint"], vm["labelFingerprint"], kStaleLabels, call.body);
}

std::optional<Failure> apply_labels(State& state, const Key& key, Resource& vm, const Value& args) {
  if (args["labelFingerprint"] != vm["labelFingerprint"]) return stale(kStaleLabels);
  note_change(state, key, "labels", vm["labels"], args["labels"]);
  if (args["labels"].as_map().empty())
    vm.edit().erase("labels");
  else
    vm.edit().set("labels", args["labels"]);
  vm.edit().set("labelFingerprint", fingerprint(args["labels"]));
  return std::nullopt;
}

Result<Value> read_new_metadata(State& state, const Call& call, const Key&, Resource& vm) {
  Value metadata = NB_TRY(read_metadata(call.body));
  Value args = Map{{"given", call.body["fingerprint"]}, {"metadata", metadata}};
  return if_fresh(state, call.body["fingerprint"], vm["metadata"]["fingerprint"], kStaleMetadata, args);
}

std::optional<Failure> apply_metadata(State& state, const Key& key, Resource& vm, const Value& args) {
  if (args["given"] != vm["metadata"]["fingerprint"]) return stale(kStaleMetadata);
  note_change(state, key, "metadata", vm["metadata"]["items"], args["metadata"]["items"]);
  vm.edit().set("metadata", args["metadata"]);
  return std::nullopt;
}

Result<Value> read_new_tags(State& state, const Call& call, const Key&, Resource& vm) {
  Value tags = NB_TRY(read_tags(call.body));
  Value args = Map{{"given", call.body["fingerprint"]}, {"tags", tags}};
  return if_fresh(state, call.body["fingerprint"], vm["tags"]["fingerprint"], kStaleTags, args);
}

std::optional<Failure> apply_tags(State& state, const Key& key, Resource& vm, const Value& args) {
  if (args["given"] != vm["tags"]["fingerprint"]) return stale(kStaleTags);
  note_change(state, key, "tags", vm["tags"]["items"], args["tags"]["items"]);
  vm.edit().set("tags", args["tags"]);
  return std::nullopt;
}

// --- machine

Result<Value> read_machine_type(State& state, const Call& call, const Key& key, Resource& vm) {
  const MachineFacts* machine =
      NB_TRY(read_machine(call, call.body["machineType"].as_text(), key, "machineType"));
  const MachineFacts* before = find_machine(key.zone(), last_segment(vm["machineType"].as_text()));
  Value attached = before->gpus > 0 ? Value() : vm["guestAccelerators"];
  Value accelerators = NB_TRY(read_accelerators(call, attached, *machine, key));
  if (machine->gpus > 0) accelerators = built_in_accelerators(state, *machine, key);
  bool gpu = machine->gpus > 0 || !accelerators.as_list().empty();
  (void)NB_TRY(read_scheduling(state, vm["scheduling"], gpu));
  return Value(Map{
      {"machineType", global_link(key.project, fmt::format("{}/machineTypes/{}", key.scope, machine->name))},
      {"accelerators", accelerators}});
}

void set_accelerators(Resource& vm, const Value& accelerators) {
  if (accelerators.as_list().empty())
    vm.edit().erase("guestAccelerators");
  else
    vm.edit().set("guestAccelerators", accelerators);
}

std::optional<Failure> apply_machine_type(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "machine_type", vm["machineType"], args["machineType"]);
  vm.edit().set("machineType", args["machineType"]);
  set_accelerators(vm, args["accelerators"]);
  return std::nullopt;
}

Result<Value> read_resources(State& state, const Call& call, const Key& key, Resource& vm) {
  const MachineFacts* machine = find_machine(key.zone(), last_segment(vm["machineType"].as_text()));
  if (machine->gpus > 0)
    return bad_field("guestAccelerators", machine->name, "The GPUs of this machine type are built in.");
  Value accelerators = NB_TRY(read_accelerators(call, call.body["guestAccelerators"], *machine, key));
  (void)NB_TRY(read_scheduling(state, vm["scheduling"], !accelerators.as_list().empty()));
  return accelerators;
}

std::optional<Failure> apply_resources(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "accelerators", vm["guestAccelerators"], args);
  set_accelerators(vm, args);
  return std::nullopt;
}

Result<Value> read_platform(State&, const Call& call, const Key&, Resource&) {
  return call.body["minCpuPlatform"];
}

std::optional<Failure> apply_platform(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "min_cpu_platform", vm["minCpuPlatform"], args);
  if (args.as_text().empty())
    vm.edit().erase("minCpuPlatform");
  else
    vm.edit().set("minCpuPlatform", args);
  return std::nullopt;
}

Result<Value> read_account(State&, const Call& call, const Key&, Resource&) {
  return read_service_accounts(List{call.body});
}

std::optional<Failure> apply_account(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "service_account", vm["serviceAccounts"], args);
  if (args.as_list().empty())
    vm.edit().erase("serviceAccounts");
  else
    vm.edit().set("serviceAccounts", args);
  return std::nullopt;
}

Result<Value> read_shielded(State&, const Call& call, const Key&, Resource& vm) {
  Value merged = vm["shieldedInstanceConfig"];
  for (const auto& [name, value] : call.body.as_map())
    if (!value.is_null()) merged.map().set(name, value);
  return merged;
}

std::optional<Failure> apply_shielded(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "shielded", vm["shieldedInstanceConfig"], args);
  vm.edit().set("shieldedInstanceConfig", args);
  return std::nullopt;
}

// --- scheduling

// What is given replaces, null clears; provisioningModel and preemptible are one fact.
Value merged_scheduling(const Value& before, const Value& asked) {
  Value out = before;
  for (const auto& [name, value] : asked.as_map())
    if (value.is_null())
      out.map().erase(name);
    else
      out.map().set(name, value);
  if (!asked["provisioningModel"].is_null() && asked["preemptible"].is_null())
    out.map().set("preemptible", asked["provisioningModel"].as_text() == "SPOT");
  if (asked["provisioningModel"].is_null() && asked["preemptible"].is_bool())
    out.map().set("provisioningModel", asked["preemptible"].as_bool() ? "SPOT" : "STANDARD");
  bool limited = !out["maxRunDuration"].is_null() || !out["terminationTime"].is_null();
  bool was_default = asked["instanceTerminationAction"].is_null();
  if (was_default && !limited && !is_spot(out)) out.map().erase("instanceTerminationAction");
  return out;
}

bool needs_stop(const State& state, const Value& before, const Value& after) {
  if (state.variant("live-scheduling-refused")) return true;
  for (std::string_view name : {"provisioningModel", "maxRunDuration", "terminationTime", "nodeAffinities"})
    if (before[name] != after[name]) return true;
  return before["preemptible"].as_bool() != after["preemptible"].as_bool();
}

Result<Value> read_new_scheduling(State& state, const Call& call, const Key& key, Resource& vm) {
  const MachineFacts* machine = find_machine(key.zone(), last_segment(vm["machineType"].as_text()));
  Value merged = merged_scheduling(vm["scheduling"], call.body);
  Value after = NB_TRY(read_scheduling(state, merged, has_gpu(vm.wire(), *machine)));
  if (state.variant("spot-switch-refused") && is_spot(after) != is_spot(vm["scheduling"]))
    return bad_field("scheduling.provisioningModel", call.body["provisioningModel"].as_text(),
                     "The provisioning model cannot be changed.");
  return after;
}

std::optional<Failure> apply_scheduling(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "scheduling", vm["scheduling"], args);
  vm.edit().set("scheduling", args);
  return std::nullopt;
}

// --- protection

Result<Value> read_protection(State&, const Call& call, const Key&, Resource&) {
  return Value(NB_TRY(call.flag("deletionProtection", true)));
}

std::optional<Failure> apply_protection(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "deletion_protection", vm["deletionProtection"], args);
  vm.edit().set("deletionProtection", args);
  return std::nullopt;
}

constexpr Change kChanges[] = {
    {"setLabels", 1, false, read_labels, apply_labels},
    {"setMetadata", 1.5, false, read_new_metadata, apply_metadata},
    {"setTags", 1.5, false, read_new_tags, apply_tags},
    {"setMachineType", 2, true, read_machine_type, apply_machine_type},
    {"setMachineResources", 2, true, read_resources, apply_resources},
    {"setMinCpuPlatform", 2, true, read_platform, apply_platform},
    {"setServiceAccount", 2, true, read_account, apply_account},
    {"updateShieldedInstanceConfig", 2, true, read_shielded, apply_shielded},
    {"setScheduling", 2, false, read_new_scheduling, apply_scheduling},
    {"setDeletionProtection", 1, false, read_protection, apply_protection},
};

const Change& change_named(std::string_view method) {
  for (auto table : {std::span<const Change>(kChanges), device_changes()})
    for (const Change& c : table)
      if (c.method == method) return c;
  bug("a change that nobody wrote");
}

bool wants_stop(const State& state, const Change& change, const Resource& vm, const Value& args) {
  if (status_of(vm) == "TERMINATED") return false;
  return change.stopped_only ||
         (change.method == "setScheduling" && needs_stop(state, vm["scheduling"], args));
}

Result<Reply> change_instance(State& state, const Call& call) {
  const Change& change = change_named(call.method->name.substr(call.method->name.find('.') + 1));
  Resource* vm = NB_TRY(existing_instance(state, call));
  Key key = call.key((*vm)["name"].as_text());
  if (vm->hidden["inserting"].as_bool())
    return refuse("resourceNotReady", not_ready(key, "instances").message);
  Value args = NB_TRY(change.read(state, call, key, *vm));
  Mutation mutation{std::string(change.method),
                    "instances.change",
                    "instances",
                    key,
                    change.seconds,
                    Map{{"change", change.method}, {"args", args}},
                    {}};
  if (wants_stop(state, change, *vm, args)) {
    if (state.variant("not-stopped-http"))
      return refuse("resourceNotReady", not_ready(key, "instances").message);
    mutation.failure = not_ready(key, "instances");
  }
  return submit(state, call, std::move(mutation));
}

std::optional<Failure> begin_change(State&, const Key&, Resource&) {
  return std::nullopt;
}

std::optional<Failure> complete_change(State& state, const Key& key, Resource& work) {
  Resource* vm = state.find("instances", key);
  if (vm == nullptr)
    return Failure{"RESOURCE_NOT_FOUND",
                   404,
                   fmt::format("The resource '{}' was not found", path_of(key, "instances")),
                   {}};
  const Change& change = change_named(work.hidden["args"]["change"].as_text());
  const Value args = work.hidden["args"]["args"];
  if (wants_stop(state, change, *vm, args)) return not_ready(key, "instances");
  if (auto failure = change.apply(state, key, *vm, args)) return failure;
  vm->edit().set("fingerprint", fingerprint(Map{{"id", (*vm)["id"]}, {"change", work["id"]}}));
  return std::nullopt;
}

constexpr Effect kEffects[] = {{"instances.change", begin_change, complete_change}};

constexpr Handling kMethods[] = {
    {"instances.setLabels", change_instance},
    {"instances.setMetadata", change_instance},
    {"instances.setTags", change_instance},
    {"instances.setMachineType", change_instance},
    {"instances.setMachineResources", change_instance},
    {"instances.setMinCpuPlatform", change_instance},
    {"instances.setServiceAccount", change_instance},
    {"instances.updateShieldedInstanceConfig", change_instance},
    {"instances.setScheduling", change_instance},
    {"instances.setDeletionProtection", change_instance},
    {"instances.addAccessConfig", change_instance},
    {"instances.deleteAccessConfig", change_instance},
    {"instances.attachDisk", change_instance},
    {"instances.detachDisk", change_instance},
    {"instances.setDiskAutoDelete", change_instance},
};

}  // namespace

std::span<const Effect> instance_change_effects() {
  return kEffects;
}
std::span<const Handling> instance_change_methods() {
  return kMethods;
}

}  // namespace nbform::sim
