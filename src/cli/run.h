// From argv to an exit code: the one place where commands are listed and the real world is made.
#pragma once

#include <string>
#include <vector>

namespace nbform::cli {

int run_command_line(const std::vector<std::string>& argv);

}  // namespace nbform::cli
