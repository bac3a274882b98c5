#include "net/iap_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nbform {

namespace {

using Cure = IapFailure::Cure;

struct CloseCode {
  std::uint32_t code;
  std::string_view what;
  Cure cure;
};

// Those that need no more than a sentence.
constexpr std::array kCodes = {
    CloseCode{1000, "it ended the connection", Cure::over},
    CloseCode{1001, "it is going away", Cure::restart},
    CloseCode{1011, "it failed", Cure::restart},
    CloseCode{1012, "it is restarted", Cure::restart},
    CloseCode{1013, "it is busy", Cure::wait},
    CloseCode{4000, "it does not say why", Cure::restart},
    CloseCode{4001, "it does not know the session any more", Cure::restart},
    CloseCode{4002, "it holds the session for another connection", Cure::restart},
    CloseCode{4005, "it takes an acknowledgement for wrong", Cure::restart},
    CloseCode{4006, "it takes an acknowledgement for invalid", Cure::restart},
    CloseCode{4007, "it takes a message for invalid", Cure::restart},
    CloseCode{4008, "it does not know the kind of a message", Cure::restart},
    CloseCode{4009, "the machine takes no more", Cure::over},
    CloseCode{4010, "the machine sends no more", Cure::over},
    CloseCode{4013, "it takes data for invalid", Cure::restart},
    CloseCode{4051, "it does not find the machine any more", Cure::restart},
    CloseCode{4074, "it cannot go back to where the session was cut", Cure::restart},
};

Diagnostic not_allowed(const IapTarget& target, std::string_view sign) {
  return error(
             Code::denied, "IAP does not let this account through",
             fmt::format("The way to {} was refused ({}). It takes the permission {}, which the role {} has.",
                         target.instance, sign, kIapPermission, kIapRole))
      .with_hint(fmt::format("Somebody who manages the project can grant it:\n"
                             "    gcloud projects add-iam-policy-binding {} --role={} "
                             "--member=user:YOU@EXAMPLE.COM",
                             target.project, kIapRole));
}

Diagnostic token_refused(const std::string& sign) {
  return error(Code::unauthenticated, "IAP does not take the access token",
               fmt::format("The relay answers {}.", sign))
      .with_hint("Log in again:\n    gcloud auth application-default login");
}

// A firewall that keeps the relay out looks the same as a machine where nothing listens.
Diagnostic not_reached(const IapTarget& target) {
  return error(Code::unavailable, std::string(kIapNotReached),
               fmt::format("Nothing listens on port {} of {}, or no firewall rule lets {} in.", target.port,
                           target.instance, kIapRange));
}

std::string quoted(std::string_view reason) {
  return reason.empty() ? "" : fmt::format(" It says: {}.", printable(reason.substr(0, 200)));
}

}  // namespace

IapFailure iap_refused(int status, const IapTarget& target) {
  const std::string sign = fmt::format("HTTP {}", status);
  if (status == 401) return {Cure::token, token_refused(sign)};
  if (status == 429 || status >= 500)
    return {Cure::wait,
            error(Code::unavailable, "IAP is not available", fmt::format("The relay answers {}.", sign))};
  if (status == 400 || status == 403 || status == 404) return {Cure::none, not_allowed(target, sign)};
  return {Cure::none,
          error(Code::io, "The server does not speak WebSocket", fmt::format("The relay answers {}.", sign))};
}

IapFailure iap_closed(std::uint32_t code, std::string_view reason, const IapTarget& target) {
  const std::string sign = fmt::format("code {}", code);
  if (code == 4003) return {Cure::wait, not_reached(target)};
  if (code == 4004) return {Cure::token, token_refused(sign)};
  if (code == 4033) return {Cure::none, not_allowed(target, sign)};
  if (code == 4047)
    return {Cure::wait,
            error(Code::unavailable, "IAP does not find the machine",
                  fmt::format("{} in {} is not there, or not running yet.", target.instance, target.zone))};
  auto known = std::find_if(kCodes.begin(), kCodes.end(), [&](const CloseCode& c) { return c.code == code; });
  const bool found = known != kCodes.end();
  return {found ? known->cure : Cure::restart,
          error(Code::unavailable, "IAP closed the connection",
                fmt::format("The relay closed it with {}: {}.{}", sign,
                            found ? known->what : "it does not say why", quoted(reason)))};
}

}  // namespace nbform
