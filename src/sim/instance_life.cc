// What happens to VMs: insert, delete, start, stop, reset, and what the cloud does by itself.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/disks.h"
#include "sim/effects.h"
#include "sim/instances.h"
#include "sim/lists.h"
#include "sim/oslogin.h"
#include "sim/quotas.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

// --- insert

void put_instance(State& state, const Call& call, const Key& key, Draft draft) {
  List shown, made;
  for (std::size_t i = 0; i < draft.disks.size(); ++i) {
    DraftDisk& disk = draft.disks[i];
    if (disk.made) {
      put_disk(state, disk.key, std::move(*disk.made), "CREATING", "instances.insert");
      made.push_back(disk.key.name);
    }
    shown.push_back(shown_disk(state, disk.key, call.body["disks"].as_list()[i], i));
  }
  Map& wire = draft.wire.map();
  wire.set("disks", std::move(shown));
  wire.set("id", state.new_id());
  wire.set("creationTimestamp", state.stamp());
  wire.set("fingerprint", fingerprint(Value(wire)));
  const Value& made_of = draft.wire;
  state.note("insert", key, "instances/" + key.name,
             Map{{"labels", made_of["labels"]},
                 {"machineType", made_of["machineType"]},
                 {"id", made_of["id"]},
                 {"disks", made_of["disks"]}});
  Resource& instance = state.instances[key];
  instance = Resource(std::move(draft.wire));
  instance.hidden = Map{{"inserting", true}, {"made", made}, {"run", 0}};
  for (const DraftDisk& disk : draft.disks) add_user(state, disk.key, key);
}

double insert_seconds(const Value& wire) {
  return wire["guestAccelerators"].is_null() ? 12 : 20;
}

Result<Reply> insert_instance(State& state, const Call& call) {
  std::string_view name = call.body["name"].as_text();
  NB_TRY(check_name(name, "resource.name"));
  Key key = call.key(name);
  if (state.find("instances", key) != nullptr) {
    std::string message = fmt::format("The resource '{}' already exists", path_of(key, "instances"));
    if (!state.variant("exists-in-operation")) return refuse("alreadyExists", message);
    return submit(state, call,
                  {"insert",
                   "instances.refused",
                   "instances",
                   key,
                   1,
                   {},
                   Failure{"RESOURCE_ALREADY_EXISTS", 409, message, {}}});
  }
  Draft draft = NB_TRY(draft_instance(state, call, key));
  if (state.variant("quota-http"))
    if (auto over = over_quota(state, running_charges(state, key, draft.wire)))
      return refuse("quotaExceeded", over->message);
  double seconds = insert_seconds(draft.wire);
  put_instance(state, call, key, std::move(draft));
  if (state.variant("slow-visibility"))
    state.find("instances", key)->visible_from = state.now + state.pace(seconds / 2);
  return submit(state, call, {"insert", "instances.insert", "instances", key, seconds, {}, {}});
}

std::optional<Failure> begin_insert(State& state, const Key& key, Resource& work) {
  Resource& instance = *state.find("instances", key);
  if (auto failure =
          take_quota(state, instance, "exists", {{{key.project, region_of(key.zone()), "INSTANCES"}, 1}}))
    return failure;
  if (auto failure = take_capacity(state, key, instance)) return failure;
  for (const Value& name : instance.hidden["made"].as_list()) {
    Key disk{key.project, key.scope, std::string(name.as_text())};
    if (auto failure = take_quota(state, *state.find("disks", disk), "exists",
                                  disk_charges(disk, state.find("disks", disk)->wire())))
      return failure;
  }
  Time end{work.hidden["end"].as_int()};
  state.plan(state.now + (end - state.now) / 2, {"vm.staging", key, {}});
  return std::nullopt;
}

std::optional<Failure> complete_insert(State& state, const Key& key, Resource& work) {
  Resource& instance = *state.find("instances", key);
  for (const Value& name : instance.hidden["made"].as_list())
    set_disk_status(state, {key.project, key.scope, std::string(name.as_text())}, "READY");
  instance.hidden.map().erase("inserting");
  if (!work.hidden["preempt"].is_null())
    state.plan(state.now + Duration(work.hidden["preempt"].as_int()), {"vm.preempt", key, {}});
  boot(state, key, instance, "insert");
  return std::nullopt;
}

