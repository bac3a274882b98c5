#include "sim/aws/client_tokens.h"

#include <algorithm>

#include "base/crypto.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr Duration kAfterwards = std::chrono::hours(24);

// All parameters but the token and the place.
std::string digest(Value in) {
  Map& m = in.map();
  m.erase("ClientToken");
  m.erase("AvailabilityZone");
  if (!in["Placement"].is_null()) {
    in.map()["Placement"].map().erase("AvailabilityZone");
    if (in["Placement"].as_map().empty()) in.map().erase("Placement");
  }
  return digest16(canonical(in));
}

bool legal(std::string_view token) {
  return !token.empty() && token.size() <= 64 &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
}

TokenKey key_of(Region& region, std::string_view action, const Value& in, const std::string& zone) {
  return {region.account, region.name, std::string(action), std::string(in["ClientToken"].as_text()),
          region.variant("token-regional") ? "" : zone};
}

// A token that was used without a zone and now comes with one, or the other way round.
bool used_otherwise(Region& region, TokenKey key) {
  bool regional = key.zone.empty();
  key.zone.clear();
  for (auto it = region.state.aws.client_tokens.lower_bound(key); it != region.state.aws.client_tokens.end();
       ++it) {
    TokenKey other = it->first;
    bool alive = !it->second.until || *it->second.until > region.state.now;
    other.zone.clear();
    if (other != key) return false;
    if (alive && it->first.zone.empty() != regional) return true;
  }
  return false;
}

Diagnostic mismatch() {
  return refuse(
      "IdempotentParameterMismatch",
      "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).");
}

}  // namespace

Result<std::optional<TokenUse>> replay(Region& region, std::string_view action, const Value& in,
                                       const std::string& zone) {
  if (in["ClientToken"].is_null()) return std::optional<TokenUse>();
  if (!legal(in["ClientToken"].as_text()))
    return refuse("InvalidParameterValue", "The client token must be 1 to 64 ASCII characters.");
  TokenKey key = key_of(region, action, in, zone);
  auto used = region.state.aws.client_tokens.find(key);
  bool alive = used != region.state.aws.client_tokens.end() &&
               (!used->second.until || *used->second.until > region.state.now);
  if (!alive) {
    if (used_otherwise(region, key)) return mismatch();
    return std::optional<TokenUse>();
  }
  if (used->second.digest != digest(in)) return mismatch();
  return std::optional(used->second);
}

void remember(Region& region, std::string_view action, const Value& in, const std::string& zone,
              std::vector<std::string> ids, Value answer) {
  if (in["ClientToken"].is_null()) return;
  region.state.aws.client_tokens[key_of(region, action, in, zone)] = {digest(in), std::move(ids),
                                                                      std::move(answer), std::nullopt};
}

void release_tokens(Region& region, std::string_view id) {
  for (auto& [key, use] : region.state.aws.client_tokens) {
    bool its = key.account == region.account && key.region == region.name &&
               std::find(use.ids.begin(), use.ids.end(), id) != use.ids.end();
    if (its && !use.until) use.until = region.state.now + kAfterwards;
  }
}

}  // namespace nbform::sim::aws
