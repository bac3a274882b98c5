// Which host keys a machine has: those that were verified before, else what the cloud's API shows, asked
// again while a boot may still have to write them. Knows no tunnel and no screen, and trusts nothing that a
// machine says of itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/ssh_access.h"
#include "connect/known_machines.h"
#include "engine/wire.h"
#include "net/ssh_loop.h"

namespace nbform {

struct FoundHostKeys {
  std::vector<HostKey> keys;         // none: no source shows any
  std::string from;                  // for people: "guest attributes", "verified before"
  std::vector<std::string> reasons;  // where there are none: why each source shows none
};

class HostKeyFinder {
 public:
  using Done = std::function<void(Result<FoundHostKeys>)>;

  HostKeyFinder(Env& env, Wire& wire, const SshAccess& access, std::string known_machines)
      : env_(env), wire_(wire), access_(access), known_(env, std::move(known_machines)) {}

  // What is found is remembered. `until`: how long a boot that has not written its keys is waited for;
  // `on_wait` is told each time. Errors: those of the file, and no answer from the cloud.
  void find(const Live& machine, Time until, std::function<void()> on_wait, Done done);

  KnownMachines& known() { return known_; }

 private:
  struct Search;
  void look(const std::shared_ptr<Search>& search);
  void ask(const std::shared_ptr<Search>& search);
  void judge(const std::shared_ptr<Search>& search, const Result<Answer>& answer);
  void none(const std::shared_ptr<Search>& search);

  Env& env_;
  Wire& wire_;
  const SshAccess& access_;
  KnownMachines known_;
  Lifeline lifeline_;
};

// That nobody can tell who answers, and what to do about it.
Diagnostic no_host_key(const std::string& notebook, const std::vector<std::string>& reasons);

}  // namespace nbform
