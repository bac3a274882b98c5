#include "core/wanted.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/power.h"

namespace nbform {

namespace {

using Want = PowerPolicy::Want;

class Wanted {
 public:
  explicit Wanted(Verdicts& verdicts) : v_(verdicts) {}

  void missing(Resource& resource) {
    if (resource.only_if_there) return;
    if (v_.options.power_only) {
      if (resource.kind->stop().has_value())
        v_.notes[resource.notebook].push_back("not created yet; `nbform apply` creates it");
      return;
    }
    if (refuse_unless_all_answered(resource) || refuse_unread(resource)) return;
    if (!resource.adopt.empty() && resource.kind->is_machine()) {
      if (!v_.blocked(resource.notebook)) v_.block(nothing_to_adopt(resource));
      return;
    }
    tell_openings(resource, nullptr);
    Change change = v_.start_change(resource, nullptr);
    change.action = Action::create;
    change.reason = Reason::declared;
    change.end_power = end_of_create(resource);
    plan_attempts(change, resource);
    v_.plan.changes.push_back(std::move(change));
  }

  void present(Resource& resource, const Live& live) {
    bool adopting = !v_.match.is_ours(live);
    if (adopting && v_.options.power_only) return v_.tell_of_stranger(resource);
    if (adopting && refuse_unless_all_answered(resource)) return;
    bool asked_replace = v_.options.replace.count(resource.notebook) && resource.kind->is_machine();
    // What the cloud alone can end, whenever it likes, may be given up for another one.
    bool given_up = asked_replace && live.health.held;
    if (live.health.state == Health::State::settling && !given_up) return await(resource, live);
    Change change = v_.start_change(resource, nullptr);
    PowerChoice power = choose_power(resource, live, v_.options);
    std::vector<std::string> waits = take_edits(change, resource, live, power.action);
    choose_action(change, live, power, asked_replace);
    if (adopting && change.action <= Action::update) change.action = Action::adopt;
    if (adopting && change.action == Action::replace) refuse_strange_replace(change, live);
    if (change.action == Action::replace && !asked_replace) pin_replace(change, live);
    if (change.action == Action::replace) judge_replace(change, resource, live, asked_replace);
    tell_openings(resource, &live);
    if (!given_up) tell(resource, resource.kind->notes(resource, live));
    tell(resource, power.notes);
    let_wait(change, waits);
    if (change.action == Action::none) return;
    if (change.action == Action::restart && !can_stop(live)) wait_for_power(change, live);
    v_.finish(std::move(change), live);
  }

 private:
  // The edits that can be made now, into the change; why others have to wait.
  std::vector<std::string> take_edits(Change& change, const Resource& resource, const Live& live,
                                      Action power) {
    Diagnostics problems;
    change.edits = edits_between(resource, live, problems);
    std::vector<std::string> waits = postpone(change.edits, live);
    if (v_.options.power_only) {
      leave_what_waited(change.edits, resource, power);
      return {};
    }
    for (const Diagnostic& problem : problems) v_.block(problem);
    return waits;
  }

  void await(const Resource& resource, const Live& live) {
    Change change = v_.start_change(resource, nullptr);
    change.action = Action::pending;
    change.reason = Reason::settling;
    change.reason_text = fmt::format("{} is {}", resource.kind->noun(), live.health.detail);
    if (live.health.held) tell(resource, resource.kind->notes(resource, live));
    v_.finish(std::move(change), live);
  }

  void tell(const Resource& resource, const std::vector<std::string>& notes) {
    for (const std::string& text : notes) v_.notes[resource.notebook].push_back(text);
  }

