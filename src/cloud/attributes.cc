#include "cloud/attributes.h"

#include <algorithm>

namespace nbform {

namespace {

const Value& value_in(const Map& map, std::string_view attr) {
  static const Value kNone;
  const Value* value = map.find(attr);
  return value != nullptr ? *value : kNone;
}

// "team" of "labels.team"; "" where the edit is not of an entry of `attr`.
std::string_view entry_of(const Edit& edit, std::string_view attr) {
  std::string_view name(edit.attr);
  if (name.size() <= attr.size() || !name.starts_with(attr) || name[attr.size()] != '.') return {};
  return name.substr(attr.size() + 1);
}

}  // namespace

const Value& wanted(const Resource& resource, std::string_view attr) {
  return value_in(resource.attributes.has(attr) ? resource.attributes : resource.defaults, attr);
}

const Value& live_value(const Live& live, std::string_view attr) {
  return value_in(live.attributes, attr);
}

std::string_view live_text(const Live& live, std::string_view attr) {
  return live_value(live, attr).as_text();
}

bool edits_attr(const std::vector<Edit>& edits, std::string_view attr) {
  return std::any_of(edits.begin(), edits.end(),
                     [&](const Edit& edit) { return edit.attr == attr || !entry_of(edit, attr).empty(); });
}

void apply_entries(Map& map, const std::vector<Edit>& edits, std::string_view attr) {
  for (const Edit& edit : edits) {
    std::string_view key = entry_of(edit, attr);
    if (key.empty()) continue;
    if (edit.after.is_null())
      map.erase(key);
    else
      map.set(key, edit.after);
  }
}

}  // namespace nbform
