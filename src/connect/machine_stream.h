// The way into a machine: a byte stream to its SSH server, for whoever speaks SSH over it. Which way that is
// (a public address) is decided here alone. Knows no SSH and verifies nobody.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cloud/ssh_access.h"
#include "net/env.h"
#include "net/ssh_socket.h"

namespace nbform {

// Both are called from step(), one of them and once.
struct MachineStreamCalls {
  std::function<void(Descriptor stream)> connected;
  std::function<void(Diagnostic)> failed;
};

// Alive as long as the stream is used. `notebook` is for people.
class MachineStream {
 public:
  MachineStream(Env& env, const SshAccess& access, const Live& machine, int port, std::string notebook,
                MachineStreamCalls calls);

 private:
  Env& env_;
  MachineStreamCalls calls_;
  Alarm soon_;
  std::unique_ptr<Connecting> connecting_;
};

// That there is none from here.
Diagnostic no_way_in(const std::string& notebook);

}  // namespace nbform
