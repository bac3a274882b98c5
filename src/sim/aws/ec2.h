// EC2: its actions by name. Each takes the request's parameters as the published tables read them and gives
// the members of its answer; null where the answer is only <return>true</return>. What is the same for all
// actions (signature, permission, dry run, pace of requests) is front.cc's.
#pragma once

#include <span>

#include "sim/aws/region.h"

namespace nbform::sim::aws {

using Handler = Result<Value> (*)(Region&, const Value& in);
struct Action {
  std::string_view name;
  Handler handler;
};
const Action* find_action(std::string_view name);

// Each file's share.
std::span<const Action> launch_actions();    // RunInstances
std::span<const Action> instance_actions();  // describe, start, stop, reboot, terminate, status, console
std::span<const Action> attribute_actions();
std::span<const Action> profile_actions();
std::span<const Action> spot_actions();
std::span<const Action> volume_actions();
std::span<const Action> modification_actions();
std::span<const Action> group_actions();
std::span<const Action> rule_actions();
std::span<const Action> key_actions();
std::span<const Action> tag_actions();
std::span<const Action> network_actions();
std::span<const Action> offer_actions();  // images, types, offerings, zones, regions, prices

// What was planned comes due.
void instance_happens(Region& region, const Happening& happening);  // aws.vm.*
void spot_happens(Region& region, const Happening& happening);      // aws.spot.*
void volume_happens(Region& region, const Happening& happening);    // aws.volume.*
void tags_happen(Region& region, const Happening& happening);       // aws.tags

}  // namespace nbform::sim::aws
