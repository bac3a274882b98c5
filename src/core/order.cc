#include "core/order.h"

#include <algorithm>
#include <unordered_map>

namespace nbform {

namespace {

bool names(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// A disk that is to be made together with its machine rides in the machine's create call.
void carry(std::vector<Change>& changes) {
  std::unordered_map<std::string, Action> actions;
  for (const Change& change : changes) actions[change.address] = change.action;
  for (Change& change : changes) {
    bool made = change.action == Action::create && change.resource != nullptr;
    if (!made || change.resource->carried_by.empty()) continue;
    auto machine = actions.find(change.resource->carried_by);
    if (machine == actions.end()) continue;
    if (machine->second == Action::create || machine->second == Action::replace)
      change.carried_by = change.resource->carried_by;
  }
}

// A disk goes after the machine that it is attached to.
bool releases(const Change& first, const Change& then) {
  bool removal =
      then.action == Action::destroy && then.reason != Reason::remainder && first.reason != Reason::remainder;
  return removal && first.live != nullptr && then.live != nullptr && names(first.live->refs, then.live->id);
}

// What is to outlive its machine says so before the machine goes.
bool marks(const Change& first, const Change& then) {
  return first.action == Action::update && then.action == Action::destroy && first.live != nullptr &&
         then.live != nullptr && names(then.live->refs, first.live->id);
}

bool is_made_for(const Change& first, const Change& then) {
  bool makes = first.action == Action::create || first.action == Action::replace;
  return then.resource != nullptr && makes && first.carried_by.empty() &&
         names(then.resource->after, first.address);
}

bool must_precede(const Change& first, const Change& then) {
  bool clears_the_name = first.reason == Reason::remainder && then.action == Action::create;
  bool carries = !then.carried_by.empty() && then.carried_by == first.address;
  return clears_the_name || carries || releases(first, then) || marks(first, then) ||
         is_made_for(first, then);
}

}  // namespace

void order_changes(std::vector<Change>& changes) {
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.address < b.address; });
  carry(changes);
  std::unordered_map<std::string, std::vector<const Change*>> by_notebook;
  for (const Change& change : changes) by_notebook[change.notebook].push_back(&change);
  for (Change& change : changes)
    for (const Change* other : by_notebook[change.notebook])
      if (other != &change && must_precede(*other, change)) change.after.push_back(other->address);
}

}  // namespace nbform
