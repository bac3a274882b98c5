// One TCP connection through the relay, as both sides count it: what was sent and is not acknowledged yet, so
// that it can be sent again when the session is resumed over another WebSocket, and what was received. Pure;
// knows no WebSocket, no socket and no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/iap_messages.h"

namespace nbform {

class IapSession {
 public:
  // Sent and not acknowledged, at most: what a resumption may have to send again.
  static constexpr std::size_t kWindow = std::size_t{4} << 20;
  static constexpr std::uint64_t kAckEvery = 2 * kMostIapData;  // as gcloud does

  // What a message of the relay came to. Data is for the caller; of the others only what it must act on.
  struct Step {
    enum class What { nothing, begun, resumed, data, closing } what = What::nothing;
    std::string_view bytes;  // data; closing: the reason
    std::uint32_t code = 0;  // closing
  };
  // Errors: io (malformed, out of turn, an acknowledgement that goes back or beyond what was sent).
  Result<Step> take(std::string_view message);

  // The connection under it is gone; with the next one the relay says where to go on.
  void interrupt();
  const std::string& id() const { return id_; }  // "" before `begun`
  std::uint64_t received() const { return received_; }

  // Bytes that may be given now.
  std::size_t room() const;
  void give(std::string_view bytes);  // at most room()
  // The next message to be sent, "" when there is none: acknowledgements first, then data.
  std::string next();
  bool all_sent() const { return sent_ == given_; }

 private:
  Result<Step> begin(const IapMessage& message);
  Result<Step> resume(const IapMessage& message);
  Result<> acknowledge(std::uint64_t count);

  std::string id_;
  bool open_ = false;
  std::string kept_;                       // given and not acknowledged; from `from_` on
  std::size_t from_ = 0;                   // of what counts in kept_
  std::uint64_t given_ = 0;                // bytes in all
  std::uint64_t sent_ = 0;                 // of them
  std::uint64_t confirmed_ = 0;            // of them
  std::uint64_t received_ = 0, told_ = 0;  // and as last acknowledged
};

}  // namespace nbform
