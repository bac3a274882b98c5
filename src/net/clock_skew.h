// How far this machine's clock is off, learnt from servers that did not accept a signature's time
// (as the AWS SDKs do). Pure; knows no signature.
#pragma once

#include <map>
#include <string>

#include "base/message.h"
#include "base/time.h"

namespace nbform {

class ClockSkew {
 public:
  // The time by the server's clock where that is known.
  Time now(const std::string& origin, Time local) const;
  // True where the answer's code may blame the clock and its Date is more than four minutes from now(), or
  // was before an answer to another request corrected it, after this one had left at `sent`: the same request
  // at the corrected time may be accepted. Both times by this machine's clock.
  bool learn(const std::string& origin, const Response& answer, Time sent, Time local);
  // What was learnt last, from whichever server.
  Duration offset() const { return latest_; }

 private:
  struct Correction {
    Duration offset;
    Time learnt;  // by this machine's clock
  };
  std::map<std::string, Correction> corrections_;
  Duration latest_{0};
};

}  // namespace nbform
