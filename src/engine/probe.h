// Point reads of a plan: names that a create would take, and things to be adopted. Knows no rules of the
// diff.
#pragma once

#include <functional>

#include "core/plan.h"
#include "engine/refresh.h"

namespace nbform {

// Adds what `adopt` names to the snapshot, and the disks that come along with an adopted machine. What could
// not be read, by notebook: it may be there.
std::map<std::string, Diagnostic> read_adopted(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot,
                                               const std::function<bool()>& stop);

// Of parts whose names count everywhere and that no list shows: what is called so, and nobody says is theirs,
// is the part without its labels, and is taken over, unless a machine of others uses it. `failures` grows.
void take_namesakes(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot,
                    std::map<std::string, Diagnostic>& failures, const std::function<bool()>& stop);

// Reads every name that the plan's creates would take first; one that is held by others blocks its notebook.
void probe(Env& env, Wire& wire, Plan& plan, const Snapshot& snapshot, const std::function<bool()>& stop);

// A name found taken, said to a person.
Diagnostic name_taken(const std::string& notebook, const Live& holder);

}  // namespace nbform
