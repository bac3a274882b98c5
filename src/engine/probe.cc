#include "engine/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

namespace nbform {

namespace {

// What outlives an interrupted probe.
struct Pending {
  int open = 0;
  std::vector<std::pair<std::string, Result<std::optional<Live>>>> answers;  // by notebook or address
};

void await(Env& env, const Pending& pending, const std::function<bool()>& stop) {
  while (pending.open > 0 && !(stop && stop()))
    if (!env.step()) bug("reads are outstanding and nothing can happen");
}

void ask(Wire& wire, const std::shared_ptr<Pending>& pending, std::string who, const Kind& kind,
         const Scope& scope, const std::string& zone, const std::string& name) {
  ++pending->open;
  read_live(wire, kind, scope, zone, name, [pending, who](Result<std::optional<Live>> answer) {
    --pending->open;
    pending->answers.emplace_back(who, std::move(answer));
  });
}

const Live* known(const Snapshot& snapshot, const Kind* kind, const std::string& zone,
                  const std::string& name) {
  for (const Live& live : snapshot.live)
    if (live.kind == kind && live.zone == zone && live.name == name) return &live;
  return nullptr;
}

// A disk that is made beside a living machine is made where the machine is.
std::string zone_beside_machine(const Plan& plan, const Snapshot& snapshot, const std::string& notebook) {
  for (const Change& change : plan.changes)
    if (change.notebook == notebook && change.kind->is_machine() && change.live) return change.live->zone;
  for (const Live& live : snapshot.live)
    if (live.owner.notebook == notebook && live.owner.stack == plan.stack && live.kind->is_machine())
      return live.zone;
  return {};
}

void ask_for_part(Wire& wire, const std::shared_ptr<Pending>& pending, const Change& change, const Plan& plan,
                  const Snapshot& snapshot) {
  const Resource& part = *change.resource;
  std::string zone = zone_beside_machine(plan, snapshot, change.notebook);
  if (zone.empty() || !part.kind->is_named()) return;
  const Live* held = known(snapshot, part.kind, zone, part.name);
  if (held != nullptr && held->owner.notebook == change.notebook) return;
  Owner own{plan.stack, change.notebook, part.part};
  ++pending->open;
  read_live(wire, *part.kind, part.scope, zone, part.name,
            [pending, own](Result<std::optional<Live>> answer) {
              --pending->open;
              bool made_meanwhile = answer.ok() && answer->has_value() && (**answer).owner == own;
              if (!made_meanwhile) pending->answers.emplace_back(own.notebook, std::move(answer));
            });
}

void ask_for_create(Wire& wire, const std::shared_ptr<Pending>& pending, const Change& change,
                    const Snapshot& snapshot) {
  if (change.attempts.empty() || !change.resource->kind->is_named()) return;
  const Resource& resource = *change.resource;
  const std::string& zone = change.attempts.front().zone;
  StepContext context;
  context.resource = &resource;
  context.attempt = change.attempts.front();
  ask(wire, pending, change.notebook, *resource.kind, resource.scope, zone, resource.name);
  for (const auto& [kind, name] : resource.kind->leftovers(context))
    if (const Live* held = known(snapshot, kind, zone, name);
        held == nullptr || held->owner.notebook != change.notebook)
      ask(wire, pending, change.notebook, *kind, resource.scope, zone, name);
}

}  // namespace

Diagnostic name_taken(const std::string& notebook, const Live& holder) {
  const Owner& owner = holder.owner;
  bool owned = owner.whole();
  std::string whose =
      owned ? fmt::format("it belongs to notebook {} of stack {}", owner.notebook, owner.stack)
      : owner.stack.empty()
          ? "nbform does not own it"
          : fmt::format("it says that it is of stack {}, but not which notebook it is", owner.stack);
  Diagnostic d = error(Code::exists, "A name is taken",
                       fmt::format("{} needs the name {} in {}, and there is a {} of that name; {}.",
                                   notebook, holder.name, holder.zone, holder.kind->noun(), whose));
  d.address = notebook;
  if (owned)
    d.hint = "Give one of the two another `name`.";
  else if (holder.kind->is_machine())
    d.hint = fmt::format(
        "Give the notebook another `name`, or take the existing one over with\n    adopt: {}", holder.id);
  else
    d.hint = "Give the notebook another `name`, or remove that " + std::string(holder.kind->noun()) + ".";
  return d;
}

namespace {

// Asks for everything to be adopted that is not known yet.
void read_missing(Env& env, Wire& wire, const Graph& graph, Snapshot& snapshot,
                  const std::function<bool()>& stop, std::map<std::string, Diagnostic>& failures) {
  auto pending = std::make_shared<Pending>();
  for (const auto& [address, resource] : graph) {
    if (resource.adopt.empty()) continue;
    auto place = resource.kind->locate(resource.adopt);
    if (place && !known(snapshot, resource.kind, place->first, place->second))
      ask(wire, pending, resource.notebook, *resource.kind, resource.scope, place->first, place->second);
  }
  await(env, *pending, stop);
  for (auto& [who, answer] : pending->answers) {
    if (!answer.ok()) failures.emplace(who, answer.error());
    if (!answer.ok() || !answer->has_value()) continue;
    Live& found = **answer;
    if (auto taken = snapshot.preempted.find(found.id); taken != snapshot.preempted.end())
      found.health.heed_preemption(taken->second);
    snapshot.live.push_back(std::move(found));
  }
}

}  // namespace

std::map<std::string, Diagnostic> read_adopted(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot,
                                               const std::function<bool()>& stop) {
  std::map<std::string, Diagnostic> failures;
  read_missing(env, wire, graph, snapshot, stop, failures);
  for (auto& [address, machine] : graph) {
    if (machine.adopt.empty()) continue;
    for (const Live& live : snapshot.live) {
      if (machine.adopt != live.id || machine.kind != live.kind) continue;
      for (const auto& [part, id] : live.kind->companions(live))
        if (auto sibling = graph.find(fmt::format("{}/{}", machine.notebook, part)); sibling != graph.end())
          sibling->second.adopt = id;
    }
  }
  read_missing(env, wire, graph, snapshot, stop, failures);
  return failures;
}

namespace {
bool is_blocked(const Plan& plan, const std::string& notebook) {
  return std::find(plan.blocked.begin(), plan.blocked.end(), notebook) != plan.blocked.end();
}

bool is_machine(const Result<std::optional<Live>>& answer) {
  return answer.ok() && answer->has_value() && (**answer).kind->is_machine();
}
}  // namespace

void probe(Env& env, Wire& wire, Plan& plan, const Snapshot& snapshot, const std::function<bool()>& stop) {
  auto pending = std::make_shared<Pending>();
  for (const Change& change : plan.changes)
    if (change.action == Action::create && change.carried_by.empty() && !is_blocked(plan, change.notebook)) {
      if (change.kind->is_machine())
        ask_for_create(wire, pending, change, snapshot);
      else
        ask_for_part(wire, pending, change, plan, snapshot);
    }
  await(env, *pending, stop);
  std::stable_sort(pending->answers.begin(), pending->answers.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, !is_machine(a.second)) < std::pair(b.first, !is_machine(b.second));
  });
  std::string
      taken;  // the notebook whose machine's name is: the machine's disks are not worth a word beside it
  for (auto& [notebook, answer] : pending->answers) {
    if (answer.ok() && !answer->has_value()) continue;
    if (answer.ok() && notebook == taken) continue;
    if (is_machine(answer)) taken = notebook;
    Diagnostic d = answer.ok() ? name_taken(notebook, **answer) : answer.error();
    d.address = notebook;
    plan.block(notebook, std::move(d));
  }
}

}  // namespace nbform
