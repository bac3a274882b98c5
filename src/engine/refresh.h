// Refresh: what is really there, in one round of lists and facts; and single things by name. The only readers
// of the live world. Knows no diff.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/cloud.h"
#include "engine/wire.h"

namespace nbform {

struct RefreshScope {
  Scope scope;
  bool declared = true;
};

// All scopes and facts at the same time; pages are followed. A scope that fails is marked, never empty. Runs
// the loop until everything has answered or `stop` says to give up (then the scopes that are missing count as
// failed).
Snapshot refresh(Env& env, Wire& wire, const Stack& stack, const std::vector<RefreshScope>& scopes,
                 const std::set<std::string>& facts, const std::function<bool()>& stop);

// One live thing with its parts, or none where the cloud says 404. `done` runs from Env::step().
void read_live(Wire& wire, const Kind& kind, const Scope& scope, const std::string& zone,
               const std::string& name, std::function<void(Result<std::optional<Live>>)> done);

}  // namespace nbform
