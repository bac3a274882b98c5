#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace nbform {

using Verdict = RetryDecision::Verdict;

// One request on its way to a verdict. At most one of timer, authorisation and exchange is outstanding.
struct Client::Call {
  ApiRequest request;
  std::function<void(Result<Answer>)> done;
  std::string origin;
  Time started;
  int attempts = 0;         // sent so far
  std::uint64_t grant = 0;  // the credential of the last attempt
  Time sent;                // likewise
  Refused refused;
  TimerId timer = 0;
  ExchangeId exchange = 0;
};

struct Client::State : std::enable_shared_from_this<Client::State> {
  State(Env& e, ClientOptions o) : env(e), options(std::move(o)) {}

  Env& env;
  ClientOptions options;
  std::map<CallId, Call> calls;
  std::map<std::string, Time> hold_until;  // by origin: a Retry-After said not to come sooner
  std::set<std::string> reached;           // origins that have answered, whatever they said
  CallId next_id = 1;

  // A callback that goes on with `next`, unless the client is gone or the call was cancelled.
  template <class... Args>
  auto then(CallId id, void (State::*next)(CallId, Call&, Args...)) {
    return [weak = weak_from_this(), id, next](Args... args) {
      auto self = weak.lock();
      if (!self) return;
      auto at = self->calls.find(id);
      if (at != self->calls.end()) ((*self).*next)(id, at->second, std::move(args)...);
    };
  }

  // Each of these may end the call: nothing may touch `call` after it hands on.
  void pace(CallId id, Call& call, Duration delay);
  void begin_attempt(CallId id, Call& call);
  void go_on(CallId id, Call& call, Result<> permission);
  void authorise(CallId id, Call& call);
  void dispatch(CallId id, Call& call, Result<Authorized> ready);
  void receive(CallId id, Call& call, Result<Response> result);
  void receive_answer(CallId id, Call& call, Response response);
  void try_again_or_give_up(CallId id, Call& call, Diagnostic problem, const Response* response);
  void notify(const Call& call, const Diagnostic& problem, const Response* response, Duration wait);
  void finish(CallId id, Result<Answer> result);
};

namespace {

// With a server that has not answered once: its address is more often wrong than its network down.
constexpr Duration kPatienceWithStrangers = std::chrono::seconds(20);

// The body as a Value, null where there is none to expect. An error where a 2xx should be an object and is
// not: an empty or cut list must never pass for a short one.
Result<Value> value_of(const ClientOptions& options, const ApiRequest& request, Response& response) {
  auto type = header(response.headers, "content-type").value_or("");
  bool must_be_object = request.expects_json && response.ok() && response.status != 204;
  bool worth_reading = request.expects_json || type.find("json") != std::string_view::npos;
  if (!worth_reading) return Value();
  std::size_t bytes = response.body.size();
  auto parsed = request.read ? request.read(response) : options.read(response);
  if (parsed.ok() && (parsed->is_map() || !must_be_object)) return parsed;
  if (!must_be_object) return Value();
  if (!parsed.ok() && parsed.error().summary == kTooLarge) return parsed;
  return error(Code::unavailable, "The answer is cut or garbled",
               fmt::format("HTTP {} came with {} bytes that are not an object of the service.",
                           response.status, bytes));
}

std::string why_no_more(Verdict verdict, std::optional<Duration> asked, Duration patience) {
  if (verdict == Verdict::out_of_patience && asked && *asked > patience)
    return fmt::format("It asks not to be asked again for {}, longer than nbform waits.",
                       format_span(*asked));
  switch (verdict) {
    case Verdict::not_repeatable:
      return "It was not sent again: it may have taken effect, and nothing protects it from happening twice.";
    case Verdict::out_of_patience:
      return "That was the last attempt.";
    default:
      return "Another attempt would not change this.";
  }
}

Diagnostic given_up(Diagnostic problem, const std::string& why, int attempts, Duration elapsed) {
  std::string tried =
      attempts > 1 ? fmt::format("Tried {} times in {}. ", attempts, format_span(elapsed)) : "";
  problem.detail = fmt::format("{}{}{}{}", problem.detail, problem.detail.empty() ? "" : " ", tried, why);
  return problem;
}

std::string origin_of(const Request& request) {
  auto url = parse_url(request.url);
  return url ? url->origin() : std::string();
}

}  // namespace

void Client::State::pace(CallId id, Call& call, Duration delay) {
  Duration hold = hold_until[call.origin] - env.now();
  call.timer = env.after(std::max(delay, hold), then(id, &State::begin_attempt));
}

void Client::State::begin_attempt(CallId id, Call& call) {
  call.timer = 0;
  if (call.attempts == 0 || !call.request.may_repeat) return authorise(id, call);
  Permission ask = call.request.may_repeat;
  ask(then(id, &State::go_on));
}

