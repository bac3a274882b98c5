// Who is who: which live thing is which wanted one, by owner label, and what a run may judge. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/diff.h"

namespace nbform {

// A later nbform may have made parts of other names, and know what they are for.
bool is_known_part(std::string_view part);

class Match {
 public:
  // Machines of `graph` are told about their live siblings: names of declared disks, disks to let go of.
  Match(Graph& graph, const Snapshot& snapshot, const DiffOptions& options);

  const Live* live_of(const std::string& address) const;  // null: there is none
  bool is_taken(const Live& live) const { return taken_.count(&live) != 0; }
  bool is_ours(const Live& live) const { return carries_our_stack(live) && live.owner.whole(); }
  // Labels of this stack, but not all of them: it is reported, and may be adopted.
  bool is_torn(const Live& live) const { return carries_our_stack(live) && !live.owner.whole(); }
  // Of a notebook that is declared in another account: whatever its name, it is not that notebook.
  bool is_elsewhere(const Live& live) const;
  bool machine_lives(const std::string& notebook) const { return live_machine(notebook) != nullptr; }
  const Live* live_machine(const std::string& notebook) const;  // null: there is none
  // All live things of a notebook of this stack.
  const std::vector<const Live*>& siblings_of(const std::string& notebook) const;
  // Whether two live things claim one address of this notebook: neither is touched.
  bool clashes(const std::string& notebook) const { return clashing_.count(notebook) != 0; }
  const std::vector<Diagnostic>& problems() const { return problems_; }
  const ScopeStatus* status_of(const Scope& scope) const;
  // Undeclared things are judged by whole runs of a stack with an id, in scopes that the manifests name.
  bool may_judge_undeclared(const Live& live) const;
  // The disk of a create that was refused in another zone: never used, while its namesake is in use.
  bool is_spare(const Live& live) const { return spare_.count(&live) != 0; }
  bool named_in_kept(const Live& live) const;  // destroy --kept
  // The machine that a disk hangs on, where it is not its notebook's; null: there is none.
  const std::string* strange_user(const Live& disk) const;

 private:
  bool carries_our_stack(const Live& live) const {
    return live.owner.stack == options_.stack || live.owner.stack == options_.bare_stack;
  }
  void index();
  void meet_twins(const Live*& holder, const Live& other);
  void claim(const Live& a, const Live& b);
  const Live* adopted_machine(const std::string& notebook) const;
  const Live* take(const Kind* kind, const std::string& address) const;
  const Live* adoptable(const Resource& resource);
  void meet();
  void meet_those(bool (*which)(const Resource&));
  bool is_clone(const Resource& resource, const Live& live);
  bool is_in_repair(const Resource& resource, const Live& live);
  bool has_torn_namesake(const Resource& resource);
  void relate_siblings();
  Resource* machine_of(const std::string& notebook);
  const Scope* declared_scope(const std::string& notebook) const;

  Graph& graph_;
  const Snapshot& snapshot_;
  const DiffOptions& options_;
  std::unordered_map<std::string, const Live*> by_key_;
  std::unordered_map<std::string, std::vector<const Live*>> by_notebook_;
  std::map<std::string, const Live*> matched_;
  std::unordered_set<const Live*> taken_;
  std::vector<const Live*> torn_;
  std::unordered_set<const Live*> spare_;
  std::set<std::string> clashing_;
  std::vector<Diagnostic> problems_;
};

}  // namespace nbform
