#include "base/json.h"
#include "ground.h"
#include "support/stage.h"

namespace nbform::crash {

namespace {

sim::Options one_region() {
  sim::Options options;
  options.regions = {"us-central1"};
  return options;
}

void admit(sim::World& world, const std::string& who) {
  world.add_token(who, who);
}

WireOptions wire_of(const std::string& who) {
  return {who, {}};
}

bool changes(const Request& request) {
  return request.method != "GET" && request.url.find("/wait") == std::string::npos;
}

std::string identity(const Request& request) {
  auto at = request.url.find("requestId=");
  return at == std::string::npos ? request.url : request.url.substr(at);
}

}  // namespace

const Ground& gce_ground() {
  static const Ground ground{"gce",           "compute",        one_region, {{"gcp", "acme-ml"}},
                             sample_notebook, [](Manifest&) {}, admit,      wire_of,
                             changes,         identity};
  return ground;
}

int gce_console(sim::World& world, const std::string& method, const std::string& path, const Value& body) {
  Request request{.method = method,
                  .url = "https://compute.googleapis.com/compute/v1/projects/acme-ml/" + path};
  request.headers = {{"Authorization", "Bearer colleague"}, {"Content-Type", "application/json"}};
  if (!body.is_null()) request.body = to_json(body);
  sim::Answer answer = world.handle(request, world.now());
  return answer.response ? answer.response->status : 0;
}

}  // namespace nbform::crash
