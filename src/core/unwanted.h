// The half of the diff that looks from the cloud: what is there and not wanted, and whether it is deleted,
// let go, kept, or told of and left alone.
#pragma once

#include "core/verdicts.h"

namespace nbform {

// Declared, but this run destroys or forgets its notebook.
void judge_unwanted_declared(Verdicts& verdicts, const Resource& resource, const Live& live);
// Met by no resource.
void judge_unwanted(Verdicts& verdicts, const Live& live);
// What --kept names is there, and no machine uses it.
void check_kept_names(Verdicts& verdicts);

}  // namespace nbform
