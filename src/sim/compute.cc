#include "sim/compute.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/disks.h"
#include "sim/effects.h"
#include "sim/firewalls.h"
#include "sim/images.h"
#include "sim/instances.h"
#include "sim/manner.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

constexpr std::array<std::string_view, 11> kCommonParams = {
    "alt",     "prettyPrint", "fields", "quotaUser",   "key",        "$alt",
    "$.xgafv", "callback",    "userIp", "oauth_token", "$apiVersion"};

const std::map<std::string_view, Handler>& handlers() {
  static const std::map<std::string_view, Handler> all = [] {
    std::map<std::string_view, Handler> out;
    for (auto table : {instance_life_methods(), instance_change_methods(), guest_methods(), disk_methods(),
                       image_methods(), firewall_methods(), operation_methods(), catalogue_methods()})
      for (const Handling& h : table) out[h.method] = h.handler;
    return out;
  }();
  return all;
}

std::vector<std::string> segments(const Url& url) {
  std::vector<std::string> out;
  std::string_view path(url.path);
  for (std::string_view part : split(path.substr(std::string_view("/compute/v1/").size()), '/'))
    out.push_back(percent_decode(part));
  return out;
}

Result<> check_params(const Call& call) {
  for (const auto& [name, value] : call.query) {
    bool common = std::find(kCommonParams.begin(), kCommonParams.end(), name) != kCommonParams.end();
    bool own = std::any_of(call.method->params.begin(), call.method->params.end(),
                           [&](const Param& p) { return p.name == name; });
    if (!common && !own)
      return refuse("badRequest",
                    fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot bind query "
                                "parameter. Field '{}' could not be found in request message.",
                                name, name));
  }
  for (const Param& p : call.method->params)
    if (p.required && !call.has(p.name))
      return refuse("required", fmt::format("Required field '{}' not specified", p.name));
  std::string_view alt = call.param("alt");
  if (!alt.empty() && alt != "json")
    return refuse("badRequest", fmt::format("Invalid value for parameter 'alt': '{}'", alt));
  return Ok{};
}

Result<> read_body(const Request& request, Call& call) {
  if (call.method->request == "-") {
    if (trim(request.body).empty() || trim(request.body) == "{}") return Ok{};
    return refuse("badRequest", "The request must not have a body.");
  }
  std::string_view type = header(request.headers, "content-type").value_or("");
  if (!type.starts_with("application/json"))
    return refuse("badRequest", fmt::format("The content type '{}' is not application/json.", type));
  auto body = parse_json(request.body);
  if (!body) return refuse("parseError", "Parse Error: the body is not JSON.");
  call.body = std::move(*body);
  return check_body(call.body, call.method->request);
}

// A null member means absent.
void drop_nulls(Value& value) {
  if (value.is_list())
    for (Value& item : value.list()) drop_nulls(item);
  if (!value.is_map()) return;
  std::vector<Map::Item> kept;
  for (auto& [key, item] : value.map())
    if (!item.is_null()) {
      drop_nulls(item);
      kept.emplace_back(key, std::move(item));
    }
  value = Map::from(std::move(kept));
}

bool legal_project(std::string_view id) {
  return id.size() >= 4 && id.size() <= 63 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.';
         });
}

Result<> check_place(const State& state, const Call& call) {
  if (!legal_project(call.project()))
    return refuse("badRequest", fmt::format("Invalid value for field 'project': '{}'.", call.project()));
  const std::string &zone = call.arg("zone"), &region = call.arg("region");
  if (!zone.empty() && !has_zone(zone) && !call.method->name.starts_with("zones."))
    return refuse("invalid", fmt::format("Invalid value for field 'zone': '{}'. Unknown zone.", zone));
  if (!region.empty() && !has_region(region) && !call.method->name.starts_with("regions."))
    return refuse("invalid", fmt::format("Invalid value for field 'region': '{}'. Unknown region.", region));
  bool list = call.method->name.ends_with(".list");
  if (state.unreachable.contains(zone) && !list)
    return refuse("backendError",
                  fmt::format("The zone '{}' is currently unavailable. Try again later.", zone));
  return Ok{};
}

std::string permission(const Method& method) {
  std::string name(method.name);
  for (std::string_view kind : {".aggregatedList", ".wait", ".getFromFamily"})
    if (name.ends_with(kind))
      name = name.substr(0, name.size() - kind.size()) + (kind == ".aggregatedList" ? ".list" : ".get");
  if (name.ends_with(".insert")) name = name.substr(0, name.size() - 7) + ".create";
  return "compute." + name;
}

