// The relay of Identity-Aware Proxy as a service of the simulated cloud: who may pass to which port of which
// VM. Judges a handshake and says what the relay shall do; bytes flow elsewhere (sim/relay.h). Knows no
// socket.
#pragma once

#include "sim/state.h"

namespace nbform::sim {

inline constexpr std::string_view kIapRange = "35.235.240.0/20";

// The answer to GET /v4/connect or /v4/reconnect: a refusal (400, 401), or 101 whose body is what the relay
// shall do: {"dial": {"host", "port"}} or {"sid", "ack"}, or {"close": CODE, "reason"}; "manner" is what the
// fault script wants of this connection.
Answer answer_iap_relay(State& state, const Request& request, const Url& url);

}  // namespace nbform::sim
