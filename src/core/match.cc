#include "core/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nbform {

namespace {

// By kind too: another kind's thing under a part of this name is a stranger.
std::string key_of(const Kind* kind, const std::string& address) {
  return fmt::format("{}|{}", kind->name(), address);
}

}  // namespace

bool is_known_part(std::string_view part) {
  for (std::string_view known : {"instance", "boot", "firewall", "schedule", "security-group"})
    if (part == known) return true;
  return part.starts_with("disk-") || part.starts_with("firewall-") || part.starts_with("script-") ||
         part.starts_with("key-");
}

Match::Match(Graph& graph, const Snapshot& snapshot, const DiffOptions& options)
    : graph_(graph), snapshot_(snapshot), options_(options) {
  index();
  meet();
  relate_siblings();
}

const Live* Match::live_of(const std::string& address) const {
  auto it = matched_.find(address);
  return it != matched_.end() ? it->second : nullptr;
}

const Scope* Match::declared_scope(const std::string& notebook) const {
  auto part = graph_.lower_bound(notebook + "/");
  return part != graph_.end() && part->second.notebook == notebook ? &part->second.scope : nullptr;
}

bool Match::is_elsewhere(const Live& live) const {
  const Scope* declared = declared_scope(live.owner.notebook);
  return declared != nullptr && !declared->is_same_place(live.scope);
}

const Live* Match::live_machine(const std::string& notebook) const {
  for (const Live* live : siblings_of(notebook))
    if (live->kind->is_machine()) return live;
  return adopted_machine(notebook);
}

// One that is being adopted says only later whose it is.
const Live* Match::adopted_machine(const std::string& notebook) const {
  auto part = matched_.lower_bound(notebook + "/");
  for (; part != matched_.end() && part->first.starts_with(notebook + "/"); ++part)
    if (part->second->kind->is_machine() && !is_ours(*part->second)) return part->second;
  return nullptr;
}

const std::vector<const Live*>& Match::siblings_of(const std::string& notebook) const {
  static const std::vector<const Live*> kNone;
  auto it = by_notebook_.find(notebook);
  return it != by_notebook_.end() ? it->second : kNone;
}

const ScopeStatus* Match::status_of(const Scope& scope) const {
  for (const ScopeStatus& status : snapshot_.scopes)
    if (status.scope == scope) return &status;
  return nullptr;
}

bool Match::may_judge_undeclared(const Live& live) const {
  const ScopeStatus* status = status_of(live.scope);
  bool sound = status != nullptr && status->declared && !status->failure;
  bool identified = options_.stack != options_.bare_stack && live.owner.stack == options_.stack;
  return sound && !options_.selected && (identified || options_.prune);
}

bool Match::named_in_kept(const Live& live) const {
  const auto& names = options_.delete_kept;
  return live.holds_data &&
         (names.count(live.name) || names.count(live.owner.notebook) || names.count(live.owner.address()));
}

const std::string* Match::strange_user(const Live& disk) const {
  const auto& siblings = siblings_of(disk.owner.notebook);
  auto is_sibling = [&](const std::string& user) {
    return std::any_of(siblings.begin(), siblings.end(), [&](const Live* live) { return live->id == user; });
  };
  const Live* adopted = adopted_machine(disk.owner.notebook);
  bool refers = adopted != nullptr && std::count(adopted->refs.begin(), adopted->refs.end(), disk.id) > 0;
  for (const std::string& user : disk.users)
    if (!is_sibling(user) && !(refers && user == adopted->id)) return &user;
  return nullptr;
}

void Match::index() {
  for (const Live& live : snapshot_.live) {
    if (is_torn(live)) torn_.push_back(&live);
    if (!is_ours(live) || is_elsewhere(live)) continue;
    by_notebook_[live.owner.notebook].push_back(&live);
    auto [it, fresh] = by_key_.try_emplace(key_of(live.kind, live.owner.address()), &live);
    if (!fresh) meet_twins(it->second, live);
  }
}

void Match::meet_twins(const Live*& holder, const Live& other) {
  const Live* spare = &other;
  if (holder->never_used && !other.users.empty()) std::swap(holder, spare);
  if (!spare->never_used || holder->users.empty()) return claim(*holder, *spare);
  spare_.insert(spare);
  std::erase(by_notebook_[spare->owner.notebook], spare);
}

void Match::claim(const Live& a, const Live& b) {
  clashing_.insert(a.owner.notebook);
  Diagnostic d =
      error(Code::conflict, "Two live resources carry the labels of one notebook",
            fmt::format("{} and {} both say that they are {} of this stack. One of them is probably a "
                        "clone. Neither is touched.",
                        a.id, b.id, spoken(a.owner.address())));
  d.address = a.owner.notebook;
  d.hint = "Remove the nbform-* labels from the one that is not this notebook, or delete it.";
  problems_.push_back(std::move(d));
}

const Live* Match::take(const Kind* kind, const std::string& address) const {
  auto it = by_key_.find(key_of(kind, address));
  return it == by_key_.end() || taken_.count(it->second) ? nullptr : it->second;
}

