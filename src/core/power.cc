#include "core/power.h"

#include <fmt/format.h>

namespace nbform {

namespace {

using Want = PowerPolicy::Want;

PowerChoice start(Reason reason, std::string text) {
  return {Action::start, Want::running, reason, std::move(text), {}};
}

std::string when(const Health& health) {
  return health.since ? fmt::format(" at {} UTC", format_date_clock(*health.since)) : std::string();
}

PowerChoice choose_stopped(const Resource& resource, const Live& live) {
  const Health& health = live.health;
  bool preempted = health.stopped_by == Health::StoppedBy::preemption;
  if (health.wants_resume()) return start(Reason::interrupted_change, "an earlier change was interrupted");
  if (preempted && resource.power.restart_preempted)
    return start(Reason::preempted, "was preempted by the cloud" + when(health));
  if (resource.power.want == Want::running && !resource.power.stops_itself)
    return start(Reason::power_declared, "declared `power: running`");
  PowerChoice none;
  if (preempted)
    none.notes.push_back(fmt::format("stopped: preempted by the cloud{}; `nbform start {}` starts it",
                                     when(health), resource.notebook));
  else if (resource.power.stops_itself)
    none.notes.push_back(
        fmt::format("stopped{}, by its own limit or by somebody; `nbform start {}` starts it", when(health),
                    resource.notebook));
  else
    none.notes.push_back(fmt::format("stopped{}, unknown by whom; `nbform start {}` starts it", when(health),
                                     resource.notebook));
  return none;
}

PowerChoice choose_asked(Want asked, const Live& live) {
  bool running = live.health.state == Health::State::running;
  PowerChoice choice;
  choice.end = asked;
  choice.reason = Reason::asked;
  bool would_rest = live.health.wants_rest();
  if (asked == Want::running && (!running || would_rest)) choice.action = Action::start;
  bool would_resume = live.health.wants_resume();  // a mark that the next apply would heed
  if (asked == Want::stopped && (running || would_resume)) choice.action = Action::stop;
  return choice;
}

}  // namespace

PowerChoice choose_power(const Resource& resource, const Live& live, const DiffOptions& options) {
  bool has_power = live.health.state == Health::State::running || live.health.state == Health::State::stopped;
  if (!has_power) return {};
  auto asked = options.power.find(resource.notebook);
  if (asked != options.power.end()) return choose_asked(asked->second, live);
  if (resource.power.want == Want::stopped) {
    bool running = live.health.state == Health::State::running;
    if (running)
      return {Action::stop, Want::stopped, Reason::power_declared, "declared `power: stopped`", {}};
    return {Action::none, Want::stopped, Reason::none, {}, {}};
  }
  if (live.health.wants_rest() && resource.power.want != Want::running)
    return {Action::stop, Want::stopped, Reason::interrupted_change, "an earlier change was interrupted", {}};
  if (live.health.state == Health::State::stopped) return choose_stopped(resource, live);
  return {};
}

}  // namespace nbform
