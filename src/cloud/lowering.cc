#include "cloud/lowering.h"

#include <fmt/format.h>

namespace nbform {

std::function<Mark(std::string_view)> marks_of(const Notebook& notebook, labels::Spelling spelling,
                                               std::string prefix) {
  return [&notebook, own = spelling.prefix, prefix](std::string_view from) {
    if (from == fmt::format("labels.{}protect", own)) return mark_of(notebook, "protect");
    if (from == fmt::format("labels.{}keep", own))
      return mark_of(notebook, (prefix.empty() ? "disks.boot" : prefix) + ".keep");
    bool of_notebook = prefix.empty() || from.starts_with("labels");
    return mark_of(notebook, of_notebook ? std::string(from) : fmt::format("{}.{}", prefix, from));
  };
}

Diagnostic problem_at(const Notebook& notebook, std::string_view path, std::string summary,
                      std::string detail, std::string hint) {
  Diagnostic d = error(Code::bad_manifest, std::move(summary), std::move(detail));
  d.mark = mark_of(notebook, path);
  d.address = notebook.key;
  d.hint = std::move(hint);
  return d;
}

KeepRule keep_rule(const Setting<Keep>& keep, KeepRule fallback) {
  return keep.set() ? static_cast<KeepRule>(*keep) : fallback;
}

void lower_market(const Notebook& notebook, Resource& machine) {
  bool declared = notebook.spot.set() && notebook.spot->market.set();
  Market market = declared ? *notebook.spot->market : Market::on_demand;
  machine.on_spot = market != Market::on_demand;
  machine.on_demand = market != Market::spot;
  if (declared && market != Market::automatic)
    machine.attributes.set("market", market == Market::spot ? "spot" : "on-demand");
  if (notebook.spot.removed()) machine.attributes.set("market", "on-demand");
}

void lower_power(const Notebook& notebook, Resource& machine) {
  using Want = PowerPolicy::Want;
  const Power& power = notebook.power;
  machine.power.restart_preempted = notebook.spot.set() && notebook.spot->restart.value_or(false);
  machine.power.stops_itself = power.idle_stop_s.set() || power.max_uptime_s.set() || power.schedule.set();
  if (power.state.set())
    machine.power.want = *power.state == PowerState::running ? Want::running : Want::stopped;
}

std::string_view preemption_word(OnPreemption what) {
  return what == OnPreemption::destroy ? "delete" : "stop";
}

}  // namespace nbform
