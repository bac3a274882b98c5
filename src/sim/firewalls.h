// VPC firewall rules of a project: what networks let in, as data. Only the relay of IAP asks, as no other
// packet flows here. Every project is born with the four rules of its default network. Knows no VM.
#pragma once

#include "sim/operations.h"

namespace nbform::sim {

// A Firewall message as it would stand after `asked`: defaults filled in, references normalised. Refusals:
// invalid, required, notFound (the network).
Result<Map> checked_firewall(const Call& call, const Value& asked);

// Those that every project is born with, where it has none yet.
void make_default_rules(State& state, const std::string& project);
// Whether the rules let all of `source` (IPv4 CIDR) into a tcp port of a VM.
bool lets_in(State& state, const std::string& project, const Value& vm, std::string_view source, int port);

std::span<const Handling> firewall_methods();

}  // namespace nbform::sim
