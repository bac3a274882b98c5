// The metadata value `ssh-keys`: which lines are ours. Fact: one "user:type key comment" a line; the guest
// agent ignores the comment.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/gce/instance_steps.h"

namespace nbform::gce {

namespace {

// Lines written before the stack got its id are ours too: "nbform:research" beside
// "nbform:research_3f9a1c2e".
bool is_own(std::string_view line, std::string_view stack_label) {
  auto at = line.rfind(" nbform:");
  if (at == std::string_view::npos || stack_label.empty()) return false;
  std::string_view owner = line.substr(at + 8);
  return owner == stack_label || owner == stack_label.substr(0, stack_label.find('_'));
}

std::vector<std::string_view> lines_of(std::string_view all) {
  std::vector<std::string_view> lines;
  for (std::string_view line : split(all, '\n'))
    if (!trim(line).empty()) lines.push_back(trim(line));
  return lines;
}

}  // namespace

List own_key_lines(std::string_view all, std::string_view stack_label) {
  List ours;
  for (std::string_view line : lines_of(all))
    if (is_own(line, stack_label)) ours.emplace_back(line);
  std::sort(ours.begin(), ours.end(),
            [](const Value& a, const Value& b) { return a.as_text() < b.as_text(); });
  return ours;
}

std::string merge_key_lines(std::string_view all, const List& ours, std::string_view stack_label) {
  std::vector<std::string> lines;
  for (std::string_view line : lines_of(all))
    if (!is_own(line, stack_label)) lines.emplace_back(line);
  for (const Value& line : ours) lines.emplace_back(line.as_text());
  return join(lines, "\n");
}

Call metadata_call(const Live& vm, const Map& metadata, std::string_view request_id) {
  List items;
  for (const auto& [key, value] : metadata) items.push_back(Map{{"key", key}, {"value", value}});
  const Value* fingerprint = vm.tokens.find("metadata");
  return zonal(
      "POST", vm.scope, vm.zone, fmt::format("instances/{}/setMetadata", vm.name), request_id,
      Map{{"fingerprint", fingerprint != nullptr ? *fingerprint : Value()}, {"items", std::move(items)}});
}

}  // namespace nbform::gce
