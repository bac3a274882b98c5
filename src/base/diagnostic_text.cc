#include "base/diagnostic_text.h"

#include <algorithm>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kIndent = 4;

Piece severity_piece(Severity severity) {
  switch (severity) {
    case Severity::error:
      return {"error: ", Ink::bold};
    case Severity::warning:
      return {"warning: ", Ink::yellow};
    case Severity::note:
      return {"note: ", Ink::dim};
  }
  return {};
}

std::string headline(const Diagnostic& d, const Style& style) {
  Pieces pieces;
  if (d.mark.known()) pieces.push_back({d.mark.text() + ": "});
  pieces.push_back(severity_piece(d.severity));
  if (!d.address.empty() && !d.mark.known()) pieces.push_back({d.address + ": "});
  pieces.push_back({d.summary, Ink::bold});
  std::string notebook = d.address.substr(0, d.address.find('/'));
  bool said = d.detail.find(notebook) != std::string::npos;
  if (!notebook.empty() && d.mark.known() && !said) pieces.push_back({" (for " + notebook + ")"});
  return laid_out(pieces, style, kIndent);
}

// Tabs count as one blank, so that the caret stands where the text does.
std::string visible(std::string_view text) {
  std::string blanks(text);
  std::replace(blanks.begin(), blanks.end(), '\t', ' ');
  return printable(blanks);
}

// The source line and a caret below it; a long line is cut around the place.
std::string snippet(const Diagnostic& d, const Style& style) {
  constexpr std::size_t kMost = 100;
  if (d.source_line.empty() || d.mark.column < 1) return {};
  std::size_t column = std::min(static_cast<std::size_t>(d.mark.column - 1), d.source_line.size());
  bool fits = d.source_line.size() <= kMost;
  std::size_t begin = !fits && column > kMost / 2 ? column - kMost / 2 : 0;
  while (begin > 0 && begin < d.source_line.size() && (d.source_line[begin] & 0xc0) == 0x80) ++begin;
  std::string line = visible(std::string_view(d.source_line).substr(begin, kMost));
  std::size_t indent = display_width(visible(std::string_view(d.source_line).substr(begin, column - begin)));
  std::size_t length = static_cast<std::size_t>(std::max(1, d.mark.length));
  std::size_t room = display_width(line) > indent ? display_width(line) - indent : 1;
  std::string carets(std::min(length, room), '^');
  std::string margin(kIndent, ' ');
  return margin + line + "\n" + margin + std::string(indent, ' ') + inked(carets, Ink::cyan, style) + "\n";
}

std::string indented(const std::string& text, const Style& style) {
  return text.empty() ? "" : laid_out({{std::string(kIndent, ' ')}, {text}}, style, kIndent);
}

std::string provider_line(const Diagnostic& d) {
  if (d.provider_code.empty() && d.request_id.empty()) return {};
  bool said = d.detail.find(d.provider_code) != std::string::npos;
  if (said && d.request_id.empty()) return {};
  if (said) return "the cloud's record of it: " + d.request_id;
  std::string text = "the cloud says: " + d.provider_code;
  if (!d.request_id.empty()) text += " (" + d.request_id + ")";
  return text;
}

}  // namespace

std::string render(const Diagnostic& d, const Style& style) {
  std::string out = headline(d, style) + snippet(d, style) + indented(d.detail, style);
  for (const Mark& mark : d.related)
    if (d.detail.find(mark.text()) == std::string::npos) out += indented("see also " + mark.text(), style);
  out += indented(provider_line(d), style);
  out += indented(d.hint, style);
  return out;
}

}  // namespace nbform
