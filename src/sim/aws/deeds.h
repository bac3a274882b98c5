// What befalls the AWS side of the simulated cloud, told as data: interruptions, prices, images, networks,
// roles.
#pragma once

#include "sim/command.h"

namespace nbform::sim::aws {

// Where an instance of this id is, whoever owns it: {account, region, id}.
std::optional<Key> find_instance(State& state, std::string_view id);
Result<> interrupt_at(State& state, const Key& instance, std::optional<Time> at);
void capacity_returns(State& state);  // what EC2 stopped runs again where there is room

// resume, metadata, spot_price, ami, network, profile, spot_role. None: there is no such deed here.
std::optional<Result<Value>> do_deed(State& state, Command& command, std::string_view name);

}  // namespace nbform::sim::aws
