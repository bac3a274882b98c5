#include <fmt/format.h>

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
  ChangeFlags change = options.change;
  change.command = fmt::format("nbform forget {}", fmt::join(options.names, " "));
  return on_stack(shell, options.stack, options.names,
                  [&](Session& session, const Selection& selection) -> Result<int> {
                    PlanRequest request = NB_TRY(wanted(session, change, selection));
                    request.diff.forget = {options.names.begin(), options.names.end()};
                    return apply_plan(session, std::move(request), change, options.apply, selection);
                  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ForgetOptions>();
  flags.positionals("NAME", options->names, true, "Notebooks, declared or not; may hold * and ?");
  options->stack.declare(flags, false);
  options->apply.declare(flags);
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kForgetCommand{"forget",
                             "Now and then:", "Take nbform's labels off and leave the machine as it is",
                             "nbform forget old-nb", declare};

}  // namespace nbform::cli
