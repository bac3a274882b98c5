// What `nbform connect` opens while it runs: the caller's own address, or Identity-Aware Proxy's, to ssh of
// one notebook. A firewall rule of its own, whose description says until when it is needed, so that whoever
// comes next can close one that was left behind. Never part of a plan. Pure: calls and what answers say;
// connect performs them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cloud/gce/gce.h"

namespace nbform::gce {

struct Opening {
  Owner owner;  // part "firewall-me-<h8 of caller>"
  std::string name;
  std::string source;  // "203.0.113.7/32"
  Time until;
};

// `caller`: what tells one person's connect from another's and from an older one, such as "ana@laptop 4711".
Owner opening_owner(std::string_view stack, std::string_view notebook, std::string_view caller);

// The rule that lets `source` (an IPv4 address or range; kIapRange without a public address) into the SSH
// port of a live VM, until the opening is closed. 409 on it: a rule of that name is there, see `renew_call`.
Call open_call(const Live& vm, const Owner& owner, std::string_view source, std::int64_t port, Time until,
               std::string_view request_id);
// The same rule with another source or end: connect renews it while the tunnel lives.
Call renew_call(const Live& vm, const Owner& owner, std::string_view source, Time until,
                std::string_view request_id);
Call close_call(const Scope& scope, std::string_view name, std::string_view request_id);
// The VM's network tag, by which the rule finds it: none where the VM has it already.
std::optional<Call> tag_call(const Live& vm, const Owner& owner, std::string_view request_id);

// The rules of all connects of a project; pages follow by "pageToken".
Call list_openings(const Scope& scope);
// One item of that list; none: it is not an opening that anybody could tell the end of.
std::optional<Opening> read_opening(const Value& rule);
// Those of this stack that nobody needs any more: to be closed by whoever sees them.
std::vector<Opening> stale_openings(const Value& page, std::string_view stack, Time now);

}  // namespace nbform::gce
