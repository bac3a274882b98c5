// One running program: no shell, its input empty, its output collected without blocking. Knows no loop:
// whoever owns it polls its descriptors and calls pump().
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "net/env.h"

namespace nbform {

class Program {
 public:
  // Found on PATH. Errors: not_found, denied, io.
  static Result<std::unique_ptr<Program>> start(const std::vector<std::string>& argv);
  ~Program();  // kills it where it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Those still open; readable or hung up means pump() has something to do.
  std::vector<int> descriptors() const;
  // Reads what there is. True once the program has ended and everything is read. Without open descriptors it
  // must be called again from time to time.
  bool pump();
  void kill();       // and what it started
  void terminate();  // asks them to end
  const ProgramResult& so_far() const { return result_; }
  ProgramResult take() { return std::move(result_); }

 private:
  Program(pid_t pid, int out, int err) : pid_(pid), out_(out), err_(err) {}

  pid_t pid_;
  int out_, err_;
  bool ended_ = false;
  ProgramResult result_;
};

// Puts another program in the place of this one, which it leaves nothing to: terminal, signals and exit code
// are its own. Comes back only to say why it cannot be started.
Diagnostic become(const std::vector<std::string>& argv);

}  // namespace nbform
