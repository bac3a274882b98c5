// Points in time and their texts. No clock: the time now comes from Env.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nbform {

using Duration = std::chrono::microseconds;

// Microseconds since 1970-01-01T00:00:00Z.
struct Time {
  std::int64_t us = 0;

  auto operator<=>(const Time&) const = default;
  Time operator+(Duration d) const { return {us + d.count()}; }
  Time operator-(Duration d) const { return {us - d.count()}; }
  Duration operator-(Time other) const { return Duration(us - other.us); }
  std::int64_t seconds() const { return us / 1'000'000; }
  std::int64_t millis() const { return us / 1'000; }
  static Time from_seconds(std::int64_t s) { return {s * 1'000'000}; }
};

// RFC 3339 with 'Z' or an offset; fractions to the microsecond. Nothing else is read.
std::optional<Time> parse_rfc3339(std::string_view text);
std::string format_rfc3339(Time t);  // 2026-11-21T03:12:04Z, fraction only when there is one
std::string format_rfc3339_offset(Time t,
                                  int offset_minutes);  // 2026-11-20T19:12:04.006-08:00, always milliseconds
// IMF-fixdate of HTTP (Date, Retry-After): "Sat, 21 Nov 2026 03:12:04 GMT".
std::optional<Time> parse_http_date(std::string_view text);
std::string format_http_date(Time t);

std::string format_clock(Time t);       // 03:12 (UTC)
std::string format_date_clock(Time t);  // 2026-11-21 03:12 (UTC)
// For people: "4s", "1m 30s", "2h 05m", "3d 4h".
std::string format_span(Duration d);

}  // namespace nbform
