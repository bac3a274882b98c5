#include "core/verdicts.h"

#include <fmt/format.h>

#include <algorithm>

namespace nbform {

Verdicts::Verdicts(Graph& graph, const Snapshot& snapshot, const DiffOptions& options)
    : graph(graph), snapshot(snapshot), options(options), match(graph, snapshot, options) {
  for (const auto& [address, resource] : graph) declared.insert(resource.notebook);
}

void Verdicts::block(Diagnostic problem) {
  std::string notebook = problem.address.substr(0, problem.address.find('/'));
  if (std::find(plan.blocked.begin(), plan.blocked.end(), notebook) == plan.blocked.end())
    plan.blocked.push_back(notebook);
  plan.diagnostics.add(std::move(problem));
}

bool Verdicts::blocked(const std::string& notebook) const {
  return std::find(plan.blocked.begin(), plan.blocked.end(), notebook) != plan.blocked.end();
}

Change Verdicts::start_change(const Resource& resource, const Live* live) const {
  Change change;
  change.address = resource.address;
  change.notebook = resource.notebook;
  change.kind = resource.kind;
  change.resource = &resource;
  if (live != nullptr) change.live = std::make_shared<Live>(*live);
  return change;
}

void Verdicts::finish(Change change, const Live& live) {
  change.live = std::make_shared<Live>(live);
  plan.changes.push_back(std::move(change));
}

void Verdicts::refuse_protected(const std::string& notebook, const Live& live, std::string_view what) {
  Diagnostic d = error(Code::data_loss, "A protected notebook would be removed",
                       fmt::format("{} would be {}, and {} forbids that.", notebook, what,
                                   live.locked ? "its deletion protection" : "`protect`"));
  d.address = notebook;
  d.hint = live.locked ? "Write `security: {deletion_protection: false}` and apply that first."
                       : "Write `protect: false` and apply that first.";
  if (!blocked(notebook)) block(std::move(d));
}

bool Verdicts::is_half_seen(const Live& live) const {
  const ScopeStatus* status = match.status_of(live.scope);
  if (status == nullptr) return false;
  const auto& silent = status->unreachable;
  if (!live.kind->is_zonal()) return !silent.empty();  // its machine may be in any zone
  return std::count(silent.begin(), silent.end(), live.zone) > 0;
}

void Verdicts::refuse_half_seen(const Live& live) {
  Diagnostic d = error(Code::unavailable, "A zone did not answer, so nothing in it is deleted",
                       fmt::format("{} of project {} did not answer in full; {} stays.",
                                   live.zone.empty() ? "A zone" : live.zone, live.scope.account, live.id));
  d.address = live.owner.address();
  d.hint = "Run the same command again when the zone answers.";
  if (!blocked(live.owner.notebook)) block(std::move(d));
}

void Verdicts::tell_of_stranger(const Resource& resource) {
  if (resource.kind->is_machine())
    notes[resource.notebook].push_back("not taken over yet; `nbform apply` adopts it");
}

}  // namespace nbform
