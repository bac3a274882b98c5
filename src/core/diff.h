// Desired graph against live snapshot: the Plan. Pure. All rules of ownership, power, data loss and change
// classes stand here, once, for every service. Knows no YAML, no HTTP and no cloud.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/plan.h"
#include "core/resource.h"

namespace nbform {

struct DiffOptions {
  std::string stack;       // what labels carry: name or name_id
  std::string bare_stack;  // the name alone; the same as `stack` where there is no id
  bool selected = false;   // a selection was made: nothing undeclared is judged
  std::function<bool(std::string_view notebook)> selects;  // empty: all
  bool prune = false;                              // delete what is undeclared even in a stack without an id
  bool destroy = false;                            // want nothing of what is selected
  std::set<std::string> replace, restart;          // notebooks asked for
  std::set<std::string> forget;                    // the same; may hold * and ?
  std::map<std::string, PowerPolicy::Want> power;  // nbform start, nbform stop
  bool power_only = false;                   // start and stop: other differences wait, and nothing is created
  std::map<std::string, Diagnostic> unread;  // notebooks whose `adopt` could not be read, and why
  std::set<std::string> delete_kept;         // destroy --kept: names or addresses
  // Places and markets for a create, best first; problems are positioned.
  std::function<std::vector<Attempt>(const Resource&, Diagnostics&)> attempts;
  bool forgets(std::string_view notebook) const;
};

// `graph` must outlive the plan; resources may be told to release what is undeclared.
Plan diff(Graph& graph, const Snapshot& snapshot, const DiffOptions& options);

// The attribute differences alone, with their effect on a live resource. Problems: shrinking.
std::vector<Edit> edits_between(const Resource& resource, const Live& live, Diagnostics& problems);

// Takes out the edits that cannot be made now; says why, each reason once.
std::vector<std::string> postpone(std::vector<Edit>& edits, const Live& live);

// Whether a live value satisfies a desired one under `same`.
bool satisfies(Sameness same, const Value& desired, const Value& live);

}  // namespace nbform
