// The machine of one notebook, as it is now: for the commands that work on a machine, not on a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace nbform::cli {

// Reads what the stack has where this notebook is declared; none: its machine does not exist. Errors:
// cancelled, and why it could not be read.
Result<std::optional<Live>> find_machine(Session& session, const Notebook& notebook);

// The same of several, in one reading and in their order.
struct FoundMachine {
  const Notebook* notebook = nullptr;
  std::optional<Live> machine;
};
Result<std::vector<FoundMachine>> find_machines(Session& session,
                                                const std::vector<const Notebook*>& notebooks);

// Errors: unavailable; says what to do.
Result<> check_runs(const Live& machine, const Notebook& notebook);

// One that can be reached now. Errors: not_found, unavailable; both say what to do.
Result<Live> running_machine(Session& session, const Notebook& notebook);

Diagnostic not_created(const Notebook& notebook);

// "gce us-central1-b"
std::string place_of(const Live& machine);

}  // namespace nbform::cli
