#include "cli/event_stream.h"

#include "base/json.h"
#include "core/plan_json.h"

namespace nbform::cli {

namespace {

std::string_view state_name(ChangeResult::State state) {
  switch (state) {
    case ChangeResult::State::done:
      return "done";
    case ChangeResult::State::failed:
      return "failed";
    case ChangeResult::State::blocked:
      return "blocked";
    case ChangeResult::State::not_started:
      return "not_started";
    case ChangeResult::State::unfinished:
      return "unfinished";
  }
  return "failed";
}

Value result_json(const ChangeResult& result) {
  Map out{{"address", result.address},
          {"notebook", result.notebook},
          {"action", action_name(result.action)},
          {"state", state_name(result.state)},
          {"sent", result.sent}};
  if (!result.zone.empty()) out.set("zone", result.zone);
  if (!result.blocked_by.empty()) out.set("blocked_by", result.blocked_by);
  if (!result.operation.empty()) out.set("operation", result.operation);
  if (result.state == ChangeResult::State::failed) out.set("error", diagnostic_json(result.failure));
  return out;
}

}  // namespace

Map EventStream::event(std::string_view name) const {
  return {{"format", kFormat}, {"time", format_rfc3339(env_.now())}, {"event", name}};
}

Map EventStream::event_of(std::string_view name, const Change& change) const {
  Map out = event(name);
  out.set("address", change.address);
  out.set("notebook", change.notebook);
  out.set("action", action_name(change.action));
  return out;
}

void EventStream::write(Map event) {
  screen_.out(to_json(event) + "\n");
}

void EventStream::plan(const Plan& plan, const Header& header) {
  Map out = event("plan");
  out.set("plan", plan_json(plan, {header.stack, header.sandbox, header.endpoints}));
  write(std::move(out));
}

void EventStream::diagnostic(const Diagnostic& diagnostic) {
  Map out = event("diagnostic");
  out.set("diagnostic", diagnostic_json(diagnostic));
  write(std::move(out));
}

void EventStream::end(const Outcome& outcome, int exit_code) {
  Map out = event("end");
  List results;
  for (const ChangeResult& result : outcome.results) results.push_back(result_json(result));
  out.set("results", std::move(results));
  out.set("interrupted", outcome.interrupted);
  out.set("exit_code", exit_code);
  write(std::move(out));
}

void EventStream::on_start(const Change& change) {
  write(event_of("start", change));
}

void EventStream::on_phase(const Change& change, std::string_view phase) {
  Map out = event_of("phase", change);
  out.set("phase", phase);
  write(std::move(out));
}

void EventStream::on_wait(const Change& change, std::string_view reason) {
  Map out = event_of("wait", change);
  out.set("reason", reason);
  write(std::move(out));
}

void EventStream::on_attempt(const Change& change, const Attempt& attempt, std::string_view why) {
  Map out = event_of("attempt", change);
  out.set("zone", attempt.zone);
  out.set("market", attempt.spot ? "spot" : "on-demand");
  out.set("reason", why);
  write(std::move(out));
}

void EventStream::on_done(const Change& change) {
  write(event_of("done", change));
}

void EventStream::on_failed(const Change& change, const Diagnostic& why) {
  Map out = event_of("failed", change);
  out.set("error", diagnostic_json(why));
  write(std::move(out));
}

void EventStream::on_blocked(const Change& change, std::string_view by) {
  Map out = event_of("blocked", change);
  out.set("by", by);
  write(std::move(out));
}

void EventStream::on_interrupt() {
  write(event("interrupt"));
}

}  // namespace nbform::cli