void Client::State::go_on(CallId id, Call& call, Result<> permission) {
  permission.ok() ? authorise(id, call) : finish(id, std::move(permission).error());
}

void Client::State::authorise(CallId id, Call& call) {
  if (!options.authorize) return dispatch(id, call, Authorized{call.request.http, 0});
  options.authorize(call.request.http, call.refused, then(id, &State::dispatch));
}

void Client::State::dispatch(CallId id, Call& call, Result<Authorized> ready) {
  if (!ready.ok()) return finish(id, std::move(ready).error());
  call.grant = ready->grant;
  ++call.attempts;
  call.sent = env.now();
  call.exchange = env.send(std::move(ready->request), then(id, &State::receive));
}

void Client::State::receive(CallId id, Call& call, Result<Response> result) {
  call.exchange = 0;
  if (result.ok()) reached.insert(call.origin);
  if (!result.ok()) return try_again_or_give_up(id, call, std::move(result).error(), nullptr);
  bool may_ask_again = options.authorize && call.refused.grant == 0;
  if (!result->ok() && may_ask_again && options.classify(*result) == Code::unauthenticated) {
    call.refused = {call.grant, std::move(result).value(), call.sent};
    return authorise(id, call);
  }
  receive_answer(id, call, std::move(result).value());
}

void Client::State::receive_answer(CallId id, Call& call, Response response) {
  if (!response.ok() && is_transient(options.classify(response)))
    return try_again_or_give_up(id, call, options.describe(response), &response);
  auto json = value_of(options, call.request, response);
  if (!json.ok()) return try_again_or_give_up(id, call, std::move(json).error(), &response);
  finish(id, Answer{std::move(response), std::move(json).value()});
}

void Client::State::try_again_or_give_up(CallId id, Call& call, Diagnostic problem,
                                         const Response* response) {
  Duration elapsed = env.now() - call.started;
  auto asked = response != nullptr ? retry_after(*response, env.now()) : std::nullopt;
  bool repeatable = call.request.repeat != ApiRequest::Repeat::never;
  RetryPolicy policy = call.request.policy;
  if (response == nullptr && problem.code == Code::unavailable && reached.count(call.origin) == 0)
    policy.patience = std::min(policy.patience, kPatienceWithStrangers);
  auto decision = decide(policy, problem.code, repeatable, call.attempts, elapsed, asked,
                         [this](std::uint64_t n) { return env.random(n); });
  if (decision.verdict != Verdict::again)
    return finish(id, given_up(std::move(problem), why_no_more(decision.verdict, asked, policy.patience),
                               call.attempts, elapsed));
  if (asked) hold_until[call.origin] = std::max(hold_until[call.origin], env.now() + *asked);
  notify(call, problem, response, decision.wait);
  pace(id, call, decision.wait);
}

void Client::State::notify(const Call& call, const Diagnostic& problem, const Response* response,
                           Duration wait) {
  if (!call.request.on_retry) return;
  const Request& http = call.request.http;
  int status = response != nullptr ? response->status : 0;
  std::string reason = status == 0 ? problem.summary : fmt::format("HTTP {}", status);
  if (!problem.provider_code.empty()) reason += " " + problem.provider_code;
  call.request.on_retry({http.method, http.url.substr(0, http.url.find('?')), call.attempts, wait,
                         problem.code, status, std::move(reason)});
}

void Client::State::finish(CallId id, Result<Answer> result) {
  auto at = calls.find(id);
  auto done = std::move(at->second.done);
  calls.erase(at);
  done(std::move(result));
}

Client::Client(Env& env, ClientOptions options) : state_(std::make_shared<State>(env, std::move(options))) {}

Client::~Client() {
  while (!state_->calls.empty()) cancel(state_->calls.begin()->first);
}

CallId Client::send(ApiRequest request, std::function<void(Result<Answer>)> done) {
  CallId id = state_->next_id++;
  std::string origin = origin_of(request.http);
  Call& call = state_->calls[id];
  call.request = std::move(request);
  call.done = std::move(done);
  call.origin = std::move(origin);
  call.started = state_->env.now();
  state_->pace(id, call, Duration(0));
  return id;
}

void Client::cancel(CallId id) {
  auto at = state_->calls.find(id);
  if (at == state_->calls.end()) return;
  if (at->second.timer != 0) state_->env.cancel_timer(at->second.timer);
  if (at->second.exchange != 0) state_->env.cancel(at->second.exchange);
  state_->calls.erase(at);
}

std::size_t Client::in_flight() const {
  return state_->calls.size();
}

}  // namespace nbform
