#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct ApplyOptionsOfUser {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
};

int run(Shell& shell, const ApplyOptionsOfUser& options) {
  int code = kFine;
  auto session = Session::open(shell, options.stack, code);
  if (session == nullptr) return code;
  auto refuse = [&](const Diagnostic& why) {
    shell.screen.report(why);
    return exit_code_of(why);
  };
  auto selection = Selection::of(options.stack, session->manifest());
  if (!selection.ok()) return refuse(selection.error());
  auto request = wanted(*session, options.change, *selection);
  if (!request.ok()) return refuse(request.error());
  return apply_plan(*session, std::move(*request), options.change, options.apply, *selection);
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ApplyOptionsOfUser>();
  options->stack.declare(flags);
  options->stack.declare_selection(flags);
  options->change.declare_for_plan(flags);
  flags.flag("--destroy", options->change.destroy, "Destroy instead: the same as nbform destroy");
  options->apply.declare(flags);
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kApplyCommand{"apply", "Every day:", "Make the cloud as the manifests say; asks first",
                            "nbform apply\nnbapply --target eda -y\nnbform apply --sandbox -y --verify", declare};

}  // namespace nbform::cli
