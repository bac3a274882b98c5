// Standard input and output as one end of a connection whose other end is a socket: how a program stands in
// for TCP in somebody else's pipe. Each direction ends by itself, and neither is read faster than the other
// side takes it. Knows no SSH.
#pragma once

#include <functional>
#include <string>

#include "net/ssh_loop.h"

namespace nbform {

// Moves bytes one way until the end of `from`, which it then makes the end of `to` where that is a socket.
class Pump {
 public:
  // `over` is called once, from step(), and may destroy the pump.
  Pump(Env& env, int from, int to, std::function<void()> over);
  ~Pump();  // leaves both descriptors as they were
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

 private:
  void read();
  void write();
  void end();

  int from_, to_;
  int from_flags_, to_flags_;
  std::string held_;
  std::function<void()> over_;
  Watch readable_, writable_;
};

class StdioRelay {
 public:
  // `over` is called once: the far side has said all, or nobody reads us any more.
  StdioRelay(Env& env, Descriptor far, std::function<void()> over);

 private:
  Descriptor far_;
  Pump down_, up_;
};

}  // namespace nbform
