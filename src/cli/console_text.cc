#include "cli/console_text.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace nbform::cli {

namespace {

constexpr char kEscape = '\x1b';
constexpr std::size_t kTab = 8;
constexpr std::size_t kLongestLine = std::size_t{1} << 20;  // a console may hold that much and no line's end

bool is_in(char c, char first, char last) {
  return c >= first && c <= last;
}

// Where the sequence that begins at `at` ends (ECMA-48: CSI, strings such as titles, two-character ones).
std::size_t after_sequence(std::string_view line, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= line.size()) return i;
  char kind = line[i++];
  if (kind == '[') {
    while (i < line.size() && is_in(line[i], ' ', '?')) ++i;
    return std::min(i + 1, line.size());
  }
  if (kind == ']' || kind == 'P' || kind == '^' || kind == '_' || kind == 'X') {
    while (i < line.size() && line[i] != '\a' && line[i] != kEscape) ++i;
    bool by_escape = i < line.size() && line[i] == kEscape;
    return std::min(i + (by_escape ? 2 : 1), line.size());
  }
  while (i < line.size() && is_in(kind, ' ', '/')) kind = line[i++];
  return i;
}

}  // namespace

std::string plain_line(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == kEscape) {
      i = after_sequence(line, i);
    } else if (line[i] == '\t') {
      out.append(kTab - out.size() % kTab, ' ');
      ++i;
    } else {
      out += line[i++];
    }
  }
  return printable(out);
}

// The longest end of `before` that `now` begins with, by the failure function of both in a row.
std::string_view beyond(std::string_view before, std::string_view now) {
  before = before.substr(before.size() - std::min(before.size(), now.size()));
  std::vector<std::size_t> longest(now.size(), 0);
  auto follow = [&](std::size_t k, char c) {
    while (k > 0 && (k == now.size() || now[k] != c)) k = longest[k - 1];
    return k < now.size() && now[k] == c ? k + 1 : k;
  };
  for (std::size_t i = 1; i < now.size(); ++i) longest[i] = follow(longest[i - 1], now[i]);
  std::size_t common = 0;
  for (char c : before) common = follow(common, c);
  return now.substr(common);
}

std::vector<std::string> ConsoleLines::take(std::string_view text) {
  std::vector<std::string> out;
  auto end_line = [&] { out.push_back(plain_line(std::exchange(unfinished_, {}))); };
  for (char c : text) {
    if (c == '\r') {
      if (unfinished_.empty()) continue;
      end_line();
      returned_ = true;
      continue;
    }
    bool ended_already = std::exchange(returned_, false);  // CR LF is one end
    if (c == '\n' && !ended_already) end_line();
    if (c == '\n') continue;
    if (unfinished_.size() == kLongestLine) end_line();
    unfinished_ += c;
  }
  return out;
}

std::string ConsoleLines::rest() {
  return plain_line(std::exchange(unfinished_, {}));
}

}  // namespace nbform::cli
