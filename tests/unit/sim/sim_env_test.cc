#include "sim/sim_env.h"

#include "support/fake_env.h"
#include "world_fixture.h"

namespace nbform::sim {

namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Simulated {
  Cloud cloud;
  FakeEnv outside;
  SimEnv env;

  explicit Simulated(SimOptions options = {}) : env(cloud.world, outside, std::move(options)) {}
  void run() {
    while (env.step()) {
    }
  }
  Result<Response> send(Request request) {
    std::optional<Result<Response>> got;
    env.send(std::move(request), [&](Result<Response> r) { got = std::move(r); });
    run();
    REQUIRE(got);
    return *got;
  }
  void faults(std::string_view text) { REQUIRE(cloud.world.add_faults(*parse_json(text)).ok()); }
};
}  // namespace

TEST_CASE("waiting costs no time of ours, and answers come after the latency") {
  Simulated s;
  Time start = s.env.now();
  std::vector<std::string> order;
  s.env.after(std::chrono::hours(1), [&] { order.push_back("hour"); });
  s.env.after(milliseconds(30), [&] { order.push_back("timer"); });
  s.env.send(s.cloud.request("GET", "projects/acme-ml/zones/us-central1-a"), [&](Result<Response> r) {
    REQUIRE(r.ok());
    CHECK(s.env.now() - start == milliseconds(40));
    order.push_back("answer");
  });
  s.run();
  CHECK(order == std::vector<std::string>{"timer", "answer", "hour"});
  CHECK(s.env.now() - start == std::chrono::hours(1));
}

TEST_CASE("operations.wait is answered when the operation is done, in virtual time") {
  Simulated s;
  Result<Response> inserted =
      s.send(s.cloud.request("POST", std::string(kZone) + "instances", notebook("train")));
  REQUIRE(inserted.ok());
  std::string name((*parse_json(inserted->body))["name"].as_text());
  Result<Response> waited =
      s.send(s.cloud.request("POST", std::string(kZone) + "operations/" + name + "/wait"));
  REQUIRE(waited.ok());
  CHECK((*parse_json(waited->body))["status"] == Value("DONE"));
  CHECK(s.cloud.world.resource(std::string(kZone) + "instances/train")["status"] == Value("RUNNING"));
}

TEST_CASE("drops, cuts, timeouts and long answers are errors of their kinds") {
  Simulated s;
  s.faults(R"([{"do":{"drop":"after"}},{"do":{"cut":5}},{"do":{"delay":"10m"}}])");
  Request zone = s.cloud.request("GET", "projects/acme-ml/zones/us-central1-a");
  CHECK(s.send(zone).error().code == Code::unavailable);
  CHECK(s.send(zone).error().code == Code::unavailable);
  Time before = s.env.now();
  zone.timeout = seconds(5);
  CHECK(s.send(zone).error().code == Code::timeout);
  CHECK(s.env.now() - before == seconds(5));
  zone.max_body = 10;
  CHECK(s.send(zone).error().code == Code::io);
}

TEST_CASE("a cancelled request has its effect, unheard") {
  Simulated s;
  bool heard = false;
  ExchangeId id = s.env.send(s.cloud.request("POST", std::string(kZone) + "instances", notebook("train")),
                             [&](Result<Response>) { heard = true; });
  s.env.cancel(id);
  s.run();
  CHECK(!heard);
  CHECK(s.cloud.world.resources("instances").size() == 1);
}

TEST_CASE("what a caller sent before it died still reaches the cloud, and nothing comes back to it") {
  Cloud cloud;
  FakeEnv outside;
  auto timeline = std::make_shared<Timeline>(cloud.now);
  SimOptions options;
  options.timeline = timeline;
  bool heard = false;
  auto hear = [&](Result<Response>) { heard = true; };
  {
    SimEnv dying(cloud.world, outside, options);
    dying.send(cloud.request("GET", std::string(kZone) + "instances/x"), hear);
    timeline->run_next();  // arrived, not answered
    dying.send(cloud.request("POST", std::string(kZone) + "instances", notebook("train")), hear);
    dying.after(seconds(1), [&] { heard = true; });
  }
  while (!timeline->empty()) timeline->run_next();
  CHECK(!heard);
  CHECK(cloud.world.resources("instances").size() == 1);
}

TEST_CASE("two callers of one cloud share its time, and every exchange is on record") {
  Cloud cloud;
  FakeEnv outside;
  SimOptions options;
  options.record = true;
  SimEnv one(cloud.world, outside, options);
  options.timeline = one.timeline();
  SimEnv two(cloud.world, outside, options);
  std::vector<int> statuses;
  auto keep = [&](Result<Response> r) { statuses.push_back(r->status); };
  one.send(cloud.request("POST", std::string(kZone) + "instances", notebook("train")), keep);
  two.send(cloud.request("POST", std::string(kZone) + "instances", notebook("train")), keep);
  while (one.step()) {
  }
  CHECK(statuses == std::vector<int>{200, 409});
  REQUIRE(two.exchanges().size() == 1);
  CHECK(two.exchanges()[0].method == "POST");
  CHECK(two.exchanges()[0].status == 409);
}

TEST_CASE("while a person thinks, virtual time stands still") {
  Simulated s;
  s.outside.typed = {"yes"};
  Time start = s.env.now();
  std::string typed;
  bool rang = false;
  s.env.after(seconds(1), [&] { rang = true; });
  s.env.prompt("sure?", [&](Result<std::string> r) {
    typed = *r;
    CHECK(!rang);
    CHECK(s.env.now() == start);
  });
  s.run();
  CHECK(typed == "yes");
  CHECK(rang);
}

TEST_CASE("the outside's interrupt is heard between virtual events") {
  Simulated s;
  bool interrupted = false;
  s.env.on_interrupt([&] { interrupted = true; });
  s.env.after(seconds(1), [&] { s.outside.interrupt(); });
  s.env.after(seconds(2), [&] { CHECK(interrupted); });
  s.run();
  CHECK(interrupted);
}

TEST_CASE("a gate holds a request back for good: the caller died there") {
  Simulated s;
  s.env.set_gate([](const Request& r) { return r.method == "GET"; });
  bool heard = false;
  s.env.send(s.cloud.request("POST", std::string(kZone) + "instances", notebook("train")),
             [&](Result<Response>) { heard = true; });
  s.run();
  CHECK(!heard);
  CHECK(s.cloud.world.resources("instances").empty());
}

}  // namespace nbform::sim
