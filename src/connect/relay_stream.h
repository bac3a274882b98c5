// The way into a machine without a public address: the relay of its cloud (Google's Identity-Aware Proxy),
// with the caller's own credentials. Where it is refused the permission or the firewall rule that is missing
// is named. Knows no SSH.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cloud/ssh_access.h"
#include "engine/wire.h"
#include "net/iap.h"

namespace nbform {

// `connected` or `failed` is called from step(), and once. What failed may pass where its code is unavailable
// or timeout.
struct MachineStreamCalls {
  std::function<void(Descriptor stream)> connected;
  std::function<void(Diagnostic)> failed;
  std::function<void(std::string)> notice = {};  // of a stream that stands: it was cut and goes on, or ended
};

// Alive as long as the stream is used.
class RelayStream {
 public:
  RelayStream(Env& env, Wire& wire, const SshAccess& access, const Live& machine, int port,
              MachineStreamCalls calls);

 private:
  void begin(std::string base);
  void on_ended(const IapFailure& failure);
  void explain(Diagnostic why);
  void read_rules(const std::string& page_token);
  void judge_rules(const Result<Answer>& answer);
  void fail(Diagnostic why);

  Env& env_;
  Wire& wire_;
  const SshAccess& access_;
  Live machine_;
  int port_;
  MachineStreamCalls calls_;
  bool connected_ = false;
  Time cut_;
  Diagnostic why_;            // it could not be had, as the relay tells it
  std::vector<Value> pages_;  // of firewall rules
  std::unique_ptr<IapTunnel> tunnel_;
  Alarm soon_;
  Lifeline lifeline_;
};

}  // namespace nbform
