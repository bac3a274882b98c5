#include "core/notebook_plans.h"

#include <fmt/format.h>

#include <algorithm>

namespace nbform {

namespace {

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// What a change of one part means for its notebook: a new or removed disk of a living machine is an update.
Action seen_from_notebook(const Change& change, bool machine) {
  if (machine || change.action == Action::none || change.action == Action::kept ||
      change.action == Action::pending)
    return change.action;
  if (change.action == Action::create || change.action == Action::destroy) return Action::update;
  return change.action;
}

std::string place_of(const Change& change) {
  bool there = change.live != nullptr && change.action != Action::create;
  if (there && !change.live->zone.empty()) return change.live->zone;
  if (!there && !change.attempts.empty()) return change.attempts.front().zone;
  return there ? change.live->scope.region : change.resource->scope.region;
}

void fold_in(NotebookPlan& line, const Change& change, std::size_t index, bool machine) {
  line.changes.push_back(index);
  line.action = std::max(line.action, seen_from_notebook(change, machine));
  if (line.service.empty() || machine) {
    line.service = change.resource != nullptr ? change.resource->scope.service : change.live->scope.service;
    std::string place = place_of(change);
    if (!place.empty()) line.place = place;
  }
  if (machine || line.reason.empty()) {
    if (!change.reason_text.empty()) line.reason = change.reason_text;
  }
  for (const Edit& edit : change.edits) add_once(line.why, edit.why);
  add_once(line.why, change.place_text);
  if (change.action == Action::create && change.resource != nullptr)
    for (const std::string& text : change.resource->default_texts) add_once(line.defaults, text);
  if (change.loses_data) add_once(line.lost, change.kind->data_name(*change.live));
  for (const std::string& text : change.kind->consequences(change)) add_once(line.consequences, text);
}

// Without its machine a notebook's own disks decide: all of them going is a destroy.
void settle_without_machine(NotebookPlan& line, const Plan& plan) {
  bool all_go = std::all_of(line.changes.begin(), line.changes.end(),
                            [&](std::size_t i) { return plan.changes[i].action == Action::destroy; });
  if (all_go && !line.changes.empty()) line.action = Action::destroy;
}

}  // namespace

void group_into_notebooks(Plan& plan, const Graph& graph, const std::set<std::string, std::less<>>& declared,
                          const DiffOptions& options,
                          const std::function<const Live*(const std::string&)>& live_machine) {
  std::map<std::string, NotebookPlan> lines;
  for (NotebookPlan& noted : plan.notebooks) lines[noted.key] = std::move(noted);
  plan.notebooks.clear();

  std::set<std::string> with_machine;
  for (std::size_t i = 0; i < plan.changes.size(); ++i) {
    const Change& change = plan.changes[i];
    bool machine = change.kind->is_machine();
    NotebookPlan& line = lines[change.notebook];
    line.key = change.notebook;
    if (machine) with_machine.insert(change.notebook);
    fold_in(line, change, i, machine);
  }
  for (auto& [key, line] : lines) {
    line.declared = declared.count(key) != 0;
    line.blocked = std::find(plan.blocked.begin(), plan.blocked.end(), key) != plan.blocked.end();
    bool machine_wanted = false;
    for (auto it = graph.lower_bound(key + "/"); it != graph.end() && it->second.notebook == key; ++it)
      machine_wanted = machine_wanted || it->second.kind->is_machine();
    bool disks_alone = !machine_wanted || options.destroy || !options.delete_kept.empty();
    const Live* machine = live_machine(key);
    disks_alone = disks_alone && machine == nullptr;
    if (line.place.empty() && machine != nullptr && !line.changes.empty()) line.place = machine->zone;
    if (!with_machine.count(key) && disks_alone) settle_without_machine(line, plan);
    plan.notebooks.push_back(std::move(line));
  }

  int selected = 0;
  for (const std::string& key : declared)
    if (!options.selects || options.selects(key)) ++selected;
  int changed =
      static_cast<int>(std::count_if(plan.notebooks.begin(), plan.notebooks.end(), [](const auto& line) {
        return line.declared && line.action != Action::none;
      }));
  plan.unchanged = selected - changed;
}

}  // namespace nbform
