#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>

namespace nbform {

namespace {

struct Civil {
  int year, month, day, hour, minute, second;
  std::int64_t micros;
};

std::int64_t days_from_civil(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

Civil civil(Time t) {
  using namespace std::chrono;
  sys_time<microseconds> point{microseconds(t.us)};
  auto day = floor<days>(point);
  year_month_day date{day};
  hh_mm_ss clock{point - day};
  return {int(date.year()),           int(unsigned(date.month())),  int(unsigned(date.day())),
          int(clock.hours().count()), int(clock.minutes().count()), int(clock.seconds().count()),
          clock.subseconds().count()};
}

// Reads exactly `digits` decimal digits off the front.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  auto [end, ec] = std::from_chars(text.data(), text.data() + digits, out);
  if (ec != std::errc() || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Time> from_civil(const Civil& c) {
  using namespace std::chrono;
  bool fits = year_month_day(std::chrono::year(c.year) / c.month / c.day).ok() && c.hour < 24 &&
              c.minute < 60 && c.second <= 60;
  if (!fits) return std::nullopt;
  std::int64_t s = ((days_from_civil(c.year, c.month, c.day) * 24 + c.hour) * 60 + c.minute) * 60 + c.second;
  return Time{s * 1'000'000 + c.micros};
}

std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t micros = 0, scale = 100'000;
  std::size_t n = 0;
  for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n, scale /= 10)
    micros += (text[n] - '0') * scale;
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return micros;
}

std::optional<int> take_offset_minutes(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  int sign = take(text, '-') ? -1 : take(text, '+') ? 1 : 0;
  int hours = 0, minutes = 0;
  if (sign == 0 || !take_number(text, 2, hours)) return std::nullopt;
  take(text, ':');
  if (!take_number(text, 2, minutes)) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  Civil c{};
  bool read = take_number(text, 4, c.year) && take(text, '-') && take_number(text, 2, c.month) &&
              take(text, '-') && take_number(text, 2, c.day) &&
              (take(text, 'T') || take(text, 't') || take(text, ' ')) && take_number(text, 2, c.hour) &&
              take(text, ':') && take_number(text, 2, c.minute) && take(text, ':') &&
              take_number(text, 2, c.second);
  if (!read) return std::nullopt;
  auto micros = take_fraction(text);
  if (!micros) return std::nullopt;
  c.micros = *micros;
  auto offset = take_offset_minutes(text);
  if (!offset || !text.empty()) return std::nullopt;
  auto t = from_civil(c);
  if (t) t->us -= std::int64_t{*offset} * 60'000'000;
  return t;
}

std::string format_rfc3339(Time t) {
  Civil c = civil(t);
  std::string fraction = c.micros == 0          ? ""
                         : c.micros % 1000 == 0 ? fmt::format(".{:03}", c.micros / 1000)
                                                : fmt::format(".{:06}", c.micros);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", c.year, c.month, c.day, c.hour, c.minute,
                     c.second, fraction);
}

std::string format_rfc3339_offset(Time t, int offset_minutes) {
  Civil c = civil(t + std::chrono::minutes(offset_minutes));
  int magnitude = std::abs(offset_minutes);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02}", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.micros / 1000, offset_minutes < 0 ? '-' : '+', magnitude / 60,
                     magnitude % 60);
}

std::optional<Time> parse_http_date(std::string_view text) {
  Civil c{};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  text = text.substr(5, 20);
  std::string_view month = text.substr(3, 3);
  for (std::size_t m = 0; m < kMonths.size(); ++m)
    if (month == kMonths[m]) c.month = static_cast<int>(m) + 1;
  bool read = take_number(text, 2, c.day) && take(text, ' ');
  if (!read || c.month == 0) return std::nullopt;
  text.remove_prefix(4);
  read = take_number(text, 4, c.year) && take(text, ' ') && take_number(text, 2, c.hour) && take(text, ':') &&
         take_number(text, 2, c.minute) && take(text, ':') && take_number(text, 2, c.second);
  return read ? from_civil(c) : std::nullopt;
}

std::string format_http_date(Time t) {
  Civil c = civil(t);
  std::int64_t days = days_from_civil(c.year, c.month, c.day);
  auto weekday = static_cast<std::size_t>(((days + 4) % 7 + 7) % 7);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday], c.day,
                     kMonths[static_cast<std::size_t>(c.month - 1)], c.year, c.hour, c.minute, c.second);
}

std::string format_clock(Time t) {
  Civil c = civil(t);
  return fmt::format("{:02}:{:02}", c.hour, c.minute);
}

std::string format_date_clock(Time t) {
  Civil c = civil(t);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute);
}

std::string format_span(Duration d) {
  std::int64_t s = d.count() / 1'000'000;
  if (s < 0) s = 0;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return s % 60 == 0 ? fmt::format("{}m", s / 60) : fmt::format("{}m {:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

}  // namespace nbform
