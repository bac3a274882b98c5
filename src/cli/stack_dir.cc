#include "cli/stack_dir.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "manifest/file_access.h"

namespace nbform {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = std::size_t{1} << 20;
constexpr std::size_t kMostRounds =
    16;  // includes and `each` files want files of their own; nothing nests deeper

std::string clause(const Diagnostic& d) {
  if (d.code == Code::not_found) return "does not exist";
  if (d.code == Code::denied) return "may not be read by you";
  if (d.summary.find("circle") != std::string::npos) return "is part of a circle of symbolic links";
  return fmt::format("can't be read ({})", d.summary);
}

class DirectoryLoader {
 public:
  DirectoryLoader(Env& env, const std::string& directory, Vars vars)
      : env_(env), written_(directory), vars_(std::move(vars)) {}

  Loaded run() {
    if (auto problem = find_directory()) return failed(std::move(*problem));
    if (auto problem = list_manifests()) return failed(std::move(*problem));
    find_repository();
    sources_.home = env_.env_var("HOME").value_or("");
    for (std::string& file : vars_.files) file = absolute(file);
    for (const std::string& path : sources_.manifests) read(path, true);
    return rounds();
  }

 private:
  static Loaded failed(Diagnostic d) {
    Loaded out;
    out.diagnostics.add(std::move(d));
    return out;
  }

  std::optional<Diagnostic> find_directory() {
    auto info = env_.file_info(written_);
    if (!info.ok())
      return error(Code::usage, "No such directory", fmt::format("`{}` {}.", written_, clause(info.error())));
    if (info->kind == FileInfo::Kind::file)
      return error(
          Code::usage, "Not a directory",
          fmt::format(
              "`{}` is a file. nbform works on a directory; -f FILE selects the notebooks of one file in it.",
              written_));
    if (info->kind != FileInfo::Kind::directory)
      return error(Code::usage, "Not a directory", fmt::format("`{}` is no directory.", written_));
    sources_.directory = info->resolved;
    std::string shown = fs::path(written_).lexically_normal().generic_string();
    if (shown != "." && shown != "./") sources_.shown_as = shown.ends_with('/') ? shown : shown + "/";
    return std::nullopt;
  }

  std::optional<Diagnostic> list_manifests() {
    auto names = env_.list_directory(sources_.directory);
    if (!names.ok())
      return error(Code::usage, "Unreadable directory",
                   fmt::format("`{}` {}.", written_, clause(names.error())));
    std::string nearly;
    for (const std::string& name : *names) {
      if (name.ends_with(".nb.yaml") && name.size() > 8)
        sources_.manifests.push_back(sources_.directory + "/" + name);
      else if (name.ends_with(".yaml") || name.ends_with(".yml"))
        nearly = name;
    }
    if (!sources_.manifests.empty()) return std::nullopt;
    Diagnostic d =
        error(Code::usage, "No manifests", fmt::format("There is no *.nb.yaml file in `{}`.", written_));
    if (!nearly.empty())
      d.detail += fmt::format(" `{}` is not read, since its name does not end in .nb.yaml.", nearly);
    d.hint = "`nbform init` writes a first manifest.";
    return d;
  }

  void find_repository() {
    sources_.repository = sources_.directory;
    for (fs::path at = sources_.directory;; at = at.parent_path()) {
      if (env_.file_info((at / ".git").generic_string()).ok()) {
        sources_.repository = at.generic_string();
        return;
      }
      if (at == at.parent_path()) return;
    }
  }

  std::string absolute(const std::string& path) {
    if (fs::path(path).is_absolute()) return fs::path(path).lexically_normal().generic_string();
    auto here = env_.file_info(".");
    return here.ok() ? (fs::path(here->resolved) / path).lexically_normal().generic_string() : path;
  }

  Loaded rounds() {
    Loaded loaded;
    for (std::size_t i = 0; i < kMostRounds; ++i) {
      loaded = load(sources_, vars_);
      if (loaded.wanted.empty()) return loaded;
      for (const Wanted& w : loaded.wanted) fetch(w);
    }
    bug("a manifest wants ever more files");
  }

  void fetch(const Wanted& w) {
    if (w.kind == Wanted::Kind::environment)
      vars_.environment[w.name] = env_.env_var(w.name);
    else
      read(w.name, w.kind == Wanted::Kind::repository_file);
  }

  void read(const std::string& path, bool inside_only) {
    std::string problem = why_not(path, inside_only);
    if (problem.empty()) {
      auto text = env_.read_file(path, kLargest);
      if (text.ok()) {
        sources_.files[path] = std::move(*text);
        return;
      }
      problem = clause(text.error());
    }
    sources_.unreadable[path] = std::move(problem);
  }

  std::string why_not(const std::string& path, bool inside_only) {
    auto info = env_.file_info(path);
    if (!info.ok()) return clause(info.error());
    if (inside_only && !is_below(info->resolved, sources_.repository))
      return fmt::format("leads out of the repository, to {}", info->resolved);
    if (info->kind == FileInfo::Kind::directory) return "is a directory, not a file";
    if (info->kind != FileInfo::Kind::file) return "is not a plain file";
    if (info->size > kLargest) return fmt::format("has {} bytes; 1 MiB is possible", info->size);
    return {};
  }

  Env& env_;
  std::string written_;
  Vars vars_;
  Sources sources_;
};

}  // namespace

Loaded load_directory(Env& env, const std::string& directory, Vars vars) {
  return DirectoryLoader(env, directory.empty() ? "." : directory, std::move(vars)).run();
}

}  // namespace nbform
