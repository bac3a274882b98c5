// VPC firewall rules of a project: what networks let in, as data. Nothing is enforced, as no packet flows
// here. Every project is born with the four rules of its default network. Knows no VM.
#pragma once

#include "sim/operations.h"

namespace nbform::sim {

// A Firewall message as it would stand after `asked`: defaults filled in, references normalised. Refusals:
// invalid, required, notFound (the network).
Result<Map> checked_firewall(const Call& call, const Value& asked);

std::span<const Handling> firewall_methods();

}  // namespace nbform::sim
