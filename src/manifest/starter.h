// First manifests: from a few answers, and the examples that `nbform init --example` writes. Texts only; who
// asks and who writes files is the command line's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nbform {

struct Starter {
  std::string stack, id;  // id: 8 hex digits
  std::string notebook, service, where;
  std::string gpu;  // "" = none
  bool spot = false;
};
std::string starter_manifest(const Starter& starter);

struct StarterFile {
  std::string name, text;
  bool is_script = false;
};
// Empty where there is no example of that name. `id`: of the stack.
std::vector<StarterFile> example_files(std::string_view name, const std::string& id);
std::vector<std::string_view> example_names();

// The nearest legal name of a stack or notebook: "My Project" -> "my-project"; "" where nothing is left.
std::string legal_name(std::string_view text);

}  // namespace nbform
