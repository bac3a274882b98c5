#include "manifest/variables.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "manifest/shape.h"
#include "manifest/yaml.h"

namespace nbform {
namespace {

using Variables = std::map<std::string, VariableValue>;

std::string unknown_variable(std::string_view name, const Variables& variables) {
  std::vector<std::string_view> names;
  for (const auto& [n, v] : variables) names.push_back(n);
  std::string_view guess = nearest(name, names);
  std::string detail = fmt::format("There is no variable `{}`.", name);
  if (!guess.empty()) return detail + fmt::format(" Did you mean `${{var.{}}}`?", guess);
  return detail + fmt::format(" Declare it: `variables: {{{}: {{default: ...}}}}`.", name);
}

std::string of_variable(std::string_view name, const VariableScope& scope, Interpolated& out) {
  auto it = scope.variables.find(std::string(name));
  if (it == scope.variables.end()) return unknown_variable(name, scope.variables);
  if (!it->second.text)
    return fmt::format(
        "The variable `{0}` has no default and was given no value. Give one: --var {0}=VALUE, or "
        "NBFORM_VAR_{0}.",
        name);
  out.secret |= it->second.secret;
  out.text += *it->second.text;
  return {};
}

std::string of_each_value(std::string_view path, const VariableScope& scope, Interpolated& out) {
  const Node* value = scope.each_value == nullptr ? nullptr : scope.each_value->at_path(path);
  if (value == nullptr || !value->is_scalar())
    return fmt::format("The entry `{}` of `each` has no value `{}`.", scope.each_key.value_or(""), path);
  VariableScope inner = scope;
  inner.each_value = nullptr;
  Interpolated nested = interpolate(value->text, inner);
  out.secret |= nested.secret;
  out.text += nested.text;
  return nested.problem;
}

std::string of_reference(std::string_view reference, const VariableScope& scope, Interpolated& out) {
  if (reference.starts_with("var.")) return of_variable(reference.substr(4), scope, out);
  if (reference == "stack") {
    out.text += scope.stack;
    return {};
  }
  if (reference == "each.key" || reference.starts_with("each.value.")) {
    if (!scope.each_key)
      return fmt::format("`${{{}}}` has a meaning only in a notebook with `each`.", reference);
    if (reference != "each.key") return of_each_value(reference.substr(11), scope, out);
    out.text += *scope.each_key;
    return {};
  }
  return fmt::format(
      "`${{{}}}` means nothing. There are ${{var.NAME}}, ${{each.key}}, ${{each.value.KEY}} and ${{stack}}; "
      "for a literal `${{` write `$${{`.",
      reference.substr(0, 60));
}

// Calls text(piece) and reference(name) in order; the problem of either ends it.
template <class OnText, class OnReference>
std::string each_piece(std::string_view text, OnText on_text, OnReference on_reference) {
  while (true) {
    auto dollar = text.find("${");
    bool literal = dollar != std::string_view::npos && dollar > 0 && text[dollar - 1] == '$';
    on_text(text.substr(0, literal ? dollar - 1 : dollar));
    if (dollar == std::string_view::npos) return {};
    text.remove_prefix(dollar + 2);
    if (literal) {
      on_text("${");
      continue;
    }
    auto end = text.find('}');
    if (end == std::string_view::npos) return "A `${` is not closed by `}`. For a literal `${` write `$${`.";
    std::string problem = on_reference(trim(text.substr(0, end)));
    if (!problem.empty()) return problem;
    text.remove_prefix(end + 1);
  }
}

void report_reference(const Node& node, std::string problem, Report& report) {
  report.error(node.at, "Broken reference", std::move(problem));
}

}  // namespace

Interpolated interpolate(std::string_view text, const VariableScope& scope) {
  Interpolated out;
  out.problem = each_piece(
      text, [&](std::string_view piece) { out.text += piece; },
      [&](std::string_view reference) {
        std::string problem = of_reference(reference, scope, out);
        return problem.empty() && out.text.size() > YamlLimits::kScalar
                   ? std::string("With its variables filled in, this text is longer than 64 KiB.")
                   : problem;
      });
  return out;
}

void interpolate_tree(Node& node, const VariableScope& scope, std::size_t& budget) {
  node.settled = true;
  if (node.is_scalar() && node.text.find("${") != std::string::npos) {
    bool literal_only = !has_variable(node.text);
    Interpolated result = interpolate(node.text, scope);
    node.broken = !result.problem.empty() || result.text.size() > budget;
    if (node.broken) return;
    budget -= result.text.size();
    node.text = std::move(result.text);
    node.filled = !literal_only;
    node.secret = result.secret;
  }
  for (Node& item : node.items) interpolate_tree(item, scope, budget);
}

void report_broken(const Node& node, const VariableScope& scope, Report& report) {
  if (report.full()) return;
  if (node.broken && node.text.find("${") != std::string::npos) {
    std::string problem = interpolate(node.text, scope).problem;
    report_reference(
        node, problem.empty() ? "With its variables filled in, this stack is too large." : problem, report);
  }
  for (const Node& item : node.items) report_broken(item, scope, report);
}

void check_references(const Node& node, const Variables& variables, Report& report) {
  if (report.full()) return;
  if (node.is_scalar() && node.text.find("${") != std::string::npos) {
    Variables known;
    for (const auto& [name, value] : variables) known[name] = {.text = "", .secret = false};
    VariableScope scope{known, "stack", "key", nullptr};
    std::string problem = each_piece(
        node.text, [](std::string_view) {},
        [&](std::string_view reference) {
          Interpolated out;
          return reference.starts_with("each.value.") ? std::string() : of_reference(reference, scope, out);
        });
    if (!problem.empty()) report_reference(node, std::move(problem), report);
  }
  for (const Node& item : node.items) check_references(item, variables, report);
}

}  // namespace nbform
