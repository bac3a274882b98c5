// Kind: what a sort of cloud resource is, as pure functions and a table of attributes. A Kind translates and
// judges; it never performs I/O, never sleeps and never reads the clock. Knows no YAML, no signing, no retry.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"
#include "core/resource.h"

namespace nbform {

struct Change;
struct Edit;

// When an attribute may change on a live resource.
enum class Mutability {
  live,         // while it runs
  stopped,      // only while it is stopped: a restart
  at_rest,      // only while it is stopped, and no reason to stop it: waits for the next stop
  fixed,        // never: a replace
  create_only,  // read at create, not compared afterwards
};

// When two values are the same.
enum class Sameness {
  exact,
  set,           // lists, order aside
  superset,      // every desired item is there; others are not ours
  entries,       // maps, key by key; keys not declared are not managed
  last_segment,  // a full link equals its last path segment
  at_least,      // numbers that only grow; less is an error
  remembered,    // exact, but a live side that nobody wrote down is unknown, not different
};

// One attribute of a kind: the only place where its facts stand.
struct Attr {
  std::string_view name;
  std::string_view title;  // on the screen
  std::string_view from;   // manifest path, for positions and the docs; "" = nbform's own
  Mutability mutability = Mutability::live;
  Sameness same = Sameness::exact;
  std::string_view doc;  // one sentence for the reference
  std::string_view why;  // why it has this class, where that isn't plain
};

// An API call before endpoint, signature and retry are known. Of REST: `method` and `path` say what, `query`
// and `body` are sent as they are. Of RPC (AWS's Query and JSON protocols): `method` is the action and `body`
// its parameters, nested as the service documents them; there is no path and no query.
struct Call {
  std::string api;     // "compute", "ec2"
  std::string method;  // "POST"; "RunInstances"
  std::string path;    // below the API's base URL, escaped
  Query query;
  Value body;  // null = none
  // What of an answer in XML is read, see base/fields.h; "" = all.
  std::string_view fields = {};
};
// The same call for a further page of a list.
Call at_page(Call call, std::string_view parameter, std::string_view token);

// What a step may look at when its request is built. Pointers are never owned; null = not there.
struct StepContext {
  const Resource* resource = nullptr;  // what is wanted; null when something undeclared is destroyed
  const Live* live = nullptr;          // as last read
  Attempt attempt;
  bool ends_stopped = false;  // the change is to leave it stopped
  bool was_stopped = false;   // when it was planned; of a replace, what it replaces
  const Facts* facts = nullptr;
  const std::vector<Edit>* edits = nullptr;  // approved ones
  // Siblings of the same notebook by address, as last read and as wanted.
  std::function<const Live*(std::string_view)> live_at;
  std::function<const Resource*(std::string_view)> resource_at;
  std::string request_id;  // UUID: the same for every retry of this one mutation
  int incarnation = 1;     // above every one seen of this address: part of the tokens of kinds without names
};

// One mutation. `call` gives none where the live side is already so.
struct Step {
  enum class Needs { any, stopped } needs = Needs::any;
  std::string id;     // "set-labels": stable, part of the request id
  std::string phase;  // for people: "setting labels"
  std::function<std::optional<Call>(const StepContext&)> call;
  // Why the step must not be sent as things stand; asked with the freshest reading, right before.
  std::function<std::optional<Diagnostic>(const StepContext&)> forbid = {};
  bool makes = false;        // a create: capacity failures try the next attempt
  bool removes = false;      // afterwards the resource is gone
  bool replaceable = false;  // where the cloud refuses it, a replace brings it about
};

// What an answer to a mutation, or to a poll, says.
struct Settlement {
  // spent: the answer is that of an older create, whose thing is gone: the next incarnation may be made.
  enum class State { done, pending, failed, unknown, spent } state = State::done;
  Diagnostic failure;        // where failed; where unknown what to say if it had no effect
  std::string operation;     // the cloud's name of it
  std::optional<Call> poll;  // where pending: what to ask next, which may wait at the server; none: the same
  Duration pause{0};         // before it is asked
  std::string made;          // of a create whose thing has no name: what `read` calls it
  std::vector<std::string> zone_hints;  // where failed for capacity: zones said to have some
  std::optional<Call> undo;             // where failed: what keeps the cloud from trying it again by itself
};

// One way into a machine, for people: "tcp 22 from the whole internet (default-allow-ssh)".
struct WayIn {
  std::string text;
  bool open_to_all = false;  // and to a port where a notebook or a shell listens
};

class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::string_view name() const = 0;  // "gce.instance"
  virtual std::string_view noun() const = 0;  // "VM"
  virtual std::span<const Attr> attrs() const = 0;
  const Attr* attr(std::string_view name) const;

  // Steps of each change. `edits` are those of one Change.
  virtual std::vector<Step> create(const Resource& resource) const = 0;
  virtual std::vector<Step> update(const std::vector<Edit>& edits) const = 0;
  virtual std::vector<Step> destroy(const Live& live) const = 0;
  // For kinds that have power; empty otherwise. The resume mark is set before a stop that is part of a
  // change.
  virtual std::optional<Step> stop() const { return std::nullopt; }
  virtual std::optional<Step> start() const { return std::nullopt; }
  virtual std::optional<Step> mark_resume(bool set) const {
    (void)set;
    return std::nullopt;
  }
  bool is_machine() const { return stop().has_value(); }
  // Takes our labels off and leaves the resource.
  virtual std::vector<Step> forget() const = 0;

