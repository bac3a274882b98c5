#include "core/kind.h"

#include <fmt/format.h>

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

Call at_page(Call call, std::string_view parameter, std::string_view token) {
  bool rpc = call.path.empty();
  if (rpc)
    call.body.map().set(parameter, token);
  else
    call.query.emplace_back(parameter, token);
  return call;
}

std::string making_key(const Kind& kind, const Scope& scope, std::string_view name) {
  return fmt::format("{}|{}|{}|{}", kind.name(), scope.account, scope.region, name);
}

const Making* Snapshot::making_of(const Resource& resource) const {
  if (making.empty()) return nullptr;
  auto it = making.find(making_key(*resource.kind, resource.scope, resource.name));
  return it != making.end() ? &it->second : nullptr;
}

}  // namespace nbform
