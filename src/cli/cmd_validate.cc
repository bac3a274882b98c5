#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/shell.h"
#include "cli/stack_dir.h"

namespace nbform::cli {

namespace {

std::string verdict(const Manifest& manifest, std::size_t warnings) {
  std::string out =
      fmt::format("Valid: stack {}, {} in {}.", manifest.stack.name,
                  plural(manifest.notebooks.size(), "notebook"), plural(manifest.files.size(), "file"));
  return warnings == 0 ? out + "\n" : fmt::format("{} {}.\n", out, plural(warnings, "warning"));
}

int run(Shell& shell, const StackFlags& flags) {
  if (flags.no_color) shell.screen.forbid_colour();
  auto directory = flags.stack_directory();
  auto variables = flags.variables();
  if (!directory.ok() || !variables.ok()) {
    shell.screen.report(directory.ok() ? variables.error() : directory.error());
    return kError;
  }
  Loaded loaded = load_directory(shell.env, *directory, *variables);
  shell.screen.report(loaded.diagnostics);
  if (!loaded.manifest) return kError;
  shell.screen.err(verdict(*loaded.manifest, loaded.diagnostics.size()));
  return kFine;
}

Run declare(Flags& flags) {
  auto options = std::make_shared<StackFlags>();
  options->declare(flags);
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kValidateCommand{"validate",
                               "Manifests:", "Check the manifests, offline; says everything that is wrong",
                               "nbform validate\nnbform validate examples/gce-spot", declare};

}  // namespace nbform::cli
