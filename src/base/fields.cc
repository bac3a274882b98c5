#include "base/fields.h"

#include <algorithm>

#include "base/diagnostic.h"

namespace nbform {

namespace {
bool is_before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}
}  // namespace

Fields::Fields(std::string_view text) {
  take_members(text);
  if (!text.empty()) bug("a list of fields goes on after its end");
}

// Up to the parenthesis that closes them, or the end.
void Fields::take_members(std::string_view& text) {
  do {
    auto end = std::min(text.find_first_of(",()"), text.size());
    if (end == 0) bug("a field without a name");
    auto& [name, inner] = members_.emplace_back(text.substr(0, end), Fields());
    text.remove_prefix(end);
    if (text.starts_with('(')) {
      text.remove_prefix(1);
      inner.take_members(text);
      if (!text.starts_with(')')) bug("the fields of " + name + " have no end");
      text.remove_prefix(1);
    }
  } while (text.starts_with(',') && (text.remove_prefix(1), true));
  std::sort(members_.begin(), members_.end(),
            [](const auto& a, const auto& b) { return is_before(a.first, b.first); });
}

const Fields* Fields::find(std::string_view name) const {
  auto at =
      std::lower_bound(members_.begin(), members_.end(), name,
                       [](const auto& member, std::string_view n) { return is_before(member.first, n); });
  return at != members_.end() && at->first == name ? &at->second : nullptr;
}

}  // namespace nbform
