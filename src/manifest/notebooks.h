// From the overlays of a stack to its notebooks: profiles, `each`, merging, variables, decoding, and every
// rule that concerns one notebook. Knows where each value came from; knows no cloud API.
#pragma once

#include <vector>

#include "manifest/stack_files.h"

namespace nbform {

// A notebook and the positions that checks across notebooks need; its nodes are gone by then, for the
// memory's sake.
struct Built {
  Notebook notebook;
  Span key, name, service, moved_from;
  std::map<std::string, Span> disks;
};

// Sorted by key. Reports everything wrong on the way; a notebook with errors is still there, less what is
// wrong.
std::vector<Built> build_notebooks(const StackFiles& stack, FileAccess& access, const Files& files,
                                   Report& report);

}  // namespace nbform
