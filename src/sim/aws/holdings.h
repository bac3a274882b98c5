// What the AWS side of the simulated cloud remembers. Data only, so that a copy is a second cloud and to_json
// is whole. Knows no service.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/shelf.h"

namespace nbform::sim::aws {

// Who signs with an access key. Temporary ones have a session token and an end.
struct AccessKey {
  std::string secret, session_token;
  std::string account, arn, user_id;
  std::optional<Time> expires;
};

// What a client token stands for, in one account and region. `zone`: where the request asked for one, ""
// otherwise.
struct TokenKey {
  std::string account, region, action, token, zone;
  auto operator<=>(const TokenKey&) const = default;
};
struct TokenUse {
  std::string digest;  // of all parameters but the place
  std::vector<std::string> ids;
  Value answer;               // its first one, for when the things themselves are forgotten
  std::optional<Time> until;  // none: the things still live
};

struct PublishedAmi {
  std::string name, parameter;  // parameter: the public SSM name that leads to it
  Time created;
};

struct SpotPrice {
  std::string zone_glob, machine_glob;
  double price;  // dollars an hour
};

struct Bucket {
  double left = 0;
  Time filled;
};

struct Holdings {
  std::map<std::string, Shelf, std::less<>> shelves;  // "instances", "volumes", ... (aws/region.h)
  std::map<std::string, AccessKey> keys;              // by key id
  std::map<TokenKey, TokenUse> client_tokens;
  std::map<std::string, Time> profiles_from;  // instance profiles that are not known (yet): from when on
  std::set<std::string> made_regions;         // "account/region" with their default network
  std::vector<PublishedAmi> published;
  std::vector<SpotPrice> spot_prices;  // later ones win
  std::map<std::string, Bucket> buckets;
  bool no_spot_role = false;
  std::string on_instance;  // whose metadata service answers; "" = no machine of this cloud

  Shelf& shelf(std::string_view kind) { return shelves[std::string(kind)]; }
  Value to_json() const;
  static Holdings from_json(const Value& value);
};

}  // namespace nbform::sim::aws
