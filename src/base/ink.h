// Text with colours, laid out in a width. Pure: a Style and pieces of text in, bytes for a stream out.
// Whatever is in a Piece is made printable first, so that nothing that came from a cloud or a file can steer
// a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nbform {

struct Style {
  bool colour = false;
  int width = 0;  // columns; 0: lines are never broken
};

enum class Ink { plain, bold, dim, red, green, yellow, cyan };

struct Piece {
  std::string text;
  Ink ink = Ink::plain;
};
using Pieces = std::vector<Piece>;

std::string inked(std::string_view text, Ink ink, const Style& style);

// One paragraph with its line end, broken at blanks where it is wider than the style; further lines are
// indented by `hang` columns. Line ends inside a piece are kept, and what follows them is indented as well.
std::string laid_out(const Pieces& pieces, const Style& style, std::size_t hang);

std::string padded(std::string_view text, std::size_t width);     // to the right with blanks
std::string shortened(std::string_view text, std::size_t width);  // with an ellipsis where it is wider

}  // namespace nbform
