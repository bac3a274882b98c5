#include "core/diff.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/notebook_plans.h"
#include "core/order.h"
#include "core/unwanted.h"
#include "core/wanted.h"

namespace nbform {

namespace {

class Differ {
 public:
  Differ(Graph& graph, const Snapshot& snapshot, const DiffOptions& options) : v_(graph, snapshot, options) {}

  Plan run() {
    describe();
    for (const Diagnostic& problem : v_.match.problems()) v_.block(problem);
    for (auto [notebook, why] : v_.options.unread) {
      why.address = notebook;
      v_.block(std::move(why));
    }
    for (auto& [address, resource] : v_.graph)
      if (v_.selects(resource.notebook)) judge_wanted(resource);
    for (const Live& live : v_.snapshot.live)
      if (!machine_is_being_made(live.owner.notebook)) judge_unwanted(v_, live);
    check_kept_names(v_);
    std::erase_if(v_.plan.kept, [&](const Live& disk) { return stays_in_use(disk.owner.notebook); });
    order_changes(v_.plan.changes);
    plan_notes();
    group_into_notebooks(v_.plan, v_.graph, v_.declared, v_.options,
                         [&](const std::string& notebook) { return v_.match.live_machine(notebook); });
    return std::move(v_.plan);
  }

 private:
  // A machine that stays as it is goes on using its disks: they are not kept. A declared one lets go of those
  // that are not declared.
  bool stays_in_use(const std::string& notebook) const {
    if (v_.declared.count(notebook) != 0 && !v_.options.destroy) return false;
    auto goes = [&](const Change& c) {
      return c.notebook == notebook && c.kind->is_machine() && c.action == Action::destroy &&
             !v_.blocked(notebook);
    };
    return v_.match.machine_lives(notebook) &&
           std::none_of(v_.plan.changes.begin(), v_.plan.changes.end(), goes);
  }

  bool wanted(const Resource& resource) const {
    return !v_.options.destroy && !v_.options.forgets(resource.notebook);
  }

  void describe() {
    v_.plan.stack = v_.options.stack;
    v_.plan.calls = v_.snapshot.calls;
    v_.plan.took = v_.snapshot.took;
    v_.plan.at = v_.snapshot.at;
    v_.plan.looked_in = v_.snapshot.scopes;
    for (const ScopeStatus& status : v_.snapshot.scopes) {
      if (!status.failure) continue;
      Diagnostic failure = *status.failure;
      name_left_out(failure, status.scope);
      if (!status.declared)
        failure.severity = Severity::warning;  // nothing of this run stands or falls with it
      v_.plan.diagnostics.add(std::move(failure));
    }
  }

  // Where other notebooks go on, those that do not are named.
  void name_left_out(Diagnostic& failure, const Scope& scope) const {
    std::vector<std::string> out;
    bool others = false;
    for (const auto& [address, resource] : v_.graph) {
      bool of_it = resource.scope == scope;
      others = others || !of_it;
      if (of_it && (out.empty() || out.back() != resource.notebook)) out.push_back(resource.notebook);
    }
    if (others && !out.empty()) failure.detail += fmt::format(" Left out: {}.", join(out, ", "));
  }

  void judge_wanted(Resource& resource) {
    if (v_.match.clashes(resource.notebook)) return;
    const Live* live = v_.match.live_of(resource.address);
    const ScopeStatus* status = v_.match.status_of(resource.scope);
    if (status != nullptr && status->failure) {
      blocked_by_scope(resource);
      return;
    }
    if (const Making* making = being_made(resource)) {
      judge_making(resource, *making);
      return;
    }
    if (machine_is_being_made(resource.notebook)) return;
    if (!wanted(resource)) {
      if (live != nullptr) judge_unwanted_declared(v_, resource, *live);
      return;
    }
    if (live == nullptr)
      judge_missing(v_, resource);
    else
      judge_present(v_, resource, *live);
  }

  void blocked_by_scope(const Resource& resource) {
    if (v_.blocked(resource.notebook)) return;
    v_.plan.blocked.push_back(resource.notebook);
  }

  void judge_making(const Resource& resource, const Making& making) {
    Change change = v_.start_change(resource, nullptr);
    change.action = Action::pending;
    change.reason = Reason::settling;
    std::string where = making.zone.empty() ? std::string() : fmt::format(" in {}", making.zone);
    change.reason_text =
        fmt::format("{} is being created{} (operation {})", resource.kind->noun(), where, making.operation);
    v_.plan.changes.push_back(std::move(change));
  }

  const Making* being_made(const Resource& resource) const {
    return v_.match.live_of(resource.address) == nullptr ? v_.snapshot.making_of(resource) : nullptr;
  }

  // Its disks come with it, and may show before it does: nothing of them is judged.
  bool machine_is_being_made(const std::string& notebook) const {
    if (v_.snapshot.making.empty()) return false;
    auto part = v_.graph.lower_bound(notebook + "/");
    for (; part != v_.graph.end() && part->second.notebook == notebook; ++part)
      if (part->second.kind->is_machine()) return being_made(part->second) != nullptr;
    return false;
  }

  void plan_notes() {
    std::map<std::string, NotebookPlan> lines;
    for (auto& [notebook, texts] : v_.notes) lines[notebook].notes = texts;
    for (auto& [notebook, texts] : v_.open) lines[notebook].open = texts;
    for (auto& [notebook, ways] : v_.ingress) lines[notebook].ingress = ways;
    for (auto& [notebook, line] : lines) {
      line.key = notebook;
      v_.plan.notebooks.push_back(std::move(line));
    }
  }

  Verdicts v_;
};

}  // namespace

bool DiffOptions::forgets(std::string_view notebook) const {
  return std::any_of(forget.begin(), forget.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, notebook); });
}

Plan diff(Graph& graph, const Snapshot& snapshot, const DiffOptions& options) {
  return Differ(graph, snapshot, options).run();
}

}  // namespace nbform
