// A security group's rules as requests spell them: one IpPermission is as many rules as it has sources.
#pragma once

#include <optional>
#include <vector>

#include "sim/aws/groups.h"

namespace nbform::sim::aws {

struct Rule {
  std::string protocol;  // tcp, udp, icmp, icmpv6, -1, or a number
  std::int64_t from = -1, to = -1;
  bool egress = false;
  Map source;  // one of cidrIpv4, cidrIpv6, prefixListId, referencedGroupInfo{groupId, userId}
  std::string description;

  bool same_as(const Value& wire) const;  // descriptions aside
};

std::string put_rule(Region& region, std::string_view group, const Rule& rule, const Value& tags);  // its id
void drop_rule(Region& region, const std::string& id);
// Refusals: InvalidPermission.Malformed, InvalidParameterValue, InvalidGroup.NotFound.
Result<std::vector<Rule>> read_permissions(Region& region, const Value& in, bool egress);

}  // namespace nbform::sim::aws
