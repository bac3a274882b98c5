// .nbform beside the manifests: 0700, ignored by git, and what is kept in it besides the sandbox: where the
// stack has been (the inventory). Losing it loses no notebook.
#pragma once

#include <string>
#include <vector>

#include "core/resource.h"
#include "net/env.h"

namespace nbform::cli {

// Makes the directory where it is missing; gives its path.
Result<std::string> work_dir(Env& env, const std::string& stack_directory);

// Scopes where this stack has been. A missing file is an empty list; a damaged one an error (io) that says
// so.
Result<std::vector<Scope>> read_inventory(Env& env, const std::string& stack_directory,
                                          const std::string& stack);
// Adds scopes, and writes the file where that changed anything.
Result<> remember_scopes(Env& env, const std::string& stack_directory, const std::string& stack,
                         const std::vector<Scope>& scopes);

}  // namespace nbform::cli
