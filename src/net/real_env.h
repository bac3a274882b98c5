// The Env over this machine: curl for exchanges, a timer heap, POSIX files, programs, the terminal and
// signals, one thread, one loop. Knows no cloud, no retry, no signing.
//
// Exchanges: HTTP/2 where a TLS server offers it, keep-alive, at most 32 in flight for each host; TLS 1.2 or
// newer, always verified; no redirects, no cookies, no netrc; http, proxies and CA files as net/route.h says.
// A mutation goes over the wire at most once for each send(): curl's own second try is switched off.
#pragma once

#include <memory>

#include "net/env.h"

namespace nbform {

// Costs nothing until used: curl starts with the first exchange, signals with the first on_interrupt().
// At most one at a time may handle interrupts.
std::unique_ptr<Env> make_real_env();

}  // namespace nbform
