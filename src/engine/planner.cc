#include "engine/planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/probe.h"

namespace nbform {

namespace {

void add_scope(std::vector<RefreshScope>& scopes, Scope scope, bool declared) {
  bool known = std::any_of(scopes.begin(), scopes.end(), [&](const RefreshScope& other) {
    return other.scope.service == scope.service && other.scope.account == scope.account &&
           other.scope.region == scope.region;
  });
  if (!known && !scope.account.empty()) scopes.push_back({std::move(scope), declared});
}

std::string account_of(const PlanRequest& request, const std::string& cloud) {
  auto it = request.accounts.find(cloud);
  return it != request.accounts.end() ? it->second : std::string();
}

LowerContext lowering(const PlanRequest& request, const std::string& cloud) {
  return {request.manifest, account_of(request, cloud), request.default_keys};
}

// The entries of `clouds`; where there is none at all, what the environment names under the type's own name.
std::vector<Cloud> clouds_of(const PlanRequest& request, std::string_view type) {
  std::vector<Cloud> out;
  for (const auto& [name, cloud] : request.manifest->clouds)
    if (cloud.type == type) out.push_back(cloud);
  bool nobody_says = request.manifest->clouds.empty() && request.manifest->notebooks.empty();
  if (nobody_says && request.accounts.count(std::string(type)) != 0) {
    Cloud cloud;
    cloud.name = cloud.type = type;
    out.push_back(std::move(cloud));
  }
  return out;
}

Diagnostic not_built(const Notebook& notebook) {
  Diagnostic d = error(Code::unsupported, "This service is not in this version of nbform",
                       fmt::format("{} declares `service: {}`; this version manages gce and ec2.",
                                   notebook.key, notebook.service));
  d.mark = mark_of(notebook, "service");
  d.address = notebook.key;
  d.hint = "Move the notebook to another stack until its service is there.";
  return d;
}

std::set<std::string> facts_of(const Graph& graph) {
  std::set<std::string> keys;
  for (const auto& [address, resource] : graph) keys.insert(resource.facts.begin(), resource.facts.end());
  return keys;
}

constexpr Duration kShowsWithin = std::chrono::seconds(20);  // nearly always; clouds promise nothing

// Whether something of ours is under way.
bool has_settling(const Graph& graph, const Snapshot& snapshot, const PlanRequest& request) {
  bool any = false;
  auto wait_for = [&](std::string_view name, std::string_view why) {
    any = true;
    if (request.on_wait) request.on_wait(name, why);
  };
  for (const Live& live : snapshot.live)
    if (live.health.state == Health::State::settling && !live.health.held)
      wait_for(live.name, live.health.detail);
  for (const auto& [address, resource] : graph)
    if (const Making* making = snapshot.making_of(resource)) wait_for(making->name, "busy with `insert`");
  return any;
}

// Whether something is missing of a notebook of which more may be there than the lists show: made now, it
// might be there twice.
bool has_hidden(const Graph& graph, const Snapshot& snapshot) {
  auto is_missing = [&](const Resource& r) {
    return !r.kind->is_named() && std::none_of(snapshot.live.begin(), snapshot.live.end(),
                                               [&](const Live& l) { return l.owner.address() == r.address; });
  };
  return std::any_of(snapshot.maybe_hidden.begin(), snapshot.maybe_hidden.end(),
                     [&](const std::string& notebook) {
                       bool declared = false, missing = false;
                       for (const auto& [address, resource] : graph)
                         if (resource.notebook == notebook)
                           declared = true, missing = missing || is_missing(resource);
                       return missing || !declared;
                     });
}

void sleep(Env& env, Duration d, const std::function<bool()>& stop) {
  bool over = false;
  TimerId timer = env.after(d, [&over] { over = true; });
  while (!over && !(stop && stop()))
    if (!env.step()) break;
  env.cancel_timer(timer);
}

class Planner {
 public:
  Planner(Env& env, Wire& wire, const PlanRequest& request) : env_(env), wire_(wire), request_(request) {}

