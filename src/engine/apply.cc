#include "engine/apply.h"

#include <algorithm>
#include <list>
#include <map>

#include "engine/task.h"

namespace nbform {

namespace {

using State = ChangeResult::State;

class Applier {
 public:
  Applier(Env& env, Wire& wire, const Plan& plan, const Graph& graph, const Snapshot& snapshot,
          const ApplyOptions& options, Observer& observer)
      : run_{env, wire, plan, graph, snapshot, options, observer} {
    for (const Live& live : snapshot.live)
      if (live.owner.whole()) run_.live[live.owner.address()] = live;
    for (const Change& change : plan.changes) {
      bool blocked =
          std::find(plan.blocked.begin(), plan.blocked.end(), change.notebook) != plan.blocked.end();
      if (blocked) continue;
      if (change.live) run_.live[change.address] = *change.live;
      if (change.action <= Action::pending) continue;
      tasks_[change.address] = std::make_shared<Task>(run_, change);
    }
    for (auto& [address, task] : tasks_) waiting_.push_back(task.get());
  }

  Outcome run() {
    while (!all_over()) {
      start_ready();
      if (all_over()) break;
      if (check_interrupt()) break;
      if (!run_.env.step()) bug("an apply is not done and nothing can happen");
    }
    return outcome();
  }

 private:
  bool all_over() const { return run_.finished == tasks_.size(); }

  // Starts what is ready, by address; blocks what can no longer succeed. Nothing new can be ready before
  // something ends.
  void start_ready() {
    if (seen_ == run_.finished && !first_) return;
    first_ = false;
    do {
      seen_ = run_.finished;
      for (auto it = waiting_.begin(); it != waiting_.end();)
        it = settle_waiting(*it) ? waiting_.erase(it) : std::next(it);
    } while (seen_ != run_.finished);
  }

  // True: the task waits no longer.
  bool settle_waiting(Task* task) {
    if (const Task* failed = failed_before(*task)) {
      task->block(failed->change().address);
      return true;
    }
    if (run_.stopping) {
      task->block("interrupt");
      return true;
    }
    bool room = run_.in_flight < static_cast<std::size_t>(run_.options.parallelism);
    if (!room || !ready(*task)) return false;
    task->start();
    return true;
  }

  template <class Test>
  Task* first_before(const Task& task, Test test) {
    for (const std::string& address : task.change().after)
      if (auto it = tasks_.find(address); it != tasks_.end() && test(*it->second)) return it->second.get();
    return nullptr;
  }

  const Task* failed_before(const Task& task) {
    return first_before(task, [](Task& other) {
      State state = other.result().state;
      return other.finished() && state != State::done;
    });
  }

  bool ready(const Task& task) {
    return first_before(task, [](Task& other) { return other.result().state != State::done; }) == nullptr;
  }

  // True: leave at once.
  bool check_interrupt() {
    int count = run_.options.interrupts ? run_.options.interrupts() : 0;
    if (count >= 2) return true;
    if (count == 1 && !run_.stopping) {
      run_.stopping = true;
      first_ = true;  // what waits is let go
      run_.observer.on_interrupt();
      run_.env.after(run_.options.grace, [over = grace_over_] { *over = true; });
    }
    return *grace_over_;
  }

  Outcome outcome() {
    Outcome out;
    out.interrupted = run_.stopping || (run_.options.interrupts && run_.options.interrupts() > 0);
    for (auto& [address, task] : tasks_) {
      if (task->in_flight()) task->abandon();
      if (!task->finished()) task->block("interrupt");
      out.results.push_back(task->result());
    }
    return out;
  }

  Run run_;
  std::map<std::string, std::shared_ptr<Task>> tasks_;
  std::list<Task*> waiting_;  // not started, by address
  std::size_t seen_ = 0;      // finished ones at the last look
  bool first_ = true;
  std::shared_ptr<bool> grace_over_ = std::make_shared<bool>(false);
};

}  // namespace

bool Outcome::any_sent() const {
  return std::any_of(results.begin(), results.end(), [](const ChangeResult& r) { return r.sent; });
}

bool Outcome::any_failed() const {
  return std::any_of(results.begin(), results.end(), [](const ChangeResult& r) {
    return r.state == State::failed || r.state == State::blocked;
  });
}

bool Outcome::all_failures_are_capacity() const {
  return any_failed() && std::all_of(results.begin(), results.end(), [](const ChangeResult& r) {
           return r.state != State::failed || r.failure.code == Code::capacity;
         });
}

Outcome apply(Env& env, Wire& wire, const Plan& plan, const Graph& graph, const Snapshot& snapshot,
              const ApplyOptions& options, Observer& observer) {
  return Applier(env, wire, plan, graph, snapshot, options, observer).run();
}

}  // namespace nbform
