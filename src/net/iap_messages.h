// Messages of Google's relay of TCP connections through IAP, version 4, as bytes and back (as gcloud and
// other public clients speak it). One message is one binary message of a WebSocket; numbers are big-endian.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nbform {

inline constexpr std::string_view kIapProtocol = "relay.tunnel.cloudproxy.app";
inline constexpr std::string_view kIapOrigin = "bot:iap-tunneler";
inline constexpr std::size_t kMostIapData = 16'384;  // bytes in one message

struct IapMessage {
  enum class Kind {
    connected,  // `bytes`: the session's id
    resumed,    // `count`: bytes that the relay has received
    data,       // `bytes`
    ack,        // `count`: likewise
    closing,    // `code`, and `bytes`: the reason
    unknown     // of a later version; to be passed over
  };
  Kind kind = Kind::unknown;
  std::string_view bytes;  // into what was read
  std::uint64_t count = 0;
  std::uint32_t code = 0;
};

// Errors: io (a length that does not fit, data of none or of more than kMostIapData bytes).
Result<IapMessage> read_iap_message(std::string_view message);
std::string iap_data(std::string_view bytes);  // 1..kMostIapData of them
std::string iap_ack(std::uint64_t received);

}  // namespace nbform
