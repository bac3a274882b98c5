#include "engine/wire.h"

#include "base/aws_error.h"
#include "base/google_error.h"
#include "cloud/cloud.h"

namespace nbform {

namespace {

bool is_aws(const Scope& scope) {
  const Service* service = find_service(scope.service);
  return service != nullptr && service->cloud_type() == "aws";
}

template <class Map>
typename Map::mapped_type value_or_default(const Map& map, const std::string& key) {
  auto it = map.find(key);
  return it != map.end() ? it->second : typename Map::mapped_type();
}

}  // namespace

Wire::Wire(Env& env, WireOptions options) : env_(env), options_(std::move(options)) {}

GoogleWire& Wire::google(const std::string& cloud) {
  std::unique_ptr<GoogleWire>& half = google_[cloud];
  if (!half)
    half = std::make_unique<GoogleWire>(
        env_, GoogleWireOptions{options_.sandbox_token, value_or_default(options_.impersonate, cloud),
                                options_.mixed_endpoints});
  return *half;
}

Authorize Wire::google_authorizer(const std::string& cloud) {
  return google(cloud).authorizer();
}

void Wire::caller(const Scope& scope, std::function<void(Result<std::string>)> done) {
  ++calls_;
  google(scope.cloud).caller(std::move(done));
}

AwsWire& Wire::aws(const std::string& cloud) {
  std::unique_ptr<AwsWire>& half = aws_[cloud];
  if (!half) half = std::make_unique<AwsWire>(env_, value_or_default(options_.aws, cloud));
  return *half;
}

void Wire::send(const Scope& scope, const Call& call, ApiRequest::Repeat repeat,
                std::function<void(Result<Answer>)> done, std::function<void(const RetryNotice&)> on_retry,
                Permission may_repeat) {
  ApiRequest request;
  request.repeat = repeat;
  request.may_repeat = std::move(may_repeat);
  request.on_retry = on_retry ? std::move(on_retry) : options_.on_retry;
  ++calls_;
  if (is_aws(scope))
    aws(scope.cloud).send(scope, call, std::move(request), std::move(done));
  else
    google(scope.cloud).send(call, std::move(request), std::move(done));
}

Diagnostic Wire::refusal(const Scope& scope, const Response& answer) const {
  return is_aws(scope) ? aws_error(answer) : google_error(answer);
}

}  // namespace nbform
