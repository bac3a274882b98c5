// The machine of one notebook, as it is now: for the commands that work on a machine, not on a plan.
#pragma once

#include <optional>
#include <string>

#include "cli/session.h"

namespace nbform::cli {

// Reads what the stack has where this notebook is declared; none: its machine does not exist. Errors:
// cancelled, and why it could not be read.
Result<std::optional<Live>> find_machine(Session& session, const Notebook& notebook);

// "gce us-central1-b"
std::string place_of(const Live& machine);

}  // namespace nbform::cli
