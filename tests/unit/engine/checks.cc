#include "checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "support/catch.h"

namespace nbform {

Value vm_of(Stage& stage, const std::string& name) {
  return stage.world.resource(kZone + "instances/" + name);
}

std::int64_t disk_id(Stage& stage, const std::string& name) {
  return stage.world.resource(kZone + "disks/" + name)["id"].as_int();
}

void wait(Stage& stage, Duration d) {
  bool over = false;
  stage.env.after(d, [&] { over = true; });
  while (!over) stage.env.step();
}

// As a colleague would, with gcloud.
void by_hand(Stage& stage, const std::string& method, const std::string& path, Value body) {
  Request request{.method = method, .url = "https://compute.googleapis.com/compute/v1/" + kZone + path};
  request.headers = {{"Authorization", "Bearer sandbox"}, {"Content-Type", "application/json"}};
  if (!body.is_null()) request.body = to_json(body);
  sim::Answer answer = stage.world.handle(request, stage.env.now());
  INFO(answer.response->body);
  REQUIRE(answer.response->status == 200);
}

void apply_until(Stage& stage, std::string_view path, const DiffOptions& options) {
  bool dead = false;
  stage.env.set_gate([&](const Request& r) {
    dead = dead || r.url.find(path) != std::string::npos;
    return !dead;
  });
  ApplyOptions dying;
  dying.interrupts = [&] { return dead ? 2 : 0; };
  Planned planned = stage.plan(options);
  (void)stage.apply(planned, dying);
  stage.env.set_gate({});
  REQUIRE(dead);
}

std::string text_of(const Outcome& outcome) {
  std::string out;
  for (const ChangeResult& r : outcome.results)
    out += fmt::format("{} {} {} {} {}\n", r.address, static_cast<int>(r.state), r.failure.summary,
                       r.failure.detail, r.blocked_by);
  return out;
}

void expect_done(const Outcome& outcome) {
  INFO(text_of(outcome));
  CHECK(all_done(outcome));
}

void expect_empty(Stage& stage, const DiffOptions& options) {
  Planned again = stage.settled_plan(options);
  INFO(text_of(again));
  CHECK(again.plan.empty());
  CHECK_FALSE(again.plan.diagnostics.has_errors());
}

Disk data_disk(Keep keep) {
  Disk disk;
  disk.size_gb = Number(200);
  disk.type = Text("balanced");
  disk.keep = Setting<Keep>(keep);
  return disk;
}

Notebook& train(Stage& stage) {
  return stage.manifest().notebooks[0];
}

void other_image(Stage& stage) {
  Image other;
  other.family = Text("pytorch-2-9-cu129-ubuntu-2404-nvidia-580");
  train(stage).image = Setting<Image>(other);
}

}  // namespace nbform