// What `adopt` names, unless somebody else has it: another stack, or another notebook that is declared.
const Live* Match::adoptable(const Resource& resource) {
  auto named = [&](const Live& live) { return live.kind == resource.kind && live.id == resource.adopt; };
  auto found = std::find_if(snapshot_.live.begin(), snapshot_.live.end(), named);
  if (found == snapshot_.live.end()) return nullptr;
  const Owner& owner = found->owner;
  bool strange = !owner.stack.empty() && !carries_our_stack(*found);
  bool used = is_ours(*found) && machine_of(owner.notebook) != nullptr;
  if (!strange && !used && !taken_.count(&*found)) return &*found;
  Diagnostic d = error(Code::conflict, "What is to be adopted belongs to somebody else",
                       fmt::format("{} is to adopt {}, which belongs to notebook {} of stack {}.",
                                   resource.notebook, found->id, owner.notebook, owner.stack));
  d.address = resource.notebook;
  if (resource.mark) d.mark = resource.mark("adopt");
  d.hint = "Let it go there first:\n    nbform forget " + owner.notebook;
  problems_.push_back(std::move(d));
  return nullptr;
}

// Machines first: whether a disk is alone depends on them. Live and desired meet by owner label; `moved_from`
// and `adopt` are the two ways to a first meeting.
void Match::meet() {
  meet_those([](const Resource& resource) { return resource.kind->is_machine(); });
  meet_those([](const Resource& resource) { return !resource.kind->is_machine(); });
}

void Match::meet_those(bool (*which)(const Resource&)) {
  for (auto& [address, resource] : graph_) {
    if (!which(resource)) continue;
    const Live* live = take(resource.kind, address);
    bool alone = live != nullptr && !machine_lives(live->owner.notebook);
    if (alone && (live->never_used || named_in_kept(*live))) continue;  // a remainder, or to be deleted
    if (live == nullptr && !resource.moved_from.empty()) live = take(resource.kind, resource.moved_from);
    if (live == nullptr && !resource.adopt.empty()) live = adoptable(resource);
    if (live == nullptr ? has_torn_namesake(resource) : is_clone(resource, *live)) continue;
    if (live == nullptr || is_in_repair(resource, *live)) continue;
    taken_.insert(live);
    matched_.emplace(address, live);
  }
}

// A machine made by hand from the notebook's own carries its labels, but neither its name nor a labelled boot
// disk.
bool Match::is_clone(const Resource& resource, const Live& live) {
  if (!live.bare || live.name == resource.name || !resource.kind->is_machine()) return false;
  if (resource.adopt == live.id || !resource.moved_from.empty()) return false;
  clashing_.insert(resource.notebook);
  Diagnostic d =
      error(Code::conflict, "A machine carries the labels of another",
            fmt::format("{} says that it is {}, but {} and its boot disk says "
                        "nothing: it is probably a clone. It is left alone, and nothing is made beside it.",
                        live.id, spoken(resource.address),
                        live.kind->is_named() ? fmt::format("it is not called {}", resource.name)
                                              : "was not launched as one"));
  d.address = resource.notebook;
  d.hint = fmt::format("Remove its nbform-* labels; or, if it is to be {}, write\n    adopt: {}",
                       resource.notebook, live.id);
  problems_.push_back(std::move(d));
  return true;
}

// Somebody took its boot disk off, to mend it elsewhere perhaps: neither is touched, unless both are to go.
bool Match::is_in_repair(const Resource& resource, const Live& live) {
  if (!live.bootless || options_.destroy || options_.forgets(resource.notebook)) return false;
  clashing_.insert(resource.notebook);
  Diagnostic d = error(Code::conflict, "A machine has no boot disk",
                       fmt::format("The boot disk of {} is detached. Nothing of {} is changed, and no disk "
                                   "of it deleted, until it is attached again.",
                                   live.id, resource.notebook));
  d.address = resource.notebook;
  d.hint = fmt::format("Attach it again. If it is to be given up:\n    nbform destroy {}", resource.notebook);
  problems_.push_back(std::move(d));
  return true;
}

// A machine of this stack that has the notebook's name and lost a label: nothing is made beside it.
bool Match::has_torn_namesake(const Resource& resource) {
  if (!resource.kind->is_machine()) return false;
  auto found = std::find_if(torn_.begin(), torn_.end(), [&](const Live* live) {
    return live->kind == resource.kind && live->name == resource.name &&
           live->scope.is_same_place(resource.scope);
  });
  if (found == torn_.end()) return false;
  clashing_.insert(resource.notebook);
  Diagnostic d = error(Code::conflict, "A machine lost the labels that say whose it is",
                       fmt::format("{} is called as {} is and carries labels of this stack, but not all. "
                                   "It is left alone, and nothing is made beside it.",
                                   (*found)->id, spoken(resource.address)));
  d.address = resource.notebook;
  d.hint = fmt::format("Put its label back, or write\n    adopt: {}", (*found)->id);
  problems_.push_back(std::move(d));
  return true;
}

void Match::relate_siblings() {
  for (auto& [address, live] : matched_) {
    const Resource& resource = graph_.at(address);
    Resource* machine = machine_of(resource.notebook);
    if (machine != nullptr && machine->kind != resource.kind)
      machine->kind->relate(*machine, live_of(machine->address), resource.part, *live, true);
  }
  for (const auto& [notebook, siblings] : by_notebook_)
    for (const Live* live : siblings) {
      if (taken_.count(live) || !may_judge_undeclared(*live)) continue;
      Resource* machine = machine_of(notebook);
      if (machine != nullptr && machine->kind != live->kind)
        machine->kind->relate(*machine, live_of(machine->address), live->owner.part, *live, false);
    }
}

Resource* Match::machine_of(const std::string& notebook) {
  for (auto it = graph_.lower_bound(notebook + "/"); it != graph_.end() && it->second.notebook == notebook;
       ++it)
    if (it->second.kind->is_machine()) return &it->second;
  return nullptr;
}

}  // namespace nbform
