// Quotas: what things cost of which metric, the limits, and who holds how much. Knows nothing of operations
// but their failures.
#pragma once

#include <optional>
#include <vector>

#include "sim/operations.h"

namespace nbform::sim {

struct Charge {
  QuotaKey key;
  double amount;
};

double quota_limit(const State& state, const QuotaKey& key);
Value quota_list(const State& state, const std::string& project,
                 const std::string& region);  // quotas[]; "" = global

// CPUs, GPUs and addresses that a running VM of this wire form holds.
std::vector<Charge> running_charges(const State& state, const Key& key, const Value& instance);
std::vector<Charge> disk_charges(const Key& key, const Value& disk);

// The first of the charges that would exceed its limit.
std::optional<Failure> over_quota(const State& state, const std::vector<Charge>& charges);
// Takes all or nothing. The charges stand in `holder.hidden` under `slot` until given back.
std::optional<Failure> take_quota(State& state, Resource& holder, std::string_view slot,
                                  std::vector<Charge> charges);
void give_back_quota(State& state, Resource& holder, std::string_view slot);
void recount_quotas(State& state);  // after from_json: usage from what things hold

}  // namespace nbform::sim
