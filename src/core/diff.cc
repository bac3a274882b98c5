#include "core/diff.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/match.h"
#include "core/notebook_plans.h"
#include "core/order.h"
#include "core/power.h"

namespace nbform {

namespace {

using Want = PowerPolicy::Want;

class Differ {
 public:
  Differ(Graph& graph, const Snapshot& snapshot, const DiffOptions& options)
      : graph_(graph), snapshot_(snapshot), options_(options), match_(graph, snapshot, options) {}

  Plan run() {
    describe();
    for (const Diagnostic& problem : match_.problems()) block(problem);
    for (auto [notebook, why] : options_.unread) {
      why.address = notebook;
      block(std::move(why));
    }
    for (auto& [address, resource] : graph_)
      if (selects(resource.notebook)) judge_wanted(resource);
    for (const Live& live : snapshot_.live) judge_unwanted(live);
    check_kept_names();
    std::erase_if(plan_.kept, [&](const Live& disk) { return stays_in_use(disk.owner.notebook); });
    order_changes(plan_.changes);
    plan_notes();
    group_into_notebooks(plan_, graph_, declared_, options_,
                         [&](const std::string& notebook) { return match_.machine_lives(notebook); });
    return std::move(plan_);
  }

 private:
  // A machine that stays as it is goes on using its disks: they are not kept. A declared one lets go of those
  // that are not declared.
  bool stays_in_use(const std::string& notebook) const {
    if (declared_.count(notebook) != 0 && !options_.destroy) return false;
    auto goes = [&](const Change& c) {
      return c.notebook == notebook && c.kind->is_machine() && c.action == Action::destroy &&
             !blocked(notebook);
    };
    return match_.machine_lives(notebook) && std::none_of(plan_.changes.begin(), plan_.changes.end(), goes);
  }

  bool selects(std::string_view notebook) const { return !options_.selects || options_.selects(notebook); }
  bool wanted(const Resource& resource) const {
    return !options_.destroy && !options_.forgets(resource.notebook);
  }

  void describe() {
    plan_.stack = options_.stack;
    plan_.calls = snapshot_.calls;
    plan_.took = snapshot_.took;
    plan_.at = snapshot_.at;
    plan_.looked_in = snapshot_.scopes;
    for (const ScopeStatus& status : snapshot_.scopes) {
      if (!status.failure) continue;
      Diagnostic failure = *status.failure;
      name_left_out(failure, status.scope);
      if (!status.declared)
        failure.severity = Severity::warning;  // nothing of this run stands or falls with it
      plan_.diagnostics.add(std::move(failure));
    }
    for (const auto& [address, resource] : graph_) declared_.insert(resource.notebook);
  }

  // Where other notebooks go on, those that do not are named.
  void name_left_out(Diagnostic& failure, const Scope& scope) const {
    std::vector<std::string> out;
    bool others = false;
    for (const auto& [address, resource] : graph_) {
      bool of_it = resource.scope == scope;
      others = others || !of_it;
      if (of_it && (out.empty() || out.back() != resource.notebook)) out.push_back(resource.notebook);
    }
    if (others && !out.empty()) failure.detail += fmt::format(" Left out: {}.", join(out, ", "));
  }

  void block(Diagnostic problem) {
    std::string notebook = problem.address.substr(0, problem.address.find('/'));
    if (std::find(plan_.blocked.begin(), plan_.blocked.end(), notebook) == plan_.blocked.end())
      plan_.blocked.push_back(notebook);
    plan_.diagnostics.add(std::move(problem));
  }

  bool blocked(const std::string& notebook) const {
    return std::find(plan_.blocked.begin(), plan_.blocked.end(), notebook) != plan_.blocked.end();
  }

  void judge_wanted(Resource& resource) {
    if (match_.clashes(resource.notebook)) return;
    const Live* live = match_.live_of(resource.address);
    const ScopeStatus* status = match_.status_of(resource.scope);
    if (status != nullptr && status->failure) {
      blocked_by_scope(resource);
      return;
    }
    if (const Making* making = being_made(resource)) {
      judge_making(resource, *making);
      return;
    }
    if (machine_is_being_made(resource.notebook)) return;
    if (!wanted(resource)) {
      if (live != nullptr) judge_unwanted_declared(resource, *live);
      return;
    }
    if (live == nullptr)
      judge_missing(resource, status);
    else
      judge_present(resource, *live);
  }

