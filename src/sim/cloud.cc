#include "sim/cloud.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "sim/compute.h"
#include "sim/instances.h"
#include "sim/operations.h"
#include "sim/refusal.h"
#include "sim/state.h"
#include "sim/tokens.h"

namespace nbform::sim {

World::World(Options options) : state_(std::make_unique<State>()) {
  state_->random = options.seed;
  state_->options = std::move(options);
}
World::World(std::unique_ptr<State> state) : state_(std::move(state)) {}
World::~World() = default;
World::World(const World& other) : state_(std::make_unique<State>(*other.state_)) {}
World::World(World&&) noexcept = default;
World& World::operator=(const World& other) {
  state_ = std::make_unique<State>(*other.state_);
  return *this;
}
World& World::operator=(World&&) noexcept = default;

namespace {

// Which service a path belongs to: the host may be the real one or nbsim's.
std::string_view service_of(std::string_view path) {
  if (path.starts_with("/compute/v1/")) return "compute";
  if (path == "/token" || path == "/oauth2/v4/token") return "oauth";
  if (path == "/v1/token") return "sts";
  if (path.starts_with("/v1/projects/-/serviceAccounts/")) return "iamcredentials";
  if (path == "/" || path.starts_with("/computeMetadata/")) return "metadata";
  return "";
}

void happen(State& state, const Happening& happening) {
  if (happening.what.starts_with("op."))
    operation_happens(state, happening);
  else
    instance_happens(state, happening);
}

void expire_caller(State& state, const Request& request) {
  auto given = header(request.headers, "authorization");
  if (!given || given->size() < 8) return;
  auto token = state.tokens.find(std::string(given->substr(7)));
  if (token != state.tokens.end()) token->second.expires = state.cloud_time();
}

Answer serve(State& state, const Request& request, const Url& url, std::string_view service) {
  if (service == "oauth") return {answer_oauth(state, request, url)};
  if (service == "sts") return {answer_sts(state, request)};
  if (service == "iamcredentials") return {answer_iam(state, request, url)};
  if (service == "metadata") return {answer_metadata(state, request, url)};
  if (service != "compute")
    return {compute_refusal(refuse(
        "notFound", fmt::format("The requested URL {} was not found on this server (nbsim: no such service).",
                                url.path)))};
  auto principal = bearer(state, request);
  if (!principal) return {compute_refusal(principal.error())};
  state.actor = *principal;
  return answer_compute(state, request, url, *principal);
}

Response faulty_response(const FaultAction& fault) {
  Response r = json_response(*fault.status, fault.body.value_or(""));
  if (!fault.body) {
    Diagnostic d = refuse(*fault.status >= 500 ? "backendError" : "rateLimitExceeded",
                          fmt::format("Injected by the fault script ({}).", *fault.status));
    r.body = to_json(
        Map{{"error",
             Map{{"code", *fault.status},
                 {"message", d.detail},
                 {"errors",
                  List{Map{{"domain", "global"}, {"reason", d.provider_code}, {"message", d.detail}}}}}}});
  }
  for (const auto& [name, value] : fault.headers) set_header(r.headers, name, value);
  return r;
}

Answer serve_with_fault(State& state, const Request& request, const Url& url, std::string_view service,
                        const FaultAction& fault) {
  using Drop = FaultAction::Drop;
  Answer answer;
  if (fault.expire_token) expire_caller(state, request);
  bool effect = fault.drop != Drop::before && (!fault.status || fault.effect);
  if (effect) answer = serve(state, request, url, service);
  if (fault.status) answer = {faulty_response(fault)};
  if (fault.body && !fault.status && answer.response) answer.response->body = *fault.body;
  if (!fault.status && answer.response)
    for (const auto& [name, value] : fault.headers) set_header(answer.response->headers, name, value);
  if (fault.drop != Drop::none) answer.response.reset();
  answer.delay += fault.delay;
  answer.cut = fault.cut;
  answer.scripted = fault.status || fault.body;
  return answer;
}

void note_request(State& state, const Request& request, const Url& url, const Answer& answer, bool faulty) {
  Map detail{{"method", request.method},
             {"path", url.path},
             {"query", url.query},
             {"status", answer.response ? answer.response->status : 0}};
  if (auto body = parse_json(request.body); body && body->is_map() && url.path.starts_with("/compute/"))
    detail.set("body", std::move(*body));
  if (faulty) detail.set("fault", true);
  auto parts = split(url.path, '/');
  auto after = [&](std::string_view word) {
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (parts[i] == word) return std::string(parts[i + 1]);
    return std::string();
  };
  state.diary.push_back(
      {state.now, "request", after("projects"), after("zones"), "", state.actor, std::move(detail)});
}

}  // namespace

void World::advance(Time now) {
  State& s = *state_;
  while (!s.agenda.empty() && s.agenda.begin()->first.first <= now) {
    auto node = s.agenda.extract(s.agenda.begin());
    s.now = std::max(s.now, node.key().first);
    s.actor.clear();
    happen(s, node.mapped());
  }
  s.now = std::max(s.now, now);
  s.actor.clear();
}

Answer World::handle(const Request& request, Time now) {
  advance(now);
  State& s = *state_;
  auto url = parse_url(request.url);
  if (!url) return {json_response(400, "")};
  std::string_view service = service_of(url->path);
  ComputeSubject subject;
  if (service == "compute" && !s.faults.empty()) subject = compute_subject(s, request, *url);
  FaultSubject about{service, request.method, subject.call, url->path, subject.zone, subject.machine};
  s.fault = s.faults.strike(about, [&] { return static_cast<double>(s.next_random(1u << 30)) / (1u << 30); });
  Answer answer = s.fault != nullptr ? serve_with_fault(s, request, *url, service, *s.fault)
                                     : serve(s, request, *url, service);
  bool faulty = s.fault != nullptr;
  s.fault = nullptr;
  if (answer.response) set_header(answer.response->headers, "Date", format_http_date(s.cloud_time()));
  note_request(s, request, *url, answer, faulty);
  s.actor.clear();
  return answer;
}

Response World::resume(const Request& request, Time now) {
  advance(now);
  auto url = parse_url(request.url);
  if (!url) return json_response(400, "");
  Answer answer = serve(*state_, request, *url, service_of(url->path));
  return answer.response.value_or(json_response(500, ""));
}

Time World::now() const {
  return state_->now;
}

std::optional<Time> World::next_event() const {
  if (state_->agenda.empty()) return std::nullopt;
  return state_->agenda.begin()->first.first;
}

Value to_value(const Event& e) {
  return Map{{"time", e.time.us},      {"kind", e.kind},   {"project", e.project}, {"zone", e.zone},
             {"resource", e.resource}, {"actor", e.actor}, {"detail", e.detail}};
}

const std::vector<Event>& World::events() const {
  return state_->diary;
}

Value World::resource(std::string_view path) const {
  auto parts = split(path, '/');
  bool zonal = parts.size() == 6 && parts[0] == "projects" &&
               (parts[4] == "instances" || parts[4] == "disks" || parts[4] == "operations");
  if (!zonal) return {};
  Key key{std::string(parts[1]), fmt::format("{}/{}", parts[2], parts[3]), std::string(parts[5])};
  const Resource* found = state_->find(parts[4], key);
  return found == nullptr ? Value() : found->wire();
}

std::vector<Value> World::resources(std::string_view kind) const {
  std::vector<Value> out;
  for (const auto& [key, resource] : state_->shelf(kind)) out.push_back(resource.wire());
  return out;
}

}  // namespace nbform::sim
