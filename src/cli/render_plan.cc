#include "cli/render_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nbform::cli {

namespace {

constexpr std::size_t kSymbolWidth = 4;
constexpr std::size_t kLabelIndent = 8;
constexpr std::size_t kLabelWidth = 10;

Ink ink_of(const PlanRow& row) {
  if (row.loses) return Ink::red;
  switch (row.action) {
    case Action::create:
    case Action::start:
      return Ink::green;
    case Action::none:
    case Action::kept:
    case Action::pending:
      return Ink::dim;
    default:
      return Ink::yellow;
  }
}

struct Columns {
  std::size_t name = 0, where = 0, verb = 0;
};

Columns columns_of(const std::vector<PlanRow>& rows) {
  Columns c;
  for (const PlanRow& row : rows) {
    c.name = std::max(c.name, display_width(row.name));
    c.where = std::max(c.where, display_width(row.where));
    c.verb = std::max(c.verb, display_width(row.verb));
  }
  c.name = std::min<std::size_t>(c.name, 32);
  return c;
}

std::string render_row(const PlanRow& row, const Columns& columns, const Style& style) {
  Pieces pieces{{padded(action_symbol(row.action), kSymbolWidth), ink_of(row)},
                {padded(row.name, columns.name + 2), Ink::bold},
                {padded(row.where, columns.where + 2)},
                {padded(row.verb, columns.verb + 2), ink_of(row)},
                {row.text}};
  std::string out = laid_out(pieces, style, kSymbolWidth + columns.name + 2);
  for (const RowLine& line : row.lines) {
    Pieces below{{std::string(kLabelIndent, ' ')}, {padded(line.label, kLabelWidth), Ink::dim}};
    below.insert(below.end(), line.pieces.begin(), line.pieces.end());
    out += laid_out(below, style, kLabelIndent + kLabelWidth);
  }
  return out;
}

std::string render_kept(const Plan& plan, const Style& style) {
  std::string out;
  for (const Live& live : plan.kept)
    out += laid_out(
        {{padded("=", kSymbolWidth), Ink::dim},
         {"kept  "},
         {fmt::format("{} {} in {}, of notebook {}; stays, and is used again when declared",
                      live.scope.service, live.kind->data_name(live), live.zone, live.owner.notebook)}},
        style, kSymbolWidth + 6);
  if (!plan.kept.empty())
    out += laid_out(
        {{std::string(kSymbolWidth, ' ')},
         {fmt::format("      `nbform destroy --kept {}` deletes it with its data", plan.kept.front().name),
          Ink::dim}},
        style, kSymbolWidth + 6);
  return out;
}

std::string render_elsewhere(const Plan& plan, const Style& style) {
  std::string out;
  for (const std::string& text : plan.elsewhere)
    out += laid_out({{padded("·", kSymbolWidth), Ink::dim}, {text}}, style, kSymbolWidth);
  for (const ScopeStatus& status : plan.looked_in)
    if (!status.unreachable.empty())
      out += laid_out(
          {{padded("·", kSymbolWidth), Ink::dim},
           {fmt::format("{} of project {} did not answer: nothing is deleted there, and what was found "
                        "nowhere is not created",
                        join(status.unreachable, ", "), status.scope.account)}},
          style, kSymbolWidth);
  return out;
}

// Only the symbols that are on the screen.
std::string render_legend(const std::vector<PlanRow>& rows, bool kept, const Style& style) {
  static constexpr std::array<std::pair<Action, std::string_view>, 10> kLegend = {
      {{Action::create, "+ create"},
       {Action::update, "~ change while it runs"},
       {Action::restart, "! stop, change, start"},
       {Action::replace, "-/+ destroy and create"},
       {Action::start, "> start"},
       {Action::stop, "< stop"},
       {Action::destroy, "- destroy"},
       {Action::pending, "? pending: cannot be done now"},
       {Action::adopt, "= adopt: take over as it is"},
       {Action::forget, "= forget: leave it, take the labels off"}}};
  std::vector<std::string> words;
  for (const auto& [action, text] : kLegend)
    if (std::any_of(rows.begin(), rows.end(),
                    [&, a = action](const PlanRow& row) { return row.action == a; }))
      words.emplace_back(text);
  if (kept) words.emplace_back("= kept: a disk that outlives its notebook");
  return words.size() < 2 && !kept ? "" : "\n" + laid_out({{join(words, "   "), Ink::dim}}, style, 0);
}

std::string quiet_verdict(const Plan& plan, const PlanScreen& screen) {
  std::string which = plural(static_cast<std::size_t>(std::max(0, plan.unchanged)), "notebook");
  std::string is = plan.unchanged == 1 ? "is" : "are";
  if (!plan.blocked.empty())
    return fmt::format("Nothing can be done: {} blocked by the errors shown.", join(plan.blocked, ", "));
  if (plan.pending()) return fmt::format("No changes now; {} pending.", plan.count(Action::pending));
  if (screen.destroys) return "Nothing to destroy.";
  if (plan.unchanged <= 0) return "No changes.";
  return fmt::format("No changes. {} {} as declared{}.", which, is,
                     screen.selected ? " (of those selected)" : "");
}

Pieces verdict(const Plan& plan, const PlanScreen& screen) {
  if (plan.empty()) return {{quiet_verdict(plan, screen), Ink::bold}};
  if (!screen.proposes)
    return {{fmt::format("The cloud differs from the manifests: {} Nothing is proposed (--refresh-only).",
                         counts_words(plan)),
             Ink::bold}};
  return {{"Plan: " + counts_words(plan), Ink::bold}};
}

Pieces next_words(const Plan& plan, const PlanScreen& screen) {
  std::vector<std::string> losing = plan.data_loss(screen.consent);
  std::string command = screen.next;
  for (const std::string& name : losing) command += " --allow-data-loss " + name;
  Pieces out;
  if (!losing.empty())
    out.push_back({fmt::format("Data of {} would be lost. ", join(losing, ", ")), Ink::red});
  if (!screen.next.empty()) out.push_back({"Next: " + command});
  return out;
}

}  // namespace

