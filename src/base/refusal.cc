#include "base/refusal.h"

#include <fmt/format.h>

namespace nbform {

Code code_of_http_status(int status) {
  switch (status) {
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::denied;
    case 404:
    case 410:
      return Code::not_found;
    case 408:
      return Code::unavailable;
    case 409:
    case 412:
      return Code::conflict;
    case 429:
      return Code::throttled;
    case 405:
    case 501:
      return Code::unsupported;
    default:
      break;
  }
  if (status >= 500) return Code::unavailable;
  return status >= 400 ? Code::bad_manifest : Code::io;  // a redirect or an oddity: not an API's answer
}

std::string refusal_detail(std::string_view message, int http_status, std::string_view word) {
  std::string said(message.empty() ? "The answer carries no explanation." : message);
  std::string tail = http_status == 0 ? "" : fmt::format("HTTP {}", http_status);
  if (!word.empty()) tail += fmt::format("{}{}", tail.empty() ? "" : ", ", word);
  return tail.empty() ? said : fmt::format("{} ({})", said, tail);
}

}  // namespace nbform
