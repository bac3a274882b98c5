#include "base/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <utility>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
constexpr int kMaxTags = 1'000'000;
constexpr int kMaxDepth = 64;
// Half the nodes of the default: an element's text is part of it.
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

// The library leaves an entity that it does not know as it stands, and ends a text at a NUL.
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

bool has_too_many_tags(std::string_view text) {
  int tags = 0;
  for (auto at = text.find('<'); at != std::string_view::npos && tags <= kMaxTags;
       at = text.find('<', at + 1))
    ++tags;
  return tags > kMaxTags;
}

Result<> check_text(std::string_view text) {
  if (text.size() > kMaxBytes) return unreadable(fmt::format("It has {} bytes.", text.size()));
  if (!valid_utf8(text) || text.find('\0') != std::string_view::npos)
    return unreadable("It is not text in UTF-8.");
  if (has_too_many_tags(text)) return unreadable("It has too many elements.");
  if (!text.starts_with('<') || !text.ends_with('>')) return unreadable("It is not XML, or it is cut.");
  return check_entities(text);
}

std::string_view local_name(const pugi::xml_node& node) {
  std::string_view name = node.name();
  return name.find(':') == std::string_view::npos ? name : name.substr(name.rfind(':') + 1);
}

bool is_among(std::string_view name, const std::vector<std::string_view>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_element(const pugi::xml_node& node) {
  return node.type() == pugi::node_element;
}

// Null for nothing and for mere layout. The first text stands in the element itself.
Value text_of(const pugi::xml_node& node) {
  std::string_view first = node.value();
  std::string text;
  for (pugi::xml_node part = node.first_child(); part; part = part.next_sibling())
    if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata)
      text.append(std::exchange(first, {})).append(part.value());
  std::string_view whole = text.empty() ? first : text;
  bool is_layout = whole.find('\n') != std::string_view::npos && trim(whole).empty();
  return whole.empty() || is_layout ? Value() : Value(whole);
}

pugi::xml_node next_element(pugi::xml_node node) {
  while (node && !is_element(node)) node = node.next_sibling();
  return node;
}

// A plain bool for every element: a Result for each would cost more than the reading.
class Reader {
 public:
  explicit Reader(const XmlRules& rules) : rules_(rules) {}

  // False: nested too deeply.
  bool read(const pugi::xml_node& node, const Fields& wanted, int depth, Value& out) const {
    if (depth > kMaxDepth) return false;
    pugi::xml_node first = next_element(node.first_child());
    if (!first) return out = text_of(node), true;
    return is_list(first) ? read_list(first, wanted, depth, out) : read_map(first, wanted, depth, out);
  }

 private:
  bool is_list(pugi::xml_node child) const {
    while (child && is_among(local_name(child), rules_.items)) child = next_element(child.next_sibling());
    return !child;
  }

  bool read_list(pugi::xml_node child, const Fields& wanted, int depth, Value& out) const {
    List list;
    for (; child; child = next_element(child.next_sibling()))
      if (!read(child, wanted, depth + 1, list.emplace_back())) return false;
    out = Value(std::move(list));
    return true;
  }

  bool read_map(pugi::xml_node child, const Fields& wanted, int depth, Value& out) const {
    std::vector<Map::Item> members;
    members.reserve(wanted.all() ? 8 : wanted.size());
    Map lists;
    for (; child; child = next_element(child.next_sibling())) {
      std::string_view name = local_name(child);
      const Fields* inner = wanted.all() ? &wanted : wanted.find(name);
      if (inner == nullptr) continue;
      Value value;
      if (!read(child, *inner, depth + 1, value)) return false;
      if (is_among(name, rules_.repeated))
        lists[name].list().push_back(std::move(value));
      else if (!value.is_null())
        members.emplace_back(name, std::move(value));
    }
    for (auto& [name, list] : lists) members.emplace_back(name, std::move(list));
    out = Value(Map::from(std::move(members)));
    return true;
  }

  const XmlRules& rules_;
};

}  // namespace

Result<XmlDocument> read_xml(std::string_view text, const XmlRules& rules) {
  text = trim(text);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  NB_TRY(check_text(text));
  pugi::xml_document document;
  auto parsed = document.load_buffer(text.data(), text.size(), kParsing, pugi::encoding_utf8);
  if (!parsed) return unreadable(fmt::format("{} at byte {}.", parsed.description(), parsed.offset));
  auto parts = document.children();
  for (const pugi::xml_node& part : parts)
    if (part.type() == pugi::node_doctype) return unreadable("It has a document type definition.");
  if (std::count_if(parts.begin(), parts.end(), is_element) != 1) return unreadable("It is not one element.");
  pugi::xml_node root = document.document_element();
  Value content;
  const Fields all;
  if (!Reader(rules).read(root, rules.fields != nullptr ? *rules.fields : all, 1, content))
    return unreadable("It is nested too deeply.");
  return XmlDocument{std::string(local_name(root)), std::move(content)};
}

}  // namespace nbform
