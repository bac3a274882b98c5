// Service: one cloud offering as the middle end and the engine see it. Pure: it names calls and reads
// answers, and never performs them. Knows no transport, no signing, and no other service.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/kind.h"
#include "core/plan.h"
#include "core/resource.h"
#include "manifest/notebook.h"

namespace nbform {

class Openings;   // cloud/opening.h
class SshAccess;  // cloud/ssh_access.h

// What lowering may know besides the notebook: what stands in the environment.
struct LowerContext {
  const Manifest* manifest = nullptr;
  std::string account;               // project or account id, from `clouds` or the environment
  std::vector<SshKey> default_keys;  // the first of ~/.ssh/id_*.pub, if any
};

// One list of a refresh. Pages are followed until there is no token.
struct ListCall {
  std::string id;  // tells `collect` what it reads
  Call call;
  std::string size_parameter = "maxResults";  // lowered where a page is too large to be taken
  std::string fact;  // what it lists besides things of ours; where the caller may not list that, only what
                     // needs this fact stands still
  std::string optional_parameter;  // left out where the cloud refuses it (400)
};

// What the lists of one scope say.
struct Folded {
  std::deque<Live> live;
  std::vector<Live> strangers;  // machines that are not ours and use what is, or once were ours
  std::vector<Making> making;
  std::map<std::string, int> incarnations;  // highest one seen by address, things that are gone included
  Facts facts;                              // that lists give
  std::map<std::string, Time> preempted;    // by id, of machines that no list shows too
  std::set<std::string> maybe_hidden;       // see Snapshot
};

// Gathers list pages into Lives; several lists fold into one Live. One per scope and refresh.
class Listing {
 public:
  virtual ~Listing() = default;
  // Takes one page; gives the token of the next one ("" = last) or why the page can't be used.
  virtual Result<std::string> add_page(std::string_view list_id, const Value& page) = 0;
  // What all pages of all lists leave to ask; asked once.
  virtual std::vector<ListCall> follow_ups() const { return {}; }
  virtual std::vector<std::string> unreachable() const = 0;
  virtual Folded fold() = 0;
};

class Service {
 public:
  virtual ~Service() = default;
  virtual std::string_view name() const = 0;        // "gce"
  virtual std::string_view cloud_type() const = 0;  // "gcp"
  virtual std::vector<const Kind*> kinds() const = 0;
  // How its machines are reached by SSH; null: they are not.
  virtual const SshAccess* ssh() const { return nullptr; }

  // Where a notebook of this service lives, as far as its lists reach. Errors are positioned.
  virtual Result<Scope> scope(const Notebook& notebook, const LowerContext& context) const = 0;
  // The scopes in which a stack may have things although no notebook is declared there.
  virtual std::vector<Scope> scopes(const Cloud& cloud, const LowerContext& context) const = 0;
  // A valid notebook into resources. Problems only this service can see are positioned diagnostics.
  virtual void lower(const Notebook& notebook, const LowerContext& context, Graph& graph,
                     Diagnostics& problems) const = 0;

  virtual std::vector<ListCall> lists(const Scope& scope, const Stack& stack) const = 0;
  virtual std::unique_ptr<Listing> listing(const Scope& scope) const = 0;

  // A fact is what the cloud knows besides resources: an image family's newest image, the zones of a project.
  // A key starts with the service's name and a `|`; it is asked under the first scope that it is of.
  virtual bool fact_is_of(std::string_view key, const Scope& scope) const {
    return (void)key, (void)scope, true;
  }
  // One that is good to know and no more: where it cannot be had, the cloud will say so itself, later.
  virtual bool is_optional_fact(std::string_view key) const { return (void)key, false; }
  virtual Call fact_call(std::string_view key) const = 0;
  virtual std::string_view page_parameter() const { return "pageToken"; }
  // The call for what `add_fact` named as next: a further page, or what the answer before leads to.
  virtual Call fact_page(std::string_view key, std::string_view token) const {
    return at_page(fact_call(key), page_parameter(), token);
  }
  // Takes one page; the value grows over pages. The token of the next one, or "".
  virtual Result<std::string> add_fact(std::string_view key, const Response& answer, Value& fact) const = 0;

  // Where a completed resource may be created, in order. Problems are positioned: no such place, too small a
  // disk.
  virtual std::vector<Attempt> attempts(const Resource& resource, const Facts& facts,
                                        Diagnostics& problems) const = 0;
  // Fills in what facts decide at create: the image that is pinned, sizes.
  virtual void complete(Resource& resource, const Facts& facts) const = 0;
};

// All services of this build, by name; null for one that is not built yet.
const Service* find_service(std::string_view name);
std::vector<const Service*> services();

}  // namespace nbform
