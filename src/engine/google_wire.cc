#include "engine/google_wire.h"

#include <fmt/format.h>

#include "base/json.h"
#include "net/endpoints.h"

namespace nbform {

namespace {

Authorize fixed_token(std::string token) {
  return [token](Request request, const Refused&, std::function<void(Result<Authorized>)> done) {
    set_header(request.headers, "Authorization", "Bearer " + token);
    done(Authorized{std::move(request), 1});
  };
}

bool is_local(const Endpoint& endpoint) {
  auto url = parse_url(endpoint.base);
  return url && is_loopback(url->host);
}

std::string url_of(const std::string& base, const Call& call) {
  std::string url = base + call.path;
  if (!call.query.empty()) url += "?" + form_encode(call.query);
  return url;
}

Request request_of(const std::string& base, const Call& call) {
  Request request;
  request.method = call.method;
  request.url = url_of(base, call);
  bool writes = call.method == "POST" || call.method == "PATCH" || call.method == "PUT";
  if (!call.body.is_null()) request.body = to_json(call.body);
  if (!call.body.is_null() || writes) request.headers.emplace_back("Content-Type", "application/json");
  bool waits = call.path.ends_with("/wait");
  if (waits) request.timeout = std::chrono::seconds(150);
  return request;
}

}  // namespace

GoogleWire::GoogleWire(Env& env, GoogleWireOptions options) : env_(env), options_(std::move(options)) {
  ClientOptions client;
  if (!options_.sandbox_token.empty()) {
    client.authorize = fixed_token(options_.sandbox_token);
  } else {
    GoogleAuthOptions auth;
    auth.impersonate = options_.impersonate;
    auth_ = std::make_unique<GoogleAuth>(env_, auth);
    client.authorize = auth_->authorizer();
  }
  client_ = std::make_unique<Client>(env_, std::move(client));
}

Authorize GoogleWire::authorizer() {
  return auth_ ? auth_->exchanged_authorizer() : fixed_token(options_.sandbox_token);
}

Result<Endpoint> GoogleWire::endpoint_of(const std::string& api) const {
  bool sandbox = !options_.sandbox_token.empty();
  return google_endpoint(
      api, [&](const std::string& name) { return sandbox ? std::nullopt : env_.env_var(name); });
}

// Beside VMs on this machine no API that is live: a rehearsal would leave real traces.
Result<std::string> GoogleWire::base_of(const std::string& api) {
  auto it = bases_.find(api);
  if (it != bases_.end()) return it->second;
  Endpoint endpoint = NB_TRY(endpoint_of(api)), compute = NB_TRY(endpoint_of("compute"));
  if (is_local(endpoint) != is_local(compute) && !options_.mixed_endpoints)
    return error(Code::usage, "One API is on this machine and another is live",
                 fmt::format("compute is reached at {}, and {} at {}.", compute.base, api, endpoint.base))
        .with_hint("Point both at the simulator (nbsim env), or neither; --mixed-endpoints allows it.");
  bases_[api] = endpoint.base;
  return endpoint.base;
}

void GoogleWire::caller(std::function<void(Result<std::string>)> done) {
  if (auth_ && !auth_->account().empty()) {
    env_.after(Duration{0}, [done = std::move(done), account = auth_->account()] { done(account); });
    return;
  }
  send({"oauth2", "GET", "userinfo", {}, {}}, {},
       [done = std::move(done), named = env_.env_var("CLOUDSDK_CORE_ACCOUNT")](Result<Answer> answer) {
         std::string email(answer.ok() ? answer->json["email"].as_text() : "");
         if (email.empty()) email = named.value_or("");
         if (!email.empty()) return done(std::move(email));
         if (!answer.ok()) return done(std::move(answer).error());
         done(error(Code::unauthenticated, "Nobody says who you are to Google",
                    "The access token does not tell its owner's e-mail address.")
                  .with_hint("Log in again, or set CLOUDSDK_CORE_ACCOUNT to the address:\n"
                             "    gcloud auth application-default login"));
       });
}

void GoogleWire::send(const Call& call, ApiRequest request, std::function<void(Result<Answer>)> done) {
  auto base = base_of(call.api);
  if (!base.ok()) {
    env_.after(Duration{0}, [done = std::move(done), failure = base.error()] { done(failure); });
    return;
  }
  request.http = request_of(*base, call);
  client_->send(std::move(request), std::move(done));
}

}  // namespace nbform
