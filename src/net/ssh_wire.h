// The socket under an SSH session, with queues of its own in both directions, so that the library above never
// sees a send that went half way (libssh2 1.10 cannot bear it) and never has to wait. Knows no SSH, no loop.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/ssh_loop.h"

namespace nbform {

class SshWire {
 public:
  static constexpr std::size_t kInbox = std::size_t{256} << 10;
  static constexpr std::size_t kCongested = std::size_t{256} << 10;

  explicit SshWire(Descriptor socket) : socket_(std::move(socket)), inbox_(kInbox) {}

  int fd() const { return socket_.get(); }
  // Receives what there is, as far as there is room.
  void fill();
  // Sends what is queued, as far as the socket takes it.
  void flush();
  Readiness wants() const {
    return {.read = !ended_ && tail_ - head_ < kInbox, .write = !ended_ && queued() > 0};
  }

  // The library's side. -EAGAIN: nothing there; 0: the end.
  ssize_t take(char* into, std::size_t size);
  // Takes all of it, whatever the socket says.
  ssize_t put(const char* bytes, std::size_t size);

  std::size_t queued() const { return outbox_.size() - sent_; }
  bool congested() const { return queued() >= kCongested; }  // hold back what can wait
  bool ended() const { return ended_; }                      // by the peer, or cut
  int error() const { return error_; }                       // errno of a hard failure, else 0
  std::uint64_t received() const { return received_; }       // bytes so far
  bool speaks_ssh() const { return greeting_ == "SSH-"; }    // its first bytes
  // From now on nothing goes in or out; the library sees the end.
  void cut();

 private:
  std::size_t send_now(const char* bytes, std::size_t size);
  void fail(int error);

  Descriptor socket_;
  std::vector<char> inbox_;
  std::size_t head_ = 0, tail_ = 0;  // of what is unread in the inbox
  std::string outbox_;
  std::size_t sent_ = 0;  // of the outbox
  std::uint64_t received_ = 0;
  std::string greeting_;
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace nbform
