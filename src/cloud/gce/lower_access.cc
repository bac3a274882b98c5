// Who may come in: `access.ssh.allow_from` and `access.public` into firewall rules, and the network tag of
// the VM that they are for.
#include <fmt/format.h>

#include <algorithm>

#include "cloud/gce/firewall.h"
#include "cloud/gce/lower_parts.h"
#include "cloud/ingress.h"
#include "cloud/lowering.h"

namespace nbform::gce {

namespace {

List ssh_rules(const Notebook& n, Diagnostics& problems) {
  List rules;
  std::int64_t port = n.access.ssh.port.value_or(22);
  for (const std::string& from : n.access.ssh.allow_from.value_or({})) {
    if (from == "me") continue;  // connect opens that, for as long as it runs
    if (from.find(':') != std::string::npos)
      problems.add(
          problem_at(n, "access.ssh.allow_from", "No IPv6 here",
                     fmt::format("{} is an IPv6 range, and the VMs that nbform makes on Compute Engine "
                                 "have IPv4 addresses only.",
                                 from),
                     "Write an IPv4 range, or connect through Identity-Aware Proxy."));
    else
      add_rule(rules, rule_text("tcp", port, port, range_of(from)));
  }
  bool no_address = n.network.public_ip.set() && !*n.network.public_ip;
  if (!rules.empty() && no_address) add_rule(rules, rule_text("tcp", port, port, kIapRange));
  return rules;
}

List public_rules(const Notebook& n) {
  List rules;
  for (std::int64_t port : n.access.public_ports.value_or({}))
    add_rule(rules, rule_text("tcp", port, port, "0.0.0.0/0"));
  return rules;
}

Resource rule(const Notebook& n, const std::string& stack, std::string_view part, const Resource& vm) {
  Owner owner{stack, n.key, std::string(part)};
  Resource out;
  out.part = part;
  out.address = fmt::format("{}/{}", n.key, part);
  out.notebook = n.key;
  out.kind = &firewall_kind();
  out.scope = vm.scope;
  out.name = rule_name(owner);
  out.mark = marks_of(n, labels::kGcp);
  out.facts.push_back(firewalls_fact(vm.scope));
  if (n.moved_from.set()) out.moved_from = fmt::format("{}/{}", *n.moved_from, part);
  out.attributes.set("owner", description_of(owner));
  out.attributes.set("targets", List{kOwnVm});
  out.attributes.set("priority", kRulePriority);
  out.attributes.set("enabled", true);
  if (const Value& network = wanted(vm, "network"); !network.is_null())
    out.attributes.set("network", network);
  return out;
}

}  // namespace

void lower_access(const Notebook& n, const std::string& stack, Resource& vm, Graph& graph,
                  Diagnostics& problems) {
  if (n.access.ssh.allow_from.absent() && n.access.public_ports.absent()) return;
  bool network_unknown = n.network.subnet.set() && !n.network.network.set() && vm.adopt.empty();
  if (network_unknown)
    problems.add(problem_at(n, "network.subnet", "The network is needed",
                            "A firewall rule is of a network, and the subnet alone does not name it.",
                            "Write `network: {network: NAME, subnet: ...}`."));
  List all;
  auto add = [&](std::string_view part, std::string_view attr, List rules) {
    if (rules.empty()) return;
    all.insert(all.end(), rules.begin(), rules.end());
    Resource made = rule(n, stack, part, vm);
    made.attributes.set(attr, std::move(rules));
    vm.after.push_back(made.address);
    graph.emplace(made.address, std::move(made));
  };
  add(kSshPart, "ingress", ssh_rules(n, problems));
  add(kPublicPart, "public", public_rules(n));
  const auto& from = n.access.ssh.allow_from.value_or({});
  bool opened_at_times = std::find(from.begin(), from.end(), "me") != from.end();
  if (!all.empty() || opened_at_times) vm.attributes.set("access_tags", List{access_tag(stack, n.key)});
  vm.defaults.set("own_ingress", std::move(all));
}

}  // namespace nbform::gce
