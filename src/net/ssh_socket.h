// Sockets of a tunnel: a connection to an address, and listeners on loopback. Knows no SSH.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/ssh.h"
#include "net/ssh_loop.h"

namespace nbform {

// Tries the addresses of a host, one after the other, until one takes the connection. `done` is called once,
// from step(); destroyed, it gives up. A name is looked up at once, by the system's resolver, which may take
// its time; an address needs no lookup.
class Connecting {
 public:
  // What came of it: a connection, or a failure (unreachable, refused, timed_out).
  struct Outcome {
    Descriptor socket;
    SshFailure failure;
  };

  Connecting(Env& env, std::string host, int port, Duration limit, std::function<void(Outcome)> done);

 private:
  void next();
  void settled();
  void end(Outcome outcome);
  SshFailure failure(int error) const;

  std::string host_;
  int port_;
  std::function<void(Outcome)> done_;
  std::vector<std::string> addresses_;  // sockaddr, as bytes
  std::size_t tried_ = 0;
  int last_error_ = 0;
  Descriptor socket_;
  Watch watch_;
  Alarm limit_, turn_;
};

// Small packets at once; a peer that is gone is noticed by TCP as well.
void tune_socket(int fd);

// A listener on 127.0.0.1 and, where there is IPv6, on ::1, so that `localhost` means us either way.
struct Listener {
  int port = 0;
  std::vector<Descriptor> sockets;
};
// `port` 0: any free one. exists: something listens there already.
Result<Listener> listen_on_loopback(int port);
// A connection that waits at a listener; none when there is none. `out_of_descriptors` is told apart.
Descriptor accept_one(int listener, bool& out_of_descriptors);

}  // namespace nbform