  // Whether a thing is found by the name it was given, which nothing else in its place can have. Else the
  // cloud names it at create, and Live::name is that id.
  virtual bool is_named() const { return true; }
  // Whether its name counts in one zone. Else it counts wherever the scope's lists reach.
  virtual bool is_zonal() const { return true; }
  // Whether a thing of the wanted name is where the wanted one would be.
  virtual bool is_in_place(const Resource& resource, const Live& namesake) const {
    return (void)resource, (void)namesake, true;
  }
  // How long after a mutation a read may still show what was before, the thing's absence included.
  virtual Duration settles_within() const { return Duration{0}; }
  // One live thing by where and how it is called.
  virtual Call read(const Scope& scope, std::string_view zone, std::string_view name) const = 0;
  // The answer to `read`; none: it is not there.
  virtual Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                            const Value& body) const = 0;
  // One item of a list, or a body that holds just one.
  virtual Result<Live> decode(const Scope& scope, const Value& body) const = 0;
  // Further reads that belong to one Live (an instance's boot disk), and how their answers fold in.
  virtual std::vector<Call> parts(const Live& live) const { return (void)live, std::vector<Call>(); }
  virtual void fold(Live& live, const Value& part) const { (void)live, (void)part; }
  // What a failed create may have left behind, by kind and cloud name.
  virtual std::vector<std::pair<const Kind*, std::string>> leftovers(const StepContext& context) const {
    return (void)context, std::vector<std::pair<const Kind*, std::string>>();
  }
  // What a mutation's or poll's answer says.
  virtual Settlement settle(const Scope& scope, const Response& answer) const = 0;
  // Takes what only the lists know (folded siblings, records of preemptions) over from an older reading.
  virtual void carry_over(Live& fresh, const Live& older) const = 0;

  // The live value of an attribute that the cloud leaves out.
  virtual Value absent_value(std::string_view attr) const { return (void)attr, Value(); }
  // Sentences about what an action does to kernels, memory, data, address and time; in reading order.
  virtual std::vector<std::string> consequences(const Change& change) const = 0;
  // For each attribute that is not managed, costs money or opens access, and differs from its default: a
  // sentence. Also what is worth knowing and no difference: a newer image of the same family.
  virtual std::vector<std::string> notes(const Resource& resource, const Live& live) const = 0;
  // Why an edit cannot be made now, though later it can: "... until the one before it is done". None: it can.
  virtual std::optional<std::string> postpones(const Live& live, const Edit& edit) const {
    return (void)live, (void)edit, std::nullopt;
  }
  // What of it anybody on the internet will reach: "tcp 443". `live`: null where there is none yet.
  virtual std::vector<std::string> openings(const Resource& resource, const Live* live) const {
    return (void)resource, (void)live, std::vector<std::string>();
  }
  // Who may come in to a machine once its rules are as declared, rules of others included; empty where
  // nothing is declared about that. `live`: null where there is none yet.
  virtual std::vector<WayIn> ways_in(const Resource& machine, const Live* live, const Facts& facts) const {
    return (void)machine, (void)live, (void)facts, std::vector<WayIn>();
  }
  // Fits a wanted machine to a live sibling of its notebook: a declared disk goes by the name it has, one
  // that is no longer declared is let go.
  // `live_machine`: null where there is none yet.
  virtual void relate(Resource& machine, const Live* live_machine, std::string_view part, const Live& sibling,
                      bool declared) const {
    (void)machine, (void)live_machine, (void)part, (void)sibling, (void)declared;
  }
  // For `adopt`: zone and name in a cloud id, and the parts (with their ids) that come along with a machine.
  virtual std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const = 0;
  virtual std::vector<std::pair<std::string, std::string>> companions(const Live& machine) const {
    return (void)machine, std::vector<std::pair<std::string, std::string>>();
  }
  // Whether a companion is the wanted part by what it is called, where `companions` could not tell.
  virtual bool goes_as(const Resource& resource, const Live& companion) const {
    return (void)resource, (void)companion, false;
  }
  // An edit of a change in a person's words, where title and values would not say it: "disks.data detached".
  // None: they do.
  virtual std::optional<std::string> words(const Change& change, const Edit& edit) const {
    return (void)change, (void)edit, std::nullopt;
  }
  // The GPU of a live machine, "t4 x1"; "" for none.
  virtual std::string gpu(const Live& live) const { return (void)live, std::string(); }
  // Short words about the thing for the screen's `create` line: "e2-standard-2 · spot · boot 200GB".
  virtual std::string summary(const Resource& resource, const Attempt& attempt) const = 0;
  // What of a live thing is lost when it goes: "boot disk", "disk train-data (200 GB)".
  virtual std::string data_name(const Live& live) const = 0;
};

}  // namespace nbform
