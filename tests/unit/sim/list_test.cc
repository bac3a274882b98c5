#include <set>

#include "world_fixture.h"

namespace nbform::sim {

namespace {
std::vector<std::string> names(const Value& aggregated) {
  std::vector<std::string> out;
  for (const auto& [scope, part] : aggregated["items"].as_map())
    for (const Value& vm : part["instances"].as_list()) out.emplace_back(vm["name"].as_text());
  return out;
}
void insert(Cloud& c, const std::string& name) {
  c.ask("POST", std::string(kZone) + "instances", notebook(name));
}
constexpr const char* kAll = "projects/acme-ml/aggregated/instances?returnPartialSuccess=true&maxResults=2";
}  // namespace

TEST_CASE("pages: every VM once, though others come and go between them") {
  Cloud c;
  for (const char* name : {"a", "b", "c", "d", "e"}) insert(c, name);
  c.wait(std::chrono::minutes(2));
  std::vector<std::string> seen;
  Value page = c.get(kAll);
  for (int i = 0; i < 9; ++i) {
    for (auto& n : names(page)) seen.push_back(n);
    if (i == 0) {
      c.run("DELETE", std::string(kZone) + "instances/a");
      insert(c, "bb");
    }
    if (page["nextPageToken"].is_null()) break;
    page = c.get(std::string(kAll) + "&pageToken=" + std::string(page["nextPageToken"].as_text()));
  }
  CHECK(seen == std::vector<std::string>{"a", "b", "bb", "c", "d", "e"});
}

TEST_CASE("a page token belongs to its list") {
  Cloud c;
  for (const char* name : {"a", "b", "c"}) insert(c, name);
  std::string token(c.get(kAll)["nextPageToken"].as_text());
  c.get(std::string(kAll) + "&filter=name%3Da&pageToken=" + token, 400);
  c.get(std::string(kAll) + "&pageToken=nonsense", 400);
  c.get("projects/acme-ml/aggregated/instances?maxResults=501", 400);
}

TEST_CASE("an unreachable zone fails a list unless partial answers are wanted") {
  Cloud c;
  insert(c, "train");
  c.world.set_unreachable("us-central1-a");
  c.get("projects/acme-ml/aggregated/instances", 503);
  Value partial = c.get("projects/acme-ml/aggregated/instances?returnPartialSuccess=true");
  CHECK(names(partial).empty());
  CHECK(partial["unreachables"].as_list().size() == 1);
  CHECK(partial["items"]["zones/us-central1-a"]["warning"]["code"] == Value("UNREACHABLE"));
  c.get(std::string(kZone) + "instances/train", 503);
  c.ask("POST", std::string(kZone) + "instances", notebook("other"), 503);
  c.world.set_unreachable("us-central1-a", false);
  CHECK(names(c.get("projects/acme-ml/aggregated/instances")) == std::vector<std::string>{"train"});
}

TEST_CASE("a dated request is always answered partially and knows no returnPartialSuccess") {
  Cloud c;
  c.world.set_unreachable("us-central1-a");
  Request r = c.request("GET", "projects/acme-ml/aggregated/instances");
  CHECK(c.world.handle(r, c.now).response->status == 503);
  set_header(r.headers, "X-Goog-Api-Version", "2026-09-01");
  CHECK(c.world.handle(r, c.now).response->status == 200);
  r.url += "?returnPartialSuccess=true";
  CHECK(c.world.handle(r, c.now).response->status == 400);
}

TEST_CASE("operations are listed newest first on request") {
  Cloud c;
  for (const char* name : {"a", "b", "c"}) {
    insert(c, name);
    c.wait(std::chrono::seconds(5));
  }
  Value list = c.get(std::string(kZone) + "operations?orderBy=creationTimestamp%20desc&maxResults=2");
  CHECK(list.at_path("items/0/targetLink").as_text().ends_with("/c"));
  CHECK(list.at_path("items/1/targetLink").as_text().ends_with("/b"));
  list = c.get(std::string(kZone) + "operations?orderBy=creationTimestamp%20desc&maxResults=2&pageToken=" +
               std::string(list["nextPageToken"].as_text()));
  CHECK(list.at_path("items/0/targetLink").as_text().ends_with("/a"));
  CHECK(list["nextPageToken"].is_null());
}

TEST_CASE("unknown parameters, paths and bodies are refused") {
  Cloud c;
  CHECK(c.get("projects/acme-ml/aggregated/instances?pageSize=3", 400)
            .at_path("error/message")
            .as_text()
            .find("pageSize") != std::string::npos);
  c.get("projects/acme-ml/aggregated/notebooks", 404);
  c.get("projects/acme-ml/zones/us-middle1-a/instances", 400);
  Value body = notebook("train");
  body.map().set("machinetype", "x");
  c.ask("POST", std::string(kZone) + "instances", body, 400);
  c.ask("POST", std::string(kZone) + "instances/train/detachDisk", {}, 400);
}

}  // namespace nbform::sim
