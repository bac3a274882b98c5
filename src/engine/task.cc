#include "engine/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "core/arrange.h"
#include "core/diff.h"
#include "engine/probe.h"

namespace nbform {

namespace {

constexpr int kMostIncarnations = 64;
constexpr int kMostUnknown = 4;  // an operation may be known a moment after it was given out
constexpr int kMostLooks = 4;

bool stops(const std::vector<Step>& steps, const Change& change) {
  std::optional<Step> stop = change.kind->stop();
  return stop && std::any_of(steps.begin(), steps.end(), [&](const Step& s) { return s.id == stop->id; });
}

}  // namespace

Diagnostic drifted(const Change& change, std::string what) {
  Diagnostic d = error(Code::drift, "The live resource changed since the plan was made", std::move(what));
  d.address = change.notebook;
  d.hint = "Plan again, and apply what it shows.";
  return d;
}

Task::Task(Run& run, const Change& change) : run_(run), change_(change), attempts_(change.attempts) {
  result_.address = change.address;
  result_.notebook = change.notebook;
  result_.action = change.action;
}

// --- what is known ---

const Live* Task::live() const {
  return live_ ? &*live_ : nullptr;
}

void Task::set_live(std::optional<Live> live) {
  live_ = std::move(live);
  gone_ = gone_ || !live_;
  run_.live[change_.address] = live_;
}

Attempt Task::attempt() const {
  if (attempt_ < attempts_.size()) return attempts_[attempt_];
  // A disk of its own goes where its machine is, or will be.
  for (const auto& [address, sibling] : run_.live)
    if (sibling && address.starts_with(change_.notebook + "/") && sibling->kind->is_machine())
      return {sibling->zone, false};
  for (const Change& other : run_.plan.changes)
    if (other.notebook == change_.notebook && !other.attempts.empty()) return other.attempts.front();
  return {};
}

const Scope& Task::scope() const {
  return change_.resource != nullptr ? change_.resource->scope : change_.live->scope;
}

std::string Task::zone() const {
  return live_ ? live_->zone : makes_anew() ? attempt().zone : change_.live->zone;
}

std::string Task::cloud_name() const {
  return live_ ? live_->name : makes_anew() ? name_of_made() : change_.live->name;
}

StepContext Task::context() const {
  StepContext c;
  c.resource = change_.resource;
  c.live = live();
  c.attempt = attempt();
  c.ends_stopped = change_.end_power == PowerPolicy::Want::stopped;
  c.was_stopped = change_.live && change_.live->health.state == Health::State::stopped;
  c.facts = &run_.snapshot.facts;
  c.edits = &change_.edits;
  c.live_at = [this](std::string_view address) -> const Live* {
    auto it = run_.live.find(address);
    return it != run_.live.end() && it->second ? &*it->second : nullptr;
  };
  c.resource_at = [this](std::string_view address) -> const Resource* {
    auto it = run_.graph.find(std::string(address));
    return it != run_.graph.end() ? &it->second : nullptr;
  };
  c.request_id = request_id();
  auto seen = run_.snapshot.incarnations.find(change_.address);
  c.incarnation = (seen != run_.snapshot.incarnations.end() ? seen->second : 0) + 1 + spent_;
  return c;
}

// The same for every retry of one mutation, another for each step, attempt and run.
std::string Task::request_id() const {
  std::string_view step = step_ < steps_.size() ? std::string_view(steps_[step_].id) : "leftover";
  return uuid_from(fmt::format("{}|{}|{}|{}|{}|{}", run_.options.nonce, change_.address, step_, step,
                               attempt_, conflicts_ + tries_));
}

// --- beginning ---

void Task::start() {
  started_ = true;
  ++run_.in_flight;
  run_.observer.on_start(change_);
  bool starts_from_nothing = change_.action == Action::create && change_.carried_by.empty();
  if (starts_from_nothing)
    plan_steps();
  else
    read_then(&Task::after_first_read);
}

void Task::read_then(void (Task::*next)()) {
  auto self = shared_from_this();
  read_began_ = run_.env.now();
  read_live(run_.wire, *change_.kind, scope(), zone(), cloud_name(),
            [self, next](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(std::move(answer).error());
              if (answer->has_value() && self->change_.live)
                self->change_.kind->carry_over(**answer, *self->change_.live);
              bool hidden = !answer->has_value() && self->exists_ && self->may_be_stale();
              if (hidden) return self->look_later(next);
              self->set_live(std::move(*answer));
              ((*self).*next)();
            });
}

bool Task::may_be_stale() const {
  Duration settles = change_.kind->settles_within();
  if (found_) settles = std::min(settles, kHides);  // what differs then was not to be like that
  return written_ && run_.env.now() - *written_ < settles;
}

// What was just made or written may not show everywhere yet.
void Task::look_later(void (Task::*next)()) {
  auto self = shared_from_this();
  run_.env.after(kLookAgain, [self, next] {
    if (!self->over_) self->read_then(next);
  });
}

void Task::after_first_read() {
  if (!change_.carried_by.empty()) return verify();
  // What has an id only may not show in every answer while it is young.
  bool flickers = !live_ && change_.live && !change_.kind->is_named() && ++looks_ < kMostLooks;
  if (flickers) {
    gone_ = false;
    return look_later(&Task::after_first_read);
  }
  if (!live_) {
    if (change_.action == Action::destroy || change_.action == Action::forget) return finish();
    if (change_.action != Action::replace)
      return fail(drifted(change_, fmt::format("{} is gone.", change_.live->id)));
  }
  if (live_ && !still_as_approved()) return;
  plan_steps();
}

namespace {
// Sets come in any order.
bool is_same(const Kind& kind, std::string_view name, const Value& was, const Value& now) {
  for (const Attr& attr : kind.attrs())
    if (attr.name == name && attr.same == Sameness::set) return satisfies(Sameness::set, was, now);
  return was == now;
}
}  // namespace

// Whether what the change was judged by still holds: the owner, what protects data, and each approved edit.
bool Task::still_as_approved() {
  const Live& before = *change_.live;
  auto refuse = [&](std::string what) {
    fail(drifted(change_, std::move(what)));
    return false;
  };
  if (live_->numeric_id != before.numeric_id)
    return refuse(fmt::format("{} was deleted and made again.", before.id));
  if (live_->owner != before.owner) return refuse(fmt::format("The owner labels of {} changed.", before.id));
  bool removes = change_.action == Action::destroy || change_.action == Action::replace;
  bool guarded = live_->keep != before.keep || live_->protect != before.protect ||
                 live_->locked != before.locked ||
                 !std::is_permutation(live_->refs.begin(), live_->refs.end(), before.refs.begin(),
                                      before.refs.end());  // clouds list them in any order
  if (removes && guarded) return refuse(fmt::format("What {} keeps or protects changed.", before.id));
  bool woke = before.health.state == Health::State::stopped && live_->health.state == Health::State::running;
  if (woke && (removes || stops(arrange(change_, live()), change_)))
    return refuse(fmt::format("{} was stopped and runs now; it would be interrupted.", before.id));
  for (const Edit& edit : change_.edits) {
    const Value* now = live_->attributes.find(edit.attr);
    bool plain = edit.attr.find('.') == std::string::npos;
    if (plain && now != nullptr && !is_same(*before.kind, edit.attr, edit.before, *now) &&
        !is_same(*before.kind, edit.attr, edit.after, *now))
      return refuse(fmt::format("{} of {} is now something else than the plan saw.", edit.title, before.id));
  }
  return true;
}

void Task::plan_steps() {
  steps_ = arrange(change_, live());
  step_ = 0;
  next_step();
}

// --- one step after the other ---

void Task::next_step() {
  if (over_) return;
  tries_ = conflicts_ = unknown_ = rereads_ = 0;
  step_began_ = run_.env.now();
  if (step_ >= steps_.size()) return refusal_ ? fail(*std::exchange(refusal_, std::nullopt)) : verify();
  bool names_count = change_.kind->is_named() && (attempt_ > 0 || change_.action == Action::replace);
  if (steps_[step_].makes && names_count) return prepare_attempt();
  bool may_hide = change_.action == Action::replace || has_company();
  if (steps_[step_].makes && !change_.kind->is_named() && may_hide) return look_beside();
  send_step();
}

void Task::send_step() {
  if (over_) return;
  if (run_.stopping) return end(ChangeResult::State::unfinished);
  const Step& step = steps_[step_];
  if (!live_ && !step.makes) {  // it went away meanwhile: nothing is left to remove, or to change
    bool removal = change_.action == Action::destroy || change_.action == Action::forget;
    if (!removal && change_.action != Action::replace)
      return fail(drifted(change_, fmt::format("{} is gone.", change_.address)));
    ++step_;
    return next_step();
  }
  StepContext c = context();
  std::optional<Call> call = step.call(c);
  if (!call) {
    ++step_;
    return next_step();
  }
  // A part of the reading may have been answered late, and what came before it be history.
  bool is_old = live_ && step.forbid && run_.env.now() - read_began_ > kFresh;
  if (is_old && ++rereads_ < kMostLooks) return read_then(&Task::send_step);
  if (step.forbid)
    if (std::optional<Diagnostic> why = step.forbid(c)) return fail(std::move(*why));
  run_.observer.on_phase(change_, step.phase);
  result_.sent = true;
  auto self = shared_from_this();
  run_.wire.send(
      scope(), *call, ApiRequest::Repeat::keyed,
      [self](Result<Answer> answer) {
        if (!self->over_) self->settle(std::move(answer));
      },
      [self](const RetryNotice& notice) {
        if (!self->over_) self->run_.observer.on_wait(self->change_, notice.reason);
      },
      step.removes || step.forbid ? [self, sent = *call](auto go) { self->decide_anew(sent, std::move(go)); }
                                  : Permission());
}

void Task::settle(Result<Answer> answer) {
  if (!answer.ok()) return look_after_no_verdict(std::move(answer).error());
  bool polling = !operation_.empty();
  if (polling && answer->http.status == 404 && ask_again()) return;
  if (polling && answer->http.status == 404)  // an operation that is forgotten is no verdict: look
    return look_after_no_verdict(
        error(Code::unavailable, "The outcome of an operation is not known",
              "The cloud no longer knows the operation, and its effect cannot be seen."));
  Settlement settlement = change_.kind->settle(scope(), answer->http);
  if (!settlement.made.empty()) made_ = settlement.made;
  switch (settlement.state) {
    case Settlement::State::done:
      operation_.clear();
      return settled();
    case Settlement::State::failed: {
      operation_.clear();
      // A question that is refused says nothing of what was asked about.
      bool of_question = polling && !answer->http.ok() && settlement.failure.code == Code::capacity;
      if (of_question) return look_after_no_verdict(std::move(settlement.failure));
      if (settlement.undo) return undo(std::move(settlement));
      return take_failure(std::move(settlement.failure), settlement.zone_hints);
    }
    case Settlement::State::spent:
      return take_next_incarnation();
    case Settlement::State::unknown:
      operation_.clear();
      if (settlement.failure.summary.empty())
        settlement.failure = error(Code::unavailable, "The cloud's answer cannot be understood");
      return look_after_no_verdict(std::move(settlement.failure));
    case Settlement::State::pending:
      return await(std::move(settlement), polling);
  }
}

// What the token stood for is gone: the next one may be made.
void Task::take_next_incarnation() {
  operation_.clear();
  made_.clear();
  step_began_ = run_.env.now();
  if (++spent_ < kMostIncarnations) return send_step();
  fail(error(Code::conflict, "Every name for the new resource is used up",
             fmt::format("{} was made and removed {} times within a day.", spoken(change_.address),
                         kMostIncarnations)));
}

void Task::await(Settlement settlement, bool polling) {
  if (run_.env.now() - step_began_ > run_.options.step_deadline)
    return fail(error(Code::timeout, "An operation takes too long",
                      fmt::format("Operation {} is still not done after {}. It may yet finish.",
                                  settlement.operation, format_span(run_.options.step_deadline))));
  if (!settlement.operation.empty()) operation_ = settlement.operation;
  if (settlement.poll) poll_ = settlement.poll;
  if (!poll_) bug("an operation is pending and nobody says what to ask");
  unknown_ = 0;
  // Where the call waits at the server, a short pause keeps the loop polite should it return at once.
  constexpr Duration kPolite = std::chrono::milliseconds(500);
  poll_after(polling ? std::max(settlement.pause, kPolite) : settlement.pause);
}

void Task::poll_after(Duration pause) {
  auto self = shared_from_this();
  run_.env.after(pause, [self] {
    if (self->over_) return;
    self->run_.wire.send(self->scope(), *self->poll_, ApiRequest::Repeat::safe, [self](Result<Answer> next) {
      if (!self->over_) self->settle(std::move(next));
    });
  });
}

// An operation may not be known yet where it is asked for; one that is forgotten stays so.
bool Task::ask_again() {
  if (++unknown_ > kMostUnknown || !poll_) return false;
  poll_after(std::chrono::seconds(1));
  return true;
}

void Task::settled() {
  result_.applied = true;
  written_ = run_.env.now();
  const Step& done = steps_[step_];
  exists_ = !done.removes && (done.makes || exists_);
  ++step_;
  if (done.removes) {
    set_live(std::nullopt);
    return next_step();
  }
  read_then(&Task::next_step);
}

// --- the end ---

// Reads back what was written: an approved edit that does not show is a failure.
void Task::verify() {
  bool still_shows = change_.action == Action::forget && live_ && steps_.back().call(context());
  if (still_shows && may_be_stale()) return look_later(&Task::verify);
  bool removal = change_.action == Action::destroy || change_.action == Action::forget;
  if (removal || change_.resource == nullptr) return finish();
  if (!live_)
    return fail(error(Code::drift, "The resource is not there",
                      fmt::format("{} was made and is gone.", spoken(change_.address))));
  // Somebody else's create is awaited as its own would be.
  bool comes_up = found_ && live_->health.state == Health::State::settling && !live_->health.held;
  if (comes_up && run_.env.now() - step_began_ < run_.options.step_deadline) return look_later(&Task::verify);
  Diagnostics ignored;
  std::vector<std::string> left;
  for (const Edit& edit : edits_between(*change_.resource, *live_, ignored)) {
    bool approved = change_.action == Action::create || change_.action == Action::replace ||
                    std::any_of(change_.edits.begin(), change_.edits.end(),
                                [&](const Edit& e) { return e.attr == edit.attr; });
    if (approved) left.push_back(edit.title);
  }
  if (left.empty()) return finish();
  if (may_be_stale()) return look_later(&Task::verify);
  if (found_)
    return fail(drifted(change_, fmt::format("{} was made meanwhile, by another apply, and differs: {}.",
                                             spoken(change_.address), fmt::join(left, ", "))));
  fail(error(
      Code::drift, "The cloud did not take a change",
      fmt::format("{} still differs after its change: {}.", spoken(change_.address), fmt::join(left, ", "))));
}

// What rides in a later create must not be taken for still there.
void Task::forget_removed() {
  std::erase_if(run_.live, [&](const auto& entry) {
    return entry.second && entry.second->kind == change_.kind && entry.second->id == change_.live->id;
  });
}

void Task::finish() {
  if (change_.action == Action::destroy) forget_removed();
  if (live_) result_.zone = live_->zone;
  if (attempt_ > 0 && live_) {
    bool market = change_.resource != nullptr && change_.resource->on_spot && !attempt().spot;
    result_.fell_back = live_->zone + (market ? " on demand" : "");
  }
  end(ChangeResult::State::done);
  run_.observer.on_done(change_);
}

void Task::fail(Diagnostic why) {
  if (refusal_) {
    refusal_->detail += fmt::format(" That failed: {}", why.detail);
    why = *std::exchange(refusal_, std::nullopt);
  }
  if (why.address.empty()) why.address = change_.notebook;
  result_.failure = why;
  end(ChangeResult::State::failed);
  run_.observer.on_failed(change_, why);
}

void Task::block(const std::string& by) {
  result_.blocked_by = by;
  end(ChangeResult::State::blocked);
  run_.observer.on_blocked(change_, by);
}

void Task::abandon() {
  result_.operation = operation_;
  end(ChangeResult::State::unfinished);
}

void Task::end(ChangeResult::State state) {
  over_ = true;
  result_.state = state;
  ++run_.finished;
  if (started_) --run_.in_flight;
}

}  // namespace nbform
