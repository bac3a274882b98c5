// What a user may want of one notebook, as scenarios: what is there before, the wish, and what must be true
// in the end. Used wherever a run is cut short or given bad answers.
#pragma once

#include "rehearsal.h"

namespace nbform::crash {

struct Intent {
  const char* name;
  std::function<void(Rehearsal&)> before;  // what was made in peace
  std::function<Wish(Rehearsal&)> wish;    // edits the files, and says what is asked for
  std::string expect = "RUNNING";          // of the machine, see auditor.h
  std::string notebook = "train";
};

const std::vector<Intent>& intents();

// An intent right before its run.
struct Ready {
  Rehearsal stage;
  Wish wish;
};
Ready make_ready(const Intent& intent, const std::string& variant = "", sim::Options options = one_region());

Disk data_disk(Keep keep = Keep::always);
void other_image(Notebook& notebook);
Wish power_wish(PowerPolicy::Want want);
Wish destroy_wish();

}  // namespace nbform::crash
