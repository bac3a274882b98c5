// nbform start and nbform stop: power, and nothing else.
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
  int code = kFine;
  auto session = Session::open(shell, options.stack, code);
  if (session == nullptr) return code;
  auto refuse = [&](const Diagnostic& why) {
    shell.screen.report(why);
    return exit_code_of(why);
  };
  auto selection = Selection::of(options.stack, session->manifest(), options.names);
  if (!selection.ok()) return refuse(selection.error());
  if (auto fits = selection->fits(session->notebook_names()); !fits.ok()) return refuse(fits.error());
  ChangeFlags change = options.change;
  change.command = want == PowerPolicy::Want::running ? "nbform start" : "nbform stop";
  for (const std::string& name : options.names) change.command += " " + name;
  auto request = wanted(*session, change, *selection);
  if (!request.ok()) return refuse(request.error());
  request->diff.power_only = true;
  for (const std::string& name : session->notebook_names())
    if (selection->has(name)) request->diff.power[name] = want;
  ApplyFlags apply = options.apply;
  if (want == PowerPolicy::Want::running) apply.yes = true;  // starting takes nothing away
  return apply_plan(*session, std::move(*request), change, apply, *selection);
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

const Command kStartCommand{"start", "Every day:", "Start notebooks that are stopped; other changes wait for apply",
                            "nbform start eda",
                            [](Flags& flags) { return declare(flags, PowerPolicy::Want::running); }};

const Command kStopCommand{"stop", "Every day:", "Stop running notebooks; disks stay, and cost",
                           "nbform stop eda\nnbform stop 'class-*' -y",
                           [](Flags& flags) { return declare(flags, PowerPolicy::Want::stopped); }};

}  // namespace nbform::cli
