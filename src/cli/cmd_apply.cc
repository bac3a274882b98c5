#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct ApplyCommandLine {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
};

int run(Shell& shell, const ApplyCommandLine& options) {
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection& selection) -> Result<int> {
    PlanRequest request = NB_TRY(wanted(session, options.change, selection));
    return apply_plan(session, std::move(request), options.change, options.apply, selection);
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ApplyCommandLine>();
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
                            "nbform apply\nnbapply --target eda -y\nnbform apply --sandbox -y --verify",
                            declare};

}  // namespace nbform::cli
