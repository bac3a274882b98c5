#include "world_fixture.h"

namespace nbform::sim {

namespace {
// Who did this kind of thing to the VM, in order.
std::vector<std::string> actors(const Cloud& c, std::string_view kind) {
  std::vector<std::string> out;
  for (const Event& e : c.world.events())
    if (e.kind == kind && e.resource == "instances/a") out.push_back(e.actor);
  return out;
}
}  // namespace

TEST_CASE("the diary says who did it, also when it takes effect later; the cloud has no name") {
  Cloud c;
  c.world.add_token("other", "ana@example.com");
  c.run("POST", std::string(kZone) + "instances", spot(notebook("a")));
  Request stop = c.request("POST", std::string(kZone) + "instances/a/stop");
  stop.headers[0].second = "Bearer other";
  REQUIRE(c.world.handle(stop, c.now).response->status == 200);
  c.wait(std::chrono::minutes(2));
  CHECK(actors(c, "insert") == std::vector<std::string>{"me@example.com"});
  std::vector<std::string> who = actors(c, "status");  // STAGING by itself, RUNNING, STOPPING, TERMINATED
  REQUIRE(who.size() == 4);
  CHECK(std::vector(who.begin() + 1, who.end()) ==
        std::vector<std::string>{"me@example.com", "ana@example.com", "ana@example.com"});
  c.run("POST", std::string(kZone) + "instances/a/start");
  REQUIRE(c.world.preempt("acme-ml", "us-central1-a", "a").ok());
  c.wait(std::chrono::minutes(2));
  CHECK(actors(c, "status").back() == "");
  auto again = World::from_json(c.world.to_json());
  REQUIRE(again.ok());
  CHECK(again->events().back().actor == "");
  CHECK(again->events().front().actor == "me@example.com");
}

TEST_CASE("short-memory: an operation is known for a second after its end") {
  Cloud c(Options{.variants = {"short-memory"}});
  Value op = c.ask("POST", std::string(kZone) + "instances", notebook("a"));
  std::string path = std::string(kZone) + "operations/" + std::string(op["name"].as_text());
  c.wait(std::chrono::seconds(5));
  c.get(path);
  c.wait(std::chrono::seconds(60));
  c.get(path, 404);
}

TEST_CASE("a small cloud lists its own regions only, and serves the others all the same") {
  Cloud c(Options{.regions = {"us-central1"}});
  CHECK(c.get("projects/acme-ml/zones")["items"].as_list().size() == 4);
  CHECK(c.get("projects/acme-ml/regions")["items"].as_list().size() == 1);
  CHECK(c.get("projects/acme-ml/aggregated/instances")["items"].as_map().size() == 4);
  auto again = World::from_json(c.world.to_json());
  REQUIRE(again.ok());
  CHECK(again->handle(c.request("GET", "projects/acme-ml/zones"), c.now).response->body ==
        c.answer("GET", "projects/acme-ml/zones").response->body);
}

}  // namespace nbform::sim
