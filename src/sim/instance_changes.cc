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

namespace {

// One kind of change. `read` judges the request against the VM as it is and gives what is to be done; `apply`
// does it when the operation is done, judging again what may have moved meanwhile.
struct Change {
  std::string_view method;
  double seconds;
  bool stopped_only;
  Result<Value> (*read)(State&, const Call&, const Key&, Resource&);
  std::optional<Failure> (*apply)(State&, const Key&, Resource&, const Value& args);
};

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

void note_change(State& state, const Key& key, std::string_view kind, const Value& before,
                 const Value& after) {
  state.note(std::string(kind), key, "instances/" + key.name, Map{{"before", before}, {"after", after}});
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

// --- protection, addresses

Result<Value> read_protection(State&, const Call& call, const Key&, Resource&) {
  return Value(NB_TRY(call.flag("deletionProtection", true)));
}

std::optional<Failure> apply_protection(State& state, const Key& key, Resource& vm, const Value& args) {
  note_change(state, key, "deletion_protection", vm["deletionProtection"], args);
  vm.edit().set("deletionProtection", args);
  return std::nullopt;
}

Result<> check_interface(const Call& call) {
  if (call.param("networkInterface") == "nic0") return Ok{};
  return bad_field("networkInterface", call.param("networkInterface"),
                   "The instance has no such network interface.");
}

Result<Value> read_new_address(State&, const Call& call, const Key&, Resource& vm) {
  NB_TRY(check_interface(call));
  if (!vm["networkInterfaces"].at_path("0/accessConfigs").as_list().empty())
    return bad_field("networkInterface", "nic0", "At most one access config is supported.");
  return read_access_config(call.body);
}

Map& first_interface(Resource& vm) {
  return vm.edit()["networkInterfaces"].list()[0].map();
}

std::optional<Failure> apply_new_address(State& state, const Key& key, Resource& vm, const Value& args) {
  Value config = args;
  if (status_of(vm) == "RUNNING" && config["natIP"].is_null())
    config.map().set("natIP",
                     fmt::format("34.120.{}.{}", state.next_random(250), 2 + state.next_random(250)));
  first_interface(vm).set("accessConfigs", List{config});
  note_change(state, key, "address", {}, config);
  return std::nullopt;
}

Result<Value> read_old_address(State&, const Call& call, const Key&, Resource& vm) {
  NB_TRY(check_interface(call));
  const Value& config = vm["networkInterfaces"].at_path("0/accessConfigs/0");
  if (config.is_null() || config["name"].as_text() != call.param("accessConfig"))
    return bad_field("accessConfig", call.param("accessConfig"),
                     "The network interface has no such access config.");
  return config;
}

std::optional<Failure> apply_old_address(State& state, const Key& key, Resource& vm, const Value& args) {
  first_interface(vm).erase("accessConfigs");
  note_change(state, key, "address", args, {});
  return std::nullopt;
}

// --- disks

Value* find_device(Resource& vm, std::string_view device) {
  for (Value& disk : vm.edit()["disks"].list())
    if (disk["deviceName"].as_text() == device) return &disk;
  return nullptr;
}

Diagnostic no_device(std::string_view device) {
  return bad_field("deviceName", device, "No attached disk found with the device name.");
}

Result<Value> read_attach(State& state, const Call& call, const Key&, Resource& vm) {
  if (NB_TRY(call.flag("forceAttach", false)))
    return bad_field("forceAttach", "true", "Only regional disks can be attached by force.");
  if (!call.body["initializeParams"].is_null())
    return bad_field("initializeParams", "", "A disk must exist before it is attached.");
  if (call.body["source"].is_null()) return refuse("required", "Required field 'source' not specified");
  Key disk = NB_TRY(free_disk(state, call, call.body["source"].as_text(), "source"));
  std::string device(call.body["deviceName"].as_text());
  if (device.empty()) device = fmt::format("persistent-disk-{}", vm["disks"].as_list().size());
  if (find_device(vm, device) != nullptr)
    return bad_field("deviceName", device, "The device name is used already.");
  Value args = call.body;
  args.map().set("deviceName", device);
  args.map().set("source", link(disk, "disks"));
  return args;
}

std::optional<Failure> apply_attach(State& state, const Key& key, Resource& vm, const Value& args) {
  Key disk = disk_key(args["source"].as_text());
  const Resource* found = state.find("disks", disk);
  if (found == nullptr)
    return Failure{"RESOURCE_NOT_FOUND",
                   404,
                   fmt::format("The resource '{}' was not found", path_of(disk, "disks")),
                   {}};
  if (!(*found)["users"].as_list().empty())
    return Failure{"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
                   400,
                   fmt::format("The disk resource '{}' is already being used", path_of(disk, "disks")),
                   {}};
  List& disks = vm.edit()["disks"].list();
  disks.push_back(shown_disk(state, disk, args, disks.size()));
  add_user(state, disk, key);
  return std::nullopt;
}

Result<Value> read_detach(State&, const Call& call, const Key&, Resource& vm) {
  Value* disk = find_device(vm, call.param("deviceName"));
  if (disk == nullptr) return no_device(call.param("deviceName"));
  if ((*disk)["boot"].as_bool() && status_of(vm) != "TERMINATED")
    return refuse("invalidResourceUsage",
                  "Invalid resource usage: 'The boot disk can be detached only from a stopped instance.'.");
  return Value(call.param("deviceName"));
}

std::optional<Failure> apply_detach(State& state, const Key& key, Resource& vm, const Value& args) {
  Value* disk = find_device(vm, args.as_text());
  if (disk == nullptr)
    return Failure{"INVALID_USAGE", 400, "No attached disk found with the device name.", {}};
  drop_user(state, disk_key((*disk)["source"].as_text()), key);
  List& disks = vm.edit()["disks"].list();
  disks.erase(disks.begin() + (disk - disks.data()));
  for (std::size_t i = 0; i < disks.size(); ++i) disks[i].map().set("index", static_cast<int>(i));
  return std::nullopt;
}

Result<Value> read_auto_delete(State&, const Call& call, const Key&, Resource& vm) {
  if (find_device(vm, call.param("deviceName")) == nullptr) return no_device(call.param("deviceName"));
  return Value(
      Map{{"device", call.param("deviceName")}, {"autoDelete", NB_TRY(call.flag("autoDelete", false))}});
}

std::optional<Failure> apply_auto_delete(State& state, const Key& key, Resource& vm, const Value& args) {
  Value* disk = find_device(vm, args["device"].as_text());
  if (disk == nullptr)
    return Failure{"INVALID_USAGE", 400, "No attached disk found with the device name.", {}};
  note_change(state, key, "auto_delete",
              Map{{"source", (*disk)["source"]}, {"autoDelete", (*disk)["autoDelete"]}},
              Map{{"source", (*disk)["source"]}, {"autoDelete", args["autoDelete"]}});
  disk->map().set("autoDelete", args["autoDelete"]);
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
    {"addAccessConfig", 3, false, read_new_address, apply_new_address},
    {"deleteAccessConfig", 3, false, read_old_address, apply_old_address},
    {"attachDisk", 3, false, read_attach, apply_attach},
    {"detachDisk", 3, false, read_detach, apply_detach},
    {"setDiskAutoDelete", 1, false, read_auto_delete, apply_auto_delete},
};

const Change& change_named(std::string_view method) {
  for (const Change& c : kChanges)
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
