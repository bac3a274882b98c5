// What may come in to a machine, rule by rule, as texts: "tcp 22 203.0.113.7/32". Lowered, read, compared and
// shown in this form, whatever the cloud. Pure; knows no cloud.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan.h"

namespace nbform {

// "tcp 22 SOURCE", "tcp 8000-8010 SOURCE", "all SOURCE" (protocol -1, which has no ports).
std::string rule_text(std::string_view protocol, std::int64_t from, std::int64_t to, std::string_view source);
std::string_view source_of(std::string_view rule);   // its last word
std::string_view traffic_of(std::string_view rule);  // the words before: "tcp 22"
bool is_everybody(std::string_view source);          // 0.0.0.0/0 or ::/0
// One address is a range of one; lower case.
std::string range_of(std::string_view from);

// Once, however often a manifest says it.
void add_rule(List& rules, std::string text);

// What the rules let everybody reach, each once: "tcp 443".
std::vector<std::string> open_to_everybody(const List& rules);
// "access.ssh.allow_from +203.0.113.7/32 −198.51.100.0/24": of port 22 the sources say it all.
std::string rules_edited(std::string_view title, const List& before, const List& after);

}  // namespace nbform
