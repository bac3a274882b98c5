// The front end's one door: texts in, a Manifest or everything that is wrong with it out. Pure: what it still
// wants to read it names, and the caller (cli/stack_dir.h) reads it and calls again with more. Knows no Env
// and no cloud API.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manifest/notebook.h"

namespace nbform {

// All paths are absolute and without `.` or `..`.
struct Sources {
  std::string directory;                          // the stack's
  std::string repository;                         // what includes, scripts and keys may not leave
  std::string home;                               // what ~ means; "" = unknown
  std::string shown_as;                           // how messages name `directory`: "" or "examples/gce-spot/"
  std::vector<std::string> manifests;             // every *.nb.yaml in `directory`
  std::map<std::string, std::string> files;       // path -> text, as far as read
  std::map<std::string, std::string> unreadable;  // path -> why, as in "FILE <why>": "does not exist"
};

struct Vars {
  std::vector<std::pair<std::string, std::string>> given;         // --var, the last one counts
  std::vector<std::string> files;                                 // --var-file, absolute; later ones win
  std::map<std::string, std::optional<std::string>> environment;  // as far as asked: NBFORM_VAR_x, CI
};

struct Wanted {
  enum class Kind { repository_file, any_file, environment } kind = Kind::repository_file;
  std::string name;
  bool operator==(const Wanted&) const = default;
};

// Either `wanted` holds something and the rest is unfinished, or there is a manifest, or there are errors.
struct Loaded {
  std::optional<Manifest> manifest;
  Diagnostics diagnostics;  // errors, warnings and notes, by position
  std::vector<Wanted> wanted;
};

Loaded load(const Sources& sources, const Vars& vars);

}  // namespace nbform
