#include "sim/aws/holdings.h"

#include "sim/shelf_json.h"

namespace nbform::sim::aws {

namespace {

std::string text(const Value& v, std::string_view name) {
  return std::string(v[name].as_text());
}
Value optional_time(const std::optional<Time>& t) {
  return t ? Value(t->us) : Value();
}
std::optional<Time> read_time(const Value& v) {
  return v.is_null() ? std::nullopt : std::optional(Time{v.as_int()});
}

Value write_keys(const Holdings& h) {
  List out;
  for (const auto& [id, k] : h.keys)
    out.push_back(Map{{"id", id},
                      {"secret", k.secret},
                      {"session_token", k.session_token},
                      {"account", k.account},
                      {"arn", k.arn},
                      {"user_id", k.user_id},
                      {"expires", optional_time(k.expires)}});
  return out;
}

Value write_tokens(const Holdings& h) {
  List out;
  for (const auto& [key, use] : h.client_tokens) {
    List ids;
    for (const std::string& id : use.ids) ids.push_back(id);
    out.push_back(Map{{"account", key.account},
                      {"region", key.region},
                      {"action", key.action},
                      {"token", key.token},
                      {"zone", key.zone},
                      {"digest", use.digest},
                      {"ids", ids},
                      {"answer", use.answer},
                      {"until", optional_time(use.until)}});
  }
  return out;
}

void read_keys(const Value& list, Holdings& h) {
  for (const Value& v : list.as_list())
    h.keys[text(v, "id")] = {text(v, "secret"), text(v, "session_token"), text(v, "account"),
                             text(v, "arn"),    text(v, "user_id"),       read_time(v["expires"])};
}

void read_tokens(const Value& list, Holdings& h) {
  for (const Value& v : list.as_list()) {
    TokenKey key{text(v, "account"), text(v, "region"), text(v, "action"), text(v, "token"), text(v, "zone")};
    TokenUse& use = h.client_tokens[key];
    use.digest = text(v, "digest");
    for (const Value& id : v["ids"].as_list()) use.ids.emplace_back(id.as_text());
    use.answer = v["answer"];
    use.until = read_time(v["until"]);
  }
}

}  // namespace

Value Holdings::to_json() const {
  Map things, profiles;
  List regions, amis, prices;
  for (const auto& [kind, shelf] : shelves) things.set(kind, write_shelf(shelf));
  for (const auto& [name, from] : profiles_from) profiles.set(name, from.us);
  for (const std::string& name : made_regions) regions.push_back(name);
  for (const PublishedAmi& p : published)
    amis.push_back(Map{{"name", p.name}, {"parameter", p.parameter}, {"created", p.created.us}});
  for (const SpotPrice& p : spot_prices)
    prices.push_back(Map{{"zone", p.zone_glob}, {"machine", p.machine_glob}, {"price", p.price}});
  return Map{{"shelves", things},     {"keys", write_keys(*this)},    {"client_tokens", write_tokens(*this)},
             {"profiles", profiles},  {"regions", regions},           {"published", amis},
             {"spot_prices", prices}, {"no_spot_role", no_spot_role}, {"on_instance", on_instance}};
}

Holdings Holdings::from_json(const Value& value) {
  Holdings h;
  for (const auto& [kind, shelf] : value["shelves"].as_map()) read_shelf(shelf, h.shelf(kind));
  read_keys(value["keys"], h);
  read_tokens(value["client_tokens"], h);
  for (const auto& [name, from] : value["profiles"].as_map()) h.profiles_from[name] = Time{from.as_int()};
  for (const Value& name : value["regions"].as_list()) h.made_regions.emplace(name.as_text());
  for (const Value& p : value["published"].as_list())
    h.published.push_back({text(p, "name"), text(p, "parameter"), Time{p["created"].as_int()}});
  for (const Value& p : value["spot_prices"].as_list())
    h.spot_prices.push_back({text(p, "zone"), text(p, "machine"), p["price"].as_real()});
  h.no_spot_role = value["no_spot_role"].as_bool();
  h.on_instance = text(value, "on_instance");
  return h;
}

}  // namespace nbform::sim::aws
