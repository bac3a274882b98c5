// What the engine and the screens do with whatever is live: every request that could follow is built, and a
// plan that destroys it all. Knows no service.
#pragma once

#include <deque>
#include <vector>

#include "base/json.h"
#include "cloud/cloud.h"
#include "core/diff.h"
#include "fuzz.h"

namespace nbform::fuzz {

inline constexpr std::size_t kMostValues = 250'000;

inline void build_requests(const std::vector<Step>& steps, const StepContext& context) {
  for (const Step& step : steps) {
    if (auto call = step.call(context)) {
      require(call->path.find_first_of("\r\n ") == std::string::npos, "a path with blanks in it");
      (void)to_json(call->body);
    }
    if (step.forbid)
      if (auto why = step.forbid(context)) check_message(*why);
  }
}

inline const Live* at_address(const std::deque<Live>& all, std::string_view address) {
  for (const Live& live : all)
    if (live.owner.address() == address) return &live;
  return nullptr;
}

// `siblings`: what was read along with it.
inline void use(const Live& live, const std::deque<Live>& siblings = {}) {
  require(!live.name.empty(), "a live thing without a name");
  require(!live.kind->is_machine() || !live.zone.empty(), "a machine without a zone");
  StepContext context;
  context.live = &live;
  context.live_at = [&](std::string_view address) { return at_address(siblings, address); };
  context.resource_at = [](std::string_view) -> const Resource* { return nullptr; };
  context.request_id = "id";
  build_requests(live.kind->destroy(live), context);
  build_requests(live.kind->forget(), context);
  for (auto step : {live.kind->stop(), live.kind->start(), live.kind->mark_resume(true)})
    if (step) build_requests({*step}, context);
  for (const Call& part : live.kind->parts(live)) (void)part;
  (void)live.kind->data_name(live);
  (void)live.kind->gpu(live);
  (void)live.kind->companions(live);
  (void)live.kind->locate(live.id);
}

inline void plan_destroy(const Scope& scope, std::deque<Live> all) {
  Snapshot snapshot;
  snapshot.live = std::move(all);
  snapshot.scopes.push_back({scope, true, {}, std::nullopt});
  Graph empty;
  DiffOptions options;
  options.stack = options.bare_stack = "research";
  options.destroy = true;
  Plan plan = diff(empty, snapshot, options);
  for (const Diagnostic& d : plan.diagnostics) check_message(d);
}

// A page of a list, read to the end.
inline void use_page(const Scope& scope, Listing& listing, std::string_view list, const Value& body) {
  auto next = listing.add_page(list, body);
  if (!next.ok()) return check_message(next.error());
  std::deque<Live> live = listing.fold().live;
  for (const Live& one : live) use(one, live);
  plan_destroy(scope, std::move(live));
}

inline void use_settlement(const Settlement& settlement) {
  if (settlement.state == Settlement::State::failed) check_message(settlement.failure);
}

// "operation 503": the number after the verb.
inline int status_in(std::string_view word) {
  int status = 0;
  for (char c : word.substr(0, 3))
    if (c >= '0' && c <= '9') status = status * 10 + (c - '0');
  return status < 100 ? 200 : status;
}

}  // namespace nbform::fuzz
