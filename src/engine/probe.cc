#include "engine/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>

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

// `zone`: "" where an id says nothing of it.
const Live* known(const Snapshot& snapshot, const Kind* kind, const std::string& zone,
                  const std::string& name) {
  for (const Live& live : snapshot.live)
    if (live.kind == kind && (zone.empty() || live.zone == zone) && live.name == name) return &live;
  return nullptr;
}

// A thing of the name of one that is to be made, where that one would be.
template <typename Lives>  // of a snapshot, which may be constant
auto namesake(Lives& all, const Resource& resource) -> decltype(&all.front()) {
  for (auto& live : all)
    if (live.kind == resource.kind && live.name == resource.name &&
        live.scope.is_same_place(resource.scope) && resource.kind->is_in_place(resource, live))
      return &live;
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
  if (!part.kind->is_zonal()) return;  // take_namesakes has looked
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
  std::string place = holder.zone.empty() ? holder.scope.region : holder.zone;
  if (!place.empty()) place.insert(0, " in ");
  std::string whose =
      owned ? fmt::format("it belongs to notebook {} of stack {}", owner.notebook, owner.stack)
      : owner.stack.empty()
          ? "nbform does not own it"
          : fmt::format("it says that it is of stack {}, but not which notebook it is", owner.stack);
  Diagnostic d = error(Code::exists, "A name is taken",
                       fmt::format("{} needs the name {}{}, and there is a {} of that name; {}.", notebook,
                                   holder.name, place, holder.kind->noun(), whose));
  d.address = notebook;
  if (!owned && !holder.users.empty()) {
    d.detail += fmt::format(" {} uses it.", holder.users.front());
    d.hint = fmt::format("Take that machine over with\n    adopt: {}\nor give the notebook another key.",
                         holder.users.front());
  } else if (owned) {
    d.hint = "Give one of the two another `name`.";
  } else if (holder.kind->is_machine()) {
    d.hint = fmt::format(
        "Give the notebook another `name`, or take the existing one over with\n    adopt: {}", holder.id);
  } else {
    d.hint = "Give the notebook another `name`, or remove that " + std::string(holder.kind->noun()) + ".";
  }
  return d;
}

namespace {

// Which parts live things say they are, for many questions about one snapshot.
class OwnedParts {
 public:
  explicit OwnedParts(const Snapshot& snapshot) {
    for (const Live& live : snapshot.live)
      if (live.owner.whole()) by_address_.emplace(live.owner.address(), &live);
  }
  bool has(const Resource& resource) const {
    auto [from, to] = by_address_.equal_range(resource.address);
    return std::any_of(from, to, [&](const auto& entry) {
      return entry.second->kind == resource.kind && entry.second->scope.is_same_place(resource.scope);
    });
  }

 private:
  std::unordered_multimap<std::string, const Live*> by_address_;
};

// Everything that an `adopt` leads to is read once.
class Adoption {
 public:
  Adoption(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot, const std::function<bool()>& stop)
      : env_(env), wire_(wire), graph_(graph), snapshot_(snapshot), stop_(stop) {}

  std::map<std::string, Diagnostic> run() {
    if (declared().empty()) return {};
    read(declared());
    for (auto& [address, machine] : graph_)
      if (const Live* live = adopted(machine))
        for (const auto& [part, id] : live->kind->companions(*live)) take_companion(machine, part, id);
    read(declared());
    read(maybe_);
    for (auto& [resource, id] : maybe_)
      if (const Live* live = by_id(*resource->kind, id); live != nullptr && resource->adopt.empty())
        if (resource->kind->goes_as(*resource, *live)) resource->adopt = id;
    return std::move(failures_);
  }

 private:
  using Wanted = std::vector<std::pair<Resource*, std::string>>;  // an id that may be of the resource

  Wanted declared() {
    Wanted out;
    for (auto& [address, resource] : graph_)
      if (!resource.adopt.empty()) out.emplace_back(&resource, resource.adopt);
    return out;
  }

  const Live* adopted(const Resource& machine) const {
    return machine.adopt.empty() ? nullptr : by_id(*machine.kind, machine.adopt);
  }

  const Live* by_id(const Kind& kind, const std::string& id) const {
    for (const Live& live : snapshot_.live)
      if (live.kind == &kind && live.id == id) return &live;
    return nullptr;
  }

  // By its part where that is known; else every part of its kind that is not there yet may be meant.
  void take_companion(const Resource& machine, const std::string& part, const std::string& id) {
    if (auto exact = graph_.find(fmt::format("{}/{}", machine.notebook, part)); exact != graph_.end()) {
      exact->second.adopt = id;
      return;
    }
    for (auto it = graph_.lower_bound(machine.notebook + "/");
         it != graph_.end() && it->second.notebook == machine.notebook; ++it) {
      Resource& sibling = it->second;
      bool open = !sibling.kind->is_machine() && sibling.kind->locate(id) && sibling.adopt.empty();
      if (open && !OwnedParts(snapshot_).has(sibling)) maybe_.emplace_back(&sibling, id);
    }
  }

