// Whether a plan may be made so: the user's yes, and for lost data the name of each notebook that loses it.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "core/plan.h"

namespace nbform::cli {

struct Consent {
  bool yes = false;                    // -y
  std::vector<std::string> data_loss;  // --allow-data-loss
};

// kFine: go on. Otherwise the exit code; why has been said. Nothing is sent before.
int ask_consent(Session& session, const Plan& plan, const Consent& given);

}  // namespace nbform::cli