  void blocked_by_scope(const Resource& resource) {
    if (blocked(resource.notebook)) return;
    plan_.blocked.push_back(resource.notebook);
  }

  void judge_making(const Resource& resource, const Making& making) {
    Change change = start_change(resource, nullptr);
    change.action = Action::pending;
    change.reason = Reason::settling;
    change.reason_text = fmt::format("{} is being created in {} (operation {})", resource.kind->noun(),
                                     making.zone, making.operation);
    plan_.changes.push_back(std::move(change));
  }

  const Making* being_made(const Resource& resource) const {
    return match_.live_of(resource.address) == nullptr ? snapshot_.making_of(resource) : nullptr;
  }

  // Its disks come with it, and may show before it does: nothing of them is judged.
  bool machine_is_being_made(const std::string& notebook) const {
    if (snapshot_.making.empty()) return false;
    auto part = graph_.lower_bound(notebook + "/");
    for (; part != graph_.end() && part->second.notebook == notebook; ++part)
      if (part->second.kind->is_machine()) return being_made(part->second) != nullptr;
    return false;
  }

  void judge_missing(Resource& resource, const ScopeStatus* status) {
    if (options_.power_only) {
      if (resource.kind->stop().has_value())
        notes_[resource.notebook].push_back("not created yet; `nbform apply` creates it");
      return;
    }
    if (status != nullptr && !status->unreachable.empty()) {
      Diagnostic d =
          error(Code::unavailable, "A zone did not answer, so nothing new can be created",
                fmt::format("{} was found nowhere, but {} of project {} did not answer and may hold it.",
                            resource.notebook, fmt::join(status->unreachable, ", "), resource.scope.account));
      d.address = resource.notebook;
      d.hint = "Run the same command again when the zone answers.";
      if (!blocked(resource.notebook)) block(std::move(d));
      return;
    }
    if (!resource.adopt.empty() && resource.kind->is_machine()) {
      if (!blocked(resource.notebook)) block(nothing_to_adopt(resource));
      return;
    }
    tell_openings(resource, nullptr);
    Change change = start_change(resource, nullptr);
    change.action = Action::create;
    change.reason = Reason::declared;
    change.end_power = end_of_create(resource);
    plan_attempts(change, resource);
    plan_.changes.push_back(std::move(change));
  }

  static Diagnostic nothing_to_adopt(const Resource& resource) {
    Diagnostic d =
        error(Code::not_found, "There is nothing to adopt",
              fmt::format("{} is to adopt {}, which is not there.", resource.notebook, resource.adopt));
    d.address = resource.notebook;
    if (resource.mark) d.mark = resource.mark("adopt");
    d.hint = "Correct the id, or drop `adopt` to have a new one made.";
    return d;
  }

  Want end_of_create(const Resource& resource) const {
    auto asked = options_.power.find(resource.notebook);
    if (asked != options_.power.end()) return asked->second;
    return resource.power.want == Want::stopped ? Want::stopped : Want::running;
  }

  // An existing disk with data, kept or left, pins the place.
  std::vector<const Live*> pins_of(const Resource& resource) const {
    std::vector<const Live*> out;
    for (const Live* live : match_.siblings_of(resource.notebook))
      if (live->pins && !live->never_used) out.push_back(live);
    return out;
  }

  // "disk train-data (200 GB) used again", and why that binds the place.
  static void tell_of_pins(Change& change, const std::vector<const Live*>& pins) {
    std::vector<std::string> names;
    for (const Live* live : pins) names.push_back(live->kind->data_name(*live));
    change.reason_text = join(names, ", ") + " used again";
    bool first = !change.attempts.empty() && change.attempts.front().zone == pins.front()->zone;
    if (!first) change.place_text = fmt::format("in {}, where {} is", pins.front()->zone, names.front());
  }

  // A copied disk is made in the first place, and binds its machine to it.
  bool is_made_after_a_disk(const Resource& machine) const {
    return std::any_of(machine.after.begin(), machine.after.end(), [&](const std::string& address) {
      auto part = graph_.find(address);
      bool disk = part != graph_.end() && part->second.part.starts_with("disk-");
      return disk && part->second.carried_by.empty();
    });
  }

