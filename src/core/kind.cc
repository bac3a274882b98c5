#include "core/kind.h"

#include <array>

namespace nbform {

namespace {
constexpr std::array<std::string_view, 3> kKeepNames = {"always", "until-destroy", "never"};
}  // namespace

std::string_view keep_name(KeepRule keep) {
  return kKeepNames.at(static_cast<std::size_t>(keep));
}

KeepRule parse_keep(std::string_view text) {
  for (std::size_t i = 0; i < kKeepNames.size(); ++i)
    if (text == kKeepNames[i]) return static_cast<KeepRule>(i);
  return KeepRule::always;
}

const Attr* Kind::attr(std::string_view name) const {
  for (const Attr& row : attrs())
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace nbform
