// One account's view of one region of EC2: its things by kind and id, what is visible of them, new ids, the
// agenda and the diary. Knows no action.
//
// Kinds: instances, volumes, network-interfaces, security-groups, security-group-rules, key-pairs,
// spot-requests, modifications, profile-associations, vpcs, subnets, route-tables, internet-gateways.
#pragma once

#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sim/state.h"

namespace nbform::sim::aws {

// How ids of a kind look and what is said when there is none.
struct IdKind {
  std::string_view prefix, kind, tag_type;  // "i-", "instances", "instance"
  std::string_view not_found, malformed;    // error codes
  std::string_view noun;                    // "instance ID"
};
const IdKind* id_kind(std::string_view id);       // by prefix
const IdKind& id_kind_of(std::string_view kind);  // by shelf
bool well_formed(const IdKind& kind, std::string_view id);
Diagnostic no_such(const IdKind& kind, const std::vector<std::string>& ids);

class Region {
 public:
  Region(State& state, std::string account, std::string name)
      : state(state), account(std::move(account)), name(std::move(name)) {}

  State& state;
  const std::string account, name;

  Time now() const { return state.cloud_time(); }
  bool variant(std::string_view v) const { return state.variant(v); }
  Key key(std::string_view id) const { return {account, name, std::string(id)}; }
  Resource* find(std::string_view kind, std::string_view id);  // seen by clients or not
  Resource& get(std::string_view kind, std::string_view id);   // a bug where there is none
  // As a client meets it. Refusals: malformed, not found.
  Result<Resource*> need(std::string_view kind, std::string_view id);
  bool visible(const Resource& resource) const;
  // All of this account and region, by id: for (auto& [key, thing] : region.all("volumes")).
  std::ranges::subrange<Shelf::iterator> all(std::string_view kind);

  std::string new_id(std::string_view prefix);  // "i-" and 17 hex digits
  Resource& put(std::string_view kind, const std::string& id, Value wire, Value hidden = Map());
  void erase(std::string_view kind, std::string_view id);
  void clear(std::string_view kind);  // all of this account and region
  void plan(double seconds, std::string what, std::string_view id, Value detail = {});  // at realistic pace
  void plan_at(Time at, std::string what, std::string_view id, Value detail = {});
  void note(std::string kind, std::string_view shelf, std::string_view id, Value detail = Map());
};

std::string arn(const Region& region, std::string_view rest);  // "arn:aws:ec2:R:A:rest"

// texts("a", "b") -> their list; ids of a list of maps.
std::vector<std::string> texts(const Value& list);

}  // namespace nbform::sim::aws
