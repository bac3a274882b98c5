// The file that nbsim keeps a world in: replaced whole or not at all. Knows no world.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nbform::sim {

// Nothing where there is no such file.
std::optional<std::string> read_world_file(const std::string& path);

// Whoever is killed meanwhile leaves the old text or the new one, perhaps with a draft beside it. A link is
// followed. Errors: io; then the old text stands.
Result<> replace_world_file(const std::string& path, std::string_view text);

}  // namespace nbform::sim
