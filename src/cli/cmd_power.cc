// nbform start and nbform stop: power, and nothing else.
#include <fmt/format.h>

#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct PowerOptions {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
  std::vector<std::string> names;
};

int run(Shell& shell, const PowerOptions& options, PowerPolicy::Want want) {
  bool starts = want == PowerPolicy::Want::running;
  ChangeFlags change = options.change;
  change.command = fmt::format("nbform {} {}", starts ? "start" : "stop", fmt::join(options.names, " "));
  ApplyFlags apply = options.apply;
  apply.yes = apply.yes || starts;  // starting takes nothing away
  return on_stack(shell, options.stack, options.names,
                  [&](Session& session, const Selection& selection) -> Result<int> {
                    NB_TRY(selection.fits(session.notebook_names()));
                    PlanRequest request = NB_TRY(wanted(session, change, selection));
                    request.diff.power_only = true;
                    for (const std::string& name : session.notebook_names())
                      if (selection.has(name)) request.diff.power[name] = want;
                    return apply_plan(session, std::move(request), change, apply, selection);
                  });
}

Run declare(Flags& flags, PowerPolicy::Want want) {
  auto options = std::make_shared<PowerOptions>();
  flags.positionals("NAME", options->names, true, "Notebooks; may hold * and ?");
  options->stack.declare(flags, false);
  options->apply.declare(flags);
  options->change.declare_screen(flags);
  return [options, want](Shell& shell) { return run(shell, *options, want); };
}

}  // namespace

const Command kStartCommand{
    "start", "Every day:", "Start notebooks that are stopped; other changes wait for apply",
    "nbform start eda", [](Flags& flags) { return declare(flags, PowerPolicy::Want::running); }};

const Command kStopCommand{"stop", "Every day:", "Stop running notebooks; disks stay, and cost",
                           "nbform stop eda\nnbform stop 'class-*' -y",
                           [](Flags& flags) { return declare(flags, PowerPolicy::Want::stopped); }};

}  // namespace nbform::cli
