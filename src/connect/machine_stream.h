// The way into a machine: a byte stream to its SSH server, for whoever speaks SSH over it. Which way that is
// (the public address, else the relay of its cloud) is decided here alone. Knows no SSH and verifies nobody.
#pragma once

#include <memory>
#include <string>

#include "connect/relay_stream.h"
#include "net/ssh_socket.h"

namespace nbform {

// Alive as long as the stream is used. `notebook` is for people.
class MachineStream {
 public:
  MachineStream(Env& env, Wire& wire, const SshAccess& access, const Live& machine, int port,
                std::string notebook, MachineStreamCalls calls);

 private:
  Env& env_;
  MachineStreamCalls calls_;
  Alarm soon_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<RelayStream> relay_;
};

// A machine without a public address whose cloud has a relay for it.
bool goes_by_relay(const SshAccess& access, const Live& machine);
// That there is none from here.
Diagnostic no_way_in(const std::string& notebook);

}  // namespace nbform
