// The host keys of machines that were verified before, by what tells machines apart (not by address, which
// changes with each start): one line a key in a file of the stack. Losing it costs one more call.
#pragma once

#include <string>
#include <vector>

#include "net/env.h"
#include "net/ssh.h"

namespace nbform {

class KnownMachines {
 public:
  KnownMachines(Env& env, std::string path) : env_(env), path_(std::move(path)) {}

  // A missing file and lines that are none count as nothing known. Errors: io, denied.
  Result<std::vector<HostKey>> keys_of(const std::string& machine_id);
  Result<> remember(const std::string& machine_id, const std::vector<HostKey>& keys);
  const std::string& path() const { return path_; }

 private:
  Env& env_;
  std::string path_;
};

}  // namespace nbform
