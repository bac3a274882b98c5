#include "sim/aws/xml.h"

#include <fmt/format.h>

namespace nbform::sim::aws {

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\r' || c == '\t' || c == '\n')
      out += fmt::format("&#x{:x};", static_cast<int>(c));
    else
      out += c;
  }
  return out;
}

namespace {

std::string scalar(const Value& value) {
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return std::to_string(value.as_int());
  if (value.is_real()) return fmt::format("{}", value.as_real());
  return escape_xml(value.as_text());
}

void write_members(std::string& out, const Value& value) {
  for (const auto& [name, member] : value.as_map()) write_element(out, name, member);
  for (const Value& item : value.as_list()) write_element(out, "item", item);
  if (!value.is_map() && !value.is_list()) out += scalar(value);
}

}  // namespace

void write_element(std::string& out, std::string_view name, const Value& value) {
  if (value.is_null()) return;
  std::size_t from = out.size();
  out.append("<").append(name).append(">");
  std::size_t inside = out.size();
  write_members(out, value);
  if (out.size() > inside) {
    out.append("</").append(name).append(">");
    return;
  }
  out.resize(from);
  out.append("<").append(name).append("/>");
}

std::string xml_document(std::string_view root, std::string_view space, const Value& body) {
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"{}\">", root, space);
  write_members(out, body);
  return out.append("</").append(root).append(">");
}

std::string stamp(Time t) {
  std::string whole = format_rfc3339(Time::from_seconds(t.seconds()));
  whole.pop_back();
  return fmt::format("{}.{:03}Z", whole, t.millis() % 1000);
}

}  // namespace nbform::sim::aws
