// World as a JSON document and back: .nbform/sandbox.json and nbsim --world. Format 1.
#include <fmt/format.h>

#include "sim/quotas.h"
#include "sim/refusal.h"
#include "sim/shelf_json.h"
#include "sim/state.h"

namespace nbform::sim {

namespace {

constexpr std::int64_t kFormat = 1;

std::string text(const Value& v, std::string_view key) {
  return std::string(v[key].as_text());
}

Value texts(const auto& items) {
  List out;
  for (const std::string& item : items) out.push_back(item);
  return out;
}

Value write_options(const Options& o) {
  return Map{{"op_times", static_cast<int>(o.op_times)},
             {"auth", o.auth},
             {"variants", texts(o.variants)},
             {"token_lifetime", o.token_lifetime},
             {"project", o.project},
             {"quotas", o.quotas},
             {"regions", texts(o.regions)},
             {"rate_limit", o.rate_limit}};
}

Options read_options(const Value& v) {
  Options o;
  o.op_times = static_cast<OpTimes>(std::clamp<std::int64_t>(v["op_times"].as_int(), 0, 2));
  o.auth = v["auth"].as_bool(true);
  for (const Value& name : v["variants"].as_list()) o.variants.emplace(name.as_text());
  o.token_lifetime = v["token_lifetime"].as_int(3600);
  o.project = v["project"].as_text("acme-ml");
  o.quotas = v["quotas"].as_bool(true);
  for (const Value& name : v["regions"].as_list()) o.regions.emplace(name.as_text());
  o.rate_limit = v["rate_limit"].as_int();
  return o;
}

Value write_agenda(const State& s) {
  List out;
  for (const auto& [when, h] : s.agenda)
    out.push_back(Map{{"at", when.first.us},
                      {"seq", static_cast<std::int64_t>(when.second)},
                      {"what", h.what},
                      {"target", key_value(h.target)},
                      {"detail", h.detail},
                      {"actor", h.actor}});
  return out;
}

void read_agenda(const Value& v, State& s) {
  for (const Value& h : v.as_list())
    s.agenda[{Time{h["at"].as_int()}, static_cast<std::uint64_t>(h["seq"].as_int())}] = {
        text(h, "what"), read_key(h["target"]), h["detail"], text(h, "actor")};
}

Value write_diary(const State& s) {
  List out;
  for (const Event& e : s.diary)
    if (e.kind != "request") out.push_back(to_value(e));
  return out;
}

void read_diary(const Value& v, State& s) {
  for (const Value& e : v.as_list())
    s.diary.push_back({Time{e["time"].as_int()}, text(e, "kind"), text(e, "project"), text(e, "zone"),
                       text(e, "resource"), text(e, "actor"), e["detail"]});
}

Value write_logins(const State& s) {
  Map projects, keys, names;
  for (const auto& [project, items] : s.project_metadata) projects.set(project, items);
  for (const auto& [email, held] : s.login_keys) keys.set(email, held);
  for (const auto& [email, name] : s.posix_names) names.set(email, name);
  return Map{{"project_metadata", projects}, {"keys", keys}, {"posix_names", names}};
}

void read_logins(const Value& v, State& s) {
  for (const auto& [project, items] : v["project_metadata"].as_map())
    s.project_metadata[std::string(project)] = items.as_map();
  for (const auto& [email, held] : v["keys"].as_map()) s.login_keys[std::string(email)] = held.as_map();
  for (const auto& [email, name] : v["posix_names"].as_map())
    s.posix_names[std::string(email)] = name.as_text();
}

Value write_access(const State& s) {
  List tokens, replays;
  for (const auto& [token, t] : s.tokens)
    tokens.push_back(Map{{"token", token},
                         {"principal", t.principal},
                         {"expires", t.expires ? Value(t.expires->us) : Value()}});
  for (const auto& [id, r] : s.replays)
    replays.push_back(Map{{"project", id.first},
                          {"id", id.second},
                          {"digest", r.digest},
                          {"operation", key_value(r.operation)},
                          {"until", r.until.us}});
  Map accounts;
  for (const auto& [email, pem] : s.service_accounts) accounts.set(email, pem);
  return Map{{"tokens", tokens},
             {"replays", replays},
             {"service_accounts", accounts},
             {"denied", texts(s.denied)},
             {"on_loopback", s.on_loopback}};
}

void read_access(const Value& v, State& s) {
  for (const Value& t : v["tokens"].as_list()) {
    std::optional<Time> end;
    if (!t["expires"].is_null()) end = Time{t["expires"].as_int()};
    s.tokens[text(t, "token")] = {text(t, "principal"), end};
  }
  for (const Value& r : v["replays"].as_list())
    s.replays[{text(r, "project"), text(r, "id")}] = {text(r, "digest"), read_key(r["operation"]),
                                                      Time{r["until"].as_int()}};
  for (const auto& [email, pem] : v["service_accounts"].as_map()) s.service_accounts[email] = pem.as_text();
  s.on_loopback = v["on_loopback"].as_bool();
  for (const Value& d : v["denied"].as_list()) s.denied.emplace(d.as_text());
}

Value write_trouble(const State& s) {
  List stockouts, quotas, published, busy;
  for (const Stockout& o : s.stockouts)
    stockouts.push_back(Map{
        {"zone", o.zone_glob}, {"machine", o.machine_glob}, {"zones_available", texts(o.zones_available)}});
  for (const QuotaRule& q : s.quota_rules)
    quotas.push_back(Map{{"project", q.project_glob},
                         {"region", q.region_glob},
                         {"metric", q.metric_glob},
                         {"limit", q.limit}});
  for (const PublishedImage& i : s.published)
    published.push_back(
        Map{{"project", i.project}, {"family", i.family}, {"name", i.name}, {"created", i.created.us}});
  for (const auto& [key, until] : s.busy_until)
    busy.push_back(Map{{"key", key_value(key)}, {"until", until.us}});
  return Map{{"stockouts", stockouts},
             {"quotas", quotas},
             {"published", published},
             {"busy", busy},
             {"unreachable", texts(s.unreachable)},
             {"faults", s.faults.to_json()}};
}

Result<> read_trouble(const Value& v, State& s) {
  for (const Value& o : v["stockouts"].as_list()) {
    Stockout stockout{text(o, "zone"), text(o, "machine"), {}};
    for (const Value& z : o["zones_available"].as_list()) stockout.zones_available.emplace_back(z.as_text());
    s.stockouts.push_back(std::move(stockout));
  }
  for (const Value& q : v["quotas"].as_list())
    s.quota_rules.push_back({text(q, "project"), text(q, "region"), text(q, "metric"), q["limit"].as_real()});
  for (const Value& i : v["published"].as_list())
    s.published.push_back(
        {text(i, "project"), text(i, "family"), text(i, "name"), Time{i["created"].as_int()}});
  for (const Value& b : v["busy"].as_list()) s.busy_until[read_key(b["key"])] = Time{b["until"].as_int()};
  for (const Value& z : v["unreachable"].as_list()) s.unreachable.emplace(z.as_text());
  s.faults = NB_TRY(FaultScript::from_json(v["faults"]));
  return Ok{};
}

}  // namespace

Value World::to_json() const {
  const State& s = *state_;
  return Map{{"format", kFormat},
             {"options", write_options(s.options)},
             {"now", s.now.us},
             {"clock_offset", static_cast<std::int64_t>(s.clock_offset.count())},
             {"last_id", static_cast<std::int64_t>(s.last_id)},
             {"random", std::to_string(s.random)},
             {"instances", write_shelf(s.instances)},
             {"disks", write_shelf(s.disks)},
             {"firewalls", write_shelf(s.firewalls)},
             {"firewalled", texts(s.firewalled)},
             {"operations", write_shelf(s.operations)},
             {"agenda", write_agenda(s)},
             {"diary", write_diary(s)},
             {"access", write_access(s)},
             {"logins", write_logins(s)},
             {"trouble", write_trouble(s)},
             {"aws", s.aws.to_json()}};
}

Result<World> World::from_json(const Value& value) {
  if (value["format"].as_int() != kFormat)
    return error(Code::unsupported, "The sandbox file is of another format",
                 fmt::format("It says format {}, this program reads format {}. Use the program that wrote "
                             "it, or reset the sandbox.",
                             to_text(value["format"]), kFormat));
  auto state = std::make_unique<State>();
  State& s = *state;
  s.options = read_options(value["options"]);
  s.now = Time{value["now"].as_int()};
  s.clock_offset = Duration(value["clock_offset"].as_int());
  s.last_id = static_cast<std::uint64_t>(value["last_id"].as_int());
  s.random = std::strtoull(std::string(value["random"].as_text("1")).c_str(), nullptr, 10);
  read_shelf(value["instances"], s.instances);
  read_shelf(value["disks"], s.disks);
  read_shelf(value["firewalls"], s.firewalls);
  for (const Value& project : value["firewalled"].as_list()) s.firewalled.emplace(project.as_text());
  read_shelf(value["operations"], s.operations);
  read_agenda(value["agenda"], s);
  read_diary(value["diary"], s);
  read_access(value["access"], s);
  read_logins(value["logins"], s);
  NB_TRY(read_trouble(value["trouble"], s));
  s.aws = aws::Holdings::from_json(value["aws"]);
  recount_quotas(s);
  return World(std::move(state));
}

}  // namespace nbform::sim
