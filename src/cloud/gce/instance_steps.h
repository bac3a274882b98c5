// The mutations of gce.instance and what they mean to a person. Pure; used by instance.cc, and by
// key_ways.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cloud/gce/gce.h"
#include "core/plan.h"

namespace nbform::gce {

std::vector<Step> instance_create();
std::vector<Step> instance_update(const std::vector<Edit>& edits);
std::vector<Step> instance_destroy(const Live& live);
Step instance_stop();
Step instance_start();
Step instance_mark_resume(bool set);
std::vector<Step> instance_forget();
std::vector<std::pair<const Kind*, std::string>> instance_leftovers(const StepContext& context);

// Body of instances.insert for one attempt; new data disks ride in it, existing ones are attached.
Value insert_body(const StepContext& context);

// setMetadata of the whole, if it is still as it was read.
Call metadata_call(const Live& vm, const Map& metadata, std::string_view request_id);

// The lines of a metadata value `ssh-keys` that this stack wrote, sorted: their comment is "nbform:<stack>".
List own_key_lines(std::string_view all, std::string_view stack_label);
// `all` with our lines replaced by `ours` and every other line as it was.
std::string merge_key_lines(std::string_view all, const List& ours, std::string_view stack_label);

std::vector<std::string> instance_consequences(const Change& change);
std::vector<std::string> instance_notes(const Resource& resource, const Live& live);
std::string instance_summary(const Resource& resource, const Attempt& attempt);
std::optional<std::string> instance_words(const Edit& edit);
std::string instance_gpu(const Live& live);
std::vector<WayIn> instance_ways_in(const Resource& vm, const Live* live, const Facts& facts);
void instance_relate(Resource& machine, const Live* live_machine, std::string_view part, const Live& sibling,
                     bool declared);

}  // namespace nbform::gce
