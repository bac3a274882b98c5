#include "cli/plan_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "cli/edit_words.h"

namespace nbform::cli {

namespace {

constexpr std::size_t kMostEdits = 6;    // in one row; --details shows all
constexpr std::size_t kFewestAlike = 3;  // that collapse

bool is_blocked(const Plan& plan, const std::string& notebook) {
  return std::find(plan.blocked.begin(), plan.blocked.end(), notebook) != plan.blocked.end();
}

const Change* machine_of(const Plan& plan, const NotebookPlan& notebook) {
  for (std::size_t index : notebook.changes)
    if (plan.changes[index].kind != nullptr && plan.changes[index].kind->is_machine())
      return &plan.changes[index];
  return nullptr;
}

std::string create_words(const Change& change) {
  Attempt attempt = change.attempts.empty() ? Attempt() : change.attempts.front();
  return change.resource != nullptr ? change.kind->summary(*change.resource, attempt) : std::string();
}

std::string edits_text(const std::vector<EditWords>& edits) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < edits.size() && i < kMostEdits; ++i) words.push_back(edits[i].text);
  if (edits.size() > kMostEdits)
    words.push_back(fmt::format("{} more (--details)", edits.size() - kMostEdits));
  return join(words, " · ");
}

std::string text_of(const Plan& plan, const NotebookPlan& notebook, const std::vector<EditWords>& edits) {
  std::vector<std::string> words;
  const Change* machine = machine_of(plan, notebook);
  bool created = machine != nullptr && machine->action == Action::create;
  if (created) words.push_back(create_words(*machine));
  for (std::size_t index : notebook.changes)
    if (&plan.changes[index] != machine && plan.changes[index].action == Action::create)
      words.push_back(create_words(plan.changes[index]));
  for (std::size_t index : notebook.changes) {
    const Change& change = plan.changes[index];
    if (&change != machine && change.action == Action::destroy && notebook.action != Action::destroy)
      words.push_back(fmt::format("{} goes", change.kind->data_name(*change.live)));
  }
  if (std::string text = edits_text(edits); !text.empty() && !created) words.push_back(text);
  if (!notebook.reason.empty()) words.push_back(notebook.reason);
  if (words.empty() && notebook.action == Action::destroy && !notebook.declared)
    words.push_back("in no manifest");
  bool forced = notebook.action == Action::replace || notebook.action == Action::restart;
  if (words.empty() && forced && machine != nullptr && machine->reason == Reason::asked)
    words.push_back("as asked");
  return join(words, " · ");
}

std::string verb_of(const NotebookPlan& notebook, bool blocked) {
  if (blocked) return "blocked";
  if (notebook.action == Action::none) return "no change";
  std::string verb(action_name(notebook.action));
  bool loud = notebook.action == Action::replace || !notebook.lost.empty();
  if (loud)
    std::transform(verb.begin(), verb.end(), verb.begin(), [](unsigned char c) { return std::toupper(c); });
  return verb;
}

Pieces joined(const std::vector<std::string>& texts) {
  Pieces out;
  for (const std::string& text : texts) {
    bool lost = text.find("ERASED") != std::string::npos || text.find("LOST") != std::string::npos;
    if (!out.empty()) out.push_back({" · "});
    out.push_back({text, lost ? Ink::red : Ink::plain});
  }
  return out;
}

Pieces ways_in(const std::vector<WayIn>& ways) {
  Pieces out;
  for (const WayIn& way : ways) {
    if (!out.empty()) out.push_back({" · "});
    out.push_back({way.text, way.open_to_all ? Ink::red : Ink::plain});
  }
  return out;
}

std::vector<std::string> with_losses(const NotebookPlan& notebook) {
  std::vector<std::string> out = notebook.consequences;
  for (const std::string& lost : notebook.lost) {
    bool said = std::any_of(out.begin(), out.end(), [&](const std::string& text) {
      return text.find(lost) != std::string::npos && text.find("ERASED") != std::string::npos;
    });
    if (!said) out.insert(out.begin(), lost + " ERASED");
  }
  return out;
}

RowLine detail_of(const EditWords& edit) {
  std::string text = edit.text;
  if (edit.effect != Action::update) text += fmt::format("  ({})", action_name(edit.effect));
  Pieces pieces{{text}};
  if (edit.mark.known()) pieces.push_back({fmt::format("  {}:{}", edit.mark.file, edit.mark.line), Ink::dim});
  return {"edit", std::move(pieces)};
}