  void plan_attempts(Change& change, const Resource& resource) {
    if (!options_.attempts || !resource.kind->is_machine()) return;  // disks follow their machine
    Diagnostics problems;
    change.attempts = options_.attempts(resource, problems);
    if (auto pins = pins_of(resource); !pins.empty()) {
      std::string zone = pins.front()->zone;
      if (change.action == Action::create) tell_of_pins(change, pins);
      std::vector<Attempt> there;
      for (const Attempt& attempt : change.attempts)
        if (there.empty() || there.back().spot != attempt.spot) there.push_back({zone, attempt.spot});
      if (there.empty()) there.push_back({zone, resource.on_spot});
      change.attempts = std::move(there);
      problems = Diagnostics();
    }
    if (!change.attempts.empty() && is_made_after_a_disk(resource))
      std::erase_if(change.attempts, [first = change.attempts.front().zone](const Attempt& attempt) {
        return attempt.zone != first;
      });
    for (const Diagnostic& problem : problems) block(problem);
    if (change.attempts.empty() && problems.empty()) bug("no place to create in, and no reason");
  }

  Change start_change(const Resource& resource, const Live* live) const {
    Change change;
    change.address = resource.address;
    change.notebook = resource.notebook;
    change.kind = resource.kind;
    change.resource = &resource;
    if (live != nullptr) change.live = std::make_shared<Live>(*live);
    return change;
  }

  void judge_present(Resource& resource, const Live& live) {
    Change change = start_change(resource, nullptr);
    if (live.health.state == Health::State::settling) {
      change.action = Action::pending;
      change.reason = Reason::settling;
      change.reason_text = fmt::format("{} is {}", resource.kind->noun(), live.health.detail);
      finish(std::move(change), live);
      return;
    }
    Diagnostics problems;
    change.edits = edits_between(resource, live, problems);
    if (options_.power_only) change.edits.clear(), problems = Diagnostics();
    for (const Diagnostic& problem : problems) block(problem);
    PowerChoice power = choose_power(resource, live, options_);
    change.end_power = power.end;
    change.reason = power.reason;
    change.reason_text = power.text;
    change.action = std::max(heaviest(change.edits), power.action);
    bool asked_replace = options_.replace.count(resource.notebook) && resource.kind->is_machine();
    bool asked_restart = options_.restart.count(resource.notebook) && resource.kind->is_machine() &&
                         live.health.state == Health::State::running;
    if (asked_replace) change.action = Action::replace;
    if (asked_restart) change.action = std::max(change.action, Action::restart);
    if (change.action != Action::none && change.reason == Reason::none)
      change.reason = asked_replace || asked_restart ? Reason::asked : Reason::edits;
    if (power.end == Want::stopped && change.action == Action::restart) change.action = Action::stop;
    bool adopting = !resource.adopt.empty() && live.owner.stack.empty();
    if (adopting && change.action <= Action::update) change.action = Action::adopt;
    if (change.action == Action::replace && !asked_replace) pin_replace(change, live);
    if (change.action == Action::replace) judge_replace(change, resource, live, asked_replace);
    tell_openings(resource, &live);
    for (const std::string& text : resource.kind->notes(resource, live))
      notes_[resource.notebook].push_back(text);
    for (const std::string& text : power.notes) notes_[resource.notebook].push_back(text);
    if (change.action == Action::none) return;
    if (change.action == Action::restart && !can_stop(live)) wait_for_power(change, live);
    finish(std::move(change), live);
  }

  void tell_openings(const Resource& resource, const Live* live) {
    for (const std::string& text : resource.kind->openings(resource, live))
      open_[resource.notebook].push_back(text);
  }

  static bool can_stop(const Live& live) {
    return live.health.state == Health::State::running || live.health.state == Health::State::stopped;
  }

  // Suspended, or on its way to something that no word says: what needs a stop has to wait.
  static void wait_for_power(Change& change, const Live& live) {
    change.action = Action::pending;
    change.reason = Reason::settling;
    change.reason_text = fmt::format("{} is {}; its change needs one that runs or is stopped",
                                     live.kind->noun(), live.health.detail);
  }

