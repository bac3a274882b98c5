#include "manifest/yaml_guard.h"

#include <fmt/format.h>

#include "base/text.h"
#include "manifest/yaml.h"

namespace nbform {
namespace {

constexpr std::size_t kStretch = std::size_t{64} << 10;  // of one line, one flow collection, one text

std::optional<Refusal> refuse_bytes(std::string_view text) {
  if (text.size() > YamlLimits::kFile)
    return Refusal{0, "File too large", "A manifest may have 1 MiB; this file has more."};
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      line_start = i + 1;
      continue;
    }
    if (i - line_start > kStretch)
      return Refusal{line_start, "Line too long", "A line of a manifest may have 64 KiB; this one has more."};
    bool next_is_lf = i + 1 < text.size() && text[i + 1] == '\n';
    bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if ((c < 0x20 && c != '\t' && !(c == '\r' && next_is_lf)) || c == 0x7f || c1)
      return Refusal{
          i, "Control character",
          fmt::format("A manifest is plain text, but byte {} is the control character 0x{:02x}. Remove it.",
                      i + 1, c1 ? static_cast<unsigned char>(text[i + 1]) : c)};
  }
  return std::nullopt;
}

std::size_t first_bad_utf8(std::string_view text) {
  std::size_t low = 0, high = text.size();  // the longest valid prefix, by halving on character borders
  while (high - low > 4) {
    std::size_t middle = low + (high - low) / 2;
    while (middle > low && (static_cast<unsigned char>(text[middle]) & 0xc0) == 0x80) --middle;
    if (middle == low) break;
    if (valid_utf8(text.substr(low, middle - low)))
      low = middle;
    else
      high = middle;
  }
  while (low < text.size() && static_cast<unsigned char>(text[low]) < 0x80) ++low;
  return low;
}

