// Firewall rules of a notebook, which have no labels: how they are called, how their descriptions tell whose
// they are, and what they let in as texts. Pure. Wire facts: Compute v1 firewalls (discovery revision
// 20261106).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/gce/gce.h"

namespace nbform::gce {

inline constexpr std::string_view kSshPart = "firewall";            // access.ssh.allow_from
inline constexpr std::string_view kPublicPart = "firewall-public";  // access.public
inline constexpr std::string_view kOpeningPart = "firewall-me-";    // of a running `nbform connect`
inline constexpr std::string_view kIapRange = "35.235.240.0/20";    // whence Identity-Aware Proxy comes
inline constexpr std::string_view kOwnVm = "its own VM";  // what carries the tag in a rule's own name
inline constexpr std::int64_t kRulePriority = 1000;

// "nbform-<h8 stack>-<h8 notebook>": the network tag of the notebook's VM, and the beginning of its rules'
// names.
std::string access_tag(std::string_view stack, std::string_view notebook);
bool is_access_tag(std::string_view tag);
// "nbform-<h8 stack>-<h8 notebook>-<part>"; the tag and the part of such a name, "" where it is another.
std::string rule_name(const Owner& owner);
std::string_view tag_of_rule(std::string_view name);
std::string_view part_of_rule(std::string_view name);

// "nbform:<stack>/<notebook>/<part>". What follows a blank is not part of the owner. Empty fields: not ours.
std::string description_of(const Owner& owner);
Owner read_description(std::string_view description);

// projects/P/global/firewalls[/NAME].
Call firewall_call(std::string_view method, const Scope& scope, std::string_view name = {},
                   std::string_view request_id = {}, Value body = {});

// Why the rules of a fact (gce.h) let nobody of `source` into a tcp port of a live VM; "" where one does.
std::string shut_out(const Live& vm, const Value& rules, std::string_view source, std::int64_t port);

// What an ingress rule lets in, source by source: "tcp 22 203.0.113.7/32", "icmp 0.0.0.0/0", "tcp tag:web";
// one that denies says so: "deny all 0.0.0.0/0".
List ingress_texts(const Value& rule);
// The same the other way, for tcp: {allowed, sourceRanges} of texts that are each port from each source.
Map ingress_fields(const List& texts);

}  // namespace nbform::gce
