#include "base/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "base/message.h"
#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
constexpr std::ptrdiff_t kMaxElements = 250'000, kMaxAttributes = 500'000;
constexpr int kMaxDepth = 64;
constexpr std::string_view kPairs = "tagSet";
// An element's text is part of it: half the nodes of the default.
constexpr unsigned kParsing = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                              pugi::parse_doctype | pugi::parse_ws_pcdata_single | pugi::parse_embed_pcdata;

Diagnostic unreadable(std::string why) {
  return error(Code::io, "An answer is not readable as XML", std::move(why));
}

bool known_entity(std::string_view name) {
  for (std::string_view known : {"amp", "lt", "gt", "quot", "apos"})
    if (name == known) return true;
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  bool in_hex = name.starts_with('x');
  if (in_hex) name.remove_prefix(1);
  std::uint32_t point = 0;
  auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), point, in_hex ? 16 : 10);
  bool is_number = ec == std::errc() && end == name.data() + name.size();
  return is_number && point != 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

// The library leaves an entity that it does not know as it stands.
Result<> check_entities(std::string_view text) {
  auto at = text.find('&');
  auto cdata = at == std::string_view::npos ? at : text.find("<![CDATA[");
  while (at != std::string_view::npos) {
    if (cdata < at) {
      auto end = text.find("]]>", cdata);
      if (end == std::string_view::npos) return unreadable("It ends within a CDATA section.");
      if (at < end) at = text.find('&', end);
      cdata = text.find("<![CDATA[", end);
      continue;
    }
    auto end = text.find(';', at);
    if (end == std::string_view::npos || !known_entity(text.substr(at + 1, end - at - 1)))
      return unreadable(fmt::format("There is an unknown entity at byte {}.", at));
    at = text.find('&', end);
  }
  return Ok{};
}

// Each element takes memory before anything is read of it, and so does each attribute; no more of them than
// there are `=`.
bool has_too_many_parts(std::string_view text) {
  if (text.size() < 4 * kMaxElements) return false;  // <a/>
  std::ptrdiff_t elements = 0;
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1))
    if (at + 1 < text.size() && text[at + 1] != '/') ++elements;
  return elements > kMaxElements || std::count(text.begin(), text.end(), '=') > kMaxAttributes;
}

Result<> check_text(std::string_view text) {
  if (text.size() > kMaxBytes) return unreadable(fmt::format("It has {} bytes.", text.size()));
  if (!valid_utf8(text) || text.find('\0') != std::string_view::npos)
    return unreadable("It is not text in UTF-8.");
  if (has_too_many_parts(text)) return unreadable("It has too many elements.");
  if (!text.starts_with('<') || !text.ends_with('>')) return unreadable("It is not XML, or it is cut.");
  return check_entities(text);
}

