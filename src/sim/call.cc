#include "sim/call.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim {

std::string_view Call::param(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

bool Call::has(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& item) { return item.first == name; });
}

Result<bool> Call::flag(std::string_view name, bool fallback) const {
  if (!has(name)) return fallback;
  std::string text = to_lower(param(name));
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return refuse("invalidParameter", fmt::format("Invalid value for parameter '{}': '{}'", name, param(name)));
}

const std::string& Call::arg(std::string_view name) const {
  static const std::string none;
  auto it = args.find(name);
  return it == args.end() ? none : it->second;
}

std::string Call::scope() const {
  if (!arg("zone").empty()) return "zones/" + arg("zone");
  if (!arg("region").empty()) return "regions/" + arg("region");
  return "global";
}

Reply reply(const Call& call, const Value& value) {
  return {to_json(call.mask.apply(value))};
}

Reply reply(const Call& call, const Resource& resource) {
  return {resource.text(call.mask, call.mask_text)};
}

Diagnostic not_found(const Key& key, std::string_view collection) {
  return refuse("notFound", fmt::format("The resource '{}' was not found", path_of(key, collection)));
}

namespace {

Diagnostic malformed(std::string_view field, std::string_view text) {
  return refuse("invalid",
                fmt::format("Invalid value for field '{}': '{}'. The URL is malformed.", field, text));
}

std::string_view strip_service(std::string_view text) {
  auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return text;
  auto root = text.find("/compute/v1/", scheme + 3);
  return root == std::string_view::npos ? std::string_view{} : text.substr(root + 12);
}

}  // namespace

Result<Target> read_reference(const Call& call, std::string_view text, std::string_view collection,
                              std::string_view field) {
  auto parts = split(strip_service(text), '/');
  Target target{call.project(), "", std::string(collection), ""};
  if (parts.size() > 2 && parts[0] == "projects") {
    target.project = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (parts.size() > 1 && parts[0] == "global") {
    target.scope = "global";
    parts.erase(parts.begin());
  } else if (parts.size() > 2 && (parts[0] == "zones" || parts[0] == "regions")) {
    target.scope = std::string(parts[0]) + "/" + std::string(parts[1]);
    parts.erase(parts.begin(), parts.begin() + 2);
  } else {
    return malformed(field, text);
  }
  std::vector<std::string> rest(parts.begin(), parts.end());
  if (rest.empty() || rest.back().empty()) return malformed(field, text);
  target.name = rest.back();
  rest.pop_back();
  if (join(rest, "/") != collection) return malformed(field, text);
  return target;
}

Result<> check_name(std::string_view name, std::string_view field) {
  auto inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  bool fits = !name.empty() && name.size() <= 63 && name[0] >= 'a' && name[0] <= 'z' && name.back() != '-' &&
              std::all_of(name.begin(), name.end(), inner);
  if (fits) return Ok{};
  return refuse("invalid", fmt::format("Invalid value for field '{}': '{}'. Must be a match of regex "
                                       "'(?:[a-z](?:[-a-z0-9]{{0,61}}[a-z0-9])?)'",
                                       field, name));
}

namespace {
// Lower-case letters, digits, '_', '-', and anything beyond ASCII (international letters).
bool label_text(std::string_view text) {
  return text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || (c & 0x80) != 0;
         });
}
}  // namespace

Result<> check_labels(const Value& labels, std::string_view field) {
  if (labels.as_map().size() > 64)
    return refuse("invalid", fmt::format("Invalid value for field '{}': more than 64 labels.", field));
  for (const auto& [key, value] : labels.as_map()) {
    std::string_view name = key.text();
    bool letter_first = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] & 0x80) != 0);
    bool fits = letter_first && label_text(key) && display_width(key) <= 63 && value.is_text() &&
                label_text(value.as_text()) && display_width(value.as_text()) <= 63;
    if (!fits)
      return refuse("invalid", fmt::format("Invalid value for field '{}': '{}={}'. The label is not legal.",
                                           field, key, to_text(value)));
  }
  return Ok{};
}

}  // namespace nbform::sim
