// The plan screen. Pure: a Plan and what stands around it in, text out.
#pragma once

#include <string>
#include <vector>

#include "base/ink.h"
#include "cli/header.h"
#include "cli/plan_rows.h"
#include "core/plan.h"

namespace nbform::cli {

struct PlanScreen {
  Header header;
  RowOptions rows;
  bool selected = false;             // not all notebooks were looked at
  bool destroys = false;             // everything of them is to go
  bool proposes = true;              // false: --refresh-only
  std::vector<std::string> consent;  // --allow-data-loss
  std::string next;  // the command that does this, without consent: "nbform apply"; "" = say none
};

std::string render_plan(const Plan& plan, const PlanScreen& screen, const Style& style);

// "1 create, 2 update, 1 replace (erases data), 0 destroy, 1 pending."
std::string counts_words(const Plan& plan);

}  // namespace nbform::cli
