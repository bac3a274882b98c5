// Security groups and their rules. A rule has an id and is a thing of its own; a group's permissions are its
// rules, merged by protocol and ports.
#pragma once

#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

// With the rule that lets everything out.
void make_group(Region& region, const std::string& id, std::string_view name, std::string_view description,
                std::string_view vpc, const Value& tags);
// Of a VPC, by ids; refusals: malformed, not found, of another VPC.
Result<> check_groups(Region& region, const std::vector<std::string>& ids, std::string_view vpc);
// The groups of an interface (and so of its instance).
Result<> set_groups(Region& region, std::string_view interface, const std::vector<std::string>& ids);

std::vector<std::string> rules_of(Region& region, std::string_view group);
bool referenced(Region& region, std::string_view group);                    // by a rule of another group
Value permissions_of(Region& region, std::string_view group, bool egress);  // ipPermissions
std::optional<std::string> canonical_cidr(std::string_view cidr);           // host bits zeroed; IPv4 and IPv6

}  // namespace nbform::sim::aws
