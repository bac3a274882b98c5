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

const std::vector<Intent>& gce_intents();
const std::vector<Intent>& ec2_intents();

// An intent right before its run.
struct Ready {
  Rehearsal stage;
  Wish wish;
};
Ready make_ready(const Ground& ground, const Intent& intent, const std::string& variant = "");

// --- words of which wishes are made ---

Disk data_disk(Keep keep = Keep::always);
Wish power_wish(PowerPolicy::Want want);
Wish destroy_wish();
Wish nothing_else(Rehearsal& stage);  // as the files say
void gce_other_image(Notebook& notebook);
void ec2_other_image(Notebook& notebook);

}  // namespace nbform::crash
