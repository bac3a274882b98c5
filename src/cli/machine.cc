#include "cli/machine.h"

#include <algorithm>

#include "engine/refresh.h"

namespace nbform::cli {

namespace {

bool is_machine_of(const Live& live, const Notebook& notebook, const Stack& stack) {
  if (!live.kind->is_machine()) return false;
  if (notebook.adopt.set() && live.id == *notebook.adopt) return true;
  bool ours = live.owner.stack == stack.label() || live.owner.stack == stack.name;
  return ours &&
         (live.owner.notebook == notebook.key || live.owner.notebook == notebook.moved_from.value_or(""));
}

}  // namespace

Result<std::optional<Live>> find_machine(Session& session, const Notebook& notebook) {
  PlanRequest request = session.request();
  std::vector<RefreshScope> scopes = scopes_of(request);
  std::erase_if(scopes, [&](const RefreshScope& s) {
    return s.scope.cloud != notebook.cloud || s.scope.service != notebook.service;
  });
  const Stack& stack = session.manifest().stack;
  Snapshot snapshot = refresh(session.env(), session.wire(), stack, scopes, {}, session.stop());
  if (session.interrupts() > 0) return error(Code::cancelled, "Interrupted");
  auto found = std::find_if(snapshot.live.begin(), snapshot.live.end(),
                            [&](const Live& live) { return is_machine_of(live, notebook, stack); });
  if (found != snapshot.live.end()) return std::optional<Live>(std::move(*found));
  for (ScopeStatus& scope : snapshot.scopes)
    if (scope.failure) return std::move(*scope.failure);
  return std::optional<Live>();
}

std::string place_of(const Live& machine) {
  return machine.scope.service + " " + machine.zone;
}

}  // namespace nbform::cli
