#include <algorithm>

#include "world_fixture.h"

namespace nbform::sim {

namespace {
std::string insert_path() {
  return std::string(kZone) + "instances";
}
void add(Cloud& c, std::string_view text) {
  auto added = c.world.add_faults(*parse_json(text));
  INFO((added ? "" : added.error().detail));
  REQUIRE(added.ok());
}
}  // namespace

TEST_CASE("the nth matching request is struck, as often as said") {
  Cloud c;
  add(c,
      R"([{"match":{"method":"instances.get","nth":2},"do":{"status":503,"headers":{"Retry-After":"7"}}}])");
  c.get(std::string(kZone) + "instances/x", 404);
  Answer struck = c.answer("GET", std::string(kZone) + "instances/x");
  CHECK(struck.response->status == 503);
  CHECK(header(struck.response->headers, "retry-after") == "7");
  c.get(std::string(kZone) + "instances/x", 404);
}

TEST_CASE("a dropped connection: before the effect nothing happened, after it everything did") {
  Cloud c;
  add(c,
      R"([{"match":{"method":"instances.insert"},"do":{"drop":"before"}},{"match":{"method":"instances.insert"},"do":{"drop":"after"}}])");
  CHECK(!c.answer("POST", insert_path(), notebook("train")).response);
  CHECK(c.world.resources("instances").empty());
  CHECK(!c.answer("POST", insert_path(), notebook("train")).response);
  CHECK(c.world.resources("instances").size() == 1);
}

TEST_CASE("an injected stock-out rolls the VM and its disks back, or leaves the disks") {
  Cloud c;
  add(c,
      R"([{"match":{"zone":"us-central1-a"},"do":{"operation":{"code":"ZONE_RESOURCE_POOL_EXHAUSTED","zones_available":["us-central1-f"]}}},
             {"match":{"method":"instances.insert"},"do":{"operation":{"code":"QUOTA_EXCEEDED","status":403},"keep_disks":true}}])");
  Value op = c.run("POST", insert_path(), notebook("train"));
  CHECK(op.at_path("error/errors/0/code") == Value("ZONE_RESOURCE_POOL_EXHAUSTED"));
  CHECK(op.at_path("error/errors/0/errorDetails/0/errorInfo/metadatas/zonesAvailable") ==
        Value("us-central1-f"));
  CHECK(op["httpErrorStatusCode"] == Value(503));
  CHECK(c.world.resources("instances").empty());
  CHECK(c.world.resources("disks").empty());
  op = c.run("POST", insert_path(), notebook("train"));
  CHECK(op.at_path("error/errors/0/code") == Value("QUOTA_EXCEEDED"));
  CHECK(c.world.resources("instances").empty());
  REQUIRE(c.world.resources("disks").size() == 1);
  CHECK(c.world.resources("disks")[0]["users"].is_null());
  CHECK(c.world.resources("disks")[0]["status"] == Value("READY"));
}

TEST_CASE("a chance is drawn from the seed: the same seed, the same course") {
  auto course = [](std::uint64_t seed) {
    Options options;
    options.seed = seed;
    Cloud c(options);
    add(c, R"([{"match":{"chance":0.3},"do":{"status":500},"times":0}])");
    std::string out;
    for (int i = 0; i < 200; ++i)
      out += c.answer("GET", "projects/acme-ml/zones/us-central1-a").response->status == 500 ? 'x' : '.';
    return out;
  };
  CHECK(course(1) == course(1));
  CHECK(course(1) != course(2));
  std::string one = course(1);
  auto struck = std::count(one.begin(), one.end(), 'x');
  CHECK(struck > 35);
  CHECK(struck < 85);
}

TEST_CASE("slow, cut, short pages, expired token, preempted soon") {
  Cloud c;
  c.world.add_token("short", "me@example.com", c.now + std::chrono::hours(1));
  add(c,
      R"([{"match":{"path":"*/zones/us-central1-a"},"do":{"delay":"2s","cut":10}},{"match":{"method":"instances.list"},"do":{"page":1}},
             {"match":{"method":"zones.list"},"do":{"expire_token":true}},{"match":{"method":"instances.insert"},"do":{"preempt":"30s"}}])");
  Answer slow = c.answer("GET", "projects/acme-ml/zones/us-central1-a");
  CHECK(slow.delay == std::chrono::seconds(2));
  CHECK(slow.cut == 10u);
  c.run("POST", insert_path(), spot(notebook("a")));
  CHECK(c.vm("a")["status"] == Value("TERMINATED"));
  c.run("POST", insert_path(), notebook("b"));
  Value page = c.get(insert_path());
  CHECK(page["items"].as_list().size() == 1);
  CHECK(!page["nextPageToken"].is_null());
  Request r = c.request("GET", "projects/acme-ml/zones");
  set_header(r.headers, "Authorization", "Bearer short");
  CHECK(c.world.handle(r, c.now).response->status == 401);
}

}  // namespace nbform::sim
