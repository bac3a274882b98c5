// A real Jupyter on this computer that stands for the one of a simulated machine, so that nbform connect can
// be tried without a cloud. It has a directory of its own, a random token and none of the user's
// configuration, and ends with whoever holds it. Knows no simulator and no screen.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connect/jupyter.h"
#include "net/program.h"

namespace nbform::cli {

class SandboxJupyter {
 public:
  // Called once, from step(): it answers, or ended before it did (unavailable, with what it said), or did not
  // answer within a minute (timeout).
  using Found = std::function<void(Result<FoundJupyter>)>;

  // `home`: its files, made where missing. `forward`: the local port that is wished for. `for_colab`: Colab's
  // pages may call it. Errors: not_found, no Jupyter is installed here; exists, the port is taken and no
  // other will do.
  static Result<std::unique_ptr<SandboxJupyter>> start(Env& env, const std::string& home,
                                                       const TunnelForward& forward, bool for_colab,
                                                       Found found);

  const std::string& program() const { return path_; }
  // It ends its kernels and then itself; `ended` tells when. Destroyed before, it is killed.
  void stop() { program_->terminate(); }
  bool ended() const { return ended_; }

 private:
  SandboxJupyter(Env& env, std::string path, std::unique_ptr<Program> program, JupyterServer server,
                 Found found);
  void look();
  void ask();

  Env& env_;
  std::string path_;
  std::unique_ptr<Program> program_;
  FoundJupyter jupyter_;
  Found found_;
  Time begun_;
  bool ended_ = false;
  Alarm again_;
  Lifeline lifeline_;
};

}  // namespace nbform::cli
