// The firewall opened for the caller while a connection is wanted (`access.ssh.allow_from: me`): what is left
// behind by runs that were killed is closed first, and what this one opens is closed when it is told to.
// Knows no SSH.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/opening.h"
#include "engine/wire.h"
#include "net/ssh_loop.h"

namespace nbform {

class CallerOpening {
 public:
  // `text`: what is let in, for people.
  using Done = std::function<void(Result<>)>;
  using Opened = std::function<void(Result<std::string> text)>;

  // `stack` is its label, `notebook` its key, `port` that of SSH.
  CallerOpening(Env& env, Wire& wire, const Openings& openings, std::string stack, std::string notebook,
                int port);

  // Sees that the caller is let in to the machine from where they are now; asks nobody within a minute of the
  // last time. Errors: those of find_own_address, and what the cloud refuses.
  void ensure(const Live& machine, Opened done);
  // Takes away what is open, unless another connection from this computer needs it. `done` gets what went
  // wrong; then the next run closes it.
  void close(Done done);

 private:
  void find_source(Done done);
  void list(const std::string& page, Done done);
  void tidy(std::vector<Opening> these, Done done);
  void open(const Opened& done);
  void send(const Call& call, Done done);
  void follow(const Call& call, const Result<Answer>& answer, const Done& done);
  bool is_mine(const Opening& one) const;
  bool is_connected(const std::string& notebook);
  Diagnostic refused(Diagnostic why) const;
  std::string text() const;
  std::string request_id(std::string_view what);

  Env& env_;
  Wire& wire_;
  const Openings& openings_;
  std::string stack_;
  int port_;
  Live machine_;
  Opening mine_;              // its id is not used
  std::vector<Opening> all_;  // of the stack, as last read
  bool is_open_ = false;      // or may be
  bool opening_ = false;      // that request is under way
  Done closes_then_;          // close was called meanwhile
  std::optional<Time> ensured_;
  Lifeline lifeline_;
};

// One person on one computer, as `Opening::caller` has it.
std::string caller_id(Env& env);

}  // namespace nbform
