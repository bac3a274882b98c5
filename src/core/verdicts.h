// What a diff has found so far, and what both of its halves, the wanted and the unwanted, say alike. Knows no
// rule of its own.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/diff.h"
#include "core/match.h"

namespace nbform {

struct Verdicts {
  Verdicts(Graph& graph, const Snapshot& snapshot, const DiffOptions& options);

  void block(Diagnostic problem);  // the notebook that it names
  bool blocked(const std::string& notebook) const;
  bool selects(std::string_view notebook) const { return !options.selects || options.selects(notebook); }

  Change start_change(const Resource& resource, const Live* live) const;
  void finish(Change change, const Live& live);

  void refuse_protected(const std::string& notebook, const Live& live, std::string_view what);
  // Its zone did not answer every list: what hangs on it may be hidden.
  bool is_half_seen(const Live& live) const;
  void refuse_half_seen(const Live& live);
  // `adopt` names what no apply has taken over yet: it is nobody's to start, to replace or to remove.
  void tell_of_stranger(const Resource& resource);

  Graph& graph;
  const Snapshot& snapshot;
  const DiffOptions& options;
  Match match;
  Plan plan;
  std::set<std::string, std::less<>> declared;                  // notebooks
  std::map<std::string, std::vector<std::string>> notes, open;  // by notebook
  std::map<std::string, std::vector<WayIn>> ingress;            // by notebook
};

}  // namespace nbform
