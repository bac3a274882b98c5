// What the security group of a notebook lets in.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/ec2/lower_parts.h"
#include "cloud/ingress.h"

namespace nbform::ec2 {

List ingress_rules(const Access& access) {
  List rules;
  std::int64_t port = access.ssh.port.value_or(22);
  for (const std::string& from : access.ssh.allow_from.value_or({}))
    if (from != "me") add_rule(rules, rule_text("tcp", port, port, range_of(from)));
  for (std::int64_t open : access.public_ports.value_or({}))
    for (const char* everybody : {"0.0.0.0/0", "::/0"})
      add_rule(rules, rule_text("tcp", open, open, everybody));
  std::sort(rules.begin(), rules.end(),
            [](const Value& a, const Value& b) { return a.as_text() < b.as_text(); });
  return rules;
}

}  // namespace nbform::ec2
