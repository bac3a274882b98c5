#include "core/plan.h"

#include <algorithm>
#include <array>

namespace nbform {

namespace {
struct ActionText {
  std::string_view name, symbol;
};
constexpr std::array<ActionText, 12> kActions = {{{"none", " "},
                                                  {"kept", "="},
                                                  {"pending", "?"},
                                                  {"forget", "="},
                                                  {"adopt", "="},
                                                  {"update", "~"},
                                                  {"start", ">"},
                                                  {"stop", "<"},
                                                  {"restart", "!"},
                                                  {"create", "+"},
                                                  {"replace", "-/+"},
                                                  {"destroy", "-"}}};
}  // namespace

std::string_view action_name(Action action) {
  return kActions.at(static_cast<std::size_t>(action)).name;
}
std::string_view action_symbol(Action action) {
  return kActions.at(static_cast<std::size_t>(action)).symbol;
}

std::string spoken(std::string_view address) {
  address = address.substr(0, address.find('@'));
  auto slash = address.find('/');
  std::string notebook(address.substr(0, slash));
  std::string_view part = slash == std::string_view::npos ? "" : address.substr(slash + 1);
  if (part == "boot") return "boot disk of " + notebook;
  if (part.starts_with("disk-")) return "disk " + std::string(part.substr(5)) + " of " + notebook;
  return notebook;
}

void Plan::block(const std::string& notebook, Diagnostic why) {
  diagnostics.add(std::move(why));
  if (std::find(blocked.begin(), blocked.end(), notebook) == blocked.end()) blocked.push_back(notebook);
  for (NotebookPlan& line : notebooks)
    if (line.key == notebook) line.blocked = true;
}

int Plan::count(Action action) const {
  return static_cast<int>(std::count_if(notebooks.begin(), notebooks.end(), [&](const NotebookPlan& n) {
    return n.action == action && !n.blocked;
  }));
}

bool Plan::empty() const {
  return std::none_of(notebooks.begin(), notebooks.end(),
                      [](const NotebookPlan& n) { return n.action > Action::pending && !n.blocked; });
}

bool Plan::pending() const {
  return count(Action::pending) > 0;
}

std::vector<std::string> Plan::data_loss(const std::vector<std::string>& consent) const {
  std::vector<std::string> names;
  for (const NotebookPlan& notebook : notebooks) {
    bool agreed = std::find(consent.begin(), consent.end(), notebook.key) != consent.end();
    if (!notebook.lost.empty() && !agreed && !notebook.blocked) names.push_back(notebook.key);
  }
  return names;
}

}  // namespace nbform
