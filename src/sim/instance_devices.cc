// Changes to a VM's disks and addresses.
#include <fmt/format.h>

#include "sim/disks.h"
#include "sim/instances.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

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
    config.map().set("natIP", ephemeral_address(state));
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
  bool auto_delete = NB_TRY(call.flag("autoDelete", false));
  return Value(Map{{"device", call.param("deviceName")}, {"autoDelete", auto_delete}});
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
    {"addAccessConfig", 3, false, read_new_address, apply_new_address},
    {"deleteAccessConfig", 3, false, read_old_address, apply_old_address},
    {"attachDisk", 3, false, read_attach, apply_attach},
    {"detachDisk", 3, false, read_detach, apply_detach},
    {"setDiskAutoDelete", 1, false, read_auto_delete, apply_auto_delete},
};

}  // namespace

std::span<const Change> device_changes() {
  return kChanges;
}

}  // namespace nbform::sim
