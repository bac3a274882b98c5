#include "base/text.h"
#include "sim/names.h"
#include "world_fixture.h"

namespace nbform::sim {

namespace {
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kVms = std::string(kZone) + "instances";
const std::string kTrain = kVms + "/train";

Cloud with_vm(Value body = notebook("train"), Options options = {}) {
  Cloud c(std::move(options));
  Value op = c.run("POST", kVms, body);
  REQUIRE(op["error"].is_null());
  return c;
}
std::string failure(const Value& op) {
  return std::string(op.at_path("error/errors/0/code").as_text());
}
Options variant(const char* name) {
  Options o;
  o.variants = {name};
  return o;
}
Value machine(const char* type) {
  return Map{{"machineType", std::string("zones/us-central1-a/machineTypes/") + type}};
}
}  // namespace

TEST_CASE("an accepted change shows only when its operation is done") {
  Cloud c = with_vm();
  Value body =
      Map{{"labels", Map{{"team", "vision"}}}, {"labelFingerprint", c.vm("train")["labelFingerprint"]}};
  c.ask("POST", kTrain + "/setLabels", body);
  CHECK(c.vm("train")["labels"]["team"] == Value("research"));
  c.wait(seconds(5));
  CHECK(c.vm("train")["labels"]["team"] == Value("vision"));
  Value stale = c.ask("POST", kTrain + "/setLabels", body, 412);
  CHECK(stale.at_path("error/errors/0/reason") == Value("conditionNotMet"));
}

TEST_CASE("of two changes with one fingerprint the second fails in its operation") {
  Cloud c = with_vm();
  Value fingerprint = c.vm("train")["labelFingerprint"];
  c.ask("POST", kTrain + "/setLabels", Map{{"labels", Map{{"a", "1"}}}, {"labelFingerprint", fingerprint}});
  Value second = c.run("POST", kTrain + "/setLabels",
                       Map{{"labels", Map{{"a", "2"}}}, {"labelFingerprint", fingerprint}});
  CHECK(failure(second) == "CONDITION_NOT_MET");
  CHECK(second["httpErrorStatusCode"] == Value(412));
  CHECK(c.vm("train")["labels"]["a"] == Value("1"));
}

TEST_CASE("stopped-only changes: refused while running, done while stopped") {
  Cloud c = with_vm();
  CHECK(failure(c.run("POST", kTrain + "/setMachineType", machine("e2-standard-4"))) == "RESOURCE_NOT_READY");
  CHECK(failure(c.run("POST", kTrain + "/setServiceAccount", Map{{"email", ""}})) == "RESOURCE_NOT_READY");
  CHECK(c.run("POST", kTrain + "/stop")["error"].is_null());
  Value vm = c.vm("train");
  CHECK(vm["status"] == Value("TERMINATED"));
  CHECK(vm.at_path("networkInterfaces/0/accessConfigs/0/natIP").is_null());
  CHECK(!vm["lastStopTimestamp"].is_null());
  CHECK(c.run("POST", kTrain + "/setMachineType", machine("e2-standard-4"))["error"].is_null());
  CHECK(c.run("POST", kTrain + "/start")["error"].is_null());
  CHECK(c.vm("train")["machineType"].as_text().ends_with("/e2-standard-4"));
  c.ask("POST", kTrain + "/setMachineType", machine("e2-colossal-4"), 400);
}

TEST_CASE("variant not-stopped-http: the same refusal at HTTP level") {
  Cloud c = with_vm(notebook("train"), variant("not-stopped-http"));
  CHECK(c.ask("POST", kTrain + "/setMachineType", machine("e2-standard-4"), 400)
            .at_path("error/errors/0/reason") == Value("resourceNotReady"));
}

TEST_CASE("scheduling: restart and maintenance live, the market only while stopped") {
  Cloud c = with_vm();
  CHECK(c.run("POST", kTrain + "/setScheduling", Map{{"automaticRestart", false}})["error"].is_null());
  CHECK(c.vm("train")["scheduling"]["automaticRestart"] == Value(false));
  Value spot = Map{{"provisioningModel", "SPOT"}, {"onHostMaintenance", "TERMINATE"}};
  CHECK(failure(c.run("POST", kTrain + "/setScheduling", spot)) == "RESOURCE_NOT_READY");
  c.run("POST", kTrain + "/stop");
  CHECK(c.run("POST", kTrain + "/setScheduling", spot)["error"].is_null());
  CHECK(c.vm("train")["scheduling"]["instanceTerminationAction"] == Value("STOP"));
  CHECK(c.run("POST", kTrain + "/setScheduling",
              Map{{"provisioningModel", "STANDARD"}, {"instanceTerminationAction", nullptr}})["error"]
            .is_null());
  CHECK(c.vm("train")["scheduling"]["instanceTerminationAction"].is_null());
  CHECK(c.vm("train")["scheduling"]["preemptible"] == Value(false));
  Cloud strict = with_vm(notebook("train"), variant("live-scheduling-refused"));
  CHECK(failure(strict.run("POST", kTrain + "/setScheduling", Map{{"automaticRestart", false}})) ==
        "RESOURCE_NOT_READY");
}

TEST_CASE("disks: attach, detach by device name, autoDelete, growth only") {
  Cloud c = with_vm();
  std::string disks = std::string(kZone) + "disks";
  c.run("POST", disks,
        Map{{"name", "data"},
            {"sizeGb", "200"},
            {"labels", Map{{"part", "data"}}},
            {"type", "zones/us-central1-a/diskTypes/pd-balanced"}});
  Value attach =
      Map{{"source", "zones/us-central1-a/disks/data"}, {"deviceName", "data"}, {"autoDelete", false}};
  CHECK(c.run("POST", kTrain + "/attachDisk", attach)["error"].is_null());
  CHECK(c.ask("POST", kTrain + "/attachDisk", attach, 400).at_path("error/errors/0/reason") ==
        Value("resourceInUseByAnotherResource"));
  CHECK(c.ask("DELETE", disks + "/data", {}, 400).at_path("error/errors/0/reason") ==
        Value("resourceInUseByAnotherResource"));
  CHECK(c.run("POST", kTrain + "/setDiskAutoDelete?autoDelete=true&deviceName=data")["error"].is_null());
  CHECK(c.vm("train").at_path("disks/1/autoDelete") == Value(true));
  c.ask("POST", kTrain + "/detachDisk?deviceName=nothing", {}, 400);
  CHECK(c.run("POST", kTrain + "/detachDisk?deviceName=data")["error"].is_null());
  CHECK(c.get(disks + "/data")["users"].is_null());
  CHECK(c.run("POST", disks + "/data/resize", Map{{"sizeGb", "300"}})["error"].is_null());
  c.ask("POST", disks + "/data/resize", Map{{"sizeGb", "250"}}, 400);
  CHECK(c.get(disks + "/data")["sizeGb"] == Value("300"));
}

TEST_CASE("a copy of a disk: only of one that is there, and no smaller") {
  Cloud cloud;
  std::string disks = std::string(kZone) + "disks";
  auto copy = [](const char* of, const char* gb) {
    return Value(Map{{"name", "copy"}, {"sourceDisk", std::string(kZone) + "disks/" + of}, {"sizeGb", gb}});
  };
  cloud.ask("POST", disks, copy("data", "200"), 404);
  cloud.run("POST", disks, Map{{"name", "data"}, {"sizeGb", "200"}});
  cloud.ask("POST", disks, copy("data", "100"), 400);
  cloud.run("POST", disks, copy("data", "200"));
  Value made = cloud.get(disks + "/copy");
  CHECK(made["sourceDisk"].as_text().ends_with("/disks/data"));
  CHECK(made["sourceDiskId"] == cloud.get(disks + "/data")["id"]);
}

TEST_CASE("delete takes autoDelete disks along and leaves the others; protection refuses it") {
  Value body = notebook("train");
  body.map()["disks"].list().push_back(
      Map{{"autoDelete", false},
          {"deviceName", "data"},
          {"initializeParams", Map{{"diskName", "train-data"}, {"diskSizeGb", "50"}}}});
  Cloud c = with_vm(body);
  CHECK(c.run("POST", kTrain + "/setDeletionProtection")["error"].is_null());
  CHECK(c.vm("train")["deletionProtection"] == Value(true));
  CHECK(c.ask("DELETE", kTrain, {}, 400).at_path("error/errors/0/reason") == Value("invalidResourceUsage"));
  c.run("POST", kTrain + "/setDeletionProtection?deletionProtection=false");
  CHECK(c.run("DELETE", kTrain)["error"].is_null());
  c.get(kTrain, 404);
  REQUIRE(c.world.resources("disks").size() == 1);
  CHECK(c.world.resources("disks")[0]["name"] == Value("train-data"));
  CHECK(c.count("delete", "disks/train") == 1);
  CHECK(c.count("detach", "disks/train-data") == 1);
}

TEST_CASE("GPUs: attached to N1, built into G2, both without live migration") {
  Cloud c;
  auto refused = [&](Value body, std::string_view part) {
    std::string text(c.ask("POST", kVms, body, 400).at_path("error/message").as_text());
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  Value gpu = List{Map{{"acceleratorType", "zones/us-central1-a/acceleratorTypes/nvidia-tesla-t4"},
                       {"acceleratorCount", 1}}};
  Value n1 = notebook("train", "n1-standard-4"), e2 = notebook("train"),
        g2 = notebook("train", "g2-standard-4");
  n1.map().set("guestAccelerators", gpu);
  e2.map().set("guestAccelerators", gpu);
  refused(n1, "do not support live migration");
  refused(g2, "do not support live migration");
  refused(e2, "not compatible");
  Value stays = Map{{"onHostMaintenance", "TERMINATE"}};
  n1.map().set("scheduling", stays);
  g2.map().set("scheduling", stays);
  g2.map().set("name", "g2");
  CHECK(c.run("POST", kVms, n1)["error"].is_null());
  CHECK(c.run("POST", kVms, g2)["error"].is_null());
  CHECK(c.vm("g2").at_path("guestAccelerators/0/acceleratorType").as_text().ends_with("/nvidia-l4"));
}

TEST_CASE("insert refuses what the cloud refuses") {
  Cloud c;
  auto refused = [&](std::string_view path, Value value) {
    Value body = notebook("train");
    if (path.find("0/") == std::string_view::npos)
      body.set_path(path, std::move(value));
    else
      body.map()["disks"].list()[0].set_path(path.substr(path.find("0/") + 2), std::move(value));
    return std::string(c.ask("POST", kVms, body, 400).at_path("error/message").as_text());
  };
  CHECK(refused("name", "Train").find("Must be a match of regex") != std::string::npos);
  CHECK(refused("machineType", "e2-standard-2").find("The URL is malformed") != std::string::npos);
  CHECK(refused("labels/Team", "x").find("The label is not legal") != std::string::npos);
  CHECK(refused("disks/0/initializeParams/diskSizeGb", "20").find("cannot be smaller than the image size") !=
        std::string::npos);
  CHECK(refused("disks/0/boot", false).find("boot disk") != std::string::npos);
  CHECK(refused("scheduling/instanceTerminationAction", "STOP").find("only set instanceTerminationAction") !=
        std::string::npos);
  CHECK(refused("scheduling", Map{{"provisioningModel", "SPOT"}, {"automaticRestart", true}})
            .find("AutomaticRestart") != std::string::npos);
  CHECK(refused("metadata/items", List{Map{{"key", "a"}, {"value", "1"}}, Map{{"key", "a"}, {"value", "2"}}})
            .find("duplicate key") != std::string::npos);
  CHECK(c.world.resources("disks").empty());
}

TEST_CASE("families: the newest live image; deprecated and unknown ones are 404") {
  Cloud c;
  std::string family = "projects/deeplearning-platform-release/global/images/family/";
  CHECK(c.get(family + "common-cu129-ubuntu-2404-nvidia-580")["name"] ==
        Value("common-cu129-ubuntu-2404-nvidia-580-v20261013"));
  c.get(family + "common-cpu-debian-11", 404);
  c.get(family + "tf-latest-gpu", 404);
  c.world.publish_image("deeplearning-platform-release", "common-cu129-ubuntu-2404-nvidia-580",
                        "common-cu129-new");
  CHECK(c.get(family + "common-cu129-ubuntu-2404-nvidia-580")["name"] == Value("common-cu129-new"));
  Value view =
      c.get("projects/deeplearning-platform-release/zones/us-central1-a/imageFamilyViews/common-cpu");
  CHECK(view["image"]["family"] == Value("common-cpu"));
}

TEST_CASE("a name taken by a foreign disk: three answers") {
  auto insert_again = [](Options options) {
    Cloud c(std::move(options));
    c.run("POST", std::string(kZone) + "disks", Map{{"name", "train"}, {"sizeGb", "100"}});
    Answer a = c.answer("POST", kVms, notebook("train"));
    c.wait(minutes(2));
    return std::pair(a.response->status, c.world.resources("instances").size());
  };
  CHECK(insert_again({}) == std::pair(409, std::size_t{0}));
  CHECK(insert_again(variant("disk-name-in-use")) == std::pair(400, std::size_t{0}));
  CHECK(insert_again(variant("disk-name-attaches")) == std::pair(200, std::size_t{1}));
}

TEST_CASE("a run time limit stops the VM at its time, counted from each start") {
  Value body = notebook("train");
  body.map().set("scheduling",
                 Map{{"maxRunDuration", Map{{"seconds", "3600"}}}, {"instanceTerminationAction", "STOP"}});
  Cloud c = with_vm(body);
  CHECK(!c.vm("train").at_path("resourceStatus/scheduling/terminationTimestamp").is_null());
  c.wait(minutes(50));
  CHECK(c.vm("train")["status"] == Value("RUNNING"));
  c.wait(minutes(12));
  CHECK(c.vm("train")["status"] == Value("TERMINATED"));
  c.run("POST", kTrain + "/start");
  c.wait(minutes(50));
  CHECK(c.vm("train")["status"] == Value("RUNNING"));
}

TEST_CASE("an operation is for the thing it was sent to, not for the next one of that name") {
  Cloud c;
  std::string vm = std::string(kZone) + "instances/a", disk = std::string(kZone) + "disks/d";
  c.run("POST", std::string(kZone) + "instances", notebook("a"));
  c.run("POST", std::string(kZone) + "disks", Map{{"name", "d"}, {"sizeGb", "10"}});
  c.ask("DELETE", vm);
  Value late = c.ask("DELETE", vm);  // waits for the first
  c.ask("DELETE", disk);
  Value late_too = c.ask("DELETE", disk);
  c.wait(std::chrono::milliseconds(2'350));
  c.ask("POST", std::string(kZone) + "disks", Map{{"name", "d"}, {"sizeGb", "10"}});
  c.wait(std::chrono::milliseconds(18'000));
  c.ask("POST", std::string(kZone) + "instances", notebook("a"));
  c.wait(std::chrono::minutes(2));
  CHECK(c.vm("a")["status"].as_text() == "RUNNING");
  CHECK(c.get(disk)["status"].as_text() == "READY");
  for (const Value& operation : {late, late_too}) {
    Value done = c.get(std::string(kZone) + "operations/" + std::string(operation["name"].as_text()));
    CHECK(done.at_path("error/errors/0/code").as_text() == "RESOURCE_NOT_FOUND");
  }
}

TEST_CASE("a request id replays its operation for an hour, and for no other mutation") {
  Cloud c;
  std::string path = kVms + "?requestId=6f1c9c3e-9d3b-4b43-a0de-0d6a3f1f2b11";
  Value first = c.ask("POST", path, notebook("train"));
  CHECK(c.ask("POST", path, notebook("train"))["name"] == first["name"]);
  CHECK(first["clientOperationId"] == Value("6f1c9c3e-9d3b-4b43-a0de-0d6a3f1f2b11"));
  c.ask("POST", path, notebook("other"), 400);
  c.ask("POST", kVms + "?requestId=00000000-0000-0000-0000-000000000000", notebook("other"), 400);
  c.wait(minutes(61));
  c.ask("POST", path, notebook("train"), 409);
  c.get(std::string(kZone) + "operations/" + std::string(first["name"].as_text()), 404);
  CHECK(c.count("insert", "instances/train") == 1);
}

TEST_CASE("quota: taken by running, given back by stopping, checked at start too") {
  Cloud c;
  c.world.set_quota("*", "us-central1", "CPUS", 2);
  CHECK(c.run("POST", kVms, notebook("a"))["error"].is_null());
  Value refused = c.run("POST", kVms, notebook("b"));
  CHECK(failure(refused) == "QUOTA_EXCEEDED");
  CHECK(refused.at_path("error/errors/0/message") ==
        Value("Quota 'CPUS' exceeded.  Limit: 2.0 in region us-central1."));
  c.run("POST", kVms + "/a/stop");
  CHECK(c.run("POST", kVms, notebook("b"))["error"].is_null());
  CHECK(failure(c.run("POST", kVms + "/a/start")) == "QUOTA_EXCEEDED");
  CHECK(c.vm("a")["status"] == Value("TERMINATED"));
}

TEST_CASE("stock-outs hit starts as well, and match GPUs") {
  Cloud c = with_vm();
  c.run("POST", kTrain + "/stop");
  c.world.stockout("us-central1-*", "e2-*", {"us-west1-a"});
  CHECK(failure(c.run("POST", kTrain + "/start")) == "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS");
  c.world.end_stockout();
  CHECK(c.run("POST", kTrain + "/start")["error"].is_null());
}

TEST_CASE("a zone or a quota that is misspelt is refused, with the one that was meant") {
  CHECK(check_zone_glob("*").ok());
  CHECK(check_zone_glob("us-central1-*").ok());
  CHECK(check_zone_glob("us-west-2a").ok());
  auto zone = check_zone_glob("us-central1b");
  REQUIRE_FALSE(zone.ok());
  CHECK(zone.error().hint == "Did you mean us-central1-b?");
  CHECK(check_quota_glob("N2_CPUS").ok());
  CHECK(check_quota_glob("L-DB2E81BA").ok());
  CHECK_FALSE(check_quota_glob("N2_CPU").ok());
}

TEST_CASE("a world survives its JSON, in the middle of an operation") {
  Cloud c;
  c.ask("POST", kVms, notebook("train"));
  c.wait(seconds(3));
  auto again = World::from_json(*parse_json(to_json(c.world.to_json())));
  REQUIRE(again.ok());
  World& w = *again;
  w.advance(c.now + minutes(2));
  c.wait(minutes(2));
  CHECK(w.resource(kTrain) == c.world.resource(kTrain));
  CHECK(w.resource(kTrain)["status"] == Value("RUNNING"));
  CHECK(to_json(w.to_json()) == to_json(c.world.to_json()));
  auto other = World::from_json(Map{{"format", 99}});
  REQUIRE(!other.ok());
  CHECK(other.error().code == Code::unsupported);
}

TEST_CASE("a copied world goes its own way") {
  Cloud c = with_vm();
  World other = c.world;
  REQUIRE(other.handle(c.request("DELETE", kTrain), c.now).response->status == 200);
  other.advance(c.now + minutes(5));
  CHECK(other.resource(kTrain).is_null());
  CHECK(!c.world.resource(kTrain).is_null());
}

}  // namespace nbform::sim
