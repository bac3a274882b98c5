#include "cli/run.h"

#include <cerrno>
#include <cstring>

#include "cli/commands.h"
#include "cli/shell.h"
#include "net/real_env.h"

namespace nbform::cli {

namespace {

// A full disk behind stdout is no success. A reader that has gone has seen what it wanted.
int lost_output(Screen& screen, int exit_code) {
  if (screen.out_error() == 0 || screen.out_error() == EPIPE) return exit_code;
  screen.report(error(Code::io, "The output could not be written",
                      std::strerror(screen.out_error()) + std::string(".")));
  return exit_code == kFine || exit_code == kChanges ? kError : exit_code;
}

}  // namespace

int run_command_line(const std::vector<std::string>& argv) {
  static const std::vector<const Command*> kCommands = {
      &kPlanCommand,    &kApplyCommand,  &kDestroyCommand, &kStatusCommand,  &kStartCommand,    &kStopCommand,
      &kConnectCommand, &kSshCommand,    &kLogsCommand,    &kInitCommand,    &kValidateCommand, &kShowCommand,
      &kExplainCommand, &kSchemaCommand, &kForgetCommand,  &kSandboxCommand, &kVersionCommand,
  };
  Screen screen;
  Parsed parsed = parse_command_line(argv, kCommands);
  screen.out(parsed.out);
  screen.err(parsed.err);
  if (!parsed.run) return lost_output(screen, parsed.exit_code);
  std::unique_ptr<Env> env = make_real_env();
  Shell shell{*env, screen, parsed.program};
  return lost_output(screen, parsed.run(shell));
}

}  // namespace nbform::cli
