// A stack on a simulated cloud: notebooks made in code, planned and applied in virtual time. For engine
// tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/apply.h"
#include "engine/planner.h"
#include "sim/sim_env.h"
#include "support/fake_env.h"

namespace nbform {

// A notebook in us-central1-b with a given image and boot disk; change it before planning.
Notebook sample_notebook(const std::string& key);

class Stage {
 public:
  explicit Stage(sim::Options options = default_options());

  // Declares a sample notebook.
  Notebook& notebook(const std::string& key);
  // One of EC2: a g4dn.xlarge in us-west-2a.
  Notebook& ec2_notebook(const std::string& key);
  Manifest& manifest() { return manifest_; }

  Planned plan(DiffOptions options = {}) { return plan(std::move(options), false); }
  // As an apply does: what is under way is awaited first.
  Planned settled_plan(DiffOptions options = {}) { return plan(std::move(options), true); }
  Outcome apply(const Planned& planned, ApplyOptions options = {});
  Outcome plan_and_apply(DiffOptions options = {}) {
    Planned planned = plan(std::move(options));
    return apply(planned);
  }
  // Mutations (wait polls aside) sent since the last call, "POST zones/us-central1-b/instances/train/stop".
  std::vector<std::string> mutations();

  static sim::Options default_options();
  static WireOptions wire_options();  // of the sandbox, on both clouds

  std::string aws_account{sim::kAwsAccount};  // as declared
  sim::World world;
  FakeEnv outside;
  sim::SimEnv env;

 private:
  Planned plan(DiffOptions options, bool await_settling);

  Manifest manifest_;
  std::size_t seen_ = 0;
  int runs_ = 0;
};

// Problems, changes and their edits, a line each.
std::string text_of(const Planned& planned);
bool all_done(const Outcome& outcome);

}  // namespace nbform
