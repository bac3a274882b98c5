#include "sim/shelf_json.h"

namespace nbform::sim {

Value key_value(const Key& key) {
  return Map{{"project", key.project}, {"scope", key.scope}, {"name", key.name}};
}

Key read_key(const Value& v) {
  auto text = [&](std::string_view name) { return std::string(v[name].as_text()); };
  return {text("project"), text("scope"), text("name")};
}

Value write_shelf(const Shelf& shelf) {
  List out;
  for (const auto& [key, r] : shelf)
    out.push_back(Map{{"key", key_value(key)},
                      {"wire", r.wire()},
                      {"hidden", r.hidden},
                      {"visible_from", r.visible_from.us}});
  return out;
}

void read_shelf(const Value& v, Shelf& shelf) {
  for (const Value& item : v.as_list()) {
    Resource& r = shelf[read_key(item["key"])];
    r = Resource(item["wire"]);
    r.hidden = item["hidden"];
    r.visible_from = Time{item["visible_from"].as_int()};
  }
}

}  // namespace nbform::sim
