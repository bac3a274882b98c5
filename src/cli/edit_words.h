// Attribute edits in a person's words: what changes, from what, to what. nbform's own labels are said as what
// they mean, secrets not at all, and what several parts of a notebook change alike is said once. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/plan.h"

namespace nbform::cli {

struct EditWords {
  std::string subject;  // "labels.team"; what is left out where the same subject is shown again
  std::string text;     // "labels.team research → vision"
  Action effect = Action::update;
  std::string why;  // why it has that effect, where that isn't plain
  Mark mark;        // the manifest line that asks for it
};

// Heaviest first, else in the order of the plan.
std::vector<EditWords> words_of(const Plan& plan, const NotebookPlan& notebook);

// One value, short: "200 GB", "nothing", "a text of 12 lines".
std::string value_words(const Value& value, std::string_view title);

}  // namespace nbform::cli
