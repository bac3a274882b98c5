#include <fmt/format.h>

#include "cli/apply_flow.h"
#include "cli/commands.h"
#include "cli/connect_flow.h"
#include "cli/ssh_target.h"

namespace nbform::cli {

namespace {

struct ApplyCommandLine {
  StackFlags stack;
  ChangeFlags change;
  ApplyFlags apply;
  std::string connect;  // "": to none
};

// What would keep --connect from its end is said before anything is applied.
Result<> can_connect(const Session& session, const ApplyCommandLine& options) {
  if (options.connect.empty()) return Ok{};
  if (options.change.destroy)
    return error(Code::usage, "--connect and --destroy do not go together",
                 fmt::format("There would be no {} to connect to.", options.connect));
  NB_TRY(notebook_with_ssh(session, options.connect));
  return Ok{};
}

int run(Shell& shell, const ApplyCommandLine& options) {
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection& selection) -> Result<int> {
    NB_TRY(can_connect(session, options));
    PlanRequest request = NB_TRY(wanted(session, options.change, selection));
    int code = apply_plan(session, std::move(request), options.change, options.apply, selection);
    bool applied = code == kFine || code == kChanges;
    if (options.connect.empty() || !applied || session.interrupts() > 0) return code;
    return connect_to(session, options.connect, options.change.json.to_stdout());
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ApplyCommandLine>();
  options->stack.declare(flags);
  options->stack.declare_selection(flags);
  options->change.declare_for_plan(flags);
  flags.flag("--destroy", options->change.destroy, "Destroy instead: the same as nbform destroy");
  options->apply.declare(flags);
  flags.text("--connect", options->connect, "NAME",
             "Open this notebook, as nbform connect does, once all is applied");
  options->change.declare_screen(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kApplyCommand{"apply", "Every day:", "Make the cloud as the manifests say; asks first",
                            "nbform apply\nnbapply --target eda -y\nnbform apply --sandbox -y --verify",
                            declare};

}  // namespace nbform::cli
