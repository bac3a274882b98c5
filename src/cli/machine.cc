#include "cli/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
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

// Why a plan could not say where one of these is.
Result<> somewhere(const Session& session, const std::vector<const Notebook*>& notebooks) {
  Diagnostics problems;
  lower(session.request(), problems);
  session.complete(problems);
  for (const Diagnostic& problem : problems)
    for (const Notebook* notebook : notebooks)
      if (problem.severity == Severity::error && problem.address == notebook->key) return problem;
  return Ok{};
}

}  // namespace

Result<std::vector<FoundMachine>> find_machines(Session& session,
                                                const std::vector<const Notebook*>& notebooks) {
  PlanRequest request = session.request();
  std::vector<RefreshScope> scopes = scopes_of(request);
  std::erase_if(scopes, [&](const RefreshScope& s) {
    return std::none_of(notebooks.begin(), notebooks.end(), [&](const Notebook* n) {
      return s.scope.cloud == n->cloud && s.scope.service == n->service;
    });
  });
  if (scopes.empty()) NB_TRY(somewhere(session, notebooks));
  const Stack& stack = session.manifest().stack;
  Snapshot snapshot = refresh(session.env(), session.wire(), stack, scopes, {}, session.stop());
  if (session.interrupts() > 0) return error(Code::cancelled, "Interrupted");
  std::vector<FoundMachine> out;
  for (const Notebook* notebook : notebooks) {
    auto found = std::find_if(snapshot.live.begin(), snapshot.live.end(),
                              [&](const Live& live) { return is_machine_of(live, *notebook, stack); });
    out.push_back({notebook, found != snapshot.live.end() ? std::optional(*found) : std::nullopt});
  }
  bool all = std::all_of(out.begin(), out.end(), [](const FoundMachine& f) { return f.machine.has_value(); });
  for (ScopeStatus& scope : snapshot.scopes)
    if (scope.failure && !all) return std::move(*scope.failure);
  return out;
}

Result<std::optional<Live>> find_machine(Session& session, const Notebook& notebook) {
  return std::move(NB_TRY(find_machines(session, {&notebook})).front().machine);
}

Result<> check_runs(const Live& machine, const Notebook& notebook) {
  const Health& health = machine.health;
  if (health.state == Health::State::stopped)
    return error(Code::unavailable, "The notebook is stopped",
                 fmt::format("{} is not running.", notebook.key))
        .of(notebook.key)
        .with_hint(fmt::format("Start it:\n    nbform start {}", notebook.key));
  if (health.state == Health::State::settling)
    return error(Code::unavailable, "The machine is not there yet",
                 fmt::format("{} is {}.", notebook.key, to_lower(health.detail)))
        .of(notebook.key);
  return Ok{};
}

Result<Live> running_machine(Session& session, const Notebook& notebook) {
  std::optional<Live> machine = NB_TRY(find_machine(session, notebook));
  if (!machine) return not_created(notebook);
  NB_TRY(check_runs(*machine, notebook));
  return std::move(*machine);
}

Diagnostic not_created(const Notebook& notebook) {
  return error(Code::not_found, "The notebook does not exist yet",
               fmt::format("{} is declared, and not created.", notebook.key))
      .with_hint(fmt::format("Create it:\n    nbform apply --target {}", notebook.key));
}

std::string place_of(const Live& machine) {
  return machine.scope.service + " " + machine.zone;
}

}  // namespace nbform::cli
