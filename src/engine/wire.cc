#include "engine/wire.h"

#include "base/aws_error.h"
#include "base/google_error.h"
#include "base/json.h"
#include "cloud/cloud.h"
#include "net/google_auth.h"

namespace nbform {

struct Wire::Cloud {
  std::unique_ptr<GoogleAuth> auth;
  std::unique_ptr<Client> client;
};

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

}  // namespace

Wire::Wire(Env& env, WireOptions options) : env_(env), options_(std::move(options)) {}
Wire::~Wire() = default;

Wire::Cloud& Wire::cloud_of(const Scope& scope) {
  std::unique_ptr<Cloud>& cloud = clouds_[scope.cloud];
  if (cloud) return *cloud;
  cloud = std::make_unique<Cloud>();
  ClientOptions options;
  if (!options_.sandbox_token.empty()) {
    options.authorize = fixed_token(options_.sandbox_token);
  } else {
    GoogleAuthOptions auth;
    if (auto it = options_.impersonate.find(scope.cloud); it != options_.impersonate.end())
      auth.impersonate = it->second;
    cloud->auth = std::make_unique<GoogleAuth>(env_, auth);
    options.authorize = cloud->auth->authorizer();
  }
  cloud->client = std::make_unique<Client>(env_, std::move(options));
  return *cloud;
}

Result<std::string> Wire::base_of(const std::string& api) {
  auto it = bases_.find(api);
  if (it != bases_.end()) return it->second;
  bool sandbox = !options_.sandbox_token.empty();
  Lookup lookup = [&](const std::string& name) { return sandbox ? std::nullopt : env_.env_var(name); };
  Endpoint endpoint = NB_TRY(google_endpoint(api, lookup));
  bases_[api] = endpoint.base;
  return endpoint.base;
}

CallId Wire::send(const Scope& scope, const Call& call, ApiRequest::Repeat repeat,
                  std::function<void(Result<Answer>)> done,
                  std::function<void(const RetryNotice&)> on_retry) {
  auto base = base_of(call.api);
  if (!base.ok()) {
    env_.after(Duration{0}, [done, failure = base.error()] { done(failure); });
    return 0;
  }
  ApiRequest request;
  request.http.method = call.method;
  request.http.url = url_of(*base, call);
  if (!call.body.is_null()) {
    request.http.body = to_json(call.body);
    request.http.headers.emplace_back("Content-Type", "application/json");
  } else if (call.method == "POST" || call.method == "PATCH" || call.method == "PUT") {
    request.http.headers.emplace_back("Content-Type", "application/json");
  }
  bool waits = call.path.ends_with("/wait");
  if (waits) request.http.timeout = std::chrono::seconds(150);
  request.repeat = repeat;
  request.on_retry = std::move(on_retry);
  ++calls_;
  return cloud_of(scope).client->send(std::move(request), std::move(done));
}

Diagnostic Wire::refusal(const Scope& scope, const Response& answer) const {
  const Service* service = find_service(scope.service);
  bool aws = service != nullptr && service->cloud_type() == "aws";
  return aws ? aws_error(answer) : google_error(answer);
}

void Wire::cancel(const Scope& scope, CallId id) {
  if (auto it = clouds_.find(scope.cloud); it != clouds_.end() && id != 0) it->second->client->cancel(id);
}

}  // namespace nbform
