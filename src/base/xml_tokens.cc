#include "base/xml_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace nbform {

namespace {

constexpr int kMaxTags = 1'000'000;
constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kCdata = "<![CDATA[";

constexpr bool begins_name(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || c >= 0x80;
}

constexpr auto kInName = [] {
  std::array<bool, 256> in{};
  for (std::size_t c = 0; c < in.size(); ++c)
    in[c] = begins_name(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  return in;
}();

void append_utf8(std::string& out, std::uint32_t point) {
  static constexpr std::array<std::uint32_t, 4> kLead = {0, 0xC0, 0xE0, 0xF0};
  auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  std::uint32_t more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  put(kLead[more] | point >> (6 * more));
  while (more-- > 0) put(0x80 | (point >> (6 * more) & 0x3F));
}

// What "&name;" stands for; none: nothing known.
std::optional<std::uint32_t> character_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (auto [known, c] : kNamed)
    if (name == known) return static_cast<std::uint32_t>(c);
  if (!name.starts_with('#')) return std::nullopt;
  name.remove_prefix(1);
  bool in_hex = name.starts_with('x');
  if (in_hex) name.remove_prefix(1);
  std::uint32_t point = 0;
  auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), point, in_hex ? 16 : 10);
  bool is_number = ec == std::errc() && end == name.data() + name.size();
  bool is_character = point != 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  return is_number && is_character ? std::optional(point) : std::nullopt;
}

}  // namespace

XmlTokens::XmlTokens(std::string_view text)
    : text_(text),
      has_entities_(text.find('&') != std::string_view::npos),
      has_returns_(text.find('\r') != std::string_view::npos) {}

bool XmlTokens::next(XmlToken& out) {
  while (at_ < text_.size()) {
    if (text_[at_] != '<') return take_text(out);
    if (++tags_ > kMaxTags) return fail("It has too many elements.");
    switch (at_ + 1 < text_.size() ? text_[at_ + 1] : '\0') {
      case '/':
        return take_close(out);
      case '?':
        if (!pass("<?", "?>")) return false;
        continue;
      case '!':
        if (rest().starts_with(kCdata)) return take_cdata(out);
        if (rest().starts_with("<!DOCTYPE")) return fail("It has a document type definition.");
        if (!rest().starts_with("<!--")) return fail_here("There is an unknown declaration");
        if (!pass("<!--", "-->")) return false;
        continue;
      default:
        return take_open(out);
    }
  }
  out = {};
  return open_.empty() || fail_here("It is cut");
}

bool XmlTokens::fail(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return false;
}

bool XmlTokens::fail_here(std::string_view what) {
  return fail(fmt::format("{} at byte {}.", what, at_));
}

// From here to behind `end`.
bool XmlTokens::pass(std::string_view begin, std::string_view end) {
  auto found = text_.find(end, at_ + begin.size());
  if (found == std::string_view::npos) return fail_here(fmt::format("There is an unfinished {}", begin));
  at_ = found + end.size();
  return true;
}

bool XmlTokens::take_text(XmlToken& out) {
  auto end = std::min(text_.find('<', at_), text_.size());
  out = {XmlToken::Sort::text, text_.substr(at_, end - at_)};
  at_ = end;
  bool has_entities = has_entities_ && out.text.find('&') != std::string_view::npos;
  out.is_plain = !has_entities && !has_returns(out.text);
  return !has_entities || check_entities(out.text);
}

bool XmlTokens::take_cdata(XmlToken& out) {
  std::size_t begin = at_ + kCdata.size();
  if (!pass(kCdata, "]]>")) return false;
  out = {XmlToken::Sort::cdata, text_.substr(begin, at_ - 3 - begin)};
  out.is_plain = !has_returns(out.text);
  return true;
}

bool XmlTokens::has_returns(std::string_view raw) const {
  return has_returns_ && raw.find('\r') != std::string_view::npos;
}

bool XmlTokens::check_entities(std::string_view raw) {
  for (auto at = raw.find('&'); at != std::string_view::npos; at = raw.find('&', at + 1)) {
    auto end = raw.find(';', at);
    if (end != std::string_view::npos && character_of(raw.substr(at + 1, end - at - 1))) continue;
    auto where = static_cast<std::size_t>(raw.data() - text_.data()) + at;
    return fail(fmt::format("There is an unknown entity at byte {}.", where));
  }
  return true;
}

// Empty where no name begins.
std::string_view XmlTokens::take_name() {
  std::size_t begin = at_;
  if (at_ < text_.size() && begins_name(static_cast<unsigned char>(text_[at_]))) do
      ++at_;
    while (at_ < text_.size() && kInName[static_cast<unsigned char>(text_[at_])]);
  return text_.substr(begin, at_ - begin);
}

bool XmlTokens::take(char c) {
  bool there = at_ < text_.size() && text_[at_] == c;
  at_ += there ? 1 : 0;
  return there;
}

// Whether there were any.
bool XmlTokens::pass_blanks() {
  auto end = std::min(text_.find_first_not_of(kBlank, at_), text_.size());
  return std::exchange(at_, end) != end;
}

bool XmlTokens::take_close(XmlToken& out) {
  at_ += 2;
  std::string_view name = open_.empty() ? std::string_view() : open_.back();
  if (name.empty() || !rest().starts_with(name)) return fail_here("An end tag has no start tag");
  at_ += name.size();
  open_.pop_back();
  out = {XmlToken::Sort::close, {}};
  if (take('>')) return true;
  pass_blanks();
  return take('>') || fail_here("There is an unfinished end tag");
}

bool XmlTokens::take_open(XmlToken& out) {
  ++at_;
  std::string_view name = take_name();
  if (name.empty()) return fail_here("There is no name of an element");
  out = {XmlToken::Sort::open, name};
  if (auto colon = name.find(':'); colon != std::string_view::npos) out.text.remove_prefix(colon + 1);
  if (!take('>') && !pass_attributes(out)) return false;
  if (!out.is_closed) open_.push_back(name);
  return true;
}

// Up to the end of the start tag.
bool XmlTokens::pass_attributes(XmlToken& tag) {
  while (pass_blanks() && at_ < text_.size() && text_[at_] != '/' && text_[at_] != '>')
    if (!pass_attribute()) return fail_here("There is an unreadable attribute");
  tag.is_closed = take('/');
  return take('>') || fail_here("There is an unfinished tag");
}

bool XmlTokens::pass_attribute() {
  if (take_name().empty()) return false;
  pass_blanks();
  if (!take('=')) return false;
  pass_blanks();
  char quote = at_ < text_.size() ? text_[at_++] : '\0';
  auto end = quote == '"' || quote == '\'' ? text_.find(quote, at_) : std::string_view::npos;
  if (end == std::string_view::npos) return false;
  std::string_view value = text_.substr(at_, end - at_);
  at_ = end + 1;
  return value.find('<') == std::string_view::npos && (!has_entities_ || check_entities(value));
}

void append_text(std::string& out, const XmlToken& token) {
  std::string_view raw = token.text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\r') {
      out.push_back('\n');
      if (raw.substr(i + 1, 1) == "\n") ++i;
    } else if (raw[i] == '&' && token.sort == XmlToken::Sort::text) {
      auto end = raw.find(';', i);
      append_utf8(out, character_of(raw.substr(i + 1, end - i - 1)).value_or('&'));
      i = end;
    } else {
      out.push_back(raw[i]);
    }
  }
}

}  // namespace nbform
