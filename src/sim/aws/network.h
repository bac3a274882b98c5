// The ground that instances stand on: the default VPC with a public subnet in each zone, made when an account
// first asks in a region, and network interfaces. Knows no instance.
#pragma once

#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

void make_network(Region& region);  // once for each account and region
// Removes what clients must be able to miss: the default VPC with all in it; or the way out of its subnets.
void drop_default_vpc(Region& region);
void close_public_route(Region& region);

const Resource* default_subnet(Region& region, std::string_view zone);
std::string default_vpc(Region& region);                          // id, "" where there is none
std::string default_group(Region& region, std::string_view vpc);  // id

struct InterfaceSpec {
  std::string subnet;
  std::vector<std::string> groups;
  bool delete_on_termination = true;
  std::string description;
  Value tags;  // list of {key, value}
};
std::string make_interface(Region& region, const InterfaceSpec& spec);
// The interface as an instance shows it, and its groups as [{groupId, groupName}].
Value shown_interface(Region& region, std::string_view id);
Value shown_groups(Region& region, const std::vector<std::string>& ids);
void set_public_address(Region& region, std::string_view interface, bool on);  // a new address each time
bool group_in_use(Region& region, std::string_view group);

}  // namespace nbform::sim::aws
