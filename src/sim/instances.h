// VMs: what their files share. instance_draft.cc reads an insert's body; instance_life.cc inserts, starts,
// stops, deletes and preempts; instance_changes.cc sets what can be set.
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

// --- instance_life.cc
void set_status(State& state, const Key& key, Resource& instance, std::string_view status,
                std::string_view why);
void instance_happens(State& state, const Happening& happening);  // vm.*
Result<> preempt_instance(State& state, const Key& key);
std::span<const Handling> instance_life_methods();

// --- instance_changes.cc
std::span<const Handling> instance_change_methods();

// --- guest.cc
std::span<const Handling> guest_methods();

}  // namespace nbform::sim
