// nbform connect, for another command that has just brought the notebook about.
#pragma once

#include <string>

#include "cli/session.h"

namespace nbform::cli {

// From the first stage to Ctrl-C; gives the exit code. Errors: those of connect, not_found among them.
Result<int> connect_to(Session& session, const std::string& name, bool json);

}  // namespace nbform::cli
