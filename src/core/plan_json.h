// A Plan as JSON for programs: docs/plan-json.md says what each member means, schemas/plan.schema.json its
// shape. Values of secret edits are left out. Pure; knows no screen.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/plan.h"

namespace nbform {

inline constexpr int kPlanJsonFormat = 1;

// What a plan was made against, besides what stands in it.
struct PlanRealm {
  std::string stack;  // its name without the id
  bool sandbox = false;
  std::vector<std::pair<std::string, std::string>> endpoints;  // base URL, the variable that says so
};

Value plan_json(const Plan& plan, const PlanRealm& realm);
Value diagnostic_json(const Diagnostic& diagnostic);

}  // namespace nbform