// Follows quotes, comments, block scalars and brackets just well enough to know where each one ends.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::optional<Refusal> run() {
    while (i_ < text_.size() && !refusal_) line();
    return refusal_;
  }

 private:
  char at(std::size_t k) const { return k < text_.size() ? text_[k] : '\n'; }
  bool blank(std::size_t k) const { return at(k) == ' ' || at(k) == '\t'; }

  void line() {
    std::size_t start = i_;
    structured_ = false;
    if (at(i_) == '%') return directive();
    while (blank(i_)) ++i_;
    while ((at(i_) == '-' || at(i_) == '?') && (blank(i_ + 1) || at(i_ + 1) == '\n')) {
      indent_ = i_ - start;
      ++i_;
      count(1);
      structured_ = true;
      if (at(i_) == '\n') break;
      while (blank(i_)) ++i_;
    }
    if (at(i_) != '|' && at(i_) != '>') indent_ = i_ - start;
    value_start_ = true;
    while (i_ < text_.size() && at(i_) != '\n' && !refusal_) token();
    ++i_;
    if (structured_) text_start_ = i_;
    if (!refusal_ && i_ - text_start_ > kStretch + (i_ - start)) too_long(text_start_, "A text");
  }

  // Values so far, at least: each will be a node of the tree.
  void count(std::size_t more) {
    values_ += more;
    if (values_ > YamlLimits::kNodes && !refusal_)
      refusal_ =
          Refusal{i_, "Too many values",
                  fmt::format("A manifest file may hold {} values; this one has more.", YamlLimits::kNodes)};
  }

  void directive() {
    refusal_ =
        Refusal{i_, "Directives are not read",
                "A line that starts with `%` is a YAML directive, which nbform does not read. Remove it."};
  }

  void token() {
    char c = at(i_);
    if (blank(i_) || c == '\r') {
      ++i_;
      structured_ |= c == '\r' && value_start_;
    } else if (c == '#' && (i_ == 0 || blank(i_ - 1) || at(i_ - 1) == '\n')) {
      structured_ = true;
      while (i_ < text_.size() && at(i_) != '\n') ++i_;
    } else if (c == ':' && (blank(i_ + 1) || at(i_ + 1) == '\n' || at(i_ + 1) == '\r')) {
      value_start_ = true;
      structured_ = true;
      count(2);
      ++i_;
    } else if (!value_start_) {
      ++i_;
    } else {
      value_start_ = false;
      value(c);
    }
  }

  void value(char c) {
    structured_ |= c == '"' || c == '\'' || c == '[' || c == '{' || c == '|' || c == '>';
    if (c == '"' || c == '\'')
      quoted(c);
    else if (c == '[' || c == '{')
      flow();
    else if (c == '|' || c == '>')
      block_scalar();
    else
      ++i_;
  }

  void too_long(std::size_t start, std::string_view what) {
    refusal_ = Refusal{start, "Too long", fmt::format("{} may have 64 KiB; this one has more.", what)};
  }

  void quoted(char quote) {
    std::size_t start = i_++;
    for (; i_ < text_.size(); ++i_) {
      if (i_ - start > kStretch) return too_long(start, "A text");
      if (quote == '"' && at(i_) == '\\') {
        ++i_;
      } else if (at(i_) == quote) {
        ++i_;
        if (quote == '"' || at(i_) != '\'') return;
      }
    }
  }

  void flow() {
    std::size_t start = i_, depth = 0;
    bool token_start = true;
    while (i_ < text_.size()) {
      char c = at(i_);
      if (i_ - start > kStretch) return too_long(start, "A list or map in brackets");
      if (c == '[' || c == '{') {
        if (++depth > YamlLimits::kDepth) return too_deep(i_);
      } else if ((c == ']' || c == '}') && --depth == 0) {
        ++i_;
        return;
      }
      if (c == ',' || (c == ':' && blank(i_ + 1))) count(1);
      if (refusal_) return;
      if ((c == '"' || c == '\'') && token_start) {
        quoted(c);
        if (refusal_) return;
        token_start = false;
        continue;
      }
      if (c == '#' && (blank(i_ - 1) || at(i_ - 1) == '\n')) {
        while (i_ < text_.size() && at(i_) != '\n') ++i_;
        continue;
      }
      token_start = c == '[' || c == '{' || c == ',' || c == ':' || ((blank(i_) || c == '\n') && token_start);
      ++i_;
    }
  }

  void too_deep(std::size_t where) {
    refusal_ = Refusal{where, "Nested too deep",
                       fmt::format("A manifest may nest {} levels; this is one more.", YamlLimits::kDepth)};
  }

  void block_scalar() {
    std::size_t start = i_;
    while (i_ < text_.size() && at(i_) != '\n') ++i_;
    while (i_ + 1 < text_.size()) {
      std::size_t k = i_ + 1;
      while (at(k) == ' ') ++k;
      bool is_blank = at(k) == '\n' || at(k) == '\r';
      if (!is_blank && k - i_ - 1 <= indent_) return;
      i_ = text_.find('\n', k);
      if (i_ == std::string_view::npos) i_ = text_.size();
      if (i_ - start > kStretch) return too_long(start, "A text");
    }
  }

  std::string_view text_;
  std::size_t i_ = 0;
  std::size_t indent_ = 0;  // of the key that a block scalar would belong to
  bool value_start_ = true;
  bool structured_ = false;     // the line holds more than plain text, so a plain text ends with it
  std::size_t text_start_ = 0;  // of the lines that may be one plain text
  std::size_t values_ = 0;
  std::optional<Refusal> refusal_;
};

}  // namespace

std::optional<Refusal> guard_yaml(std::string_view text) {
  if (auto refusal = refuse_bytes(text)) return refusal;
  if (!valid_utf8(text))
    return Refusal{first_bad_utf8(text), "Not UTF-8",
                   "A manifest is UTF-8 text; these bytes are not. Save the file as UTF-8."};
  return Scan(text).run();
}

}  // namespace nbform
