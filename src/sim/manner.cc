#include "sim/manner.h"

#include "base/json.h"

namespace nbform::sim {

namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

bool is_default(const Value& value) {
  return (value.is_bool() && !value.as_bool()) || (value.is_list() && value.as_list().empty()) ||
         (value.is_map() && value.as_map().empty()) || (value.is_text() && value.as_text().empty());
}

// Members that are false or empty are not written, at any depth.
Value without_defaults(const Value& value) {
  if (value.is_list()) {
    List out;
    for (const Value& item : value.as_list()) out.push_back(without_defaults(item));
    return out;
  }
  if (!value.is_map()) return value;
  Map out;
  for (const auto& [name, member] : value.as_map()) {
    Value kept = without_defaults(member);
    // A map of labels or scopes says with its keys what it has to say.
    bool says = member.is_map() && !member.as_map().empty();
    if (says || !is_default(kept) || name == "value") out.set(name, std::move(kept));
  }
  return out;
}

bool has_own_manner(const State& state) {
  return state.variant("links-of-another-host") || state.variant("links-as-paths") ||
         state.variant("defaults-omitted") || state.variant("reads-stopped");
}

}  // namespace

std::string in_manner(const State& state, std::string json) {
  if (!has_own_manner(state)) return json;
  if (state.variant("defaults-omitted"))
    if (auto value = parse_json(json)) json = to_json(without_defaults(*value));
  if (state.variant("reads-stopped")) replace_all(json, R"("status":"TERMINATED")", R"("status":"STOPPED")");
  std::string link = "\"" + std::string(kCompute);
  if (state.variant("links-as-paths"))
    replace_all(json, link, "\"");
  else if (state.variant("links-of-another-host"))
    replace_all(json, link, "\"https://compute.googleapis.com/compute/v1/");
  return json;
}

}  // namespace nbform::sim
