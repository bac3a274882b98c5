#include "core/unwanted.h"

#include <fmt/format.h>

#include <algorithm>

namespace nbform {

namespace {

class Unwanted {
 public:
  explicit Unwanted(Verdicts& verdicts) : v_(verdicts) {}

  void declared(const Resource& resource, const Live& live) {
    if (!v_.match.is_ours(live)) return v_.tell_of_stranger(resource);
    if (v_.options.forgets(resource.notebook)) {
      plan_forget(live);
      return;
    }
    judge_removal(live, Reason::asked, &resource, v_.match.named_in_kept(live));
  }

  void undeclared(const Live& live) {
    if (v_.match.is_torn(live) && !v_.match.is_taken(live)) v_.plan.elsewhere.push_back(torn(live));
    if (v_.options.power_only || !v_.match.is_ours(live) || v_.match.is_taken(live) ||
        v_.match.clashes(live.owner.notebook))
      return;
    if (v_.match.is_elsewhere(live)) {
      report_elsewhere(live);
      return;
    }
    if (v_.match.named_in_kept(live)) {
      judge_removal(live, Reason::asked, nullptr, true);
      return;
    }
    if (!is_known_part(live.owner.part)) {
      v_.plan.elsewhere.push_back(
          fmt::format("{} {} ({}) is a part that this nbform does not know; it is left alone",
                      live.kind->noun(), spoken(live.owner.address()), live.id));
      return;
    }
    bool asked = (v_.options.destroy && v_.options.selects && v_.selects(live.owner.notebook)) ||
                 (v_.options.destroy && !v_.options.selected && identified_or_declared(live));
    if (v_.options.forgets(live.owner.notebook)) {
      plan_forget(live);
    } else if (is_put_aside(live)) {
      report_elsewhere(live);
    } else if (is_remainder(live)) {
      judge_remainder(live);
    } else if (keeps_itself(live)) {
      if (rides(live))
        v_.notes[live.owner.notebook].push_back(live.kind->data_name(live) +
                                                " is kept from before and used again");
      else
        v_.plan.kept.push_back(live);
    } else if (is_perhaps_a_copy(live)) {
      report_elsewhere(live);
    } else if (asked || v_.match.may_judge_undeclared(live)) {
      judge_removal(live, asked ? Reason::asked : Reason::undeclared);
    } else if (!v_.options.selected) {
      report_elsewhere(live);
    }
  }

  // What --kept names is there, and no machine uses it.
  void check_kept_names() {
    for (const std::string& name : v_.options.delete_kept) {
      auto is_named = [&](const Live& live) {
        return v_.match.is_ours(live) && live.holds_data &&
               (live.name == name || live.owner.notebook == name || live.owner.address() == name);
      };
      auto found = std::find_if(v_.snapshot.live.begin(), v_.snapshot.live.end(), is_named);
      if (found != v_.snapshot.live.end() && !v_.match.machine_lives(found->owner.notebook)) continue;
      bool used = found != v_.snapshot.live.end();
      Diagnostic d =
          used ? error(Code::conflict, "The disk is in use",
                       fmt::format("{} belongs to {}, whose machine is there.", name, found->owner.notebook))
               : error(Code::not_found, "There is no such kept disk",
                       fmt::format("No disk of this stack is called {}.", name));
      d.hint = used ? fmt::format("Destroy {} first.", found->owner.notebook)
                    : "nbform plan lists the disks that are kept.";
      v_.plan.diagnostics.add(std::move(d));
    }
  }

 private:
  // With the labels goes the mark of an interrupted change, so that change is ended first.
  void plan_forget(const Live& live) {
    Change change;
    change.address = v_.match.is_spare(live) ? beside_the_wanted(live) : live.owner.address();
    change.notebook = live.owner.notebook;
    change.kind = live.kind;
    change.action = Action::forget;
    change.reason = Reason::asked;
    if (live.health.wants_resume()) change.reason_text = "started first: an earlier change was interrupted";
    if (live.health.wants_rest()) change.reason_text = "stopped first: an earlier change was interrupted";
    v_.finish(std::move(change), live);
  }

  // A machine made by hand from a notebook's own carries its labels, but neither its name nor a labelled boot
  // disk.
  bool is_perhaps_a_copy(const Live& live) const {
    return live.bare && live.name != live.owner.notebook && !v_.declared.count(live.owner.notebook);
  }

  static std::string torn(const Live& live) {
    return fmt::format("{} {} carries labels of this stack, but not nbform-{}; it is left alone",
                       live.kind->noun(), live.id, live.owner.notebook.empty() ? "notebook" : "part");
  }

  // A kept boot disk under a machine that is about to be made again.
  bool rides(const Live& live) const {
    auto machine = v_.graph.lower_bound(live.owner.notebook + "/");
    return machine != v_.graph.end() && machine->second.notebook == live.owner.notebook &&
           live.owner.part == "boot" && wants_machine(live.owner.notebook) &&
           !v_.match.machine_lives(live.owner.notebook);
  }

  bool identified_or_declared(const Live& live) const {
    return v_.declared.count(live.owner.notebook) || v_.options.stack != v_.options.bare_stack ||
           v_.options.prune;
  }

  // What a failed create or a machine deleted elsewhere left: a disk that was never attached, or one that was
  // to go with its machine. It holds a name that the create needs, or serves nobody where another is in use.
  bool is_remainder(const Live& live) const {
    bool expendable = live.never_used || (live.holds_data && live.keep == KeepRule::never);
    return expendable && v_.match.strange_user(live) == nullptr && v_.declared.count(live.owner.notebook) &&
           v_.selects(live.owner.notebook) && wants_machine(live.owner.notebook) &&
           (v_.match.is_spare(live) || !v_.match.machine_lives(live.owner.notebook));
  }