  static Action heaviest(const std::vector<Edit>& edits) {
    Action action = Action::none;
    for (const Edit& edit : edits) action = std::max(action, edit.effect);
    return action;
  }

  // A replace that an edit forces stays where the notebook is; the market may be the wanted one.
  void pin_replace(Change& change, const Live& live) const {
    change.attempts = {{live.zone, change.resource->on_spot}};
    if (change.resource->on_spot && change.resource->on_demand) change.attempts.push_back({live.zone, false});
  }

  // `asked`: by --replace; what the manifest alone asks for may lift its own protection in the same run.
  void judge_replace(Change& change, const Resource& resource, const Live& live, bool asked) {
    if (change.attempts.empty()) plan_attempts(change, resource);
    change.end_power = end_of_replace(resource, live, change.end_power);
    bool unlocks = std::any_of(change.edits.begin(), change.edits.end(), [](const Edit& edit) {
      return edit.attr == "deletion_protection" && edit.after == Value(false);
    });
    if (live.kind->is_machine() && resource.keep == KeepRule::always) refuse_kept_name(resource, live);
    if (resource.protect || (asked && live.protect) || (live.locked && !unlocks))
      refuse_protected(resource.notebook, live, "replaced");
    if (live.holds_data) refuse_other_disk(change, resource, live);
    if (is_half_seen(live)) refuse_half_seen(live);
    change.loses_data = live.kind->is_machine() || (live.holds_data && live.keep != KeepRule::never);
  }

  static Want end_of_replace(const Resource& resource, const Live& live, Want chosen) {
    if (resource.power.want == Want::stopped) return Want::stopped;
    if (chosen != Want::unmanaged) return chosen;
    return live.health.state == Health::State::stopped ? Want::stopped : Want::running;
  }

  void refuse_protected(const std::string& notebook, const Live& live, std::string_view what) {
    Diagnostic d = error(Code::data_loss, "A protected notebook would be removed",
                         fmt::format("{} would be {}, and {} forbids that.", notebook, what,
                                     live.locked ? "its deletion protection" : "`protect`"));
    d.address = notebook;
    d.hint = live.locked ? "Write `security: {deletion_protection: false}` and apply that first."
                         : "Write `protect: false` and apply that first.";
    if (!blocked(notebook)) block(std::move(d));
  }

  // Its zone did not answer every list: what hangs on it may be hidden.
  bool is_half_seen(const Live& live) const {
    const ScopeStatus* status = match_.status_of(live.scope);
    return status != nullptr && std::count(status->unreachable.begin(), status->unreachable.end(), live.zone);
  }

  void refuse_half_seen(const Live& live) {
    Diagnostic d = error(Code::unavailable, "A zone did not answer, so nothing in it is deleted",
                         fmt::format("{} of project {} did not answer in full; {} stays.", live.zone,
                                     live.scope.account, live.id));
    d.address = live.owner.address();
    d.hint = "Run the same command again when the zone answers.";
    if (!blocked(live.owner.notebook)) block(std::move(d));
  }

  void refuse_kept_name(const Resource& resource, const Live& live) {
    Diagnostic d =
        error(Code::data_loss, "A kept boot disk stands in the way of a replace",
              fmt::format("{} must be made again, but its boot disk is `keep: always` and holds the name "
                          "{}.",
                          resource.notebook, live.name));
    d.address = resource.notebook;
    if (resource.mark) d.mark = resource.mark("disks.boot.keep");
    d.hint = "Write `disks: {boot: {keep: never}}`, or give the notebook another `name`.";
    if (!blocked(resource.notebook)) block(std::move(d));
  }

  // It is attached, its machine would wait, and its data would go: that is no change, but another disk.
  void refuse_other_disk(const Change& change, const Resource& resource, const Live& live) {
    auto edit = std::find_if(change.edits.begin(), change.edits.end(),
                             [](const Edit& e) { return e.effect == Action::replace; });
    if (edit == change.edits.end() || blocked(resource.notebook)) return;
    Diagnostic d =
        error(Code::unsupported, "A disk is not made again",
              fmt::format("The {} of {} is {} in the cloud and {} in the manifest, and {}.", edit->title,
                          live.name, canonical(edit->before), canonical(edit->after), edit->why));
    d.address = resource.notebook;
    d.mark = edit->mark;
    d.hint = fmt::format("Declare another disk beside it; `source: disk:{}` starts it as a copy.", live.name);
    block(std::move(d));
  }

