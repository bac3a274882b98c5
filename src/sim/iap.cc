#include "sim/iap.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/json.h"
#include "base/text.h"
#include "sim/firewalls.h"
#include "sim/refusal.h"
#include "sim/tokens.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kPermission = "iap.tunnelInstances.accessViaIAP";

Diagnostic bad(std::string what) {
  return refuse("badRequest", std::move(what));
}

// Every parameter is known and there once; those that must be are.
Result<> check_query(const Query& query, std::initializer_list<std::string_view> needed) {
  for (const auto& [name, value] : query) {
    const bool known =
        name == "newWebsocket" || std::find(needed.begin(), needed.end(), name) != needed.end();
    auto same = [&name = name](const auto& other) { return other.first == name; };
    if (!known || value.empty() || std::count_if(query.begin(), query.end(), same) != 1)
      return bad(fmt::format("Parameter '{}' is unknown, empty or repeated.", name));
  }
  for (std::string_view name : needed)
    if (std::none_of(query.begin(), query.end(), [&](const auto& p) { return p.first == name; }))
      return bad(fmt::format("Parameter '{}' is missing.", name));
  return Ok{};
}

std::string_view value_of(const Query& query, std::string_view name) {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

Result<> check_headers(const Headers& headers) {
  const std::pair<std::string_view, std::string_view> fixed[] = {
      {"Origin", "bot:iap-tunneler"},
      {"Sec-WebSocket-Protocol", "relay.tunnel.cloudproxy.app"},
      {"Sec-WebSocket-Version", "13"}};
  for (const auto& [name, value] : fixed)
    if (header(headers, name).value_or("") != value) return bad(fmt::format("{} must be '{}'.", name, value));
  if (header(headers, "User-Agent").value_or("").empty()) return bad("User-Agent is missing.");
  if (header(headers, "Sec-WebSocket-Extensions")) return bad("No extension is offered here.");
  return Ok{};
}

// Tokens that an endpoint gave out: whether others are taken, nobody outside Google can say.
Result<std::string> caller(const State& state, const Request& request) {
  const std::string principal = NB_TRY(bearer(state, request));
  auto given = header(request.headers, "authorization");
  const bool issued =
      given && state.tokens.contains(std::string(given->substr(std::min<std::size_t>(7, given->size()))));
  if (state.options.auth && !issued)
    return refuse("authError", "The relay takes no token that its bearer signed itself.");
  return principal;
}

Map close_with(int code, std::string_view reason) {
  return Map{{"close", code}, {"reason", reason}};
}

// 10.128.0.5 is 127.128.0.5 here, where a test's server may stand for the machine.
std::string loopback_of(std::string_view address) {
  return "127" + std::string(address.substr(std::min(address.find('.'), address.size())));
}

Map judge_connect(State& state, const Query& query) {
  Key key{std::string(value_of(query, "project")), "zones/" + std::string(value_of(query, "zone")),
          std::string(value_of(query, "instance"))};
  const auto port = static_cast<int>(Value(value_of(query, "port")).as_int());
  if (state.denied.contains(std::string(kPermission))) return close_with(4033, "not authorized");
  Resource* vm = state.find("instances", key);
  if (vm == nullptr || !state.visible(*vm) || (*vm)["status"].as_text() != "RUNNING")
    return close_with(4047, "Failed to lookup instance");
  const Value& nic = (*vm)["networkInterfaces"].as_list().front();
  if (nic["name"].as_text() != value_of(query, "interface"))
    return close_with(4047, "Failed to lookup interface");
  if (!state.on_loopback || !lets_in(state, key.project, vm->wire(), kIapRange, port))
    return close_with(4003, "failed to connect to backend");
  return Map{{"dial", Map{{"host", loopback_of(nic["networkIP"].as_text())}, {"port", port}}}};
}

Response agreed(const State& state, Map plan) {
  if (state.fault != nullptr && !state.fault->relay.is_null()) plan.set("manner", state.fault->relay);
  return json_response(101, to_json(Value(std::move(plan))));
}

bool is_number(std::string_view text, std::int64_t most) {
  const bool digits = !text.empty() && text.size() <= 18 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && Value(text).as_int() <= most;
}

Result<Response> judge(State& state, const Request& request, const Url& url) {
  const Query query = form_decode(url.query);
  const bool again = url.path == "/v4/reconnect";
  if (request.method != "GET") return bad("Only GET is upgraded.");
  if (again)
    NB_TRY(check_query(query, {"sid", "ack", "zone"}));
  else
    NB_TRY(check_query(query, {"project", "zone", "instance", "interface", "port"}));
  NB_TRY(check_headers(request.headers));
  const std::string_view number = value_of(query, again ? "ack" : "port");
  if (!is_number(number, again ? INT64_MAX : 65535)) return bad(fmt::format("'{}' is no number.", number));
  state.actor = NB_TRY(caller(state, request));
  if (!again) return agreed(state, judge_connect(state, query));
  return agreed(state, Map{{"sid", value_of(query, "sid")}, {"ack", Value(number).as_int()}});
}

}  // namespace

Answer answer_iap_relay(State& state, const Request& request, const Url& url) {
  auto judged = judge(state, request, url);
  return {judged.ok() ? std::move(*judged) : compute_refusal(judged.error())};
}

}  // namespace nbform::sim
