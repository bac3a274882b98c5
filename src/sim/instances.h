// VMs: what their files share. instance_draft.cc reads an insert's body; instance_state.cc moves VMs between
// states; instance_life.cc inserts, starts, stops, deletes and preempts; instance_changes.cc and
// instance_devices.cc set what can be set.
#pragma once

#include "sim/operations.h"

namespace nbform::sim {

struct MachineFacts;

Diagnostic bad_field(std::string_view field, std::string_view value, std::string_view why);
std::string_view status_of(const Resource& instance);
bool is_spot(const Value& scheduling);
std::string machine_label(const Value& instance);  // "n1-standard-8+nvidia-tesla-t4": what stock-outs match

Result<Resource*> existing_instance(State& state, const Call& call);

// --- instance_draft.cc
struct DraftDisk {
  Key key;
  std::optional<Resource> made;  // absent: an existing disk is attached
};
struct Draft {
  Value wire;
  std::vector<DraftDisk> disks;
};
Result<Draft> draft_instance(State& state, const Call& call, const Key& key);
// Parts that changes read too. `scheduling` is completed with its defaults.
Result<const MachineFacts*> read_machine(const Call& call, std::string_view reference, const Key& key,
                                         std::string_view field);
Result<Value> read_scheduling(const State& state, const Value& asked, bool has_gpu);
Result<Value> read_accelerators(const Call& call, const Value& asked, const MachineFacts& machine,
                                const Key& key);
Value built_in_accelerators(const State& state, const MachineFacts& machine, const Key& key);
Result<Value> read_metadata(const Value& asked);  // {kind, fingerprint, items?}
Result<Value> read_tags(const Value& asked);
Result<Value> read_service_accounts(const Value& asked);
Result<Value> read_access_config(const Value& asked);
Value shown_disk(State& state, const Key& disk, const Value& asked, std::size_t index);
bool has_gpu(const Value& instance, const MachineFacts& machine);

// --- instance_state.cc
// A public address that no VM has; a new one with each start.
std::string ephemeral_address(State& state);
void set_status(State& state, const Key& key, Resource& instance, std::string_view status,
                std::string_view why);
// Capacity, then quota: what every way into RUNNING needs.
std::optional<Failure> take_capacity(State& state, const Key& key, Resource& instance);
void run(State& state, const Key& key, Resource& instance, std::string_view why);
// STAGING now; RUNNING now too, or (variant) some seconds after the operation is done.
void boot(State& state, const Key& key, Resource& instance, std::string_view why);
void halt(State& state, const Key& key, Resource& instance, std::string_view why);
void erase_instance(State& state, const Key& key, std::string_view why);

// --- instance_life.cc
void instance_happens(State& state, const Happening& happening);  // vm.*
Result<> preempt_instance(State& state, const Key& key);
std::span<const Handling> instance_life_methods();

// --- instance_changes.cc and instance_devices.cc
// One kind of change. `read` judges the request against the VM as it is and gives what is to be done; `apply`
// does it when the operation is done, judging again what may have moved meanwhile.
struct Change {
  std::string_view method;
  double seconds;
  bool stopped_only;
  Result<Value> (*read)(State&, const Call&, const Key&, Resource&);
  std::optional<Failure> (*apply)(State&, const Key&, Resource&, const Value& args);
};
std::span<const Change> device_changes();  // disks and addresses
void note_change(State& state, const Key& key, std::string_view kind, const Value& before,
                 const Value& after);
std::span<const Handling> instance_change_methods();

// --- guest.cc
std::span<const Handling> guest_methods();

}  // namespace nbform::sim
