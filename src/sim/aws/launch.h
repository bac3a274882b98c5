// A launch as asked for, with everything that was left out filled in, and judged. Makes nothing.
#pragma once

#include "sim/aws/catalogue.h"
#include "sim/aws/volumes.h"

namespace nbform::sim::aws {

struct DraftDisk {
  std::string device;
  VolumeSpec volume;
  bool delete_on_termination = false;
};

struct Draft {
  const TypeFacts* type = nullptr;
  ImageFacts image;
  std::string zone, subnet, vpc;
  std::vector<std::string> groups;
  bool public_address = false, delete_interface = true;
  std::string interface_description;
  std::vector<DraftDisk> disks;  // the root first
  bool spot = false, persistent = false;
  std::string interruption = "terminate", max_price;
  Value tags, volume_tags, interface_tags, request_tags;
};

Result<Draft> draft_launch(Region& region, const Value& in);
// The zone that the request names, itself or by its subnet; "" where it leaves that to EC2.
std::string asked_zone(Region& region, const Value& in);

// Its parts, each for one subject.
Result<> draft_place(Region& region, const Value& in, Draft& draft);   // zone, subnet, groups, address
Result<> draft_market(Region& region, const Value& in, Draft& draft);  // spot and its options
Result<> draft_disks(Region& region, const Value& in, Draft& draft);

}  // namespace nbform::sim::aws
