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

// The things of a snapshot by what they are called, for many questions; those that come later are not in it.
class Names {
 public:
  explicit Names(const Snapshot& snapshot) : all_(snapshot.live) {
    for (std::size_t i = 0; i < all_.size(); ++i) by_name_[all_[i].name].push_back(i);
  }

  // `zone`: "" where an id says nothing of it.
  const Live* known(const Kind* kind, const std::string& zone, const std::string& name) const {
    auto at = first(
        name, [&](const Live& live) { return live.kind == kind && (zone.empty() || live.zone == zone); });
    return at ? &all_[*at] : nullptr;
  }

  // The place in the snapshot of a thing of the name of one that is to be made, where that one would be.
  std::optional<std::size_t> namesake(const Resource& resource) const {
    return first(resource.name, [&](const Live& live) {
      return live.kind == resource.kind && live.scope.is_same_place(resource.scope) &&
             resource.kind->is_in_place(resource, live);
    });
  }

 private:
  template <typename Fits>
  std::optional<std::size_t> first(const std::string& name, Fits fits) const {
    auto at = by_name_.find(name);
    if (at == by_name_.end()) return std::nullopt;
    auto found = std::find_if(at->second.begin(), at->second.end(), [&](auto i) { return fits(all_[i]); });
    return found != at->second.end() ? std::optional(*found) : std::nullopt;
  }

  const std::deque<Live>& all_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name_;
};

// A disk that is made beside a living machine is made where the machine is.
std::unordered_map<std::string, std::string> zones_of_machines(const Plan& plan, const Snapshot& snapshot) {
  std::unordered_map<std::string, std::string> zones;  // by notebook
  for (const Change& change : plan.changes)
    if (change.kind->is_machine() && change.live) zones.emplace(change.notebook, change.live->zone);
  for (const Live& live : snapshot.live)
    if (live.owner.stack == plan.stack && live.kind->is_machine())
      zones.emplace(live.owner.notebook, live.zone);
  return zones;
}

void ask_for_part(Wire& wire, const std::shared_ptr<Pending>& pending, const Change& change, const Plan& plan,
                  const Names& names, const std::string& zone) {
  const Resource& part = *change.resource;
  if (!part.kind->is_zonal()) return;  // take_namesakes has looked
  if (zone.empty() || !part.kind->is_named()) return;
  const Live* held = names.known(part.kind, zone, part.name);
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
                    const Names& names) {
  if (change.attempts.empty() || !change.resource->kind->is_named()) return;
  const Resource& resource = *change.resource;
  const std::string& zone = change.attempts.front().zone;
  StepContext context;
  context.resource = &resource;
  context.attempt = change.attempts.front();
  ask(wire, pending, change.notebook, *resource.kind, resource.scope, zone, resource.name);
  for (const auto& [kind, name] : resource.kind->leftovers(context))
    if (const Live* held = names.known(kind, zone, name);
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
    const Names names(snapshot_);
    for (const auto& [resource, id] : all) {
      auto place = resource->kind->locate(id);
      if (!place || names.known(resource->kind, place->first, place->second)) continue;
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
  if (sought.empty()) return;
  auto pending = std::make_shared<Pending>();
  const Names before(snapshot);
  for (const Resource* resource : sought)
    if (is_read(snapshot, resource->scope) && !before.namesake(*resource))
      ask(wire, pending, resource->notebook, *resource->kind, resource->scope, {}, resource->name);
  await(env, *pending, stop);
  for (auto& [who, answer] : pending->answers) {
    if (!answer.ok()) failures.emplace(who, answer.error());
    if (answer.ok() && answer->has_value()) snapshot.live.push_back(std::move(**answer));
  }
  if (!pending->answers.empty()) sought = sought_by_name(graph, snapshot);
  const Names names(snapshot);
  for (Resource* resource : sought) {
    auto at = names.namesake(*resource);
    if (!at || snapshot.live[*at].owner.whole()) continue;
    Live& found = snapshot.live[*at];
    note_users(found, snapshot);
    if (!is_used_by_others(found, graph, resource->notebook)) resource->adopt = found.id;
  }
}

namespace {
std::vector<const Change*> creates_of(const Plan& plan) {
  const std::set<std::string> blocked(plan.blocked.begin(), plan.blocked.end());
  std::vector<const Change*> out;
  for (const Change& change : plan.changes)
    if (change.action == Action::create && change.carried_by.empty() && !blocked.count(change.notebook))
      out.push_back(&change);
  return out;
}

bool is_machine(const Result<std::optional<Live>>& answer) {
  return answer.ok() && answer->has_value() && (**answer).kind->is_machine();
}
}  // namespace

void probe(Env& env, Wire& wire, Plan& plan, const Snapshot& snapshot, const std::function<bool()>& stop) {
  const std::vector<const Change*> creates = creates_of(plan);
  if (creates.empty()) return;
  auto pending = std::make_shared<Pending>();
  const Names names(snapshot);
  const auto zones = zones_of_machines(plan, snapshot);
  for (const Change* change : creates) {
    auto holder = change->kind->is_zonal() ? std::nullopt : names.namesake(*change->resource);
    if (holder)
      pending->answers.emplace_back(change->notebook, std::optional<Live>(snapshot.live[*holder]));
    else if (change->kind->is_machine())
      ask_for_create(wire, pending, *change, names);
    else if (auto zone = zones.find(change->notebook); zone != zones.end())
      ask_for_part(wire, pending, *change, plan, names, zone->second);
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
