#include "sim/refusal.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace nbform::sim {

namespace {
struct Reason {
  std::string_view name;
  int status;
  std::string_view rpc;  // google.rpc.Code
};
constexpr std::array kReasons = {
    Reason{"authError", 401, "UNAUTHENTICATED"},
    Reason{"forbidden", 403, "PERMISSION_DENIED"},
    Reason{"rateLimitExceeded", 403, ""},
    Reason{"tooManyRequests", 429, ""},
    Reason{"quotaExceeded", 403, ""},
    Reason{"accessNotConfigured", 403, "PERMISSION_DENIED"},
    Reason{"notFound", 404, "NOT_FOUND"},
    Reason{"methodNotAllowed", 405, ""},
    Reason{"alreadyExists", 409, "ALREADY_EXISTS"},
    Reason{"operationInProgress", 409, ""},
    Reason{"conditionNotMet", 412, ""},
    Reason{"backendError", 503, "UNAVAILABLE"},
    Reason{"internalError", 500, "INTERNAL"},
    Reason{"notImplemented", 501, ""},
    Reason{"badRequest", 400, "INVALID_ARGUMENT"},
};

const Reason* find_reason(std::string_view name) {
  auto it = std::find_if(kReasons.begin(), kReasons.end(), [&](const Reason& r) { return r.name == name; });
  return it == kReasons.end() ? nullptr : &*it;
}
}  // namespace

Diagnostic refuse(std::string_view reason, std::string message) {
  Diagnostic d = error(Code::conflict, "The simulated cloud refused", std::move(message));
  d.provider_code = reason;
  return d;
}

int http_status(std::string_view reason) {
  const Reason* r = find_reason(reason);
  return r == nullptr ? 400 : r->status;
}

Response json_response(int status, std::string body) {
  return {status, {{"Content-Type", "application/json; charset=UTF-8"}, {"Server", "ESF"}}, std::move(body)};
}

Response compute_refusal(const Diagnostic& refusal) {
  int status = http_status(refusal.provider_code);
  std::string_view reason = refusal.provider_code == "tooManyRequests"
                                ? "rateLimitExceeded"
                                : std::string_view(refusal.provider_code);
  Map item{{"domain", "global"}, {"message", refusal.detail}, {"reason", reason}};
  Map body{{"code", status}, {"message", refusal.detail}};
  if (status == 401) {
    item.set("location", "Authorization");
    item.set("locationType", "header");
    body.set("status", "UNAUTHENTICATED");
  }
  body.set("errors", List{item});
  return json_response(status, to_pretty_json(Map{{"error", body}}));
}

Response rpc_refusal(const Diagnostic& refusal) {
  const Reason* r = find_reason(refusal.provider_code);
  std::string_view status = r == nullptr || r->rpc.empty() ? "INVALID_ARGUMENT" : r->rpc;
  return json_response(http_status(refusal.provider_code),
                       to_pretty_json(Map{{"error", Map{{"code", http_status(refusal.provider_code)},
                                                        {"message", refusal.detail},
                                                        {"status", status}}}}));
}

Response oauth_refusal(std::string_view error, std::string_view description, int status) {
  return json_response(status, to_pretty_json(Map{{"error", error}, {"error_description", description}}));
}

std::string to_text(const Value& value) {
  return value.is_text() ? std::string(value.as_text()) : to_json(value);
}

}  // namespace nbform::sim