Result<> check_permission(const State& state, const Call& call) {
  std::string wanted = permission(*call.method);
  if (!state.denied.contains(wanted)) return Ok{};
  return refuse("forbidden",
                fmt::format("Required '{}' permission for 'projects/{}'", wanted, call.project()));
}

// Counts per minute of the clock, all refilled at once; reads and mutations apart.
Result<> check_rate(State& state, const Call& call) {
  if (state.options.rate_limit == 0) return Ok{};
  std::int64_t minute = state.cloud_time().seconds() / 60;
  if (minute != state.rate_minute) state.rate_used.clear();
  state.rate_minute = minute;
  std::string_view kind = call.method->verb == "GET" ? "Read requests" : "Queries";
  if (++state.rate_used[{call.project(), kind}] <= state.options.rate_limit) return Ok{};
  return refuse("rateLimitExceeded",
                fmt::format("Quota exceeded for quota metric '{}' and limit '{} per minute' of service "
                            "'compute.googleapis.com' for consumer 'project_number:123456789012'.",
                            kind, kind));
}

Result<Call> read_call(const Request& request, const Url& url, const std::string& principal) {
  Routed routed = NB_TRY(route(request.method, segments(url)));
  Call call;
  call.method = routed.method;
  call.args = std::move(routed.args);
  call.query = form_decode(url.query);
  call.principal = principal;
  call.dated = header(request.headers, "x-goog-api-version").has_value() || call.has("$apiVersion");
  NB_TRY(check_params(call));
  NB_TRY(read_body(request, call));
  // These are merges: there null clears.
  bool merges = call.method->name == "instances.setScheduling" || call.method->name == "firewalls.patch";
  if (!merges) drop_nulls(call.body);
  Query rest;
  for (const auto& item : call.query)
    if (std::find(kCommonParams.begin(), kCommonParams.end(), item.first) == kCommonParams.end())
      rest.push_back(item);
  std::sort(rest.begin(), rest.end());
  call.digest =
      digest16(fmt::format("{} {} {} {}", request.method, url.path, form_encode(rest), canonical(call.body)));
  if (call.method->response != "-")
    call.mask = NB_TRY(Mask::parse(call.param("fields"), call.method->response));
  call.mask_text = fmt::format("{} {}", call.method->name, call.param("fields"));
  return call;
}

Result<Reply> answer(State& state, const Request& request, const Url& url, const std::string& principal) {
  Call call = NB_TRY(read_call(request, url, principal));
  NB_TRY(check_place(state, call));
  NB_TRY(check_rate(state, call));
  NB_TRY(check_permission(state, call));
  auto known = handlers().find(call.method->name);
  if (known == handlers().end())
    return refuse("notImplemented", fmt::format("nbsim does not serve {}.", call.method->name));
  if (auto old = NB_TRY(replayed(state, call))) return *std::move(old);
  return known->second(state, call);
}

}  // namespace

const std::vector<Effect>& all_effects() {
  static const std::vector<Effect> all = [] {
    std::vector<Effect> out;
    for (auto table :
         {instance_life_effects(), instance_change_effects(), disk_effects(), firewall_effects()})
      out.insert(out.end(), table.begin(), table.end());
    return out;
  }();
  return all;
}

Subject compute_subject(State& state, const Request& request, const Url& url) {
  Subject subject;
  auto routed = route(request.method, segments(url));
  if (!routed) return subject;
  subject.call = routed->method->name;
  auto arg = [&](std::string_view name) {
    auto it = routed->args.find(name);
    return it == routed->args.end() ? std::string() : it->second;
  };
  subject.zone = arg("zone");
  auto body = parse_json(request.body);
  if (body && body->is_map()) subject.machine = last_segment((*body)["machineType"].as_text());
  Key key{arg("project"), "zones/" + subject.zone, arg("instance")};
  auto vm = state.instances.find(key);
  if (subject.machine.empty() && vm != state.instances.end())
    subject.machine = last_segment(vm->second["machineType"].as_text());
  return subject;
}

Answer answer_compute(State& state, const Request& request, const Url& url, const std::string& principal) {
  auto result = answer(state, request, url, principal);
  if (!result) {
    if (result.error().provider_code == "rateLimitExceeded" && state.variant("rate-limit-429"))
      result.error().provider_code = "tooManyRequests";
    return {compute_refusal(result.error())};
  }
  if (result->json.empty()) return {json_response(204, "")};
  return {json_response(200, in_manner(state, std::move(result->json))), result->delay, {}, result->held};
}

}  // namespace nbform::sim
