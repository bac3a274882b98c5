// EBS volumes: what a valid one is, their making, attaching and modifying. Knows instances by what attaches
// to them only.
#pragma once

#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

struct VolumeSpec {
  std::string zone, type = "gp2", snapshot, kms_key;
  std::int64_t size = 0, iops = 0, throughput = 0;
  bool encrypted = false;
  Value tags;
};
// Type, size, IOPS and throughput filled in and judged. Refusals: InvalidParameterValue,
// InvalidParameterCombination, MissingParameter.
Result<> complete(VolumeSpec& spec);
std::string make_volume(Region& region, const VolumeSpec& spec);
void bind_volume(Region& region, std::string_view volume, std::string_view instance,
                 const std::string& device, bool delete_on_termination, std::string_view status);
void unbind_volume(Region& region, std::string_view volume);
void delete_volume_now(Region& region, std::string_view volume, std::string_view why);
void modification_happens(Region& region, const std::string& volume);  // modifying, optimizing, completed

}  // namespace nbform::sim::aws
