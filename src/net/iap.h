// A TCP connection to a port of a VM through Google's Identity-Aware Proxy, for machines without a public
// address: a stream on this side, the relay's WebSocket on the other. When the WebSocket breaks the session
// is resumed over another one, with a fresh token where that is the reason, and neither side notices more
// than a pause. Knows no SSH and nothing of how the VM was found.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/client.h"
#include "net/env.h"
#include "net/iap_words.h"
#include "net/ssh_loop.h"

namespace nbform {

struct IapSettings {
  std::string base;  // of the relay: "https://tunnel.cloudproxy.app/v4/"
  IapTarget target;
  Authorize authorize;                              // must give exchanged tokens, not self-signed ones
  Duration begin_limit = std::chrono::seconds(60);  // for the relay to reach the machine
  Duration patience = std::chrono::minutes(15);     // with resuming
  Duration quiet = std::chrono::seconds(8);         // see WebSocketSettings
};

// All are called from Env::step(). Only `ended`, the last of them, may destroy the tunnel.
struct IapCalls {
  std::function<void(Descriptor stream)> connected;  // our end of it; closing it ends the tunnel
  std::function<void(const Diagnostic& why)> interrupted;
  std::function<void()> resumed;
  std::function<void(IapFailure)> ended;  // before `connected`: it cannot be had
};

class IapTunnel {
 public:
  IapTunnel(Env& env, IapSettings settings, IapCalls calls);
  ~IapTunnel();

  class Machine;  // its insides

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace nbform
