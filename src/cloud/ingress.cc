#include "cloud/ingress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform {

std::string rule_text(std::string_view protocol, std::int64_t from, std::int64_t to,
                      std::string_view source) {
  if (protocol == "-1") return fmt::format("all {}", source);
  if (from == to) return fmt::format("{} {} {}", protocol, from, source);
  return fmt::format("{} {}-{} {}", protocol, from, to, source);
}

std::string_view source_of(std::string_view rule) {
  return rule.substr(rule.rfind(' ') + 1);
}

std::string_view traffic_of(std::string_view rule) {
  return rule.substr(0, rule.rfind(' '));
}

bool is_everybody(std::string_view source) {
  return source == "0.0.0.0/0" || source == "::/0";
}

void add_rule(List& rules, std::string text) {
  Value rule(std::move(text));
  if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(std::move(rule));
}

std::string range_of(std::string_view from) {
  if (from.find('/') != std::string_view::npos) return to_lower(from);
  return fmt::format("{}/{}", to_lower(from), from.find(':') == std::string_view::npos ? 32 : 128);
}

std::vector<std::string> open_to_everybody(const List& rules) {
  std::vector<std::string> out;
  for (const Value& rule : rules) {
    std::string traffic(traffic_of(rule.as_text()));
    bool known = std::find(out.begin(), out.end(), traffic) != out.end();
    if (is_everybody(source_of(rule.as_text())) && !known) out.push_back(std::move(traffic));
  }
  return out;
}

std::string rules_edited(std::string_view title, const List& before, const List& after) {
  std::string out(title);
  auto add = [&](std::string_view sign, const List& rules, const List& others) {
    for (const Value& rule : rules)
      if (std::string_view text = rule.as_text();
          std::find(others.begin(), others.end(), rule) == others.end())
        out += fmt::format(" {}{}", sign, text.starts_with("tcp 22 ") ? source_of(text) : text);
  };
  add("+", after, before);
  add("−", before, after);
  return out;
}

}  // namespace nbform