  void finish(Change change, const Live& live) {
    change.live = std::make_shared<Live>(live);
    plan_.changes.push_back(std::move(change));
  }

  // --- what is there and not wanted ---

  void judge_unwanted_declared(const Resource& resource, const Live& live) {
    if (options_.forgets(resource.notebook)) {
      plan_forget(live);
      return;
    }
    judge_removal(live, Reason::asked, &resource, match_.named_in_kept(live));
  }

  void plan_forget(const Live& live) {
    Change change;
    change.address = live.owner.address();
    change.notebook = live.owner.notebook;
    change.kind = live.kind;
    change.action = Action::forget;
    change.reason = Reason::asked;
    finish(std::move(change), live);
  }

  void judge_unwanted(const Live& live) {
    if (options_.power_only || !match_.is_ours(live) || match_.is_taken(live) ||
        match_.clashes(live.owner.notebook) || machine_is_being_made(live.owner.notebook))
      return;
    if (match_.is_elsewhere(live)) {
      report_elsewhere(live);
      return;
    }
    if (match_.named_in_kept(live)) {
      judge_removal(live, Reason::asked, nullptr, true);
      return;
    }
    if (!is_known_part(live.owner.part)) {
      plan_.elsewhere.push_back(
          fmt::format("{} {} ({}) is a part that this nbform does not know; it is left alone",
                      live.kind->noun(), spoken(live.owner.address()), live.id));
      return;
    }
    bool asked = (options_.destroy && options_.selects && selects(live.owner.notebook)) ||
                 (options_.destroy && !options_.selected && identified_or_declared(live));
    if (options_.forgets(live.owner.notebook)) {
      plan_forget(live);
    } else if (is_remainder(live)) {
      judge_remainder(live);
    } else if (live.holds_data && live.keep == KeepRule::always) {
      if (rides(live))
        notes_[live.owner.notebook].push_back(live.kind->data_name(live) +
                                              " is kept from before and used again");
      else
        plan_.kept.push_back(live);
    } else if (asked || match_.may_judge_undeclared(live)) {
      judge_removal(live, asked ? Reason::asked : Reason::undeclared);
    } else if (!options_.selected) {
      report_elsewhere(live);
    }
  }

  // A kept boot disk under a machine that is about to be made again.
  bool rides(const Live& live) const {
    auto machine = graph_.lower_bound(live.owner.notebook + "/");
    return machine != graph_.end() && machine->second.notebook == live.owner.notebook &&
           live.owner.part == "boot" && wants_machine(live.owner.notebook) &&
           !match_.machine_lives(live.owner.notebook);
  }

  bool identified_or_declared(const Live& live) const {
    return declared_.count(live.owner.notebook) || options_.stack != options_.bare_stack || options_.prune;
  }

  // What --kept names is there, and no machine uses it.
  void check_kept_names() {
    for (const std::string& name : options_.delete_kept) {
      auto is_named = [&](const Live& live) {
        return match_.is_ours(live) && live.holds_data &&
               (live.name == name || live.owner.notebook == name || live.owner.address() == name);
      };
      auto found = std::find_if(snapshot_.live.begin(), snapshot_.live.end(), is_named);
      if (found != snapshot_.live.end() && !match_.machine_lives(found->owner.notebook)) continue;
      bool used = found != snapshot_.live.end();
      Diagnostic d =
          used ? error(Code::conflict, "The disk is in use",
                       fmt::format("{} belongs to {}, whose machine is there.", name, found->owner.notebook))
               : error(Code::not_found, "There is no such kept disk",
                       fmt::format("No disk of this stack is called {}.", name));
      d.hint = used ? fmt::format("Destroy {} first.", found->owner.notebook)
                    : "nbform plan lists the disks that are kept.";
      plan_.diagnostics.add(std::move(d));
    }
  }

