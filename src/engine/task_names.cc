// What stands already where a task makes something, and who holds its names.
#include <fmt/format.h>

#include <algorithm>

#include "core/diff.h"
#include "engine/probe.h"
#include "engine/task.h"

namespace nbform {

// What the cloud names itself may be there and not show: somebody made the notebook's other parts a moment
// ago, or put another one in the place of what took its time to go.
void Task::look_beside() {
  auto self = shared_from_this();
  read_live(run_.wire, *change_.kind, scope(), attempt().zone, change_.resource->name,
            [self](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(std::move(answer).error());
              const Change& change = self->change_;
              bool is_there = answer->has_value() && (!change.live || (**answer).id != change.live->id);
              if (is_there && !change.live) return self->take_as_made(std::move(**answer));
              if (is_there)
                return self->fail(
                    drifted(change, fmt::format("{} says that it is {}, and nothing is made beside it.",
                                                (**answer).id, spoken(change.address))));
              Duration looked = self->run_.env.now() - self->step_began_;
              if (!self->has_company() || looked > kHides) return self->send_step();
              self->run_.env.after(kLookAgain, [self] {
                if (!self->over_) self->look_beside();
              });
            });
}

// Whether a part of its notebook turned out to be there when it was to be made.
bool Task::has_company() const {
  return run_.found.count(change_.notebook) > 0;
}

// Before a further attempt, or after a removal: who holds the names there now?
void Task::prepare_attempt() {
  std::vector<std::pair<const Kind*, std::string>> names{{change_.kind, change_.resource->name}};
  for (auto& left : change_.kind->leftovers(context())) names.push_back(std::move(left));
  adopt_names(std::move(names), 0);
}

void Task::adopt_names(std::vector<std::pair<const Kind*, std::string>> names, std::size_t next) {
  if (next == names.size()) return send_step();
  auto self = shared_from_this();
  const auto [kind, name] = names[next];
  read_live(run_.wire, *kind, change_.resource->scope, attempt().zone, name,
            [self, names = std::move(names), next, kind = kind](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(std::move(answer).error());
              if (answer->has_value()) {
                const Live& found = **answer;
                const Owner& owner = found.owner;
                bool ours = owner.notebook == self->change_.notebook && owner.stack == self->run_.plan.stack;
                if (!ours) return self->fail(name_taken(self->change_.notebook, found));
                self->run_.live[owner.address()] = found;
              } else if (kind != self->change_.kind) {
                // A disk that went with its machine is made anew.
                std::erase_if(self->run_.live, [&](const auto& entry) {
                  return entry.second && entry.second->kind == kind &&
                         entry.second->name == names[next].second;
                });
              }
              self->adopt_names(names, next + 1);
            });
}

}  // namespace nbform
