#include "base/ink.h"

#include <algorithm>

#include "base/text.h"

namespace nbform {

namespace {

std::string_view escape_of(Ink ink) {
  switch (ink) {
    case Ink::plain:
      return {};
    case Ink::bold:
      return "\x1b[1m";
    case Ink::dim:
      return "\x1b[2m";
    case Ink::red:
      return "\x1b[1;31m";
    case Ink::green:
      return "\x1b[32m";
    case Ink::yellow:
      return "\x1b[33m";
    case Ink::cyan:
      return "\x1b[36m";
  }
  return {};
}

// Writes words one after the other and breaks before one that no longer fits.
class Paragraph {
 public:
  Paragraph(const Style& style, std::size_t hang) : style_(style), hang_(hang) {}

  void add(const Piece& piece) {
    const std::string_view text = piece.text;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '\n') {
        break_line();
        broken_ = false;  // what is indented after a line end stays so
        ++at;
        continue;
      }
      bool blank = text[at] == ' ';
      std::size_t end = at;
      while (end < text.size() && text[end] != '\n' && (text[end] == ' ') == blank) ++end;
      add_run(text.substr(at, end - at), blank, piece.ink);
      at = end;
    }
  }

  std::string finish() {
    close();
    return std::move(out_) + "\n";
  }

 private:
  void add_run(std::string_view run, bool blank, Ink ink) {
    std::string shown = printable(run);
    std::size_t width = display_width(shown);
    if (blank) {
      if (!at_start_ || !broken_) blanks_ += width;
      return;
    }
    bool too_wide = style_.width > 0 && column_ + blanks_ + width > static_cast<std::size_t>(style_.width);
    if (too_wide && !at_start_) break_line();
    if (open_ != ink) close();
    out_ += std::string(blanks_, ' ');
    if (open_ != ink && style_.colour) out_ += escape_of(ink);
    open_ = ink;
    out_ += shown;
    column_ += blanks_ + width;
    blanks_ = 0;
    at_start_ = false;
  }

  void close() {
    if (open_ != Ink::plain && style_.colour) out_ += "\x1b[0m";
    open_ = Ink::plain;
  }

  void break_line() {
    close();
    out_ += "\n" + std::string(hang_, ' ');
    column_ = hang_;
    blanks_ = 0;
    at_start_ = broken_ = true;
  }

  const Style& style_;
  std::size_t hang_;
  std::size_t column_ = 0;
  std::size_t blanks_ = 0;  // before the next word
  Ink open_ = Ink::plain;
  bool at_start_ = true, broken_ = false;
  std::string out_;
};

}  // namespace

std::string inked(std::string_view text, Ink ink, const Style& style) {
  if (!style.colour || ink == Ink::plain || text.empty()) return std::string(text);
  return std::string(escape_of(ink)) + std::string(text) + "\x1b[0m";
}

std::string laid_out(const Pieces& pieces, const Style& style, std::size_t hang) {
  std::size_t most = style.width > 20 ? static_cast<std::size_t>(style.width) / 2 : 20;
  Paragraph paragraph(style, std::min(hang, most));
  for (const Piece& piece : pieces) paragraph.add(piece);
  return paragraph.finish();
}

std::string padded(std::string_view text, std::size_t width) {
  std::size_t has = display_width(text);
  return std::string(text) + std::string(has < width ? width - has : 0, ' ');
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string out(text);
  while (!out.empty() && display_width(out) + 1 > width) {
    do {
      out.pop_back();
    } while (!out.empty() && !valid_utf8(out));
  }
  return out + "…";
}

}  // namespace nbform