  // The heaviest of what the edits, the power and the caller ask for.
  void choose_action(Change& change, const Live& live, const PowerChoice& power, bool asked_replace) const {
    bool asked_restart = v_.options.restart.count(change.notebook) && change.kind->is_machine() &&
                         live.health.state == Health::State::running;
    change.end_power = power.end;
    change.reason = power.reason;
    change.reason_text = power.text;
    change.action = std::max(heaviest(change.edits), power.action);
    if (asked_replace) change.action = Action::replace;
    if (asked_restart) change.action = std::max(change.action, Action::restart);
    if (change.action != Action::none && change.reason == Reason::none)
      change.reason = asked_replace || asked_restart ? Reason::asked : Reason::edits;
    if (power.end == Want::stopped && change.action == Action::restart) change.action = Action::stop;
  }

  // nbform start and stop change the power alone, and what waited for just that.
  static void leave_what_waited(std::vector<Edit>& edits, const Resource& resource, Action power) {
    std::erase_if(edits, [&](const Edit& edit) {
      const Attr* attr = resource.kind->attr(edit.attr);
      return power == Action::none || attr == nullptr || attr->mutability != Mutability::at_rest;
    });
  }

  // Edits that are no reason for a stop go along with one; without one they wait. So do those that `waits`
  // says why of.
  void let_wait(Change& change, std::vector<std::string> waits) {
    bool stops =
        change.action == Action::restart || change.action == Action::stop || change.action == Action::replace;
    auto is_waiting = [](const Edit& edit) { return edit.effect == Action::pending; };
    if (stops)
      for (Edit& edit : change.edits)
        if (is_waiting(edit)) edit.effect = Action::update;
    if (std::any_of(change.edits.begin(), change.edits.end(), is_waiting))
      waits.push_back(
          fmt::format("waits for the next stop and start; `--restart {}` makes one", change.notebook));
    if (change.action <= Action::pending) {
      if (!waits.empty()) change.action = Action::pending;
      change.reason_text = join(waits, " · ");
      return;
    }
    for (const Edit& edit : change.edits)
      if (is_waiting(edit)) v_.notes[change.notebook].push_back(words_of(change, edit) + " " + waits.back());
    std::erase_if(change.edits, is_waiting);
  }

  static std::string words_of(const Change& change, const Edit& edit) {
    return change.kind->words(change, edit).value_or(edit.title + " changed:");
  }

  // The notebook was found nowhere, and may be in a zone that is silent: nothing is made or adopted beside
  // it.
  bool refuse_unless_all_answered(const Resource& resource) {
    const ScopeStatus* status = v_.match.status_of(resource.scope);
    if (status == nullptr || status->unreachable.empty()) return false;
    Diagnostic d =
        error(Code::unavailable, "A zone did not answer, so nothing new can be created",
              fmt::format("{} was found nowhere, but {} of project {} did not answer and may hold it.",
                          resource.notebook, fmt::join(status->unreachable, ", "), resource.scope.account));
    d.address = resource.notebook;
    d.hint = "Run the same command again when the zone answers.";
    if (!v_.blocked(resource.notebook)) v_.block(std::move(d));
    return true;
  }

  // A part that hangs on a fact which could not be read: it may be there. Of machines the facts say where and
  // from what they are made, and `attempts` judges that.
  bool refuse_unread(const Resource& resource) {
    if (resource.kind->is_machine()) return false;
    for (const std::string& key : resource.facts) {
      auto failed = v_.snapshot.fact_errors.find(key);
      if (failed == v_.snapshot.fact_errors.end()) continue;
      Diagnostic d = failed->second;
      d.address = resource.notebook;
      if (!v_.blocked(resource.notebook)) v_.block(std::move(d));
      return true;
    }
    return false;
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
    auto asked = v_.options.power.find(resource.notebook);
    if (asked != v_.options.power.end()) return asked->second;
    return resource.power.want == Want::stopped ? Want::stopped : Want::running;
  }

  // An existing disk pins the place: one with data, kept or left; and whatever is to be attached and does not
  // go with the machine that is replaced.
  std::vector<const Live*> pins_of(const Resource& resource) const {
    std::vector<const Live*> out;
    for (const Live* live : v_.match.siblings_of(resource.notebook)) {
      bool holds = live->pins && !live->never_used;
      bool stays = live->holds_data && v_.match.is_taken(*live) && !goes_along(*live);
      if (holds || stays) out.push_back(live);
    }
    return out;
  }

