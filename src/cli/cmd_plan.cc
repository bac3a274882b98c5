#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct PlanOptions {
  StackFlags stack;
  ChangeFlags change;
  int parallelism = 16;  // Terraform's plan takes it; a plan changes nothing, so it means nothing
};

int run(Shell& shell, const PlanOptions& options) {
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection& selection) -> Result<int> {
    PlanRequest request = NB_TRY(wanted(session, options.change, selection));
    return show_plan(session, request, options.change, selection);
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<PlanOptions>();
  options->stack.declare(flags);
  options->stack.declare_selection(flags);
  options->change.declare_for_plan(flags);
  flags.flag("--destroy", options->change.destroy, "Plan to destroy instead");
  flags.number("--parallelism", options->parallelism, 1, 256, "Of apply; taken and without effect here");
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kPlanCommand{
    "plan", "Every day:", "Show what would change, and what that does to kernels and data",
    "nbform plan\nnbform plan examples/gce-spot --sandbox\nnbplan --target 'class-*' --details", declare};

}  // namespace nbform::cli
