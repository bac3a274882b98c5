#include "sim/cloud.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "sim/aws/front.h"
#include "sim/instances.h"
#include "sim/operations.h"
#include "sim/refusal.h"
#include "sim/service.h"
#include "sim/state.h"

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

void happen(State& state, const Happening& happening) {
  if (happening.what.starts_with("aws."))
    aws::happens(state, happening);
  else if (happening.what.starts_with("op."))
    operation_happens(state, happening);
  else
    instance_happens(state, happening);
}

void expire_caller(State& state, const Request& request) {
  aws::expire_caller(state, request);
  auto given = header(request.headers, "authorization");
  if (!given || given->size() < 8) return;
  state.tokens[std::string(given->substr(7))].expires = state.cloud_time();  // one that its caller signed too
}

Response faulty_response(State& state, const Service& service, const FaultAction& fault) {
  std::string message = fmt::format("Injected by the fault script ({}).", *fault.status);
  Response r = service.trouble(state, *fault.status, "", message);
  if (fault.body) r.body = *fault.body;
  for (const auto& [name, value] : fault.headers) set_header(r.headers, name, value);
  return r;
}

Response refused(State& state, const Service& service, const FaultError& error) {
  int status =
      error.status != 0 || service.status_of == nullptr ? error.status : service.status_of(error.code);
  std::string message =
      error.message.empty() ? fmt::format("Injected by the fault script ({}).", error.code) : error.message;
  return service.trouble(state, status, error.code, message);
}

Answer serve_with_fault(State& state, const Request& request, const Url& url, const Service& service,
                        const FaultAction& fault) {
  using Drop = FaultAction::Drop;
  Answer answer;
  if (fault.expire_token) expire_caller(state, request);
  bool answered = fault.status || fault.error;
  bool effect = fault.drop != Drop::before && (!answered || fault.effect);
  if (effect) answer = service.answer(state, request, url);
  if (fault.error) answer = {refused(state, service, *fault.error)};
  if (fault.status) answer = {faulty_response(state, service, fault)};
  if (fault.body && !fault.status && answer.response) answer.response->body = *fault.body;
  if (!fault.status && answer.response)
    for (const auto& [name, value] : fault.headers) set_header(answer.response->headers, name, value);
  if (fault.drop != Drop::none) answer.response.reset();
  answer.delay += fault.delay;
  answer.cut = fault.cut;
  answer.scripted = fault.status || fault.body;
  return answer;
}

void note_request(State& state, const Request& request, const Url& url, const Service& service,
                  const Answer& answer) {
  Value detail = Map{{"method", request.method},
                     {"path", url.path},
                     {"query", url.query},
                     {"status", answer.response ? answer.response->status : 0}};
  Value seen = service.note != nullptr ? service.note(request, url) : Map();
  for (auto& [name, value] : seen.map()) detail.map().set(name, std::move(value));
  if (state.fault != nullptr) detail.map().set("fault", true);
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
  const Service& service = service_for(request, *url);
  Subject subject;
  if (service.subject != nullptr && !s.faults.empty()) subject = service.subject(s, request, *url);
  FaultSubject about{service.name, request.method, subject.call, url->path, subject.zone, subject.machine};
  s.fault = s.faults.strike(about, [&] { return static_cast<double>(s.next_random(1u << 30)) / (1u << 30); });
  Answer answer = s.fault != nullptr ? serve_with_fault(s, request, *url, service, *s.fault)
                                     : service.answer(s, request, *url);
  if (answer.response) set_header(answer.response->headers, "Date", format_http_date(s.cloud_time()));
  note_request(s, request, *url, service, answer);
  s.fault = nullptr;
  s.actor.clear();
  return answer;
}

Response World::resume(const Request& request, Time now) {
  advance(now);
  auto url = parse_url(request.url);
  if (!url) return json_response(400, "");
  Answer answer = service_for(request, *url).answer(*state_, request, *url);
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

namespace {
// "ec2.instances": the shelf of that kind, an empty one where nothing is on it; null for other words.
const Shelf* ec2_shelf(const State& state, std::string_view kind) {
  constexpr std::string_view kPrefix = "ec2.";
  static const Shelf none;
  if (!kind.starts_with(kPrefix)) return nullptr;
  auto shelf = state.aws.shelves.find(kind.substr(kPrefix.size()));
  return shelf == state.aws.shelves.end() ? &none : &shelf->second;
}
}  // namespace

Value World::resource(std::string_view path) const {
  auto parts = split(path, '/');
  if (const Shelf* shelf = parts.size() == 2 ? ec2_shelf(*state_, parts[0]) : nullptr) {
    for (const auto& [key, thing] : *shelf)
      if (key.name == parts[1]) return thing.wire();
    return {};
  }
  if (parts.size() == 5 && parts[0] == "projects" && parts[2] == "global" && parts[3] == "firewalls") {
    const Resource* rule =
        state_->find("firewalls", {std::string(parts[1]), "global", std::string(parts[4])});
    return rule == nullptr ? Value() : rule->wire();
  }
  bool zonal = parts.size() == 6 && parts[0] == "projects" &&
               (parts[4] == "instances" || parts[4] == "disks" || parts[4] == "operations");
  if (!zonal) return {};
  Key key{std::string(parts[1]), fmt::format("{}/{}", parts[2], parts[3]), std::string(parts[5])};
  const Resource* found = state_->find(parts[4], key);
  return found == nullptr ? Value() : found->wire();
}

std::vector<Value> World::resources(std::string_view kind) const {
  std::vector<Value> out;
  const Shelf* ec2 = ec2_shelf(*state_, kind);
  for (const auto& [key, resource] : ec2 != nullptr ? *ec2 : state_->shelf(kind))
    out.push_back(resource.wire());
  return out;
}

}  // namespace nbform::sim