  Planned run() {
    Diagnostics problems;
    Planned out;
    Time began = env_.now();
    int calls_before = wire_.calls();
    out.graph = std::make_unique<Graph>(lower(request_, problems));
    if (problems.has_errors()) {
      out.plan.diagnostics = std::move(problems);
      return out;
    }
    out.snapshot = read(*out.graph);
    auto unread = read_adopted(env_, wire_, *out.graph, out.snapshot, request_.stop);
    complete(*out.graph, out.snapshot);
    take_namesakes(env_, wire_, *out.graph, out.snapshot, unread, request_.stop);
    DiffOptions options = request_.diff;
    options.attempts = [&](const Resource& resource, Diagnostics& found) {
      return attempts(resource, out.snapshot, found);
    };
    options.unread = std::move(unread);
    out.plan = diff(*out.graph, out.snapshot, options);
    out.plan.diagnostics.add(problems);
    probe(env_, wire_, out.plan, out.snapshot, request_.stop);
    out.plan.calls = wire_.calls() - calls_before;
    out.plan.took = env_.now() - began;
    return out;
  }

 private:
  Snapshot read(const Graph& graph) {
    std::set<std::string> facts = facts_of(graph);
    const Stack& stack = request_.manifest->stack;
    std::vector<RefreshScope> scopes = scopes_of(request_);
    Snapshot snapshot = refresh(env_, wire_, stack, scopes, facts, request_.stop);
    Time began = env_.now();
    constexpr int kMostRounds = 120;  // ten minutes of waiting for others' operations
    for (int round = 0; request_.await_settling && round < kMostRounds; ++round) {
      bool may_show_yet = env_.now() - began < kShowsWithin && has_hidden(graph, snapshot);
      bool waits = has_settling(graph, snapshot, request_) || may_show_yet;
      if (!waits || (request_.stop && request_.stop())) break;
      sleep(env_, std::chrono::seconds(5), request_.stop);
      snapshot = refresh(env_, wire_, stack, scopes, facts, request_.stop);
    }
    return snapshot;
  }

  static void complete(Graph& graph, const Snapshot& snapshot) {
    for (auto& [address, resource] : graph)
      if (const Service* service = find_service(resource.scope.service))
        service->complete(resource, snapshot.facts);
  }

  static std::vector<Attempt> attempts(const Resource& resource, const Snapshot& snapshot,
                                       Diagnostics& problems) {
    for (const std::string& key : resource.facts) {
      auto failed = snapshot.fact_errors.find(key);
      bool needed = !find_service(resource.scope.service)->is_optional_fact(key);
      if (failed == snapshot.fact_errors.end() || !needed) continue;
      Diagnostic d = failed->second;
      d.address = resource.notebook;
      bool image = key.find("|image|") != std::string::npos;
      if (!d.mark.known() && resource.mark) d.mark = resource.mark(image ? "image" : "where");
      problems.add(std::move(d));
    }
    if (problems.has_errors()) return {};
    return find_service(resource.scope.service)->attempts(resource, snapshot.facts, problems);
  }

  Env& env_;
  Wire& wire_;
  const PlanRequest& request_;
};

}  // namespace

std::vector<RefreshScope> scopes_of(const PlanRequest& request) {
  std::vector<RefreshScope> scopes;
  for (const Notebook& notebook : request.manifest->notebooks)
    if (const Service* service = find_service(notebook.service))
      if (auto scope = service->scope(notebook, lowering(request, notebook.cloud)); scope.ok())
        add_scope(scopes, std::move(scope).value(), true);
  for (const Service* service : services())
    for (const Cloud& cloud : clouds_of(request, service->cloud_type()))
      for (Scope& scope : service->scopes(cloud, lowering(request, cloud.name)))
        add_scope(scopes, std::move(scope), true);
  for (const Scope& scope : request.inventory) add_scope(scopes, scope, false);
  return scopes;
}

Graph lower(const PlanRequest& request, Diagnostics& problems) {
  Graph graph;
  for (const Notebook& notebook : request.manifest->notebooks) {
    const Service* service = find_service(notebook.service);
    if (service == nullptr) {
      problems.add(not_built(notebook));
      continue;
    }
    LowerContext context = lowering(request, notebook.cloud);
    if (auto scope = service->scope(notebook, context); !scope.ok())
      problems.add(std::move(scope).error());
    else
      service->lower(notebook, context, graph, problems);
  }
  return graph;
}

Planned make_plan(Env& env, Wire& wire, const PlanRequest& request) {
  return Planner(env, wire, request).run();
}

}  // namespace nbform
