// From a directory to a Manifest: lists the *.nb.yaml files, reads through Env what load() wants, and calls
// it until it is done. Whatever the file system has in store (no manifests, symlink loops, pipes, links out
// of the repository) becomes a finding at the place that names it. Judges no manifest itself.
#pragma once

#include <string>

#include "manifest/load.h"
#include "net/env.h"

namespace nbform {

// `directory` as the user named it ("." where none was named); messages name files below it the same way.
// Paths in vars.files are as the user wrote them, relative to the working directory.
Loaded load_directory(Env& env, const std::string& directory, Vars vars = {});

}  // namespace nbform
