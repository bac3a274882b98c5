#include <string>
#include <vector>

#include "cli/run.h"

int main(int argc, char** argv) {
  return nbform::cli::run_command_line(std::vector<std::string>(argv, argv + argc));
}
