// Spot requests: what becomes of them and of their instances, when the user acts, when EC2 takes the capacity
// back, and when there is some again.
//
//   launched: active/fulfilled      user stops: active/marked-for-stop, then
//   disabled/instance-stopped-by-user EC2 stops (persistent): disabled/instance-stopped-no-capacity, and only
//   EC2 starts it again terminated without a cancel: open, and EC2 launches another      cancelled while
//   disabled: EC2 terminates EC2 takes a one-time one: closed at once, the instance lives two minutes more
#pragma once

#include "sim/aws/launch.h"

namespace nbform::sim::aws {

void make_spot_request(Region& region, const Draft& draft, const Value& in, const std::string& instance);
void set_request(Region& region, std::string_view id, std::string_view state, std::string_view code);
Resource* request_of(Region& region, std::string_view instance);  // null for on-demand ones

// Whether the user may do it now. Refusals: UnsupportedOperation, IncorrectSpotRequestState.
Result<> check_stop(Region& region, std::string_view instance);
Result<> check_start(Region& region, std::string_view instance);

// What its instance's change of state does to a request.
void instance_starts(Region& region, std::string_view instance);
void instance_stops(Region& region, std::string_view instance);  // begins to
void instance_stopped(Region& region, std::string_view instance);
void instance_terminates(Region& region, std::string_view instance);  // begins to, for whatever reason

Result<> interrupt(Region& region, std::string_view instance);  // EC2 wants the capacity back
Result<> resume(Region& region, std::string_view instance);     // and has some again
void resume_where_possible(Region& region);
void heed_prices(Region& region);  // takes what is above its maximum price, resumes what no longer is

}  // namespace nbform::sim::aws
