// From a valid manifest to a plan: lower, refresh, diff, probe; the one order of these for every command.
// Knows no screen.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cloud/cloud.h"
#include "core/diff.h"
#include "engine/refresh.h"

namespace nbform {

struct PlanRequest {
  const Manifest* manifest = nullptr;
  DiffOptions diff;                             // `attempts` is filled in here
  std::map<std::string, std::string> accounts;  // project or account by entry of `clouds`
  std::vector<SshKey> default_keys;
  std::vector<Scope> inventory;  // where the stack has been besides
  bool await_settling = false;   // apply: wait for unfinished operations before judging
  std::function<bool()> stop;    // asked between events: give up reading
  std::function<void(std::string_view name, std::string_view why)>
      on_wait;  // something unfinished is being awaited
};

// The plan points into the graph.
struct Planned {
  std::unique_ptr<Graph> graph;
  Snapshot snapshot;
  Plan plan;
};

// Scopes of the manifests, and of the inventory beside them.
std::vector<RefreshScope> scopes_of(const PlanRequest& request);

// Lowers every notebook; a service that is not built yet is a positioned error.
Graph lower(const PlanRequest& request, Diagnostics& problems);

Planned make_plan(Env& env, Wire& wire, const PlanRequest& request);

}  // namespace nbform
