// What `nbform connect` does for the user's own ssh instead of opening a notebook.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace nbform::cli {

// Standard input and output as a stream to the machine's sshd, until either side ends. `machine_id`: the one
// that the caller's ssh knows the host keys of; another one is refused before a byte goes out. `identities`:
// the only key files that the caller's ssh offers.
Result<int> serve_stdio(Session& session, const std::string& name, const std::string& machine_id,
                        const std::vector<std::string>& identities);

// Host blocks in ~/.ssh/nbform.d for these notebooks; none named: for all that have a machine. Never touches
// what the user wrote: says which line to add, where it is missing.
Result<int> write_ssh_config(Session& session, const std::vector<std::string>& names,
                             const std::vector<std::string>& identities, bool json);

}  // namespace nbform::cli