std::string counts_words(const Plan& plan) {
  static constexpr std::array kOrder = {Action::create,  Action::adopt,  Action::update, Action::restart,
                                        Action::replace, Action::start,  Action::stop,   Action::forget,
                                        Action::destroy, Action::pending};
  std::vector<std::string> words;
  for (Action action : kOrder) {
    int n = 0;
    bool loses = false;
    for (const NotebookPlan& notebook : plan.notebooks) {
      bool blocked = std::find(plan.blocked.begin(), plan.blocked.end(), notebook.key) != plan.blocked.end();
      if (notebook.action != action || blocked) continue;
      ++n;
      loses = loses || !notebook.lost.empty();
    }
    if (n == 0 && action != Action::destroy) continue;
    words.push_back(fmt::format("{} {}{}", n, action_name(action), loses ? " (erases data)" : ""));
  }
  if (!plan.blocked.empty()) words.push_back(fmt::format("{} blocked", plan.blocked.size()));
  return join(words, ", ") + ".";
}

std::string render_plan(const Plan& plan, const PlanScreen& screen, const Style& style) {
  std::string out =
      render_header(screen.header, plan.looked_in, plan.at, plan.took, plan.calls, style) + "\n";
  std::vector<PlanRow> rows = rows_of(plan, screen.rows);
  Columns columns = columns_of(rows);
  for (const PlanRow& row : rows) out += render_row(row, columns, style);
  out += render_kept(plan, style) + render_elsewhere(plan, style);
  out += render_legend(rows, !plan.kept.empty(), style);
  if (!out.ends_with("\n\n")) out += "\n";
  out += laid_out(verdict(plan, screen), style, 0);
  if (!plan.empty() && screen.proposes)
    if (Pieces next = next_words(plan, screen); !next.empty()) out += laid_out(next, style, 0);
  return out;
}

}  // namespace nbform::cli