  // A boot disk whose machine boots from another one: somebody put it aside, and may come back to it.
  bool is_put_aside(const Live& live) const {
    bool goes_too = v_.options.destroy && v_.selects(live.owner.notebook);
    return live.owner.part == "boot" && live.keep != KeepRule::always && !live.never_used && !goes_too &&
           v_.match.machine_lives(live.owner.notebook);
  }

  void judge_remainder(const Live& live) {
    Change change = removal(live, Reason::remainder);
    change.address = beside_the_wanted(live);
    change.reason_text =
        live.never_used ? "left by a create that failed, never used" : "left by a machine that is gone";
    v_.plan.changes.push_back(std::move(change));
  }

  // Marked as one to be kept; of an empty disk beside the one in use there is nothing to keep.
  bool keeps_itself(const Live& live) const {
    return live.holds_data && live.keep == KeepRule::always && !v_.match.is_spare(live);
  }

  static std::string beside_the_wanted(const Live& live) { return live.owner.address() + "@" + live.zone; }

  bool wants_machine(const std::string& notebook) const {
    return !v_.options.destroy && !v_.options.forgets(notebook);
  }

  Change removal(const Live& live, Reason reason) const {
    Change change;
    change.address = v_.match.is_spare(live) ? beside_the_wanted(live) : live.owner.address();
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
    bool kept_by_manifest = declared != nullptr && declared->keep == KeepRule::always && !live.never_used;
    if (!even_kept && (keeps_itself(live) || (live.holds_data && kept_by_manifest))) {
      if (live.keep != KeepRule::always) mark_as_kept(*declared, live);
      v_.plan.kept.push_back(live);
      return;
    }
    const ScopeStatus* status = v_.match.status_of(live.scope);
    if (status != nullptr && status->failure) return;
    if (v_.is_half_seen(live)) {
      v_.refuse_half_seen(live);
      return;
    }
    if (v_.match.strange_user(live) != nullptr) {
      report_elsewhere(live);
      return;
    }
    if ((declared != nullptr && declared->protect) || live.protect || live.locked)
      v_.refuse_protected(live.owner.notebook, live, "destroyed");
    Change change = removal(live, reason);
    bool disk_with_data = live.holds_data && !live.never_used && live.keep != KeepRule::never;
    bool was_booted =
        live.erased_by_replace || (live.holds_data && live.owner.part == "boot" && !live.never_used);
    bool undeclared_machine = was_booted && v_.declared.count(live.owner.notebook) == 0;
    bool spared_by_manifest = declared != nullptr && declared->keep != KeepRule::never &&
                              (live.erased_by_replace || (live.holds_data && !live.never_used));
    change.loses_data = disk_with_data || undeclared_machine || spared_by_manifest;
    v_.plan.changes.push_back(std::move(change));
  }

  // What only the manifest keeps so far is written on the disk, before its machine goes.
  void mark_as_kept(const Resource& declared, const Live& live) {
    Change change = v_.start_change(declared, &live);
    change.action = Action::update;
    change.reason = Reason::asked;
    Diagnostics ignored;
    change.edits = edits_between(declared, live, ignored);
    std::erase_if(change.edits, [&](const Edit& edit) {
      const Attr* attr = declared.kind->attr(edit.attr.substr(0, edit.attr.find('.')));
      return attr == nullptr || attr->same != Sameness::entries || edit.effect != Action::update;
    });
    v_.plan.changes.push_back(std::move(change));
  }

  void report_elsewhere(const Live& live) {
    v_.plan.elsewhere.push_back(fmt::format("{} {} ({}) is {}", live.kind->noun(),
                                            spoken(live.owner.address()), live.id, why_left(live)));
  }

  std::string why_left(const Live& live) const {
    if (const std::string* user = v_.match.strange_user(live))
      return fmt::format("in use by {}, which does not say that it is this notebook's; it is left alone",
                         *user);
    if (is_put_aside(live)) return "not what its machine boots from any more; it is left alone";
    const std::string& account = live.scope.account;
    if (v_.match.is_elsewhere(live))
      return fmt::format("not the declared one, as it is in {}; it is left alone", account);
    if (is_perhaps_a_copy(live))
      return "in no manifest; its boot disk does not say whose it is, so it may be a clone; it is left alone";
    const ScopeStatus* status = v_.match.status_of(live.scope);
    if (status == nullptr || !status->declared)
      return fmt::format("in no manifest; no manifest names {}, so it is left alone", account);
    if (v_.options.stack == v_.options.bare_stack)
      return "in no manifest; the stack has no id, so it is left alone; --prune deletes it";
    if (live.owner.stack == v_.options.bare_stack)
      return "in no manifest; its labels lack the stack's id, so it is left alone; --prune deletes it";
    return "in no manifest; it is left alone";
  }

  Verdicts& v_;
};

}  // namespace

void judge_unwanted_declared(Verdicts& verdicts, const Resource& resource, const Live& live) {
  Unwanted(verdicts).declared(resource, live);
}

void judge_unwanted(Verdicts& verdicts, const Live& live) {
  Unwanted(verdicts).undeclared(live);
}

void check_kept_names(Verdicts& verdicts) {
  Unwanted(verdicts).check_kept_names();
}

}  // namespace nbform
