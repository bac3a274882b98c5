#include "cli/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace nbform::cli {

void StackFlags::declare(Flags& flags, bool with_directory) {
  if (with_directory)
    flags.positional("DIRECTORY", directory, false,
                     "Where the *.nb.yaml files are; the current directory otherwise");
  flags.text("-C,--chdir", chdir, "DIR", "The same as DIRECTORY");
  flags.texts("--var", vars, "NAME=VALUE", "Value of a variable (also NBFORM_VAR_NAME); repeatable");
  flags.texts("--var-file", var_files, "FILE", "YAML file of variables; repeatable, later ones win");
  flags.flag("--sandbox", sandbox, "Use the simulated cloud in .nbform/sandbox.json; no account, no network");
  flags.text("--log-requests", log_requests, "FILE",
             "Append every request and answer to FILE, credentials left out");
  flags.flag("--mixed-endpoints", mixed_endpoints,
             "Let one cloud be on this machine (a simulator) and another be live");
  flags.flag("--no-color", no_color, "No colours");
}

void StackFlags::declare_selection(Flags& flags) {
  flags.texts("-f,--file", files, "FILE", "Only the notebooks that FILE declares; repeatable");
  flags.texts("--target", targets, "NAME", "Only this notebook; may hold * and ?; repeatable");
  flags.texts("--exclude", excludes, "NAME", "Not this notebook; may hold * and ?; repeatable");
}

Result<std::string> StackFlags::stack_directory() const {
  if (!chdir.empty() && !directory.empty())
    return error(Code::usage, "Two directories",
                 fmt::format("-C {} and {} were both given.", chdir, directory));
  if (!chdir.empty()) return chdir;
  if (!directory.empty()) return directory;
  if (files.empty()) return std::string(".");
  std::string parent = std::filesystem::path(files.front()).parent_path().generic_string();
  return parent.empty() ? "." : parent;
}

Result<Vars> StackFlags::variables() const {
  Vars out;
  out.files = var_files;
  for (const std::string& given : vars) {
    auto equals = given.find('=');
    if (equals == std::string::npos || equals == 0)
      return error(Code::usage, "A variable without a value",
                   fmt::format("`--var {}` should read --var NAME=VALUE.", given));
    out.given.emplace_back(given.substr(0, equals), given.substr(equals + 1));
  }
  return out;
}

namespace {

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, name); });
}

bool same_file(const std::string& declared_in, const std::string& given) {
  namespace fs = std::filesystem;
  fs::path a = fs::path(declared_in).lexically_normal(), b = fs::path(given).lexically_normal();
  return a == b || (!b.has_parent_path() && a.filename() == b);
}

}  // namespace

Diagnostic no_such_notebook(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::string_view> views(known.begin(), known.end());
  std::string_view close = nearest(name, views);
  Diagnostic d =
      error(Code::usage, "There is no such notebook", fmt::format("No notebook is called {}.", name));
  if (!close.empty())
    d.hint = fmt::format("Did you mean {}?", close);
  else if (!known.empty() && known.size() <= 12)
    d.hint = fmt::format("There are {}.", join(known, ", "));
  return d;
}

Result<Selection> Selection::of(const StackFlags& flags, const Manifest& manifest,
                                std::vector<std::string> names) {
  Selection out;
  out.targets_ = flags.targets;
  out.targets_.insert(out.targets_.end(), names.begin(), names.end());
  out.wanted_ = out.targets_;
  out.excluded_ = flags.excludes;
  for (const std::string& file : flags.files) {
    std::size_t before = out.wanted_.size();
    for (const Notebook& notebook : manifest.notebooks)
      if (same_file(notebook.file, file)) out.wanted_.push_back(notebook.key);
    if (out.wanted_.size() == before)
      return error(Code::usage, "A file without notebooks",
                   fmt::format("{} declares no notebook of this directory.", file));
  }
  return out;
}

bool Selection::has(std::string_view notebook) const {
  return (wanted_.empty() || matches_any(wanted_, notebook)) && !matches_any(excluded_, notebook);
}

Result<> Selection::fits(const std::vector<std::string>& known) const {
  for (const std::string& target : targets_) {
    bool fits =
        std::any_of(known.begin(), known.end(), [&](const auto& name) { return glob_match(target, name); });
    if (!fits) return no_such_notebook(target, known);
  }
  return Ok{};
}

}  // namespace nbform::cli
