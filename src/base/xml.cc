#include "base/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/xml_tokens.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
constexpr int kMaxDepth = 64;
Diagnostic unreadable(std::string why) {
  return error(Code::io, "An answer is not readable as XML", std::move(why));
}

Result<> check_text(std::string_view text) {
  if (text.size() > kMaxBytes) return unreadable(fmt::format("It has {} bytes.", text.size()));
  if (!valid_utf8(text) || text.find('\0') != std::string_view::npos)
    return unreadable("It is not text in UTF-8.");
  if (!text.starts_with('<') || !text.ends_with('>')) return unreadable("It is not XML, or it is cut.");
  return Ok{};
}

bool is_among(std::string_view name, const std::vector<std::string_view>& names) {
  for (std::string_view one : names)
    if (one.size() == name.size() && one == name) return true;
  return false;
}

// What an element's children are: a list of items, or a map.
class Children {
 public:
  Children(const XmlRules& rules, const Fields& wanted) : rules_(rules), wanted_(wanted) {}

  bool is_item(std::string_view name) const { return is_among(name, rules_.items); }

  // The fields that are read of a child; null: it is passed over.
  const Fields* fields_of(std::string_view name) {
    if (is_item(name)) return &wanted_;
    only_items_ = false;
    return wanted_.all() ? &wanted_ : wanted_.find(name);
  }

  void add(std::string_view name, Value value) {
    if (is_item(name))
      item_ = name, items_.push_back(std::move(value));
    else if (is_among(name, rules_.repeated))
      repeated_[name].list().push_back(std::move(value));
    else if (!value.is_null())
      add_member(name, std::move(value));
  }

  Value take() {
    if (only_items_) return Value(std::move(items_));
    if (!items_.empty() && (wanted_.all() || wanted_.find(item_) != nullptr))
      if (!items_.back().is_null()) add_member(item_, std::move(items_.back()));
    for (auto& [name, list] : repeated_) add_member(name, std::move(list));
    return Value(Map::from(std::move(members_)));
  }

 private:
  void add_member(std::string_view name, Value value) {
    if (members_.empty()) members_.reserve(wanted_.all() ? 8 : wanted_.size());
    members_.emplace_back(name, std::move(value));
  }

  const XmlRules& rules_;
  const Fields& wanted_;
  bool only_items_ = true;
  List items_;
  std::string_view item_;
  std::vector<Map::Item> members_;
  Map repeated_;
};

// A plain bool for every element: a Result for each would cost more than the reading.
class Reader {
 public:
  Reader(std::string_view text, const XmlRules& rules) : tokens_(text), rules_(rules) {}

  Result<XmlDocument> read() {
    XmlDocument out;
    if (!read_document(out)) return unreadable(tokens_.take_why());
    return out;
  }

 private:
  bool read_document(XmlDocument& out) {
    const Fields all;
    XmlToken token;
    if (!next_outside(token)) return false;
    if (token.sort != XmlToken::Sort::open) return tokens_.fail("It is not one element.");
    out.root = token.text;
    if (!read_element(token, rules_.fields != nullptr ? *rules_.fields : all, 1, out.content)) return false;
    if (!next_outside(token)) return false;
    return token.sort == XmlToken::Sort::end || tokens_.fail("It is not one element.");
  }

  bool next_outside(XmlToken& token) {
    do
      if (!tokens_.next(token)) return false;
    while (token.sort == XmlToken::Sort::text && trim(token.text).empty());
    return true;
  }

  // What follows its start tag, up to its end tag.
  bool read_element(const XmlToken& start, const Fields& wanted, int depth, Value& out) {
    if (depth > kMaxDepth) return tokens_.fail("It is nested too deeply.");
    if (start.is_closed) return true;
    std::string_view text;
    for (XmlToken token; tokens_.next(token);) {
      if (token.sort == XmlToken::Sort::open) return read_children(token, wanted, depth, out);
      if (token.sort == XmlToken::Sort::close) return out = value_of(text), true;
      add_text(text, token);
    }
    return false;
  }

  // From the first one's start tag to their parent's end tag.
  bool read_children(XmlToken token, const Fields& wanted, int depth, Value& out) {
    Children children(rules_, wanted);
    do {
      if (token.sort == XmlToken::Sort::close) return out = children.take(), true;
      if (token.sort == XmlToken::Sort::open && !read_child(token, children, depth)) return false;
    } while (tokens_.next(token));
    return false;
  }

  bool read_child(const XmlToken& start, Children& children, int depth) {
    const Fields* wanted = children.fields_of(start.text);
    if (wanted == nullptr) return pass_element(start);
    Value value;
    if (!read_element(start, *wanted, depth + 1, value)) return false;
    children.add(start.text, std::move(value));
    return true;
  }

  // However deep it is: nothing is kept of it.
  bool pass_element(const XmlToken& start) {
    int open = start.is_closed ? 0 : 1;
    for (XmlToken token; open > 0;) {
      if (!tokens_.next(token)) return false;
      if (token.sort == XmlToken::Sort::open && !token.is_closed) ++open;
      if (token.sort == XmlToken::Sort::close) --open;
    }
    return true;
  }

  // Most texts stand in one piece, as they are meant.
  void add_text(std::string_view& text, const XmlToken& token) {
    if (text.empty() && token.is_plain) {
      text = token.text;
      return;
    }
    if (text.empty())
      joined_.clear();
    else if (text.data() != joined_.data())
      joined_ = text;
    append_text(joined_, token);
    text = joined_;
  }

  // Null for nothing and for mere layout.
  static Value value_of(std::string_view text) {
    bool is_layout = text.find('\n') != std::string_view::npos && trim(text).empty();
    return text.empty() || is_layout ? Value() : Value(text);
  }

  XmlTokens tokens_;
  const XmlRules& rules_;
  std::string joined_;
};

}  // namespace

Result<XmlDocument> read_xml(std::string_view text, const XmlRules& rules) {
  text = trim(text);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  NB_TRY(check_text(text));
  return Reader(text, rules).read();
}

}  // namespace nbform
