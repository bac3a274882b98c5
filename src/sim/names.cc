#include "sim/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "sim/aws/catalogue.h"
#include "sim/catalogue.h"

namespace nbform::sim {

namespace {

std::vector<std::string> all_zones() {
  std::vector<std::string> out;
  for (const ZoneFacts& zone : zones()) out.push_back(zone.name);
  for (const auto& region : aws::regions())
    for (std::string& zone : aws::zones_of(region.name)) out.push_back(std::move(zone));
  return out;
}

std::vector<std::string> all_quotas() {
  std::vector<std::string> out;
  for (const auto* list : {&region_quotas(), &project_quotas()})
    for (const QuotaFacts& quota : *list) out.emplace_back(quota.metric);
  for (const auto& quota : aws::quotas()) out.emplace_back(quota.code);
  return out;
}

Result<> check(std::string_view glob, std::string_view what, const std::vector<std::string>& known) {
  if (std::any_of(known.begin(), known.end(),
                  [&](const std::string& name) { return glob_match(glob, name); }))
    return Ok{};
  Diagnostic d = error(Code::usage, fmt::format("There is no such {}", what),
                       fmt::format("The simulated clouds have no {} '{}'.", what, printable(glob)));
  std::string_view near = nearest(glob, {known.begin(), known.end()});
  if (!near.empty()) d.hint = fmt::format("Did you mean {}?", near);
  return d;
}

}  // namespace

Result<> check_zone_glob(std::string_view glob) {
  return check(glob, "zone", all_zones());
}

Result<> check_quota_glob(std::string_view glob) {
  return check(glob, "quota", all_quotas());
}

}  // namespace nbform::sim