// A failed insert leaves no VM, and its own disks only where that was asked for.
void undo_insert(State& state, const Key& key, Resource& work) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return;
  List made = instance->hidden["made"].as_list();
  bool keep = state.variant("leftover-disks") || work.hidden["keep_disks"].as_bool();
  for (Value& disk : instance->edit()["disks"].list()) disk.map().set("autoDelete", false);
  erase_instance(state, key, "failed insert");
  for (const Value& name : made) {
    Key disk{key.project, key.scope, std::string(name.as_text())};
    if (keep) {
      set_disk_status(state, disk, "READY");
      forget_use(state, disk);
    } else {
      erase_disk(state, disk, "failed insert");
    }
  }
}

// --- delete, start, stop, reset

Result<Reply> delete_instance(State& state, const Call& call) {
  Resource* instance = NB_TRY(existing_instance(state, call));
  if ((*instance)["deletionProtection"].as_bool())
    return refuse(
        "invalidResourceUsage",
        "Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion.'.");
  return submit(state, call,
                {"delete", "instances.delete", "instances", call.key(call.arg("instance")), 20, {}, {}});
}

std::optional<Failure> begin_delete(State& state, const Key& key, Resource&) {
  if (Resource* instance = state.find("instances", key))
    set_status(state, key, *instance, "STOPPING", "delete");
  return std::nullopt;
}

std::optional<Failure> complete_delete(State& state, const Key& key, Resource& work) {
  erase_instance(state, key, work["name"].as_text());
  return std::nullopt;
}

Result<Reply> power(State& state, const Call& call, std::string_view type, double seconds,
                    std::initializer_list<std::string_view> from) {
  Resource* instance = NB_TRY(existing_instance(state, call));
  Key key = call.key(call.arg("instance"));
  Mutation mutation{std::string(type), fmt::format("instances.{}", type), "instances", key, seconds, {}, {}};
  bool fits = false;
  for (std::string_view status : from) fits = fits || status == status_of(*instance);
  if (!fits || instance->hidden["inserting"].as_bool()) mutation.failure = not_ready(key, "instances");
  return submit(state, call, std::move(mutation));
}

Result<Reply> start_instance(State& state, const Call& call) {
  return power(state, call, "start", 10, {"TERMINATED", "RUNNING"});
}
Result<Reply> stop_instance(State& state, const Call& call) {
  return power(state, call, "stop", 15, {"RUNNING", "STAGING", "TERMINATED"});
}
Result<Reply> reset_instance(State& state, const Call& call) {
  return power(state, call, "reset", 3, {"RUNNING"});
}

std::optional<Failure> gone(const Key& key) {
  return Failure{"RESOURCE_NOT_FOUND",
                 404,
                 fmt::format("The resource '{}' was not found", path_of(key, "instances")),
                 {}};
}

std::optional<Failure> begin_start(State& state, const Key& key, Resource&) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return gone(key);
  if (status_of(*instance) == "RUNNING") return std::nullopt;
  if (status_of(*instance) != "TERMINATED") return not_ready(key, "instances");
  auto deadline = parse_rfc3339((*instance)["scheduling"]["terminationTime"].as_text());
  if (deadline && *deadline <= state.cloud_time())
    return Failure{"INVALID_USAGE", 400, "The termination time of the VM has passed.", {}};
  if (auto failure = take_capacity(state, key, *instance)) return failure;
  set_status(state, key, *instance, "STAGING", "start");
  return std::nullopt;
}

std::optional<Failure> complete_start(State& state, const Key& key, Resource& work) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return gone(key);
  if (status_of(*instance) == "STAGING") boot(state, key, *instance, "start");
  if (!work.hidden["preempt"].is_null())
    state.plan(state.now + Duration(work.hidden["preempt"].as_int()), {"vm.preempt", key, {}});
  return std::nullopt;
}

std::optional<Failure> begin_stop(State& state, const Key& key, Resource&) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return gone(key);
  if (status_of(*instance) != "TERMINATED") set_status(state, key, *instance, "STOPPING", "stop");
  return std::nullopt;
}

std::optional<Failure> complete_stop(State& state, const Key& key, Resource&) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return gone(key);
  if (status_of(*instance) == "STOPPING") halt(state, key, *instance, "stop");
  return std::nullopt;
}