  // A disk of a living machine that is never kept.
  bool goes_along(const Live& disk) const {
    const auto& siblings = v_.match.siblings_of(disk.owner.notebook);
    return disk.keep == KeepRule::never &&
           std::any_of(siblings.begin(), siblings.end(), [&](const Live* live) {
             return std::find(live->refs.begin(), live->refs.end(), disk.id) != live->refs.end();
           });
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
      auto part = v_.graph.find(address);
      bool disk = part != v_.graph.end() && part->second.part.starts_with("disk-");
      return disk && part->second.carried_by.empty();
    });
  }

  void plan_attempts(Change& change, const Resource& resource) {
    if (!v_.options.attempts || !resource.kind->is_machine()) return;  // disks follow their machine
    Diagnostics problems;
    change.attempts = v_.options.attempts(resource, problems);
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
    for (const Diagnostic& problem : problems) v_.block(problem);
    if (change.attempts.empty() && problems.empty()) bug("no place to create in, and no reason");
  }

  void tell_openings(const Resource& resource, const Live* live) {
    for (const std::string& text : resource.kind->openings(resource, live))
      v_.open[resource.notebook].push_back(text);
    auto ways = resource.kind->ways_in(resource, live, v_.snapshot.facts);
    if (!ways.empty()) v_.ingress[resource.notebook] = std::move(ways);
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

  void refuse_strange_replace(const Change& change, const Live& live) {
    Diagnostic d = error(
        Code::conflict, "A machine that is not nbform's yet would be made again",
        fmt::format("{} is to adopt {}, and to replace it at the same time.", change.notebook, live.id));
    d.address = change.notebook;
    for (const Edit& edit : change.edits)
      if (edit.effect == Action::replace) d.mark = edit.mark;
    d.hint = "Adopt it as it is, and change it afterwards.";
    if (!v_.blocked(change.notebook)) v_.block(std::move(d));
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
      v_.refuse_protected(resource.notebook, live, "replaced");
    if (live.holds_data) refuse_other_disk(change, resource, live);
    if (v_.is_half_seen(live)) v_.refuse_half_seen(live);
    change.loses_data = live.kind->is_machine() || (live.holds_data && live.keep != KeepRule::never);
  }

  static Want end_of_replace(const Resource& resource, const Live& live, Want chosen) {
    if (resource.power.want == Want::stopped) return Want::stopped;
    if (chosen != Want::unmanaged) return chosen;
    return live.health.state == Health::State::stopped ? Want::stopped : Want::running;
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
    if (!v_.blocked(resource.notebook)) v_.block(std::move(d));
  }

  // It is attached, its machine would wait, and its data would go: that is no change, but another disk.
  void refuse_other_disk(const Change& change, const Resource& resource, const Live& live) {
    auto edit = std::find_if(change.edits.begin(), change.edits.end(),
                             [](const Edit& e) { return e.effect == Action::replace; });
    if (edit == change.edits.end() || v_.blocked(resource.notebook)) return;
    Diagnostic d =
        error(Code::unsupported, "A disk is not made again",
              fmt::format("The {} of {} is {} in the cloud and {} in the manifest, and {}.", edit->title,
                          live.name, canonical(edit->before), canonical(edit->after), edit->why));
    d.address = resource.notebook;
    d.mark = edit->mark;
    d.hint = fmt::format("Declare another disk beside it; `source: disk:{}` starts it as a copy.", live.name);
    v_.block(std::move(d));
  }

  Verdicts& v_;
};

}  // namespace

void judge_missing(Verdicts& verdicts, Resource& resource) {
  Wanted(verdicts).missing(resource);
}

void judge_present(Verdicts& verdicts, Resource& resource, const Live& live) {
  Wanted(verdicts).present(resource, live);
}

}  // namespace nbform
