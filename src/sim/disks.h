// Persistent disks as things: made, attached, detached, grown, deleted. Used by the disk methods and by VMs.
#pragma once

#include "sim/operations.h"

namespace nbform::sim {

// Reads a disk's parameters from a disks.insert body or an insert's initializeParams, both brought into the
// names of the Disk message (name, sizeGb, type, sourceImage, labels, description...). `default_type`: bare
// name.
Result<Resource> draft_disk(State& state, const Call& call, const Key& key, const Value& params,
                            std::string_view default_type, std::string_view field);
void put_disk(State& state, const Key& key, Resource disk, std::string_view status, std::string_view by);
void erase_disk(State& state, const Key& key, std::string_view why);
void set_disk_status(State& state, const Key& key, std::string_view status);
void add_user(State& state, const Key& disk, const Key& instance);
void drop_user(State& state, const Key& disk, const Key& instance);
void forget_use(State& state, const Key& disk);  // as if it had never been attached
// The disk that a source link names; refusals: notFound, resourceInUseByAnotherResource, resourceNotReady.
Result<Key> free_disk(State& state, const Call& call, std::string_view source, std::string_view field);
Key disk_key(std::string_view source_link);  // of a normalised selfLink

std::span<const Handling> disk_methods();

}  // namespace nbform::sim
