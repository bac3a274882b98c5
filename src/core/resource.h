// The middle end's nouns: what is wanted (Resource) and what is there (Live), in attributes of generic
// Values. Knows no YAML, no HTTP and no cloud.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/time.h"
#include "base/value.h"

namespace nbform {

class Kind;

// Who a live thing says it belongs to: written on it in its create call.
struct Owner {
  std::string stack;     // name or name_id
  std::string notebook;  // key
  std::string part;      // instance, boot, disk-<name>, ...
  bool operator==(const Owner&) const = default;
  // False: somebody took a label off, so that nobody can tell whose it is.
  bool whole() const { return !stack.empty() && !notebook.empty() && !part.empty(); }
  std::string address() const { return notebook + "/" + part; }
};

// One account of one cloud, as far as a list call reaches: a GCP project, or an AWS account and region.
struct Scope {
  std::string service;  // "gce"
  std::string cloud;    // entry of `clouds`
  std::string account;  // project or account id
  std::string region;   // "" where the lists are global
  auto operator<=>(const Scope&) const = default;
  // One and the same account, whatever the manifests call it.
  bool is_same_place(const Scope& other) const {
    return service == other.service && account == other.account && region == other.region;
  }
};

// One try of a create: where, and on which market.
struct Attempt {
  std::string zone;
  bool spot = false;
  bool operator==(const Attempt&) const = default;
};

// What design calls `keep`; absent on a live thing reads `always`.
enum class KeepRule { always, until_destroy, never };
std::string_view keep_name(KeepRule keep);
KeepRule parse_keep(std::string_view text);  // unknown text reads `always`

struct PowerPolicy {
  enum class Want { unmanaged, running, stopped } want = Want::unmanaged;
  bool stops_itself = false;       // idle stop, max uptime or a schedule: `running` counts only at create
  bool restart_preempted = false;  // spot.restart
};

// Something a notebook wants to have.
struct Resource {
  std::string address;   // "train/instance"
  std::string notebook;  // "train"
  std::string part;      // "instance"
  const Kind* kind = nullptr;
  Scope scope;
  std::string name;  // cloud-side
  std::vector<std::string>
      where;  // zones, regions, globs as declared; resolved into attempts when it is created
  bool on_spot = false, on_demand = true;  // markets to try, spot first
  Map attributes;                          // managed; a null inside a map: that entry must not be there
  Map defaults;                            // sent at create only
  std::vector<std::string> default_texts;  // the same for people: "boot disk balanced"
  PowerPolicy power;
  KeepRule keep = KeepRule::never;
  bool protect = false;
  std::string carried_by;                           // address whose create call makes this one too
  std::vector<std::string> after;                   // addresses that must exist first
  std::string moved_from;                           // older address whose live thing is this one
  std::string adopt;                                // cloud id to take over
  bool only_if_there = false;                       // nothing is made where there is none
  std::vector<std::string> secret_paths;            // edit paths whose values are not shown
  std::vector<std::string> facts;                   // keys it needs
  std::function<Mark(std::string_view from)> mark;  // position of a manifest path of its notebook
};

// How a live thing fares.
struct Health {
  enum class State { none, running, stopped, settling, degraded, failed } state = State::none;
  enum class StoppedBy { nobody, preemption, unknown } stopped_by = StoppedBy::nobody;
  std::string detail;            // "STAGING", or why it is degraded
  std::optional<Time> since;     // of the state, where the cloud tells
  std::optional<Time> started;   // last start
  std::int64_t resume_mark = 0;  // Unix ms; 0 = none
  bool rest_mark = false;        // made anew by a change that was to leave it stopped
  std::string operation;         // an unfinished operation on it, to be awaited
  bool held = false;             // settling, and only the cloud can end it, whenever it likes: never awaited

  // An interrupted change stopped it, and nothing started it since.
  bool wants_resume() const {
    return state == State::stopped && resume_mark != 0 && started && started->millis() == resume_mark;
  }
  // The cloud's record counts only when it is newer than the last start.
  void heed_preemption(Time at) {
    if (state != State::stopped || (started && at <= *started)) return;
    stopped_by = StoppedBy::preemption;
    since = at;
  }
  // The same, the other way round: it runs since it was made, and was stopped before.
  bool wants_rest() const { return state == State::running && rest_mark; }
};

// Something that exists.
struct Live {
  std::string id;  // unique in its cloud: "projects/p/zones/z/instances/n"
  std::string name;
  const Kind* kind = nullptr;
  Scope scope;
  std::string zone;
  Owner owner;
  Map attributes;
  Map tokens;  // fingerprints and what else conditional writes need
  Health health;
  KeepRule keep = KeepRule::always;
  bool protect = false;            // our own mark
  bool locked = false;             // the cloud's own deletion protection
  bool holds_data = false;         // a disk: deleting it is data loss unless keep is `never`
  bool erased_by_replace = false;  // a machine whose boot disk goes with it
  bool never_used = false;         // a disk that was never attached: what a failed create left behind
  bool pins = false;               // its notebook can live only in its zone
  bool bare = false;               // a machine whose boot disk lacks the owner labels: perhaps a clone
  bool bootless = false;           // a machine whose boot disk was detached
  std::int64_t numeric_id = 0;
  int incarnation = 0;             // of a kind without names: the how many-th thing of its address
  std::vector<std::string> refs;   // ids of live things it points to
  std::vector<std::string> users;  // ids of machines that use it, ours or not
};

// A create under way of something that no list shows yet: an earlier run sent it, or one beside this.
struct Making {
  const Kind* kind = nullptr;
  Scope scope;
  std::string zone, name;
  std::string operation;
};

std::string making_key(const Kind& kind, const Scope& scope, std::string_view name);

using Facts = std::map<std::string, Value>;

// What one refresh saw of one scope.
struct ScopeStatus {
  Scope scope;
  bool declared = true;                  // named by the manifests; false: known from the inventory alone
  std::vector<std::string> unreachable;  // zones that did not answer
  std::optional<Diagnostic> failure;     // nothing of it may be judged absent
  bool complete() const { return unreachable.empty() && !failure; }
};

struct Snapshot {
  std::deque<Live> live;                    // ten thousand, perhaps: they are not moved to make room
  std::vector<Live> strangers;              // machines that are not ours and use what is
  std::map<std::string, Making> making;     // by `making_key`
  std::map<std::string, int> incarnations;  // highest one seen by address
  std::map<std::string, Time> preempted;    // when the cloud took a machine, by id; listed or not
  // Notebooks that seem to have more than the lists show: what was made a moment ago may not show yet.
  std::set<std::string> maybe_hidden;
  Facts facts;
  std::map<std::string, Diagnostic> fact_errors;
  std::vector<ScopeStatus> scopes;
  int calls = 0;
  Duration took{};
  Time at;

  // The create that is making a resource, if one is; whoever sent it.
  const Making* making_of(const Resource& resource) const;
};

// Sorted by address, so that the same input always gives the same order of work.
using Graph = std::map<std::string, Resource>;

}  // namespace nbform
