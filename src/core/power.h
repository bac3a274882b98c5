// Who may start and stop a machine: the rules of `power`, preemption and interrupted changes. Pure.
#pragma once

#include "core/diff.h"

namespace nbform {

struct PowerChoice {
  Action action = Action::none;  // none, start or stop
  PowerPolicy::Want end = PowerPolicy::Want::unmanaged;
  Reason reason = Reason::none;
  std::string text;                // why, for the screen
  std::vector<std::string> notes;  // what is worth knowing and no change
};

// What to do about the power of a live machine that its manifest declares. An idle-stopped machine is a note,
// never a change; one that the cloud took is started again only where the manifest says so.
PowerChoice choose_power(const Resource& resource, const Live& live, const DiffOptions& options);

}  // namespace nbform
