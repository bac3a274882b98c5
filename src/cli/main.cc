#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/run.h"

namespace {

// Ten thousand notebooks are some million small blocks between pages of answers that come and go: blocks of
// one kind are cheaper than fast bins that each large one sweeps up, and memory given back is only asked for
// again.
void tune_allocator() {
#ifdef __GLIBC__
  mallopt(M_MXFAST, 0);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 1 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  tune_allocator();
  return nbform::cli::run_command_line(std::vector<std::string>(argv, argv + argc));
}
