// What the files of ec2.instance share: decoding, steps and words. Pure; used by this folder alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cloud/ec2/ec2.h"
#include "core/plan.h"

namespace nbform::ec2 {

// --- decoding ---

Live decode_instance(const Scope& scope, const Value& item);
// Each folds one more answer in: its root volume, its Spot request, its profile association, its termination
// protection.
void fold_root_volume(Live& instance, const Value& volume);
// A request that is open, whose instance is gone: EC2 launches another one for it.
Live decode_open_request(const Scope& scope, const Value& request);
inline bool is_request(const Live& instance) {
  return instance.name.starts_with("sir-");
}
void fold_spot_request(Live& instance, const Value& request);
void fold_profile(Live& instance, const Value& associations);
void fold_protection(Live& instance, const Value& attribute);

// --- steps ---

std::vector<Step> instance_create(const Resource& resource);
std::vector<Step> instance_update(const std::vector<Edit>& edits);
std::vector<Step> instance_destroy(const Live& live);
Step instance_stop();
Step instance_start();
Step instance_mark_resume(bool set);
std::vector<Step> instance_forget();

// A Spot instance whose request is one-time or cancelled: EC2 stops it never.
bool never_stops(const Live& live);
// Parameters of RunInstances for one attempt, its client token included.
Map run_parameters(const StepContext& context);
// Where the data disk of `part` is attached: its own place, else the first free of /dev/sdf to /dev/sdp,
// every sibling of it being counted in the same order.
std::string device_for(const StepContext& context, std::string_view part);
// AttachVolume of the notebook's data disk, unless it is attached to its machine already.
std::optional<Call> attach_call(const StepContext& context, const Live& volume, const Live& machine,
                                std::string_view part);

// --- words ---

std::vector<std::string> instance_consequences(const Change& change);
std::vector<std::string> instance_notes(const Resource& resource, const Live& live);
std::string instance_summary(const Resource& resource, const Attempt& attempt);
std::optional<std::string> instance_words(const Change& change, const Edit& edit);
std::string instance_gpu(const Live& live);
std::string gpu_words(const TypeGpu& gpu);  // "t4 x1"

}  // namespace nbform::ec2
