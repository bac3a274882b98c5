// KeyInstaller: sees that a machine lets somebody in before they sign in: that it has one of their keys, or
// is given one for a while through the cloud's API. Never part of a plan. Knows no cloud and no tunnel.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/ssh_access.h"
#include "connect/user_keys.h"
#include "engine/wire.h"
#include "net/ssh_loop.h"

namespace nbform {

struct KeyWishes {
  std::string notebook;
  const SshAccess* access = nullptr;
  std::string user;                    // as the manifest or the image has it
  bool keys_declared = false;          // the manifest says whose keys are let in
  bool user_declared = false;          // and by which name
  std::vector<std::string> key_files;  // private ones, in the order to be offered
  bool only_these_keys = false;        // no agent's, and none of nbform's own
  bool has_agent = false;
  std::string own_key;  // path of nbform's own pair; "" = none is made
};

// How one signs in now.
struct SignInAs {
  std::string user;
  std::vector<std::string> key_files;  // the one that is let in first
  bool by_cloud = false;               // the cloud's own rules say who may
  bool fresh = false;                  // a key was let in just now: the machine may not know it yet
  std::string said;                    // what was done, for people; "" = nothing
  std::vector<std::string> notices;    // sentences
};

class KeyInstaller {
 public:
  using Done = std::function<void(Result<SignInAs>)>;
  // Of a machine that is only written down for later, nothing is changed but what tells the login.
  enum class When { now, later };

  KeyInstaller(Env& env, Wire& wire, KeyWishes wishes) : env_(env), wire_(wire), wishes_(std::move(wishes)) {}

  // `machine`: as just read by Kind::read. `done` may be called at once. Errors: denied names the permission;
  // unavailable, timeout: no verdict.
  void see_to(const Live& machine, When when, Done done);

 private:
  struct Attempt;
  void list_keys(const std::shared_ptr<Attempt>& attempt);
  void judge_keys(const std::shared_ptr<Attempt>& attempt);
  void choose(const std::shared_ptr<Attempt>& attempt);
  void send(const std::shared_ptr<Attempt>& attempt);
  void ask(const std::shared_ptr<Attempt>& attempt, const Call& call, ApiRequest::Repeat repeat);
  void settle(const std::shared_ptr<Attempt>& attempt, Result<Answer> answer);
  void read_again(const std::shared_ptr<Attempt>& attempt);
  void finish(const std::shared_ptr<Attempt>& attempt);
  SignInAs as_wished(const std::string& first_file = {}) const;
  Diagnostic refused(const Attempt& attempt, Diagnostic why) const;

  Env& env_;
  Wire& wire_;
  KeyWishes wishes_;
  std::optional<std::vector<UserKey>> agent_;  // once asked
  std::optional<SignInAs> granted_;            // by a cloud that rules logins, for `granted_on_`
  std::string granted_on_;
  Time granted_until_;
  Lifeline lifeline_;
};

}  // namespace nbform
