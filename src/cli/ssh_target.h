// What ssh needs to know of a notebook besides its address: the login, the port and the keys, from the
// manifest, the image and the user's own files. Knows no connection.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "connect/machine_stream.h"

namespace nbform::cli {

struct SshTarget {
  const SshAccess* access = nullptr;
  std::string user;
  int port = 22;
  std::vector<std::string> key_files;  // private ones that exist, in the order to be offered
  bool only_these_keys = false;        // not the agent's
};

// The notebook of that name where it can be reached by SSH at all. Errors: usage, unsupported.
Result<const Notebook*> reachable_notebook(const Session& session, const std::string& name);

// `identities`: key files that the user named; they alone count then. Errors: usage, for an unknown login.
Result<SshTarget> ssh_target(Env& env, const Notebook& notebook, const Live& machine,
                             const std::vector<std::string>& identities);

}  // namespace nbform::cli
