// What goes wrong on the way through IAP, in words of a person who can mend it: the relay's HTTP statuses and
// close codes (as gcloud reads them). Pure; knows no connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace nbform {

// Where Google's relay comes from, as firewalls see it, and what a caller needs.
inline constexpr std::string_view kIapRange = "35.235.240.0/20";
inline constexpr std::string_view kIapPermission = "iap.tunnelInstances.accessViaIAP";
inline constexpr std::string_view kIapRole = "roles/iap.tunnelResourceAccessor";

// The machine's end: a port of one of its interfaces.
struct IapTarget {
  std::string project, zone, instance;
  std::string interface = "nic0";
  int port = 22;
};

struct IapFailure {
  // What the caller may do about it.
  enum class Cure {
    none,     // somebody has to mend something
    wait,     // it may pass: a machine that still starts, a relay that is busy
    token,    // another access token
    restart,  // this session is over, a new one may do
    over      // none needed: the machine's end of the connection was closed
  };
  Cure cure = Cure::none;
  Diagnostic why;
};

// Summary of the failure that a firewall may explain.
inline constexpr std::string_view kIapNotReached = "IAP does not reach the machine";

// The handshake's answer, which is no 101.
IapFailure iap_refused(int status, const IapTarget& target);
// A close code of the WebSocket, or of LONG_CLOSE. `reason`: the relay's words.
IapFailure iap_closed(std::uint32_t code, std::string_view reason, const IapTarget& target);

}  // namespace nbform
