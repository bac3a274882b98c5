// The metadata service of an EC2 instance, version 2, and 1 where only that answers (EC2 User Guide). Knows
// no credentials.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/client.h"
#include "net/env.h"
#include "net/route.h"

namespace nbform {

class InstanceMetadata {
 public:
  // `env` must outlive this.
  explicit InstanceMetadata(Env& env);
  ~InstanceMetadata();

  // The text at a path below /latest/meta-data/. Errors: not_found, whose detail says in one clause why there
  // is nothing: switched off, not on EC2, refused. `done` is not called once this is gone.
  void get(const std::string& path, std::function<void(Result<std::string>)> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nbform