// Of what is no element it is empty.
std::string_view local_name(const pugi::xml_node& node) {
  std::string_view name = node.name();
  auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// All of an element's text, whose first piece stands in the element itself.
Value text_of(const pugi::xml_node& node) {
  std::string_view whole = node.value();
  std::string joined;
  for (pugi::xml_node part = node.first_child(); part; part = part.next_sibling()) {
    if (joined.empty()) joined = whole;
    whole = joined += part.value();
  }
  bool is_layout = whole.find('\n') != std::string_view::npos && trim(whole).empty();
  return whole.empty() || is_layout ? Value() : Value(whole);
}

bool is_item(std::string_view name) {
  return name == "item" || name == "member";
}

// What an element's children are: a list of items, or a map.
class Children {
 public:
  Children(const XmlRules& rules, const Fields& wanted) : rules_(rules), wanted_(wanted) {}

  bool any() const { return any_; }

  // The fields that are read of a child; null: it is passed over.
  const Fields* fields_of(std::string_view name) {
    any_ = true;
    if (is_item(name)) return &wanted_;
    only_items_ = false;
    return wanted_.all() ? &wanted_ : wanted_.find(name);
  }

  void add(std::string_view name, const Fields& fields, Value value) {
    if (is_item(name))
      item_ = name, items_.push_back(std::move(value));
    else if (is_repeated(name))
      repeated_[name].list().push_back(std::move(value));
    else if (!value.is_null())
      add_member(wanted_.all() ? Key(name) : fields.name(), std::move(value));
  }

  Value take() {
    if (only_items_) return Value(std::move(items_));
    if (!items_.empty() && (wanted_.all() || wanted_.find(item_) != nullptr))
      if (!items_.back().is_null()) add_member(item_, std::move(items_.back()));
    for (auto& [name, list] : repeated_) add_member(name, std::move(list));
    return Value(Map::from(std::move(members_)));
  }

 private:
  bool is_repeated(std::string_view name) const {
    return std::find(rules_.repeated.begin(), rules_.repeated.end(), name) != rules_.repeated.end();
  }

  void add_member(Key name, Value value) {
    if (members_.empty()) members_.reserve(wanted_.all() ? 8 : wanted_.size());
    members_.emplace_back(std::move(name), std::move(value));
  }

  const XmlRules& rules_;
  const Fields& wanted_;
  bool any_ = false, only_items_ = true;
  List items_;
  std::string_view item_;
  std::vector<Map::Item> members_;
  Map repeated_;
};

// A list of nothing but keys and their values, as tags are. None: it is something else.
std::optional<Value> read_pairs(const pugi::xml_node& list, const Fields& wanted) {
  bool is_wanted = wanted.all() || (wanted.find("key") != nullptr && wanted.find("value") != nullptr);
  if (!is_wanted || !list.first_child()) return std::nullopt;
  std::vector<Map::Item> pairs;
  for (pugi::xml_node item = list.first_child(); item; item = item.next_sibling()) {
    pugi::xml_node key = item.first_child(), value = key.next_sibling();
    bool is_pair = is_item(local_name(item)) && local_name(key) == "key" &&
                   (!value || local_name(value) == "value") && !value.next_sibling();
    if (!is_pair) return std::nullopt;
    Value text = text_of(value);
    pairs.emplace_back(text_of(key).as_text(), text.is_text() ? std::move(text) : Value(""));
  }
  return Value(Map::from(std::move(pairs)));
}

// A plain bool for every element: a Result for each would cost more than the reading. False: nested too
// deeply.
bool read_element(const pugi::xml_node& node, const XmlRules& rules, const Fields& wanted, int depth,
                  Value& out) {
  if (depth > kMaxDepth) return false;
  Children children(rules, wanted);
  for (pugi::xml_node child = node.first_child(); child; child = child.next_sibling()) {
    std::string_view name = local_name(child);
    const Fields* inner = name.empty() ? nullptr : children.fields_of(name);
    if (inner == nullptr) continue;
    Value value;
    if (auto pairs = name == kPairs ? read_pairs(child, *inner) : std::nullopt)
      value = std::move(*pairs);
    else if (!read_element(child, rules, *inner, depth + 1, value))
      return false;
    children.add(name, *inner, std::move(value));
  }
  out = children.any() ? children.take() : text_of(node);
  return true;
}

bool is_element(const pugi::xml_node& node) {
  return node.type() == pugi::node_element;
}

Result<> check_document(const pugi::xml_document& document) {
  auto parts = document.children();
  for (const pugi::xml_node& part : parts)
    if (part.type() == pugi::node_doctype) return unreadable("It has a document type definition.");
  if (std::count_if(parts.begin(), parts.end(), is_element) != 1) return unreadable("It is not one element.");
  return Ok{};
}

}  // namespace

// Parsed in place: names and texts of the document are pieces of `buffer`.
Result<XmlDocument> read_xml(std::string buffer, const XmlRules& rules) {
  std::string_view text = trim(buffer);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  NB_TRY(check_text(text));
  pugi::xml_document document;
  char* begin = buffer.data() + (text.data() - buffer.data());
  auto parsed = document.load_buffer_inplace(begin, text.size(), kParsing, pugi::encoding_utf8);
  if (!parsed) return unreadable(fmt::format("{} at byte {}.", parsed.description(), parsed.offset));
  NB_TRY(check_document(document));
  pugi::xml_node root = document.document_element();
  Value content;
  const Fields all;
  if (!read_element(root, rules, rules.fields != nullptr ? *rules.fields : all, 1, content))
    return unreadable("It is nested too deeply.");
  return XmlDocument{std::string(local_name(root)), std::move(content)};
}

}  // namespace nbform
