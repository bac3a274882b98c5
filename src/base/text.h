// Small text functions that several layers need. ASCII case only; UTF-8 is checked, never transformed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nbform {

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
// Words as a POSIX shell splits them: quotes and backslashes, no expansion. None where a quote is left open.
std::optional<std::vector<std::string>> shell_words(std::string_view text);
std::string_view last_segment(std::string_view path);  // after the last '/'

// '*' matches any run, '?' one character; nothing else is special.
bool glob_match(std::string_view pattern, std::string_view text);
bool is_glob(std::string_view pattern);

// The candidate nearest to `word` by edit distance with swaps, if within a third of its length (at least 1);
// else "". The view is into `candidates`.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

bool valid_utf8(std::string_view text);
// The code point at `i`, which moves on. -1, and one byte on, where it is no valid UTF-8.
std::int32_t next_code_point(std::string_view text, std::size_t& i);
// Whether a terminal obeys this code point instead of showing it: C0, DEL, C1, and the overrides of direction
// that make a line read as another one.
bool steers(std::int32_t point);
// For terminals: what steers them and bad UTF-8 become visible escapes such as \x1b.
std::string printable(std::string_view text);
// Width in terminal columns: code points, wide East Asian ones count two, combining ones none.
std::size_t display_width(std::string_view text);

// "1 disk", "2 disks".
std::string plural(std::size_t n, std::string_view noun);

}  // namespace nbform