std::optional<Failure> nothing(State&, const Key&, Resource&) {
  return std::nullopt;
}
std::optional<Failure> complete_reset(State& state, const Key& key, Resource&) {
  state.note("reset", key, "instances/" + key.name);
  return std::nullopt;
}

// --- what the cloud does by itself

bool deletes_itself(const Resource& instance) {
  return instance["scheduling"]["instanceTerminationAction"].as_text() == "DELETE";
}

void stop_by_itself(State& state, const Key& key, Resource& instance, std::string_view why) {
  set_status(state, key, instance, "STOPPING", why);
  state.plan(state.now + state.pace(30),
             {"vm.stopped", key, Map{{"run", instance.hidden["run"]}, {"by", why}}});
}

void stopped_by_itself(State& state, const Happening& h) {
  Resource* instance = state.find("instances", h.target);
  if (instance == nullptr || status_of(*instance) != "STOPPING" || instance->hidden["run"] != h.detail["run"])
    return;
  if (deletes_itself(*instance))
    erase_instance(state, h.target, h.detail["by"].as_text());
  else
    halt(state, h.target, *instance, h.detail["by"].as_text());
}

void deadline_passed(State& state, const Happening& h) {
  Resource* instance = state.find("instances", h.target);
  if (instance == nullptr || status_of(*instance) != "RUNNING" || instance->hidden["run"] != h.detail["run"])
    return;
  record_system_operation(state, h.target, deletes_itself(*instance) ? "delete" : "stop",
                          "Instance reached the end of its run time.");
  stop_by_itself(state, h.target, *instance, "run time over");
}

}  // namespace

Result<> preempt_instance(State& state, const Key& key) {
  Resource* instance = state.find("instances", key);
  if (instance == nullptr) return not_found(key, "instances");
  if (!is_spot((*instance)["scheduling"]) || status_of(*instance) != "RUNNING")
    return refuse("invalid",
                  fmt::format("'{}' is not a running Spot VM, so it cannot be preempted.", key.name));
  state.note("preempt", key, "instances/" + key.name);
  if (!state.variant("no-preempted-record"))
    record_system_operation(state, key, "compute.instances.preempted", "Instance was preempted.");
  stop_by_itself(state, key, *instance, "preempted");
  return Ok{};
}

void instance_happens(State& state, const Happening& h) {
  Resource* instance = state.find("instances", h.target);
  if (instance == nullptr) return;
  if (h.what == "vm.staging" && status_of(*instance) == "PROVISIONING")
    set_status(state, h.target, *instance, "STAGING", "insert");
  if (h.what == "vm.running" && status_of(*instance) == "STAGING") run(state, h.target, *instance, "boot");
  if (h.what == "vm.deadline") deadline_passed(state, h);
  if (h.what == "vm.stopped") stopped_by_itself(state, h);
  if (h.what == "vm.preempt") (void)preempt_instance(state, h.target);
}

namespace {

Result<Reply> get_instance(State& state, const Call& call) {
  const Resource* vm = NB_TRY(existing_instance(state, call));
  Value shown = vm->wire();
  shown.map()["resourceStatus"].map().set(
      "effectiveInstanceMetadata", effective_metadata(state, call.key(call.arg("instance")), vm->wire()));
  return reply(call, shown);
}
Result<Reply> list_instances(State& state, const Call& call) {
  return list_shelf(state, call, "instances", "compute#instanceList");
}
Result<Reply> all_instances(State& state, const Call& call) {
  return list_aggregated(state, call, "instances", "compute#instanceAggregatedList");
}

constexpr Effect kEffects[] = {
    {"instances.insert", begin_insert, complete_insert, undo_insert},
    {"instances.refused", nothing, nothing},
    {"instances.delete", begin_delete, complete_delete},
    {"instances.start", begin_start, complete_start},
    {"instances.stop", begin_stop, complete_stop},
    {"instances.reset", nothing, complete_reset},
};
constexpr Handling kMethods[] = {
    {"instances.insert", insert_instance}, {"instances.get", get_instance},
    {"instances.list", list_instances},    {"instances.aggregatedList", all_instances},
    {"instances.delete", delete_instance}, {"instances.start", start_instance},
    {"instances.stop", stop_instance},     {"instances.reset", reset_instance},
};

}  // namespace

std::span<const Effect> instance_life_effects() {
  return kEffects;
}
std::span<const Handling> instance_life_methods() {
  return kMethods;
}

}  // namespace nbform::sim
