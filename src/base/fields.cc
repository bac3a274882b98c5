#include "base/fields.h"

#include <algorithm>

#include "base/diagnostic.h"

namespace nbform {

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
  index();
}

void Fields::index() {
  auto shorter = [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); };
  std::sort(members_.begin(), members_.end(), shorter);
  if (members_.size() > UINT8_MAX || members_.back().first.size() > kLongest)
    bug("too many fields, or a name that is too long");
  for (std::size_t length = 0, i = 0; length < first_of_length_.size(); ++length) {
    while (i < members_.size() && members_[i].first.size() < length) ++i;
    first_of_length_[length] = static_cast<std::uint8_t>(i);
  }
}

// Few names are as long as another.
const Fields* Fields::find(std::string_view name) const {
  if (name.size() > kLongest) return nullptr;
  for (std::size_t i = first_of_length_[name.size()]; i < first_of_length_[name.size() + 1]; ++i)
    if (members_[i].first == name) return &members_[i].second;
  return nullptr;
}

}  // namespace nbform
