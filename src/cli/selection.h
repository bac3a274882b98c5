// The flags that every command on a stack takes, and what they mean: which directory, which notebooks, which
// variables. Knows no cloud.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "manifest/load.h"

namespace nbform::cli {

struct StackFlags {
  std::string chdir, directory;  // -C and the positional
  std::vector<std::string> files, targets, excludes;
  std::vector<std::string> vars, var_files;
  bool sandbox = false, no_color = false, mixed_endpoints = false;
  std::string log_requests;

  void declare(Flags& flags, bool with_directory = true);
  void declare_selection(Flags& flags);

  // Errors: usage, for two directories.
  Result<std::string> stack_directory() const;
  Result<Vars> variables() const;
};

// Which notebooks a run is about.
class Selection {
 public:
  // `names`: exactly these. Errors (usage): a file of -f that declares nothing.
  static Result<Selection> of(const StackFlags& flags, const Manifest& manifest,
                              std::vector<std::string> names = {});

  bool any() const { return !wanted_.empty() || !excluded_.empty(); }
  bool has(std::string_view notebook) const;
  // The first target that fits none of `known`: an error with a guess at what was meant.
  Result<> fits(const std::vector<std::string>& known) const;

 private:
  std::vector<std::string> wanted_, excluded_, targets_;
};

Diagnostic no_such_notebook(std::string_view name, const std::vector<std::string>& known);

}  // namespace nbform::cli
