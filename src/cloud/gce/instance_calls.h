// Calls and steps of a VM that several of its changes need. Pure; used by instance_steps.cc and
// instance_removal.cc alone.
#pragma once

#include <string_view>

#include "cloud/gce/gce.h"

namespace nbform::gce {

// instances/NAME/VERB of the live VM.
Call on(const StepContext& c, std::string_view verb, Value body = {}, Query query = {},
        std::string_view method = "POST");
Call auto_delete_call(const StepContext& c, std::string_view device, bool value);
Step lock_step(bool value);  // deletion protection

}  // namespace nbform::gce
