// One run of a command on one stack: the manifest, the world to work in (real or sandbox), the wire to it,
// and the request for a plan. So no command reads or compares by itself. Knows no screen layout.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/sandbox.h"
#include "cli/selection.h"
#include "cli/shell.h"
#include "engine/planner.h"
#include "net/google_home.h"

namespace nbform::cli {

class Session {
 public:
  // Null where something is wrong; then it has been reported and `exit_code` set.
  static std::unique_ptr<Session> open(Shell& shell, const StackFlags& flags, int& exit_code);
  ~Session();

  Env& env() { return *env_; }
  Wire& wire() { return *wire_; }
  Shell& shell() const { return shell_; }
  const Manifest& manifest() const { return manifest_; }
  const StackFlags& flags() const { return flags_; }
  const std::string& directory() const { return directory_; }
  bool in_sandbox() const { return flags_.sandbox; }
  // Saves the simulated cloud and gives it back, to other commands; the world is the real one then, and
  // nothing more can be asked of a cloud.
  Result<> leave_sandbox();
  // Overridden endpoints: base URL and the variable that says so.
  const std::vector<std::pair<std::string, std::string>>& endpoints() const { return endpoints_; }

  // What a plan of this stack needs; selection and what was asked for are the command's.
  PlanRequest request() const;
  std::vector<std::string> notebook_names() const;

  // Adds the source line to what has a place in the manifests.
  void complete(Diagnostic& diagnostic) const;
  void complete(Diagnostics& diagnostics) const;

  int interrupts() const { return *interrupts_; }
  std::function<bool()> stop() const;

  // Where this stack is now: kept for later runs. Problems are reported only.
  void remember(const std::vector<Scope>& scopes);
  // Steps until `done`. Errors: cancelled, the user interrupted first; what is under way still is.
  Result<> step_until(const std::function<bool()>& done);
  // One line from the terminal. Errors: usage (no terminal), cancelled.
  Result<std::string> ask(const std::string& question);

 private:
  Session(Shell& shell, const StackFlags& flags) : shell_(shell), flags_(flags) {}
  Result<> enter();  // directory and world
  bool load();       // manifest; false: reported
  GoogleDefaults defaults_of_environment();
  Result<> connect();  // wire, endpoints, accounts
  Result<> find_projects();
  Result<> find_accounts();
  Result<> look_at_endpoints();
  void count_interrupts();

  Shell& shell_;
  StackFlags flags_;
  std::string directory_;
  Manifest manifest_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Env> logging_;
  Env* env_ = nullptr;
  std::unique_ptr<Wire> wire_;
  std::map<std::string, std::string> accounts_;
  std::vector<Scope> inventory_;
  std::vector<std::pair<std::string, std::string>> endpoints_;
  std::shared_ptr<int> interrupts_ = std::make_shared<int>(0);
};

// The exit code of an error that ended a command before anything was sent.
int exit_code_of(const Diagnostic& error);

}  // namespace nbform::cli
