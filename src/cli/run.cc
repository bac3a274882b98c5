#include "cli/run.h"

#include "cli/commands.h"
#include "cli/shell.h"
#include "net/real_env.h"

namespace nbform::cli {

int run_command_line(const std::vector<std::string>& argv) {
  static const std::vector<const Command*> kCommands = {
      &kPlanCommand,   &kApplyCommand,  &kDestroyCommand,  &kStatusCommand,  &kStartCommand,
      &kStopCommand,   &kInitCommand,   &kValidateCommand, &kShowCommand,    &kExplainCommand,
      &kSchemaCommand, &kForgetCommand, &kSandboxCommand,  &kVersionCommand,
  };
  Screen screen;
  Parsed parsed = parse_command_line(argv, kCommands);
  screen.out(parsed.out);
  screen.err(parsed.err);
  if (!parsed.run) return parsed.exit_code;
  std::unique_ptr<Env> env = make_real_env();
  Shell shell{*env, screen, parsed.program};
  return parsed.run(shell);
}

}  // namespace nbform::cli
