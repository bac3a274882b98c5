// The relay of IAP on a port of its own: takes WebSocket connections, asks the cloud who may pass, and joins
// them to real servers on loopback; a session outlives its connection for a while and can be resumed. A
// thread for each connection. Knows no VM and no firewall rule.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "sim/cloud.h"

namespace nbform::sim {

class Relay {
 public:
  // What the cloud answers to a handshake (sim/iap.h); called from any thread.
  using Judge = std::function<Answer(const Request&)>;

  explicit Relay(Judge judge);
  ~Relay();
  // A free port of loopback. Serves from then on, until the process ends.
  Result<int> serve();

  struct Inside;

 private:
  std::shared_ptr<Inside> inside_;
};

}  // namespace nbform::sim
