#include "world_fixture.h"

namespace nbform::sim {

using std::chrono::seconds;

TEST_CASE("an inserted VM goes PROVISIONING, STAGING, RUNNING with its labels from the first moment") {
  Cloud c;
  Value op = c.ask("POST", std::string(kZone) + "instances", notebook("train"));
  CHECK(op["operationType"] == Value("insert"));
  CHECK(op["status"] == Value("PENDING"));
  Value vm = c.vm("train");
  CHECK(vm["status"] == Value("PROVISIONING"));
  CHECK(vm["labels"]["team"] == Value("research"));
  c.wait(seconds(8));
  CHECK(c.vm("train")["status"] == Value("STAGING"));
  c.wait(seconds(30));
  vm = c.vm("train");
  CHECK(vm["status"] == Value("RUNNING"));
  CHECK(vm["machineType"] == Value("https://www.googleapis.com/compute/v1/projects/acme-ml/zones/"
                                   "us-central1-a/machineTypes/e2-standard-2"));
  CHECK(vm["lastStartTimestamp"].as_text().ends_with("-08:00"));
  CHECK(!vm.at_path("networkInterfaces/0/accessConfigs/0/natIP").is_null());
  Value disk = c.get(std::string(kZone) + "disks/train");
  CHECK(disk["labels"]["part"] == Value("boot"));
  CHECK(disk["users"].as_list().at(0) == vm["selfLink"]);
  CHECK(disk["sizeGb"] == Value("100"));
}

TEST_CASE("an unfinished VM cannot be changed, and a taken name is 409") {
  Cloud c;
  c.ask("POST", std::string(kZone) + "instances", notebook("train"));
  Value labels = Map{{"labels", Map{}}, {"labelFingerprint", c.vm("train")["labelFingerprint"]}};
  Value refused = c.ask("POST", std::string(kZone) + "instances/train/setLabels", labels, 400);
  CHECK(refused.at_path("error/errors/0/reason") == Value("resourceNotReady"));
  refused = c.ask("POST", std::string(kZone) + "instances", notebook("train"), 409);
  CHECK(refused.at_path("error/errors/0/reason") == Value("alreadyExists"));
  CHECK(refused.at_path("error/message") ==
        Value("The resource 'projects/acme-ml/zones/us-central1-a/instances/train' already exists"));
}

TEST_CASE("a preempted Spot VM reads TERMINATED, has a record, and starts again") {
  Cloud c;
  c.run("POST", std::string(kZone) + "instances", spot(notebook("train")));
  CHECK(c.vm("train")["scheduling"]["preemptible"] == Value(true));
  REQUIRE(c.world.preempt("acme-ml", "us-central1-a", "train").ok());
  CHECK(c.vm("train")["status"] == Value("STOPPING"));
  c.wait(seconds(40));
  CHECK(c.vm("train")["status"] == Value("TERMINATED"));
  Value list = c.get(
      "projects/acme-ml/aggregated/operations?filter=operationType%3D%22compute.instances.preempted%22");
  Value found = list["items"]["zones/us-central1-a"]["operations"];
  REQUIRE(found.as_list().size() == 1);
  CHECK(found.as_list()[0]["targetLink"] == c.vm("train")["selfLink"]);
  CHECK(c.run("POST", std::string(kZone) + "instances/train/start")["error"].is_null());
  CHECK(c.vm("train")["status"] == Value("RUNNING"));
}

}  // namespace nbform::sim
