#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct ForgetOptions {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
  std::vector<std::string> names;
};

int run(Shell& shell, const ForgetOptions& options) {
  int code = kFine;
  auto session = Session::open(shell, options.stack, code);
  if (session == nullptr) return code;
  auto refuse = [&](const Diagnostic& why) {
    shell.screen.report(why);
    return exit_code_of(why);
  };
  auto selection = Selection::of(options.stack, session->manifest(), options.names);
  if (!selection.ok()) return refuse(selection.error());
  ChangeFlags change = options.change;
  change.command = "nbform forget";
  for (const std::string& name : options.names) change.command += " " + name;
  auto request = wanted(*session, change, *selection);
  if (!request.ok()) return refuse(request.error());
  request->diff.forget = {options.names.begin(), options.names.end()};
  return apply_plan(*session, std::move(*request), change, options.apply, *selection);
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ForgetOptions>();
  flags.positionals("NAME", options->names, true, "Notebooks, declared or not");
  options->stack.declare(flags, false);
  options->apply.declare(flags);
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kForgetCommand{"forget", "Now and then:", "Take nbform's labels off and leave the machine as it is",
                             "nbform forget old-nb", declare};

}  // namespace nbform::cli
