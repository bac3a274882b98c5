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
    Fields& inner = members_.emplace_back();
    inner.name_ = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with('(')) {
      text.remove_prefix(1);
      inner.take_members(text);
      if (!text.starts_with(')')) bug("the fields of " + inner.name_ + " have no end");
      text.remove_prefix(1);
    }
  } while (text.starts_with(',') && (text.remove_prefix(1), true));
  index();
}

void Fields::index() {
  auto size = [](const Fields& member) { return member.name_.text().size(); };
  auto shorter = [&](const Fields& a, const Fields& b) { return size(a) < size(b); };
  std::sort(members_.begin(), members_.end(), shorter);
  if (members_.size() > UINT8_MAX || size(members_.back()) > kLongest)
    bug("too many fields, or a name that is too long");
  for (std::size_t length = 0, i = 0; length < first_of_length_.size(); ++length) {
    while (i < members_.size() && size(members_[i]) < length) ++i;
    first_of_length_[length] = static_cast<std::uint8_t>(i);
  }
}

// Few names are as long as another.
const Fields* Fields::find(std::string_view name) const {
  if (name.size() > kLongest) return nullptr;
  for (std::size_t i = first_of_length_[name.size()]; i < first_of_length_[name.size() + 1]; ++i)
    if (members_[i].name_ == name) return &members_[i];
  return nullptr;
}

}  // namespace nbform
