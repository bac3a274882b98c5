// Instances: their states and what a change of state does to addresses, volumes, interfaces and spot
// requests.
#pragma once

#include "sim/aws/ec2.h"
#include "sim/aws/holdings.h"

namespace nbform::sim::aws {

std::string_view state_of(const Resource& instance);  // pending, running, ...
void set_state(Region& region, std::string_view id, std::string_view state);
void set_reason(Region& region, std::string_view id, std::string_view code, std::string_view message);
void refresh_devices(Region& region, std::string_view id);    // blockDeviceMapping from its volumes
void refresh_interface(Region& region, std::string_view id);  // addresses and groups from its interface

// Pending; runs after a while. `failure`: never runs, ends with this reason ("Server.InternalError").
void begin_boot(Region& region, std::string_view id, std::string_view failure = {});
void begin_stop(Region& region, std::string_view id, std::string_view reason, std::string_view message);
void begin_terminate(Region& region, std::string_view id, std::string_view reason, std::string_view message);
std::string user_reason(const Region& region);  // "User initiated (2026-01-01 00:00:00 GMT)"

// A reservation as RunInstances and DescribeInstances show it, with some of its instances.
Value reservation(Region& region, const std::vector<const Value*>& instances);
// What a client token led to, as it is now; as it was last where it is forgotten.
Value replayed_reservation(Region& region, const TokenUse& use);

bool is_spot(const Resource& instance);
// Capacity and quota for one more of this type. Refusals: Unsupported, InsufficientInstanceCapacity,
// VcpuLimitExceeded, MaxSpotInstanceCountExceeded.
Result<> check_capacity(Region& region, std::string_view type, const std::string& zone, bool spot);
Result<> check_quota(Region& region, std::string_view type, bool spot, std::int64_t count);

Result<> check_profile(Region& region, const Value& profile);       // of an IamInstanceProfile parameter
Value shown_profile(const Region& region, const Value& profile);    // {arn, id}
void associate_profile(Region& region, std::string_view instance);  // the one given at launch, if any
void drop_association(Region& region, std::string_view instance);

// Launches once more what a spot request asked for.
Result<std::string> relaunch(Region& region, const std::string& spot_request);

}  // namespace nbform::sim::aws
