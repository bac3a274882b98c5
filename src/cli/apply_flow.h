// Plan, show, ask, apply, tell: the one flow behind plan, apply, destroy, start, stop and forget.
#pragma once

#include <string>
#include <vector>

#include "cli/consent.h"
#include "cli/session.h"

namespace nbform::cli {

// What plan and apply have in common besides the stack.
struct ChangeFlags {
  std::vector<std::string> replace, restart, kept, allow_data_loss;
  bool destroy = false, prune = false, refresh_only = false, full = false, details = false,
       detailed_exitcode = false;
  Output json;
  std::string command;  // that goes on from here: "nbform start eda"; "": apply or destroy with these flags

  void declare_for_plan(Flags& flags);  // what changes are wanted
  void declare_screen(Flags& flags);    // how they are shown
};

struct ApplyFlags {
  bool yes = false, verify = false;
  int parallelism = 16;

  void declare(Flags& flags);
};

// Opens the stack, finds the selection (`names`: of the command line), runs `body`; reports what went wrong.
using OnStack = std::function<Result<int>(Session&, const Selection&)>;
int on_stack(Shell& shell, const StackFlags& flags, const std::vector<std::string>& names,
             const OnStack& body);

// What is wanted of which notebooks; errors are usage.
Result<PlanRequest> wanted(const Session& session, const ChangeFlags& flags, const Selection& selection);

// Reads, compares, shows; gives the exit code.
int show_plan(Session& session, const PlanRequest& request, const ChangeFlags& flags,
              const Selection& selection);

// The same, and then asks and applies.
int apply_plan(Session& session, PlanRequest request, const ChangeFlags& flags, const ApplyFlags& how,
               const Selection& selection);

}  // namespace nbform::cli
