// What must be refused before a YAML parser sees it: size, encoding, control characters, and shapes that make
// yaml-cpp 0.7 slow or large (it keeps a whole flow collection as unverified tokens). A light scan, no
// parser: it may miss what the parser's own limits then catch, and refuses only what no manifest has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nbform {

struct Refusal {
  std::size_t offset = 0;  // byte, from the start of the text
  std::string summary, detail;
};

std::optional<Refusal> guard_yaml(std::string_view text);

}  // namespace nbform
