#include "manifest/scalar.h"

#include <fmt/format.h>
#include <regex.h>

#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "base/diagnostic.h"

namespace nbform {
namespace {

// The digits at the front, as a number that stays below 2^53; moves past them.
std::optional<std::int64_t> take_digits(std::string_view& text) {
  std::int64_t n = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    n = n * 10 + (text[i] - '0');
    if (n > (std::int64_t{1} << 53)) return std::nullopt;
  }
  if (i == 0 || (i > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(i);
  return n;
}

std::int64_t unit_seconds(char unit) {
  return unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  auto n = take_digits(text);
  if (!n || !text.empty()) return std::nullopt;
  return negative ? -*n : *n;
}

std::optional<std::int64_t> parse_size_gb(std::string_view text) {
  auto n = take_digits(text);
  if (!n || *n > 1'000'000'000) return std::nullopt;
  if (text == "GB" || text == "GiB") return n;
  if (text == "TB" || text == "TiB") return *n * 1024;
  return std::nullopt;
}

std::string format_size_gb(std::int64_t gb) {
  return fmt::format("{}GB", gb);
}

std::optional<std::int64_t> parse_duration_s(std::string_view text) {
  std::int64_t total = 0, last = 0;
  while (!text.empty()) {
    auto n = take_digits(text);
    std::int64_t unit = text.empty() ? 0 : unit_seconds(text[0]);
    if (!n || unit == 0 || *n > 100'000'000 || (last != 0 && unit >= last)) return std::nullopt;
    text.remove_prefix(1);
    total += *n * unit;
    last = unit;
  }
  return last == 0 ? std::nullopt : std::optional(total);
}

std::string format_duration_s(std::int64_t seconds) {
  if (seconds == 0) return "0s";
  std::string out;
  for (char unit : {'d', 'h', 'm', 's'}) {
    std::int64_t n = seconds / unit_seconds(unit);
    if (n > 0) out += fmt::format("{}{}", n, unit);
    seconds -= n * unit_seconds(unit);
  }
  return out;
}

std::optional<double> parse_money(std::string_view text) {
  if (text.starts_with('$')) text.remove_prefix(1);
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double usd = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), usd);
  bool digits_around = !text.empty() && text.front() != '.' && text.back() != '.';
  if (problem != std::errc{} || end != text.data() + text.size() || !digits_around || usd > 1e9)
    return std::nullopt;
  return usd;
}

std::string format_money(double usd) {
  std::string cents = fmt::format("${:.2f}", usd);
  return std::abs(usd * 100 - std::round(usd * 100)) < 1e-9 ? cents : fmt::format("${}", usd);
}

bool matches(std::string_view pattern, std::string_view text) {
  // Notebooks of one `each` say the same again and again: the last text is not looked at twice.
  struct Compiled {
    regex_t regex;
    std::optional<std::string> last;
    bool fitted = false;
    explicit Compiled(const std::string& p) {
      if (regcomp(&regex, p.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
        bug("a pattern of the manifest schema does not compile");
    }
    ~Compiled() { regfree(&regex); }
  };
  static thread_local std::map<std::string, std::unique_ptr<Compiled>, std::less<>> cache;
  auto it = cache.find(pattern);
  if (it == cache.end()) it = cache.emplace(pattern, std::make_unique<Compiled>(std::string(pattern))).first;
  Compiled& compiled = *it->second;
  if (compiled.last != text) {
    compiled.last = std::string(text);
    compiled.fitted = regexec(&compiled.regex, compiled.last->c_str(), 0, nullptr, 0) == 0;
  }
  return compiled.fitted;
}

}  // namespace nbform