  // What a failed create or a machine deleted elsewhere left: a disk that was never attached, or one that was
  // to go with its machine. It holds a name that the create needs.
  bool is_remainder(const Live& live) const {
    bool expendable = live.never_used || (live.holds_data && live.keep == KeepRule::never);
    return expendable && declared_.count(live.owner.notebook) && selects(live.owner.notebook) &&
           wants_machine(live.owner.notebook) && !match_.machine_lives(live.owner.notebook);
  }

  void judge_remainder(const Live& live) {
    Change change = removal(live, Reason::remainder);
    change.address += "@" + live.zone;  // beside the one that is wanted
    change.reason_text =
        live.never_used ? "left by a create that failed, never used" : "left by a machine that is gone";
    plan_.changes.push_back(std::move(change));
  }

  bool wants_machine(const std::string& notebook) const {
    return !options_.destroy && !options_.forgets(notebook);
  }

  Change removal(const Live& live, Reason reason) const {
    Change change;
    change.address = live.owner.address();
    change.notebook = live.owner.notebook;
    change.kind = live.kind;
    change.live = std::make_shared<Live>(live);
    change.action = Action::destroy;
    change.reason = reason;
    return change;
  }

  // `declared`: what the manifest says of it, if anything; the stricter of the two sides counts.
  void judge_removal(const Live& live, Reason reason, const Resource* declared = nullptr,
                     bool even_kept = false) {
    if (live.holds_data && live.keep == KeepRule::always && !even_kept) {
      plan_.kept.push_back(live);
      return;
    }
    const ScopeStatus* status = match_.status_of(live.scope);
    if (status != nullptr && status->failure) return;
    if (is_half_seen(live)) {
      refuse_half_seen(live);
      return;
    }
    if ((declared != nullptr && declared->protect) || live.protect || live.locked)
      refuse_protected(live.owner.notebook, live, "destroyed");
    Change change = removal(live, reason);
    bool disk_with_data = live.holds_data && !live.never_used && live.keep != KeepRule::never;
    bool was_booted =
        live.erased_by_replace || (live.holds_data && live.owner.part == "boot" && !live.never_used);
    bool undeclared_machine = was_booted && declared_.count(live.owner.notebook) == 0;
    bool kept_by_manifest = declared != nullptr && declared->keep != KeepRule::never &&
                            (live.erased_by_replace || (live.holds_data && !live.never_used));
    change.loses_data = disk_with_data || undeclared_machine || kept_by_manifest;
    plan_.changes.push_back(std::move(change));
  }

  void report_elsewhere(const Live& live) {
    plan_.elsewhere.push_back(fmt::format("{} {} ({}) is {}", live.kind->noun(), spoken(live.owner.address()),
                                          live.id, why_left(live)));
  }

  std::string why_left(const Live& live) const {
    const std::string& account = live.scope.account;
    if (match_.is_elsewhere(live))
      return fmt::format("not the declared one, as it is in {}; it is left alone", account);
    const ScopeStatus* status = match_.status_of(live.scope);
    if (status == nullptr || !status->declared)
      return fmt::format("in no manifest; no manifest names {}, so it is left alone", account);
    if (options_.stack == options_.bare_stack)
      return "in no manifest; the stack has no id, so it is left alone; --prune deletes it";
    if (live.owner.stack == options_.bare_stack)
      return "in no manifest; its labels lack the stack's id, so it is left alone; --prune deletes it";
    return "in no manifest; it is left alone";
  }

  void plan_notes() {
    std::map<std::string, NotebookPlan> lines;
    for (auto& [notebook, texts] : notes_) lines[notebook].notes = texts;
    for (auto& [notebook, texts] : open_) lines[notebook].open = texts;
    for (auto& [notebook, line] : lines) {
      line.key = notebook;
      plan_.notebooks.push_back(std::move(line));
    }
  }

  Graph& graph_;
  const Snapshot& snapshot_;
  const DiffOptions& options_;
  Match match_;
  Plan plan_;
  std::set<std::string, std::less<>> declared_;
  std::map<std::string, std::vector<std::string>> notes_, open_;  // by notebook
};

}  // namespace

bool DiffOptions::forgets(std::string_view notebook) const {
  return std::any_of(forget.begin(), forget.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, notebook); });
}

Plan diff(Graph& graph, const Snapshot& snapshot, const DiffOptions& options) {
  return Differ(graph, snapshot, options).run();
}

}  // namespace nbform
