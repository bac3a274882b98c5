// A plan as rows of a screen, before any layout: one row per notebook, or for many with the same change.
// Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ink.h"
#include "core/plan.h"

namespace nbform::cli {

struct RowLine {
  std::string label;  // why, data, defaults, note, edit
  Pieces pieces;
};

struct PlanRow {
  Action action = Action::none;
  std::string name;   // "class-alice", or "40 x class-*"
  std::string where;  // "gce us-central1-b"
  std::string verb;   // "create", "REPLACE", "blocked"
  std::string text;
  bool loses = false;
  std::vector<RowLine> lines;
};

struct RowOptions {
  bool full = false;     // no collapsing
  bool details = false;  // each edit with its line
};

std::vector<PlanRow> rows_of(const Plan& plan, const RowOptions& options);

}  // namespace nbform::cli
