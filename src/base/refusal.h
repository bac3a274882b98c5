// What the refusals of any cloud's HTTP API have in common: a status without a word, and a message for
// people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nbform {

inline constexpr std::size_t kMaxRefusalMessage = 2000;  // bytes of the cloud's own words that are kept

// By RFC 9110; for answers whose envelope says nothing more. Not for 2xx.
Code code_of_http_status(int status);

// "MESSAGE (HTTP 403, word)", without what is empty or 0.
std::string refusal_detail(std::string_view message, int http_status, std::string_view word);

}  // namespace nbform
