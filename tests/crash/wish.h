// What a user asks of one run, beside the files, and how the auditor is told.
#pragma once

#include "core/diff.h"
#include "manifest/notebook.h"

namespace nbform::crash {

struct Wish {
  DiffOptions diff;
  bool consent = true;  // to every loss of data that the plan shows
  bool second = false;  // nothing is left to do: the auditor sees to it
};

// A line of kind "run" (auditor.h); who and when are left to whoever notes it.
Value wish_line(const Wish& wish, const Manifest& files);

}  // namespace nbform::crash
