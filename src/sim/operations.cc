#include "sim/operations.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/json.h"
#include "sim/effects.h"
#include "sim/lists.h"
#include "sim/refusal.h"
#include "sim/shelf_json.h"

namespace nbform::sim {

namespace {

using std::chrono::minutes;
constexpr auto kReplayWindow = minutes(60);
constexpr auto kMemory = minutes(60);  // how long a finished operation can be read

std::string operation_name(State& state) {
  return fmt::format("operation-{}-{:013x}-{:08x}-{:08x}", state.cloud_time().millis(),
                     state.next_random(1ull << 52), state.next_random(1ull << 32),
                     state.next_random(1ull << 32));
}

// The members that every operation has, whoever started it.
Map operation_wire(State& state, const Key& at, const Key& target, std::string_view kind,
                   std::string_view type) {
  Map wire{{"kind", "compute#operation"},
           {"id", state.new_id()},
           {"name", at.name},
           {"operationType", type},
           {"targetLink", link(target, kind)},
           {"status", "PENDING"},
           {"progress", 0},
           {"insertTime", state.stamp()},
           {"selfLink", link(at, "operations")}};
  if (const Resource* thing = state.find(kind, target)) wire.set("targetId", (*thing)["id"]);
  if (at.scope != "global")
    wire.set(at.scope.starts_with("zones/") ? "zone" : "region", global_link(at.project, at.scope));
  return wire;
}

const Effect& effect_of(const Resource& work) {
  std::string_view name = work.hidden["effect"].as_text();
  for (const Effect& e : all_effects())
    if (e.name == name) return e;
  bug("an operation has an unknown effect");
}

Value failure_value(const Failure& f) {
  return Map{{"code", f.code}, {"status", f.status}, {"message", f.message}, {"details", f.details}};
}

void set_failure(Resource& work, const Failure& f) {
  work.hidden.map().set("failure", failure_value(f));
}

std::string_view status_phrase(std::int64_t status) {
  switch (status) {
    case 400:
      return "BAD REQUEST";
    case 403:
      return "FORBIDDEN";
    case 404:
      return "NOT FOUND";
    case 409:
      return "CONFLICT";
    case 412:
      return "PRECONDITION FAILED";
    case 503:
      return "SERVICE UNAVAILABLE";
    default:
      return "INTERNAL SERVER ERROR";
  }
}

void show_failure(Resource& work) {
  const Value failure = work.hidden["failure"];
  Map item{{"code", failure["code"]}, {"message", failure["message"]}};
  if (!failure["details"].as_list().empty()) item.set("errorDetails", failure["details"]);
  Map& wire = work.edit();
  wire.set("error", Map{{"errors", List{item}}});
  wire.set("httpErrorStatusCode", failure["status"]);
  wire.set("httpErrorMessage", status_phrase(failure["status"].as_int()));
}

void finish(State& state, const Key& key, Resource& work) {
  Map& wire = work.edit();
  wire.set("status", "DONE");
  wire.set("progress", 100);
  wire.set("endTime", state.stamp());
  Duration memory = state.variant("short-memory") ? Duration(std::chrono::seconds(1)) : kMemory;
  Time known_until = state.now + memory;
  state.plan(known_until, {"op.forget", key, {}});
  state.note("operation", read_key(work.hidden["target"]), "operations/" + key.name,
             Map{{"type", work["operationType"]},
                 {"target", work["targetLink"]},
                 {"error", work["error"]},
                 {"known_until", known_until.us}});
}

// What it was meant for is gone, and another thing goes by the name.
std::optional<Failure> meant_for_another(State& state, const Key& target, const Resource& work) {
  std::string_view kind = work.hidden["kind"].as_text();
  const Resource* thing = state.find(kind, target);
  if (thing == nullptr || work["targetId"].is_null() || (*thing)["id"] == work["targetId"])
    return std::nullopt;
  return Failure{
      "RESOURCE_NOT_FOUND", 404, fmt::format("The resource '{}' was not found", path_of(target, kind)), {}};
}

void start_operation(State& state, const Key& key) {
  Resource* work = state.find("operations", key);
  if (work == nullptr) return;
  state.actor = (*work)["user"].as_text();
  work->edit().set("status", "RUNNING");
  work->edit().set("startTime", state.stamp());
  if (!work->hidden["failure"].is_null()) return;
  Key target = read_key(work->hidden["target"]);
  auto failure = meant_for_another(state, target, *work);
  if (!failure) failure = effect_of(*work).begin(state, target, *work);
  if (failure) set_failure(*work, *failure);
}

void finish_operation(State& state, const Key& key) {
  Resource* work = state.find("operations", key);
  if (work == nullptr) return;
  state.actor = (*work)["user"].as_text();
  Key target = read_key(work->hidden["target"]);
  const Effect& effect = effect_of(*work);
  auto misled = meant_for_another(state, target, *work);
  if (work->hidden["failure"].is_null()) {
    auto failure = misled ? misled : effect.complete(state, target, *work);
    if (failure) set_failure(*work, *failure);
  }
  if (!work->hidden["failure"].is_null()) {
    if (effect.undo != nullptr && !misled) effect.undo(state, target, *work);
    show_failure(*work);
  }
  finish(state, key, *work);
}

std::optional<Failure> injected_failure(const State& state, const Mutation& mutation) {
  const FaultAction* fault = state.fault;
  if (fault == nullptr || !fault->operation) return mutation.failure;
  Failure f{*fault->operation, fault->operation_status, fault->operation_message, {}};
  if (f.message.empty()) f.message = fmt::format("The operation failed: {}", f.code);
  if (!fault->zones_available.empty())
    f.details.push_back(stockout_detail(mutation.target.zone(), "", "", fault->zones_available));
  return f;
}

void remember_request(State& state, const Call& call, const Key& operation) {
  if (!call.has("requestId") || state.variant("request-ids-forgotten")) return;
  state.replays[{call.project(), std::string(call.param("requestId"))}] = {call.digest, operation,
                                                                           state.now + kReplayWindow};
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36 || text == "00000000-0000-0000-0000-000000000000") return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

}  // namespace

Reply submit(State& state, const Call& call, Mutation mutation) {
  Key at{mutation.target.project, mutation.target.scope, operation_name(state)};
  Time start = std::max(state.now, state.busy_until[mutation.target]) + state.pace(0.3);
  Time end = start + state.pace(mutation.seconds);
  state.busy_until[mutation.target] = end;

  Resource& work = state.operations[at];
  work = Resource(operation_wire(state, at, mutation.target, mutation.kind, mutation.type));
  work.edit().set("user", call.principal);
  if (call.has("requestId")) work.edit().set("clientOperationId", call.param("requestId"));
  work.hidden =
      Map{{"effect", mutation.effect}, {"kind", mutation.kind}, {"target", key_value(mutation.target)},
          {"args", mutation.args},     {"start", start.us},     {"end", end.us}};
  if (auto failure = injected_failure(state, mutation)) set_failure(work, *failure);
  if (state.fault != nullptr && state.fault->keep_disks) work.hidden.map().set("keep_disks", true);
  if (state.fault != nullptr && state.fault->preempt)
    work.hidden.map().set("preempt", state.fault->preempt->count());
  state.plan(start, {"op.start", at, {}});
  state.plan(end, {"op.finish", at, {}});
  if (state.variant("late-operations")) work.visible_from = start;
  remember_request(state, call, at);
  return reply(call, work);
}

void record_system_operation(State& state, const Key& target, std::string_view type,
                             std::string_view message) {
  Key at{target.project, target.scope, fmt::format("systemevent-{}", operation_name(state).substr(10))};
  Resource& work = state.operations[at];
  work = Resource(operation_wire(state, at, target, "instances", type));
  Map& wire = work.edit();
  wire.set("user", "system");
  wire.set("startTime", state.stamp());
  wire.set("statusMessage", message);
  work.hidden = Map{{"target", key_value(target)}, {"end", state.now.us}};
  finish(state, at, work);
}

Result<std::optional<Reply>> replayed(State& state, const Call& call) {
  if (!call.has("requestId")) return std::optional<Reply>();
  std::string id(call.param("requestId"));
  if (!is_uuid(id))
    return refuse("invalid",
                  fmt::format("Invalid value for field 'requestId': '{}'. Must be a non-zero UUID.", id));
  auto it = state.replays.find({call.project(), id});
  if (it == state.replays.end() || it->second.until <= state.now) return std::optional<Reply>();
  if (it->second.digest != call.digest)
    return refuse(
        "invalid",
        fmt::format("Invalid value for field 'requestId': '{}'. The id was used for another request.", id));
  const Resource* work = state.find("operations", it->second.operation);
  if (work == nullptr) return not_found(it->second.operation, "operations");
  return std::optional(reply(call, *work));
}

void operation_happens(State& state, const Happening& happening) {
  if (happening.what == "op.start")
    start_operation(state, happening.target);
  else if (happening.what == "op.finish")
    finish_operation(state, happening.target);
  else
    state.operations.erase(happening.target);
}

bool has_unfinished(const State& state, const Key& target, std::string_view type) {
  auto from = state.operations.lower_bound({target.project, target.scope, ""});
  Value wanted = key_value(target);
  for (auto it = from;
       it != state.operations.end() && it->first.project == target.project && it->first.scope == target.scope;
       ++it)
    if (it->second["operationType"].as_text() == type && it->second["status"].as_text() != "DONE" &&
        it->second.hidden["target"] == wanted)
      return true;
  return false;
}

std::optional<Time> finish_time(const Resource& operation) {
  if (operation["status"].as_text() == "DONE") return std::nullopt;
  return Time{operation.hidden["end"].as_int()};
}

Failure not_ready(const Key& key, std::string_view kind) {
  return {"RESOURCE_NOT_READY", 400, fmt::format("The resource '{}' is not ready", path_of(key, kind)), {}};
}

namespace {

Result<Reply> get_operation(State& state, const Call& call) {
  Key key = call.key(call.arg("operation"));
  const Resource* work = state.find("operations", key);
  if (work == nullptr || !state.visible(*work)) return not_found(key, "operations");
  return reply(call, *work);
}

// Blocks until the operation is done, two minutes at most.
Result<Reply> wait_operation(State& state, const Call& call) {
  Reply now = NB_TRY(get_operation(state, call));
  auto end = finish_time(*state.find("operations", call.key(call.arg("operation"))));
  if (!end || state.variant("early-wait")) return now;
  now.delay = std::min<Duration>(std::max(*end - state.now, Duration(1)), minutes(2));
  now.held = true;
  return now;
}

Result<Reply> delete_operation(State& state, const Call& call) {
  Key key = call.key(call.arg("operation"));
  if (state.operations.erase(key) == 0) return not_found(key, "operations");
  return Reply{};
}

Result<Reply> list_operations(State& state, const Call& call) {
  return list_shelf(state, call, "operations", "compute#operationList");
}
Result<Reply> all_operations(State& state, const Call& call) {
  return list_aggregated(state, call, "operations", "compute#operationAggregatedList");
}

constexpr Handling kMethods[] = {
    {"zoneOperations.get", get_operation},
    {"zoneOperations.wait", wait_operation},
    {"zoneOperations.delete", delete_operation},
    {"zoneOperations.list", list_operations},
    {"regionOperations.get", get_operation},
    {"regionOperations.wait", wait_operation},
    {"regionOperations.delete", delete_operation},
    {"regionOperations.list", list_operations},
    {"globalOperations.get", get_operation},
    {"globalOperations.wait", wait_operation},
    {"globalOperations.delete", delete_operation},
    {"globalOperations.list", list_operations},
    {"globalOperations.aggregatedList", all_operations},
};

}  // namespace

std::span<const Handling> operation_methods() {
  return kMethods;
}

}  // namespace nbform::sim
