// Plan: what will happen, and why, as plain data. Rendering is elsewhere; behaviour never depends on a
// reason.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "core/kind.h"
#include "core/resource.h"

namespace nbform {

// Ordered by weight: a notebook shows the heaviest of its changes.
enum class Action {
  none,
  kept,     // a disk whose notebook is gone and that stays; no change
  pending,  // a difference that nobody can apply now
  forget,
  adopt,   // labels only
  update,  // while it runs
  start,
  stop,
  restart,  // stop, change, start
  create,
  replace,  // destroy, then create
  destroy,
};
std::string_view action_name(Action action);
std::string_view action_symbol(Action action);

// An address in a person's words: "train", "disk data of train", "boot disk of train".
std::string spoken(std::string_view address);

struct Edit {
  std::string attr;   // "labels.team"
  std::string title;  // "labels.team", "machine"
  Value before, after;
  Action effect = Action::update;
  Mark mark;            // manifest line that asks for it
  std::string why;      // why it has that effect, where that isn't plain
  bool secret = false;  // values are not shown
};

// Why an action was chosen; for people only.
enum class Reason {
  none,
  declared,  // not there yet
  edits,
  preempted,           // the cloud took it
  interrupted_change,  // an earlier change stopped it
  power_declared,
  asked,  // --replace, start NAME, stop NAME, destroy
  undeclared,
  remainder,  // left by a create that failed
  settling,
};

struct Change {
  std::string address;
  std::string notebook;
  Action action = Action::none;
  Reason reason = Reason::none;
  std::string reason_text;  // a sentence
  std::string place_text;   // why it is made where it is, when the manifest alone does not say
  const Kind* kind = nullptr;
  const Resource* resource = nullptr;  // in the Graph that the plan was made of; null when undeclared
  std::shared_ptr<const Live> live;    // null when not there
  std::vector<Edit> edits;
  std::vector<Attempt> attempts;                               // of a create or replace
  PowerPolicy::Want end_power = PowerPolicy::Want::unmanaged;  // state to leave it in
  std::vector<std::string> after;  // addresses of changes that must have succeeded before
  std::string carried_by;          // address of the change that does this one too
  bool loses_data = false;
};

// One line of the screen.
struct NotebookPlan {
  std::string key;
  std::string service;
  std::string place;
  Action action = Action::none;
  bool declared = true;
  bool blocked = false;              // by an error of its own: nothing of it is applied
  std::vector<std::size_t> changes;  // into Plan::changes
  std::vector<std::string> why;      // one per reason
  std::vector<std::string> consequences;
  std::vector<std::string> defaults;  // create: what the manifest left to nbform
  std::vector<std::string> notes;     // never a change
  std::vector<std::string> open;      // what the whole internet reaches once it is so: "tcp 443"
  std::vector<WayIn> ingress;         // who may come in, rules of others included
  std::string reason;                 // "was preempted by the cloud at 03:12"
  std::vector<std::string> lost;      // what data would be lost: "boot disk", "disk train-data (200 GB)"
};

struct Plan {
  std::string stack;
  std::vector<Change> changes;          // sorted by address
  std::vector<NotebookPlan> notebooks;  // sorted by key; unchanged ones without notes are only counted
  int unchanged = 0;
  Diagnostics diagnostics;           // errors block the notebooks they name
  std::vector<std::string> blocked;  // notebooks that an error of their own blocks
  std::vector<Live> kept;            // owned disks that stay without a notebook
  std::vector<ScopeStatus> looked_in;
  std::vector<std::string> elsewhere;  // owned things that this run must not judge, as sentences
  int calls = 0;
  Duration took{};
  Time at;

  // Blocks a notebook with its error.
  void block(const std::string& notebook, Diagnostic why);

  int count(Action action) const;  // notebooks with that action, blocked ones aside
  bool empty() const;              // nothing to apply
  bool pending() const;
  // The notebooks that would lose data without consent.
  std::vector<std::string> data_loss(const std::vector<std::string>& consent) const;
};

}  // namespace nbform
