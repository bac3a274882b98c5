#include "engine/google_wire.h"

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

Result<std::string> GoogleWire::base_of(const std::string& api) {
  auto it = bases_.find(api);
  if (it != bases_.end()) return it->second;
  bool sandbox = !options_.sandbox_token.empty();
  Lookup lookup = [&](const std::string& name) { return sandbox ? std::nullopt : env_.env_var(name); };
  Endpoint endpoint = NB_TRY(google_endpoint(api, lookup));
  bases_[api] = endpoint.base;
  return endpoint.base;
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
