// `${...}` in manifests: ${var.NAME}, ${each.key}, ${each.value.PATH}, ${stack}; $${ is a literal ${. No
// expressions. Knows no YAML: texts in, texts out. Whether a result fits its field is shape.h's business.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "manifest/node.h"

namespace nbform {

struct VariableValue {
  std::optional<std::string> text;  // nothing: declared, but nobody gave a value
  bool secret = false;
};

// What a `${...}` may mean at one place.
struct VariableScope {
  const std::map<std::string, VariableValue>& variables;
  std::string stack;
  std::optional<std::string> each_key;
  const Node* each_value = nullptr;
};

struct Interpolated {
  std::string text;
  bool secret = false;
  std::string problem;  // a sentence; then `text` is unfinished
};
Interpolated interpolate(std::string_view text, const VariableScope& scope);

// Replaces every scalar of the tree; one that fails is marked broken and keeps its text. `budget`: how many
// bytes of text interpolation may still make in this run.
void interpolate_tree(Node& node, const VariableScope& scope, std::size_t& budget);
// Says why, for what interpolate_tree left broken.
void report_broken(const Node& node, const VariableScope& scope, Report& report);
// For an overlay by itself: every ${...} well formed, every variable declared.
void check_references(const Node& node, const std::map<std::string, VariableValue>& variables,
                      Report& report);

}  // namespace nbform
