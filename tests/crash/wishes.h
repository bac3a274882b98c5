// What the auditor reads in a user's wish, the `detail` of a line of kind "run" (auditor.h).
#pragma once

#include <algorithm>
#include <string>

#include "base/value.h"

namespace nbform::crash {

inline bool holds(const Value& list, std::string_view word) {
  const List& all = list.as_list();
  return std::any_of(all.begin(), all.end(), [&](const Value& v) { return v.as_text() == word; });
}

inline bool consents(const Value& wish, std::string_view notebook) {
  return holds(wish["consent"], notebook) || holds(wish["consent"], "*");
}

inline std::string wanted_power(const Value& wish, std::string_view notebook) {
  return std::string(wish["notebooks"][notebook]["power"].as_text());
}

inline bool wants_stopped(const Value& wish, std::string_view notebook) {
  return wanted_power(wish, notebook) == "stopped" || holds(wish["stop"], notebook);
}

inline bool wants_running(const Value& wish, std::string_view notebook) {
  return wanted_power(wish, notebook) == "running" || holds(wish["start"], notebook);
}

// "" where the files do not know the disk.
inline std::string wanted_keep(const Value& wish, std::string_view notebook, std::string_view part) {
  if (!part.starts_with("disk-")) return {};
  return std::string(wish["notebooks"][notebook]["keep"][part.substr(5)].as_text());
}

}  // namespace nbform::crash
