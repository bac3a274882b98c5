#include "core/plan_json.h"

#include <algorithm>
#include <array>

namespace nbform {

namespace {

constexpr std::array kCounted = {Action::pending, Action::forget, Action::adopt,   Action::update,
                                 Action::start,   Action::stop,   Action::restart, Action::create,
                                 Action::replace, Action::destroy};

std::string_view severity_name(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::string_view reason_name(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::declared:
      return "declared";
    case Reason::edits:
      return "edits";
    case Reason::preempted:
      return "preempted";
    case Reason::interrupted_change:
      return "interrupted_change";
    case Reason::power_declared:
      return "power_declared";
    case Reason::asked:
      return "asked";
    case Reason::undeclared:
      return "undeclared";
    case Reason::remainder:
      return "remainder";
    case Reason::settling:
      return "settling";
  }
  return "none";
}

List texts(const std::vector<std::string>& items) {
  return List(items.begin(), items.end());
}

Value edit_json(const Edit& edit) {
  Map out{{"attribute", edit.attr},
          {"title", edit.title},
          {"before", edit.secret ? Value() : edit.before},
          {"after", edit.secret ? Value() : edit.after},
          {"effect", action_name(edit.effect)},
          {"why", edit.why},
          {"secret", edit.secret}};
  if (edit.mark.known()) {
    out.set("file", edit.mark.file);
    out.set("line", edit.mark.line);
  }
  return out;
}

Value attempt_json(const Attempt& attempt) {
  return Map{{"zone", attempt.zone}, {"market", attempt.spot ? "spot" : "on-demand"}};
}

Value change_json(const Change& change) {
  List edits, attempts;
  for (const Edit& edit : change.edits) edits.push_back(edit_json(edit));
  for (const Attempt& attempt : change.attempts) attempts.push_back(attempt_json(attempt));
  Map out{{"address", change.address},
          {"kind", change.kind != nullptr ? Value(change.kind->name()) : Value()},
          {"action", action_name(change.action)},
          {"reason", reason_name(change.reason)},
          {"reason_text", change.reason_text},
          {"after", texts(change.after)},
          {"loses_data", change.loses_data},
          {"edits", std::move(edits)},
          {"attempts", std::move(attempts)}};
  if (!change.carried_by.empty()) out.set("carried_by", change.carried_by);
  if (change.live != nullptr) {
    out.set("id", change.live->id);
    out.set("zone", change.live->zone);
  }
  return out;
}

Value ingress_json(const std::vector<WayIn>& ways) {
  List out;
  for (const WayIn& way : ways) out.push_back(Map{{"text", way.text}, {"open_to_all", way.open_to_all}});
  return out;
}

Value notebook_json(const Plan& plan, const NotebookPlan& notebook) {
  List changes;
  for (std::size_t index : notebook.changes) changes.push_back(change_json(plan.changes.at(index)));
  bool blocked = std::find(plan.blocked.begin(), plan.blocked.end(), notebook.key) != plan.blocked.end();
  Map out{{"name", notebook.key},
          {"service", notebook.service},
          {"place", notebook.place},
          {"action", action_name(notebook.action)},
          {"declared", notebook.declared},
          {"blocked", blocked},
          {"reason", notebook.reason},
          {"why", texts(notebook.why)},
          {"consequences", texts(notebook.consequences)},
          {"defaults", texts(notebook.defaults)},
          {"notes", texts(notebook.notes)},
          {"loses", texts(notebook.lost)},
          {"changes", std::move(changes)}};
  if (!notebook.open.empty()) out.set("open", texts(notebook.open));
  if (!notebook.ingress.empty()) out.set("ingress", ingress_json(notebook.ingress));
  return out;
}

Value scope_json(const ScopeStatus& status) {
  Map out{{"service", status.scope.service},
          {"cloud", status.scope.cloud},
          {"account", status.scope.account},
          {"region", status.scope.region},
          {"declared", status.declared},
          {"complete", status.complete()},
          {"unreachable", texts(status.unreachable)}};
  if (status.failure) out.set("error", diagnostic_json(*status.failure));
  return out;
}

Value kept_json(const Live& live) {
  return Map{{"id", live.id},
             {"name", live.name},
             {"zone", live.zone},
             {"notebook", live.owner.notebook},
             {"part", live.owner.part},
             {"what", live.kind != nullptr ? Value(live.kind->data_name(live)) : Value("")}};
}

Value summary_json(const Plan& plan) {
  Map out{{"unchanged", plan.unchanged}, {"blocked", static_cast<std::int64_t>(plan.blocked.size())}};
  for (Action action : kCounted) out.set(action_name(action), plan.count(action));
  return out;
}

}  // namespace

Value diagnostic_json(const Diagnostic& d) {
  Map out{{"severity", severity_name(d.severity)},
          {"code", code_name(d.code)},
          {"summary", d.summary},
          {"detail", d.detail},
          {"hint", d.hint},
          {"address", d.address}};
  if (d.mark.known()) {
    out.set("file", d.mark.file);
    out.set("line", d.mark.line);
    out.set("column", d.mark.column);
  }
  if (!d.provider_code.empty()) out.set("provider_code", d.provider_code);
  if (!d.request_id.empty()) out.set("request_id", d.request_id);
  return out;
}

Value plan_json(const Plan& plan, const PlanRealm& realm) {
  List notebooks, scopes, kept, diagnostics, endpoints;
  for (const NotebookPlan& notebook : plan.notebooks) notebooks.push_back(notebook_json(plan, notebook));
  for (const ScopeStatus& status : plan.looked_in) scopes.push_back(scope_json(status));
  for (const Live& live : plan.kept) kept.push_back(kept_json(live));
  for (const Diagnostic& d : plan.diagnostics) diagnostics.push_back(diagnostic_json(d));
  for (const auto& [base, variable] : realm.endpoints)
    endpoints.push_back(Map{{"base", base}, {"from", variable}});
  return Map{{"format", kPlanJsonFormat},
             {"stack", realm.stack},
             {"sandbox", realm.sandbox},
             {"endpoints", std::move(endpoints)},
             {"time", format_rfc3339(plan.at)},
             {"calls", plan.calls},
             {"seconds", static_cast<double>(plan.took.count()) / 1e6},
             {"looked_in", std::move(scopes)},
             {"empty", plan.empty()},
             {"summary", summary_json(plan)},
             {"notebooks", std::move(notebooks)},
             {"kept", std::move(kept)},
             {"elsewhere", texts(plan.elsewhere)},
             {"blocked", texts(plan.blocked)},
             {"data_loss", texts(plan.data_loss({}))},
             {"diagnostics", std::move(diagnostics)}};
}

}  // namespace nbform
