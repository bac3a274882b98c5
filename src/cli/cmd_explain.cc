#include "cli/commands.h"
#include "cli/shell.h"
#include "manifest/emit.h"

namespace nbform::cli {

namespace {

int run(Shell& shell, const std::string& key) {
  auto text = explain(key);
  if (!text.ok()) {
    shell.screen.report(text.error());
    return kError;
  }
  shell.screen.out(*text);
  return kFine;
}

Run declare(Flags& flags) {
  auto key = std::make_shared<std::string>();
  flags.positional("KEY", *key, false, "A key such as disks.boot.size; none lists all");
  return [key](Shell& shell) { return run(shell, *key); };
}

}  // namespace

const Command kExplainCommand{"explain", "Manifests:", "Say what a key of the manifests means and takes",
                              "nbform explain spot\nnbform explain disks.boot.size", declare};

}  // namespace nbform::cli