  void read(const Wanted& all) {
    auto pending = std::make_shared<Pending>();
    std::set<std::string> asked;
    for (const auto& [resource, id] : all) {
      auto place = resource->kind->locate(id);
      if (!place || known(snapshot_, resource->kind, place->first, place->second)) continue;
      if (asked.insert(id).second)
        ask(wire_, pending, resource->notebook, *resource->kind, resource->scope, place->first,
            place->second);
    }
    await(env_, *pending, stop_);
    for (auto& [who, answer] : pending->answers) {
      if (!answer.ok()) failures_.emplace(who, answer.error());
      if (!answer.ok() || !answer->has_value()) continue;
      Live& found = **answer;
      if (auto taken = snapshot_.preempted.find(found.id); taken != snapshot_.preempted.end())
        found.health.heed_preemption(taken->second);
      snapshot_.live.push_back(std::move(found));
    }
  }

  Env& env_;
  Wire& wire_;
  Graph& graph_;
  Snapshot& snapshot_;
  const std::function<bool()>& stop_;
  Wanted maybe_;
  std::map<std::string, Diagnostic> failures_;
};

}  // namespace

std::map<std::string, Diagnostic> read_adopted(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot,
                                               const std::function<bool()>& stop) {
  return Adoption(env, wire, graph, snapshot, stop).run();
}

namespace {

bool is_read(const Snapshot& snapshot, const Scope& scope) {
  return std::any_of(snapshot.scopes.begin(), snapshot.scopes.end(),
                     [&](const ScopeStatus& s) { return s.scope == scope && !s.failure; });
}

void note_users(Live& thing, const Snapshot& snapshot) {
  for (const Live& machine : snapshot.strangers)
    if (std::find(machine.refs.begin(), machine.refs.end(), thing.id) != machine.refs.end())
      thing.users.push_back(machine.id);
}

// The machine that a notebook is about to adopt may use what comes with it.
bool is_used_by_others(const Live& thing, const Graph& graph, const std::string& notebook) {
  auto is_adopted = [&](const std::string& user) {
    auto part = graph.lower_bound(notebook + "/");
    for (; part != graph.end() && part->second.notebook == notebook; ++part)
      if (part->second.kind->is_machine() && part->second.adopt == user) return true;
    return false;
  };
  return !std::all_of(thing.users.begin(), thing.users.end(), is_adopted);
}

// Whose names count beyond a zone, and of which nothing says yet that it is theirs.
bool has_own_machine(const Graph& graph, const OwnedParts& owned, const std::string& notebook) {
  auto part = graph.lower_bound(notebook + "/");
  for (; part != graph.end() && part->second.notebook == notebook; ++part)
    if (part->second.kind->is_machine()) return owned.has(part->second);
  return false;
}

std::vector<Resource*> sought_by_name(Graph& graph, const Snapshot& snapshot) {
  OwnedParts owned(snapshot);
  std::vector<Resource*> out;
  for (auto& [address, r] : graph) {
    bool came_along = r.only_if_there && has_own_machine(graph, owned, r.notebook);  // or there was none
    bool is_sought = r.kind->is_named() && !r.kind->is_zonal() && r.adopt.empty() && !came_along;
    if (is_sought && !owned.has(r)) out.push_back(&r);
  }
  return out;
}

}  // namespace

void take_namesakes(Env& env, Wire& wire, Graph& graph, Snapshot& snapshot,
                    std::map<std::string, Diagnostic>& failures, const std::function<bool()>& stop) {
  std::vector<Resource*> sought = sought_by_name(graph, snapshot);
  auto pending = std::make_shared<Pending>();
  for (const Resource* resource : sought)
    if (is_read(snapshot, resource->scope) && !namesake(snapshot.live, *resource))
      ask(wire, pending, resource->notebook, *resource->kind, resource->scope, {}, resource->name);
  await(env, *pending, stop);
  for (auto& [who, answer] : pending->answers) {
    if (!answer.ok()) failures.emplace(who, answer.error());
    if (answer.ok() && answer->has_value()) snapshot.live.push_back(std::move(**answer));
  }
  if (!pending->answers.empty()) sought = sought_by_name(graph, snapshot);
  for (Resource* resource : sought) {
    Live* found = namesake(snapshot.live, *resource);
    if (found == nullptr || found->owner.whole()) continue;
    note_users(*found, snapshot);
    if (!is_used_by_others(*found, graph, resource->notebook)) resource->adopt = found->id;
  }
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
      const Live* holder = change.kind->is_zonal() ? nullptr : namesake(snapshot.live, *change.resource);
      if (holder != nullptr)
        pending->answers.emplace_back(change.notebook, std::optional<Live>(*holder));
      else if (change.kind->is_machine())
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
