// The simulated cloud of a stack: a World kept in .nbform/sandbox.json, locked while it is used, behind an
// Env whose network is that World and whose time is virtual. Knows no manifest and no plan.
#pragma once

#include <memory>
#include <string>

#include "net/env.h"
#include "net/sigv4.h"
#include "sim/cloud.h"
#include "sim/sim_env.h"

namespace nbform::cli {

class Sandbox {
 public:
  static constexpr const char* kToken = "sandbox";  // the bearer token that the World accepts
  static constexpr const char* kProject = "sandbox-project";

  // Errors: lock_held (another command uses it), io (the file is damaged or of another version).
  static Result<std::unique_ptr<Sandbox>> open(Env& outside, const std::string& stack_directory);
  // Forgets the whole simulated cloud.
  static Result<> reset(Env& outside, const std::string& stack_directory);

  // A key of that account ("" for the sandbox's own), which the World accepts.
  AwsKeys aws_keys(const std::string& account);

  Env& env() { return *env_; }
  sim::World& world() { return world_; }
  // Whole or not at all; virtual time goes on from here.
  Result<> save();

 private:
  Sandbox(Env& outside, std::string path, std::unique_ptr<FileLock> lock, sim::World world);

  Env& outside_;
  std::string path_;
  std::unique_ptr<FileLock> lock_;
  sim::World world_;
  std::unique_ptr<sim::SimEnv> env_;
};

}  // namespace nbform::cli
