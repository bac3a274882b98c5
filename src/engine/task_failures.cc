// What a task does when a step goes wrong: repeats it, looks what really happened, tries the next place.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/probe.h"
#include "engine/task.h"

namespace nbform {

namespace {
constexpr int kMostConflicts = 10;
}

// An attempt was lost, and what the step was judged by may be history when the next one is due.
void Task::decide_anew(const Call& sent, std::function<void(Result<>)> go) {
  if (over_ || run_.env.now() - read_began_ <= kFresh) return go(Ok{});
  auto self = shared_from_this();
  read_began_ = run_.env.now();
  read_live(run_.wire, *change_.kind, scope(), zone(), cloud_name(),
            [self, sent, go = std::move(go)](Result<std::optional<Live>> answer) {
              if (!answer.ok()) return go(std::move(answer).error());
              bool shows = !self->over_ && answer->has_value();
              go(shows ? self->still_meant(std::move(**answer), sent) : Result<>(Ok{}));
            });
}

Result<> Task::still_meant(Live fresh, const Call& sent) {
  if (change_.live) change_.kind->carry_over(fresh, *change_.live);
  if (fresh.numeric_id != live_->numeric_id)
    return drifted(change_, fmt::format("{} was deleted and made again.", fresh.id));
  // What is going already, by a send whose answer was lost, loses its parts one by one.
  bool is_going = fresh.health.state == Health::State::settling;
  bool same_guard = is_going || (fresh.owner == live_->owner && fresh.keep == live_->keep &&
                                 fresh.protect == live_->protect && fresh.locked == live_->locked);
  if (!same_guard) return drifted(change_, fmt::format("What {} keeps or protects changed.", fresh.id));
  set_live(std::move(fresh));
  const Step& step = steps_[step_];
  if (step.forbid)
    if (std::optional<Diagnostic> why = step.forbid(context())) return *why;
  std::optional<Call> now = step.call(context());
  if (now && now->body == sent.body && now->path == sent.path) return Ok{};
  return drifted(change_, fmt::format("{} is not as it was when this was sent first.", live_->id));
}

void Task::take_failure(Diagnostic failure, const std::vector<std::string>& hints) {
  const Step& step = steps_[step_];
  if (step.makes && failure.code == Code::capacity) return next_attempt(std::move(failure), hints);
  if (step.makes && failure.code == Code::exists) return name_exists(std::move(failure));
  if (step.removes && failure.code == Code::not_found) return settled();
  if (failure.code == Code::busy) {
    if (run_.env.now() - step_began_ < run_.options.step_deadline)
      return repeat_later(failure.summary, std::chrono::seconds(5));
  }
  if (failure.code == Code::conflict && ++conflicts_ < kMostConflicts) return read_then(&Task::send_step);
  if (step.replaceable && failure.hint.empty())
    failure.hint = fmt::format("Made anew it can be had:\n    nbform apply --replace {}", change_.notebook);
  if (!start_again(failure)) fail(std::move(failure));
}

// An edit was refused for which the machine was stopped: it is not left off. The other edits that need the
// stop wait for the next run as well.
bool Task::start_again(Diagnostic& refusal) {
  std::optional<Step> start = change_.kind->start();
  if (!start || steps_[step_].needs != Step::Needs::stopped || run_.stopping) return false;
  auto at = std::find_if(steps_.begin() + static_cast<std::ptrdiff_t>(step_), steps_.end(),
                         [&](const Step& s) { return s.id == start->id; });
  if (at == steps_.end()) return false;
  refusal_ = std::move(refusal);
  refusal_->detail += " The machine is started again, as it was.";
  step_ = static_cast<std::size_t>(at - steps_.begin());
  read_then(&Task::next_step);
  return true;
}

// No answer, or none that tells: the live side does. A step that finds nothing left to do has had its effect.
void Task::look_after_no_verdict(Diagnostic failure) {
  operation_.clear();
  auto self = shared_from_this();
  std::string where = steps_[step_].makes ? attempt().zone : zone();
  read_live(run_.wire, *change_.kind, scope(), where, cloud_name(),
            [self, failure = std::move(failure)](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(failure);
              bool foreign = answer->has_value() && self->steps_[self->step_].makes &&
                             (**answer).owner.address() != self->change_.address;
              if (foreign) return self->fail(name_taken(self->change_.notebook, **answer));
              self->set_live(std::move(*answer));
              bool effect = self->steps_[self->step_].removes
                                ? !self->live_
                                : self->live_.has_value() && !self->steps_[self->step_].call(self->context());
              if (!effect) return self->fail(failure);
              ++self->step_;
              self->next_step();
            });
}

// A create is told that the thing exists, by its name or its token: ours, made by a request whose answer was
// lost or by a run beside this one; or somebody else's.
void Task::name_exists(Diagnostic failure) {
  auto self = shared_from_this();
  read_live(run_.wire, *change_.kind, change_.resource->scope, attempt().zone, change_.resource->name,
            [self, failure = std::move(failure)](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(failure);
              const Change& change = self->change_;
              bool hidden = !answer->has_value();
              if (!hidden && change.live && !change.kind->is_named())
                hidden = (**answer).id == change.live->id;  // what this one was to replace
              if (hidden) return self->look_for_holder(failure);
              const Owner& owner = (**answer).owner;
              bool ours = owner.address() == change.address && owner.stack == self->run_.plan.stack;
              if (!ours) return self->fail(name_taken(change.notebook, **answer));
              self->take_as_made(std::move(**answer));
            });
}

void Task::take_as_made(Live holder) {
  made_ = holder.name;
  found_ = exists_ = true;
  run_.found.insert(change_.notebook);
  written_ = run_.env.now();
  set_live(std::move(holder));
  ++step_;
  next_step();
}

// Reads do not show yet what has the name, or the token. A token is remembered longer than what it made.
void Task::look_for_holder(Diagnostic failure) {
  bool in_vain = run_.env.now() - step_began_ >= change_.kind->settles_within();
  if (in_vain && !change_.kind->is_named()) return take_next_incarnation();
  if (in_vain) return fail(std::move(failure));
  if (++tries_ == 1) run_.observer.on_wait(change_, failure.summary);
  auto self = shared_from_this();
  run_.env.after(kLookAgain, [self, failure = std::move(failure)] {
    if (!self->over_) self->name_exists(failure);
  });
}

void Task::repeat_later(std::string_view reason, Duration delay) {
  ++tries_;
  if (tries_ == 1) run_.observer.on_wait(change_, reason);  // said once, however long it takes
  auto self = shared_from_this();
  Duration jitter{static_cast<Duration::rep>(run_.env.random(static_cast<std::uint64_t>(delay.count())))};
  run_.env.after(delay / 2 + jitter, [self] {
    if (self->over_) return;
    if (self->live_)
      self->read_then(&Task::send_step);
    else
      self->send_step();
  });
}

void Task::next_attempt(Diagnostic failure, const std::vector<std::string>& hints) {
  // The cloud's own hint comes first, as far as the manifest allows those places.
  auto rest = attempts_.begin() + static_cast<std::ptrdiff_t>(std::min(attempt_ + 1, attempts_.size()));
  bool spot = attempt().spot;
  if (!std::exchange(made_, {}).empty()) ++spent_;  // it was launched, and ended
  std::stable_partition(rest, attempts_.end(), [&](const Attempt& a) {
    return a.spot == spot && std::find(hints.begin(), hints.end(), a.zone) != hints.end();
  });
  clean_leftovers(change_.kind->leftovers(context()), 0, std::move(failure));
}

}  // namespace nbform
