#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/shell.h"
#include "cli/stack_dir.h"
#include "manifest/emit.h"

namespace nbform::cli {

namespace {

struct ShowOptions {
  StackFlags stack;
  bool expanded = false;
};

int run(Shell& shell, const ShowOptions& options) {
  if (options.stack.no_color) shell.screen.forbid_colour();
  auto directory = options.stack.stack_directory();
  auto variables = options.stack.variables();
  if (!directory.ok() || !variables.ok()) {
    shell.screen.report(directory.ok() ? variables.error() : directory.error());
    return kError;
  }
  Loaded loaded = load_directory(shell.env, *directory, *variables);
  shell.screen.report(loaded.diagnostics);
  if (!loaded.manifest) return kError;
  shell.screen.out(expanded(*loaded.manifest));
  return kFine;
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ShowOptions>();
  options->stack.declare(flags);
  flags.flag("--expanded", options->expanded,
             "Long forms, each value with where it came from (what show does so far)");
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kShowCommand{
    "show", "Manifests:", "Print the notebooks as nbform understands them, with where each value came from",
    "nbform show --expanded", declare};

}  // namespace nbform::cli
