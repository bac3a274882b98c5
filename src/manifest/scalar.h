// What the text of a scalar means, by the rules of design "Scalars": YAML 1.2 core without octal, and no
// yes/no. One function per type; nothing here knows where the text stood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nbform {

// true, True, TRUE, false, False, FALSE.
std::optional<bool> parse_boolean(std::string_view text);
// Decimal, no leading zeros (YAML 1.1 read those as octal), optional '-'.
std::optional<std::int64_t> parse_integer(std::string_view text);
// 200GB, 200GiB, 2TB, 2TiB (TB = 1024 GB: cloud disks count in GiB); in GiB.
std::optional<std::int64_t> parse_size_gb(std::string_view text);
std::string format_size_gb(std::int64_t gb);
// 90s, 60m, 2h, 1d, 1h30m; in seconds.
std::optional<std::int64_t> parse_duration_s(std::string_view text);
std::string format_duration_s(std::int64_t seconds);
// $1.20 or 1.20; USD, not negative.
std::optional<double> parse_money(std::string_view text);
std::string format_money(double usd);

// POSIX extended regular expression over the whole text; only what means the same in ECMA 262 may be used,
// since the JSON Schema carries the pattern too: no '.', no classes by name, no (?:.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace nbform