PlanRow row_of(const Plan& plan, const NotebookPlan& notebook, const RowOptions& options) {
  std::vector<EditWords> edits = words_of(plan, notebook);
  PlanRow row;
  row.action = notebook.action;
  row.name = notebook.key;
  row.where =
      notebook.place.empty() ? notebook.service : fmt::format("{} {}", notebook.service, notebook.place);
  row.verb = verb_of(notebook, is_blocked(plan, notebook.key));
  row.text = text_of(plan, notebook, edits);
  row.loses = !notebook.lost.empty();
  if (!notebook.why.empty()) row.lines.push_back({"why", joined(notebook.why)});
  if (auto data = with_losses(notebook); !data.empty()) row.lines.push_back({"data", joined(data)});
  if (!notebook.open.empty())
    row.lines.push_back({"open", {{join(notebook.open, ", ") + " to the whole internet", Ink::red}}});
  if (!notebook.ingress.empty()) row.lines.push_back({"ingress", ways_in(notebook.ingress)});
  if (!notebook.defaults.empty()) row.lines.push_back({"defaults", joined(notebook.defaults)});
  for (const std::string& note : notebook.notes) row.lines.push_back({"note", {{note, Ink::dim}}});
  if (options.details)
    for (const EditWords& edit : edits) row.lines.push_back(detail_of(edit));
  return row;
}

bool alike(const PlanRow& a, const PlanRow& b) {
  auto same_line = [](const RowLine& x, const RowLine& y) {
    return x.label == y.label &&
           std::equal(x.pieces.begin(), x.pieces.end(), y.pieces.begin(), y.pieces.end(),
                      [](const Piece& p, const Piece& q) { return p.text == q.text; });
  };
  return a.action == b.action && a.verb == b.verb && a.text == b.text && !a.loses && !b.loses &&
         std::equal(a.lines.begin(), a.lines.end(), b.lines.begin(), b.lines.end(), same_line);
}

// "class-*" where the names share a beginning up to a dash, else the first ones.
std::string common_name(const std::vector<std::string>& names) {
  std::string prefix = names.front();
  for (const std::string& name : names) {
    auto [a, b] = std::mismatch(prefix.begin(), prefix.end(), name.begin(), name.end());
    prefix.erase(a, prefix.end());
  }
  if (auto dash = prefix.rfind('-'); dash != std::string::npos) return prefix.substr(0, dash + 1) + "*";
  return fmt::format("{}, {}, …", names[0], names[1]);
}

PlanRow merged(const std::vector<PlanRow>& group) {
  std::vector<std::string> names, places;
  for (const PlanRow& row : group) {
    names.push_back(row.name);
    if (std::find(places.begin(), places.end(), row.where) == places.end()) places.push_back(row.where);
  }
  PlanRow row = group.front();
  row.name = fmt::format("{} x {}", names.size(), common_name(names));
  if (places.size() > 1) row.where = plural(places.size(), "place");
  return row;
}

std::vector<PlanRow> collapsed(std::vector<PlanRow> rows) {
  std::vector<std::vector<PlanRow>> groups;
  for (PlanRow& row : rows) {
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return alike(g.front(), row); });
    if (group == groups.end())
      groups.push_back({std::move(row)});
    else
      group->push_back(std::move(row));
  }
  std::vector<PlanRow> out;
  for (std::vector<PlanRow>& group : groups) {
    if (group.size() >= kFewestAlike)
      out.push_back(merged(group));
    else
      std::move(group.begin(), group.end(), std::back_inserter(out));
  }
  std::stable_sort(out.begin(), out.end(), [](const PlanRow& a, const PlanRow& b) {
    auto key = [](const PlanRow& row) {
      auto x = row.name.find(" x ");
      return x == std::string::npos ? row.name : row.name.substr(x + 3);
    };
    return key(a) < key(b);
  });
  return out;
}

}  // namespace

std::vector<PlanRow> rows_of(const Plan& plan, const RowOptions& options) {
  std::vector<PlanRow> rows;
  for (const NotebookPlan& notebook : plan.notebooks) rows.push_back(row_of(plan, notebook, options));
  return options.full ? rows : collapsed(std::move(rows));
}

}  // namespace nbform::cli
