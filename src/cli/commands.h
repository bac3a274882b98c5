// The commands of nbform, a file each.
#pragma once

#include "cli/options.h"

namespace nbform::cli {

extern const Command kPlanCommand, kApplyCommand, kDestroyCommand, kStartCommand, kStopCommand,
    kConnectCommand, kSshCommand, kLogsCommand, kStatusCommand, kForgetCommand, kSandboxCommand,
    kVersionCommand;

extern const Command kValidateCommand, kShowCommand, kSchemaCommand, kExplainCommand, kInitCommand;

}  // namespace nbform::cli
