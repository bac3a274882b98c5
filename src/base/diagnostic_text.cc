#include "base/diagnostic_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform {
namespace {

constexpr std::size_t kWidth = 110;  // of a source line; a longer one is cut around the place

struct Style {
  std::string_view word, on, off, dim;
};

Style style_of(Severity severity, bool color) {
  std::string_view word = severity == Severity::error     ? "error"
                          : severity == Severity::warning ? "warning"
                                                          : "note";
  if (!color) return {word, "", "", ""};
  return {word,
          severity == Severity::error     ? "\x1b[1;31m"
          : severity == Severity::warning ? "\x1b[1;33m"
                                          : "\x1b[1;36m",
          "\x1b[0m", "\x1b[2m"};
}

// Tabs count as one blank, so that the caret stands where the text does.
std::string visible(std::string_view text) {
  std::string blanks(text);
  std::replace(blanks.begin(), blanks.end(), '\t', ' ');
  return printable(blanks);
}

// Where a cut may fall without splitting a character.
std::size_t border(std::string_view text, std::size_t i) {
  i = std::min(i, text.size());
  while (i > 0 && i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) --i;
  return i;
}

std::string snippet(const Diagnostic& d, const Style& style) {
  std::string_view line = d.source_line;
  std::size_t column = std::min(line.size(), static_cast<std::size_t>(std::max(0, d.mark.column - 1)));
  std::size_t start = border(line, column > kWidth * 2 / 3 ? column - kWidth / 3 : 0);
  std::size_t end = border(line, start + kWidth);
  std::string before = visible(line.substr(start, column - start));
  std::string after = visible(line.substr(column, end - column));
  std::size_t length = std::min<std::size_t>(static_cast<std::size_t>(std::max(1, d.mark.length)),
                                             std::max<std::size_t>(1, end - column));
  std::size_t marked = std::max<std::size_t>(1, display_width(visible(line.substr(column, length))));
  std::string number = fmt::format(" {}", d.mark.line), pad(number.size(), ' ');
  return fmt::format("{0} |\n{1} | {2}{3}{4}{5}\n{0} | {6}{7}{8}{9}\n", pad, number, start > 0 ? "..." : "",
                     before, after, end < line.size() ? "..." : "",
                     std::string(display_width(before) + (start > 0 ? 3 : 0), ' '), style.on,
                     std::string(marked, '^'), style.off);
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) out += printable(line) + "\n";
  return out;
}

}  // namespace

std::string render(const Diagnostic& d, bool color) {
  Style style = style_of(d.severity, color);
  std::string out = fmt::format("{}{}{}: {}\n", style.on, style.word, style.off, printable(d.summary));
  std::string pad(std::to_string(std::max(0, d.mark.line)).size() + 1, ' ');
  bool both = !d.mark.file.empty() && !d.address.empty();
  if (!d.mark.file.empty())
    out += fmt::format("{}--> {}{}\n", pad, printable(d.mark.text()),
                       both ? fmt::format(" (for {})", printable(d.address)) : "");
  if (d.mark.known() && !d.source_line.empty()) out += snippet(d, style);
  if (!d.address.empty() && d.mark.file.empty()) out += fmt::format("  --> {}\n", printable(d.address));
  if (!d.detail.empty()) out += printable_lines(d.detail);
  if (!d.provider_code.empty() || !d.request_id.empty())
    out += fmt::format("{}the cloud's answer: {}{}{}\n", style.dim, printable(d.provider_code),
                       d.request_id.empty() ? "" : fmt::format(" (request {})", printable(d.request_id)),
                       style.off);
  if (!d.hint.empty()) out += printable_lines(d.hint);
  return out;
}

}  // namespace nbform
