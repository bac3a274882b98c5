// A TCP connection to a machine and what the relay counts of it, apart from the WebSocket that carries it at
// the moment. Knows no WebSocket.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nbform::sim {

class RelaySession {
 public:
  static constexpr std::uint64_t kWindow = 256 << 10;  // sent to the client and not acknowledged, at most

  RelaySession(std::string sid, int target) : sid_(std::move(sid)), target_(target) {}
  ~RelaySession();
  RelaySession(const RelaySession&) = delete;
  RelaySession& operator=(const RelaySession&) = delete;

  const std::string& sid() const { return sid_; }
  int target() const { return target_; }

  // A message of the client: the close code that it deserves, 0 = none.
  int take(std::string_view message);
  // Bytes of the machine, as far as the window lets it; a message for the client, "" = none now.
  std::string read_target();
  bool wants_to_read() const { return !target_ended_ && sent_ - acked_ < kWindow; }
  bool wants_to_write() const { return written_ < down_.size(); }
  bool congested() const { return down_.size() - written_ > (1u << 20); }
  void write_target();
  bool target_ended() const { return target_ended_; }
  // An acknowledgement once `every` bytes are not, "" = none now.
  std::string ack(std::uint64_t every);

  // The client goes on from its byte `count`: 0 and what it has to be sent again, or a close code.
  int resume(std::uint64_t count, std::string& again);
  std::uint64_t received() const { return received_; }
  std::uint64_t moved() const { return received_ + sent_; }  // both ways

  bool attached = false;  // by a connection
  std::chrono::steady_clock::time_point left;

 private:
  int acknowledge(std::uint64_t count);

  std::string sid_;
  int target_;
  std::string kept_;  // sent and not acknowledged
  std::uint64_t sent_ = 0, acked_ = 0;
  std::string down_;  // for the machine
  std::size_t written_ = 0;
  std::uint64_t received_ = 0, told_ = 0;
  bool target_ended_ = false;
};

}  // namespace nbform::sim
