// The caller's own address as the internet sees it. Knows no firewall.
#pragma once

#include <functional>
#include <string>

#include "net/env.h"

namespace nbform {

// An IPv4 address, asked of https://checkip.amazonaws.com, which answers with nothing else, or of what
// NBFORM_CHECKIP_URL names. Errors: unavailable, with the remedy.
void find_own_address(Env& env, std::function<void(Result<std::string>)> done);

}  // namespace nbform
