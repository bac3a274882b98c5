#include "cli/apply_flow.h"
#include "cli/commands.h"

namespace nbform::cli {

namespace {

struct DestroyOptions {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
};

int run(Shell& shell, const DestroyOptions& options) {
  ChangeFlags change = options.change;
  change.destroy = change.kept.empty();  // --kept names disks; the notebooks stay
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection& selection) -> Result<int> {
    PlanRequest request = NB_TRY(wanted(session, change, selection));
    if (!change.destroy) {
      request.diff.selected = true;
      request.diff.selects = [](std::string_view) { return false; };
    }
    return apply_plan(session, std::move(request), change, options.apply, selection);
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<DestroyOptions>();
  options->stack.declare(flags);
  options->stack.declare_selection(flags);
  flags.texts("--kept", options->change.kept, "NAME",
              "Delete this kept disk with its data, and nothing else; repeatable");
  flags.texts("--allow-data-loss", options->change.allow_data_loss, "NAME",
              "Agree that data of this notebook is lost; repeatable");
  options->apply.declare(flags);
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kDestroyCommand{
    "destroy", "Every day:", "Destroy the notebooks of a directory; disks with `keep: always` stay",
    "nbform destroy --target eda\nnbform destroy --kept eda-data --allow-data-loss eda", declare};

}  // namespace nbform::cli
