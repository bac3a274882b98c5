// The half of the diff that looks from the manifests: what is to be made, changed, started, stopped or made
// again.
#pragma once

#include "core/verdicts.h"

namespace nbform {

// Nothing live is that resource.
void judge_missing(Verdicts& verdicts, Resource& resource);
void judge_present(Verdicts& verdicts, Resource& resource, const Live& live);

}  // namespace nbform
