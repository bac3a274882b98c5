// A World with one caller who is let in, and short words for what tests ask of it.
#pragma once

#include <string>

#include "base/json.h"
#include "sim/cloud.h"
#include "support/catch.h"

namespace nbform::sim {

inline constexpr const char* kZone = "projects/acme-ml/zones/us-central1-a/";

struct Cloud {
  World world;
  Time now = Time::from_seconds(1'795'262'400);

  explicit Cloud(Options options = {}) : world(std::move(options)) {
    world.add_token("sandbox", "me@example.com");
  }

  Request request(std::string method, const std::string& path, const Value& body = {}) const {
    Request r;
    r.method = std::move(method);
    r.url = "https://compute.googleapis.com/compute/v1/" + path;
    r.headers = {{"Authorization", "Bearer sandbox"}};
    if (!body.is_null()) {
      r.headers.emplace_back("Content-Type", "application/json");
      r.body = to_json(body);
    }
    return r;
  }
  Answer answer(std::string method, const std::string& path, const Value& body = {}) {
    return world.handle(request(std::move(method), path, body), now);
  }
  // The answer's body; the status must be as expected.
  Value ask(std::string method, const std::string& path, const Value& body = {}, int status = 200) {
    Answer a = answer(std::move(method), path, body);
    REQUIRE(a.response);
    INFO(path << ": " << a.response->body);
    REQUIRE(a.response->status == status);
    auto parsed = parse_json(a.response->body);
    return parsed ? *parsed : Value();
  }
  Value get(const std::string& path, int status = 200) { return ask("GET", path, {}, status); }
  void wait(Duration d) {
    now = now + d;
    world.advance(now);
  }
  // Sends a mutation and lets it finish: its operation as it is then.
  Value run(std::string method, const std::string& path, const Value& body = {}) {
    Value op = ask(std::move(method), path, body);
    wait(std::chrono::minutes(2));
    return get(std::string(kZone) + "operations/" + std::string(op["name"].as_text()));
  }
  Value vm(const std::string& name) { return get(std::string(kZone) + "instances/" + name); }
  std::size_t count(std::string_view kind, std::string_view resource) const {
    std::size_t n = 0;
    for (const Event& e : world.events()) n += e.kind == kind && e.resource == resource;
    return n;
  }
};

inline Value notebook(const std::string& name, const std::string& machine = "e2-standard-2") {
  Value disk = Map{{"boot", true},
                   {"autoDelete", true},
                   {"deviceName", "boot"},
                   {"initializeParams", Map{{"sourceImage",
                                             "projects/deeplearning-platform-release/global/images/family/"
                                             "common-cu129-ubuntu-2404-nvidia-580"},
                                            {"diskSizeGb", "100"},
                                            {"labels", Map{{"part", "boot"}}},
                                            {"diskType", "zones/us-central1-a/diskTypes/pd-balanced"}}}};
  return Map{{"name", name},
             {"machineType", "zones/us-central1-a/machineTypes/" + machine},
             {"labels", Map{{"team", "research"}}},
             {"disks", List{disk}},
             {"networkInterfaces", List{Map{{"network", "global/networks/default"},
                                            {"accessConfigs", List{Map{{"type", "ONE_TO_ONE_NAT"}}}}}}}};
}

inline Value spot(Value body) {
  body.map().set("scheduling", Map{{"provisioningModel", "SPOT"},
                                   {"instanceTerminationAction", "STOP"},
                                   {"onHostMaintenance", "TERMINATE"},
                                   {"automaticRestart", false}});
  return body;
}

}  // namespace nbform::sim
