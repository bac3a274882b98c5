#include "core/arrange.h"

#include <algorithm>
#include <iterator>

namespace nbform {

namespace {

void append(std::vector<Step>& to, std::vector<Step> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

void append(std::vector<Step>& to, std::optional<Step> step) {
  if (step) to.push_back(std::move(*step));
}

std::vector<Step> edits_in_place(const Change& change, const Live& live) {
  std::vector<Step> any, stopped;
  for (Step& step : change.kind->update(change.edits))
    (step.needs == Step::Needs::stopped ? stopped : any).push_back(std::move(step));

  bool running = live.health.state == Health::State::running;
  bool end_stopped = change.end_power == PowerPolicy::Want::stopped;
  bool end_running = change.end_power == PowerPolicy::Want::running;
  bool must_stop = running && (end_stopped || !stopped.empty() || change.action == Action::restart);
  bool comes_back = !end_stopped && (running || end_running);

  std::vector<Step> steps;
  append(steps, std::move(any));
  // Last before the stop: setting labels drops a mark that nothing needs.
  if (must_stop && comes_back) append(steps, change.kind->mark_resume(true));
  bool rests = live.health.wants_rest();  // that mark holds until it is stopped
  if (end_stopped && !rests) append(steps, change.kind->mark_resume(false));
  if (must_stop) append(steps, change.kind->stop());
  append(steps, std::move(stopped));
  if (end_stopped && rests) append(steps, change.kind->mark_resume(false));
  if (comes_back && (must_stop || !running || rests)) {
    append(steps, change.kind->start());
    append(steps, change.kind->mark_resume(false));
  }
  return steps;
}

std::vector<Step> creation(const Change& change) {
  std::vector<Step> steps = change.kind->create(*change.resource);
  if (change.end_power == PowerPolicy::Want::stopped) {
    append(steps, change.kind->stop());
    append(steps, change.kind->mark_resume(false));
  }
  return steps;
}

// What an interrupted change stopped, or was to leave stopped, is put right while its mark is there.
std::vector<Step> letting_go(const Change& change, const Live* live) {
  std::vector<Step> steps;
  if (live != nullptr && live->health.wants_resume()) append(steps, change.kind->start());
  if (live != nullptr && live->health.wants_rest()) append(steps, change.kind->stop());
  append(steps, change.kind->forget());
  return steps;
}

}  // namespace

std::vector<Step> arrange(const Change& change, const Live* live) {
  switch (change.action) {
    case Action::create:
      return live == nullptr ? creation(change) : std::vector<Step>();
    case Action::destroy:
      return live != nullptr ? change.kind->destroy(*live) : std::vector<Step>();
    case Action::forget:
      return letting_go(change, live);
    case Action::replace: {
      std::vector<Step> steps;
      if (live != nullptr) append(steps, change.kind->destroy(*live));
      append(steps, creation(change));
      return steps;
    }
    case Action::adopt:
    case Action::update:
    case Action::start:
    case Action::stop:
    case Action::restart:
      return live != nullptr ? edits_in_place(change, *live) : std::vector<Step>();
    case Action::none:
    case Action::kept:
    case Action::pending:
      return {};
  }
  return {};
}

}  // namespace nbform
