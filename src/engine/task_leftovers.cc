// What a failed create left behind, on the way to the next attempt.
#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "engine/task.h"

namespace nbform {

// A failed create may leave its disks. One that carries our labels, was absent before and was never used is
// removed.
void Task::clean_leftovers(std::vector<std::pair<const Kind*, std::string>> names, std::size_t next,
                           Diagnostic failure) {
  if (next == names.size()) {
    if (attempt_ + 1 >= attempts_.size()) return fail(std::move(failure));
    ++attempt_;
    run_.observer.on_attempt(change_, attempts_[attempt_], failure.summary);
    step_began_ = run_.env.now();
    return prepare_attempt();
  }
  auto self = shared_from_this();
  const auto [kind, name] = names[next];
  read_live(run_.wire, *kind, change_.resource->scope, attempt().zone, name,
            [self, names, next, failure = std::move(failure)](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(std::move(answer).error());
              auto onward = [self, names, next, failure] { self->clean_leftovers(names, next + 1, failure); };
              if (!answer->has_value()) return onward();
              const Live& found = **answer;
              bool before = std::any_of(self->run_.snapshot.live.begin(), self->run_.snapshot.live.end(),
                                        [&](const Live& old) { return old.numeric_id == found.numeric_id; });
              bool ours = found.owner.stack == self->run_.plan.stack &&
                          found.owner.notebook == self->change_.notebook;
              if (before || !ours || !found.never_used) return onward();
              self->remove_leftover(found, onward);
            });
}

// The cloud would try again by itself what failed, later and beside what is made instead.
void Task::undo(Settlement failed) {
  if (run_.stopping) return end(ChangeResult::State::unfinished);
  run_.observer.on_phase(change_, "calling off what failed");
  auto self = shared_from_this();
  Call call = *failed.undo;
  run_.wire.send(scope(), call, ApiRequest::Repeat::keyed,
                 [self, failed = std::move(failed)](Result<Answer> answer) {
                   if (self->over_) return;
                   if (!answer.ok()) return self->fail(std::move(answer).error());
                   Settlement s = self->change_.kind->settle(self->scope(), answer->http);
                   bool off = s.state == Settlement::State::done || s.failure.code == Code::not_found;
                   if (!off) return self->fail(std::move(s.failure));
                   self->take_failure(failed.failure, failed.zone_hints);
                 });
}

void Task::remove_leftover(const Live& live, std::function<void()> then) {
  if (run_.stopping) return end(ChangeResult::State::unfinished);
  run_.observer.on_phase(change_,
                         fmt::format("removing {} that the failed create left", live.kind->data_name(live)));
  StepContext c;
  c.live = &live;
  c.request_id = uuid_from(fmt::format("{}|leftover|{}|{}", run_.options.nonce, live.id, live.numeric_id));
  std::optional<Call> call = live.kind->destroy(live).back().call(c);
  send_removal(live, *call, ApiRequest::Repeat::keyed, std::move(then));
}

void Task::send_removal(const Live& live, const Call& call, ApiRequest::Repeat repeat,
                        std::function<void()> then) {
  auto self = shared_from_this();
  run_.wire.send(live.scope, call, repeat,
                 [self, live, call, repeat, then = std::move(then)](Result<Answer> answer) {
                   if (self->over_) return;
                   if (!answer.ok()) return self->fail(std::move(answer).error());
                   bool forgotten = repeat == ApiRequest::Repeat::safe && answer->http.status == 404;
                   if (forgotten) return self->see_whether_gone(live, then);
                   Settlement s = live.kind->settle(live.scope, answer->http);
                   if (s.state == Settlement::State::pending) {
                     if (self->run_.env.now() - self->step_began_ > self->run_.options.step_deadline)
                       return self->fail(error(Code::timeout, "An operation takes too long",
                                               fmt::format("Deleting {} is still not done.", live.id)));
                     auto poll = [self, live, call = s.poll.value_or(call), then] {
                       if (!self->over_) self->send_removal(live, call, ApiRequest::Repeat::safe, then);
                     };
                     self->run_.env.after(std::chrono::milliseconds(500), poll);
                     return;
                   }
                   bool gone = s.state == Settlement::State::done || s.failure.code == Code::not_found;
                   if (!gone) return self->fail(std::move(s.failure));
                   then();
                 });
}

// Its operation is forgotten, which is no verdict.
void Task::see_whether_gone(const Live& live, std::function<void()> then) {
  auto self = shared_from_this();
  read_live(run_.wire, *live.kind, live.scope, live.zone, live.name,
            [self, live, then = std::move(then)](Result<std::optional<Live>> answer) {
              if (self->over_) return;
              if (!answer.ok()) return self->fail(std::move(answer).error());
              if (!answer->has_value() || (**answer).numeric_id != live.numeric_id) return then();
              self->fail(error(Code::unavailable, "The outcome of an operation is not known",
                               fmt::format("{} was to be deleted and is still there.", live.id)));
            });
}

}  // namespace nbform
