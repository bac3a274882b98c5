#include "cli/commands.h"
#include "cli/shell.h"

namespace nbform::cli {

const Command kVersionCommand{"version", "Now and then:", "Print the version", "nbform version",
                              [](Flags&) -> Run {
                                return [](Shell& shell) {
                                  shell.screen.out("nbform " NBFORM_VERSION "\n");
                                  return static_cast<int>(kFine);
                                };
                              }};

}  // namespace nbform::cli
