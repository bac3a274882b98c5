// What a tunnel forwards, as people write it, and which local ports may stand in for a taken one. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace nbform {

struct TunnelForward {
  int local = 0;                   // on this computer's loopback; 0 = any free one
  bool fixed = false;              // exactly this one, or fail
  std::string host = "127.0.0.1";  // as the machine sees it
  int port = 0;

  std::string target() const;  // "127.0.0.1:8888"
  bool operator==(const TunnelForward&) const = default;
};

// "9999:8888", "9999:host:8888", "127.0.0.1:9999:host:8888", as for ssh -L; IPv6 addresses in brackets. The
// local port is fixed. usage: not of this form, or to listen elsewhere than on loopback.
Result<TunnelForward> parse_forward(std::string_view text);

// The ports to try, in order: the one asked for, its successors, any.
std::vector<int> local_ports(const TunnelForward& forward);

// Pauses between attempts to reach a machine: short at first, doubling to half a minute.
class Backoff {
 public:
  // `random`: uniform in [0, 1000); a quarter of the pause is left to it.
  Duration next(std::uint64_t random);
  void reset() { attempts_ = 0; }

 private:
  int attempts_ = 0;
};

}  // namespace nbform
