// The pure parts of GCE: tables, references, SSH key lines, health, and the documentation made of the tables.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/gce/gce.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/labels.h"
#include "support/catch.h"

using namespace nbform;

namespace {

Value json(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return *value;
}

const Scope kScope{"gce", "gcp", "acme-ml", ""};

std::string_view change_text(Mutability m) {
  switch (m) {
    case Mutability::live:
      return "update: while it runs";
    case Mutability::stopped:
      return "restart: stop, change, start";
    case Mutability::at_rest:
      return "pending: at the next stop and start";
    case Mutability::fixed:
      return "replace: deleted and made again";
    case Mutability::create_only:
      return "read at create only";
  }
  return "";
}

// One row for each attribute that a manifest key reaches.
std::string change_table() {
  std::string out = "| manifest key | resource | what a change does | what it is |\n|---|---|---|---|\n";
  for (const Kind* kind : {&gce::instance_kind(), &gce::disk_kind(), &gce::firewall_kind()})
    for (const Attr& attr : kind->attrs()) {
      if (attr.from.empty()) continue;
      std::string key =
          kind == &gce::disk_kind() ? fmt::format("disks.NAME.{}", attr.from) : std::string(attr.from);
      out +=
          fmt::format("| `{}` | {} | {} | {} |\n", key, kind->noun(), change_text(attr.mutability), attr.doc);
    }
  return out;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the table of docs/gce.md is made of the attribute tables") {
  const std::string path = NBFORM_SOURCE_DIR "/docs/gce.md";
  const std::string begin = "<!-- generated: changes -->\n", end = "<!-- end -->";
  std::string page = slurp(path);
  auto from = page.find(begin), to = page.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  from += begin.size();
  if (const char* accept = std::getenv("NBFORM_ACCEPT"); accept != nullptr && std::string(accept) == "1") {
    page.replace(from, to - from, change_table());
    std::ofstream(path) << page;
    WARN("rewritten: " << path);
    return;
  }
  CHECK(page.substr(from, to - from) == change_table());
}

TEST_CASE("every attribute is documented and named once") {
  for (const Kind* kind : {&gce::instance_kind(), &gce::disk_kind(), &gce::firewall_kind()})
    for (const Attr& attr : kind->attrs()) {
      INFO(attr.name);
      CHECK_FALSE(attr.doc.empty());
      CHECK(kind->attr(attr.name) == &attr);
      if (attr.mutability != Mutability::live) CHECK_FALSE(attr.why.empty());
    }
}

TEST_CASE("GPU names and machine types") {
  CHECK(gce::accelerator_type("T4") == "nvidia-tesla-t4");
  CHECK(gce::accelerator_type("nvidia-l4") == "nvidia-l4");
  CHECK(gce::machine_for_gpu("nvidia-tesla-t4", 1) == "n1-standard-4");
  CHECK(gce::machine_for_gpu("nvidia-l4", 1) == "g2-standard-4");
  CHECK(gce::machine_for_gpu("nvidia-l4", 3).empty());
  CHECK(gce::machine_for_gpu("nvidia-tesla-a100", 2) == "a2-highgpu-2g");
  CHECK(gce::built_in_gpu("g2-standard-48")->count == 4);
  CHECK(gce::built_in_gpu("a3-highgpu-8g")->type == "nvidia-h100-80gb");
  CHECK_FALSE(gce::built_in_gpu("n1-standard-8"));
}

TEST_CASE("only our lines of ssh-keys are ours, also those from before the stack had an id") {
  std::string all =
      "root:ssh-rsa B somebody\nnbform:ssh-ed25519 A nbform:research\n\nme:ssh-ed25519 C nbform:other\n"
      "nbform:ssh-ed25519 D nbform:research_3f9a1c2e\nme:ssh-ed25519 E nbform-connect";
  List ours = gce::own_key_lines(all, "research_3f9a1c2e");
  CHECK(ours ==
        List{"nbform:ssh-ed25519 A nbform:research", "nbform:ssh-ed25519 D nbform:research_3f9a1c2e"});
  CHECK(gce::merge_key_lines(all, {}, "research_3f9a1c2e") ==
        "root:ssh-rsa B somebody\nme:ssh-ed25519 C nbform:other\nme:ssh-ed25519 E nbform-connect");
  CHECK(gce::own_key_lines(all, "").empty());
}

TEST_CASE("an image reference fits into labels, whatever it is called") {
  Map labels;
  gce::write_image_labels(labels, gce::image_text("family", "deeplearning-platform-release", "common-cu129"));
  CHECK(labels == Map{{"nbform-image", "common-cu129"},
                      {"nbform-image-kind", "family"},
                      {"nbform-image-project", "deeplearning-platform-release"}});
  CHECK(labels::label_text("example.com:acme-ml").size() == 16);
  CHECK(labels::label_text(std::string(64, 'a')).size() == 16);
}

TEST_CASE("a VM reads as what it is, with defaults left out by the cloud") {
  auto live = gce::instance_kind().decode(kScope, json(R"({
    "name":"train","zone":"https://www.googleapis.com/compute/v1/projects/acme-ml/zones/us-central1-b","id":"42",
    "status":"TERMINATED","machineType":"n1-standard-8",
    "labels":{"nbform-stack":"s","nbform-notebook":"train","nbform-part":"instance","nbform-resume":"1000"},
    "lastStartTimestamp":"1969-12-31T16:00:01.000-08:00",
    "scheduling":{"preemptible":true},
    "disks":[{"boot":true,"autoDelete":true,"deviceName":"boot","source":"projects/acme-ml/zones/us-central1-b/disks/train"}]})"));
  REQUIRE(live.ok());
  CHECK(live->zone == "us-central1-b");
  CHECK(live->numeric_id == 42);
  CHECK(live->attributes.find("machine_type")->as_text() == "n1-standard-8");
  CHECK(live->attributes.find("market")->as_text() == "spot");
  CHECK(live->attributes.find("vtpm")->as_bool());
  CHECK(live->health.wants_resume());
  CHECK(live->erased_by_replace);
}

TEST_CASE("an answer without name or zone is an error, not a nameless VM") {
  CHECK_FALSE(gce::instance_kind().decode(kScope, json("{}")).ok());
  CHECK_FALSE(gce::disk_kind().decode(kScope, json(R"({"name":"x"})")).ok());
}

TEST_CASE("a name that would lead a path elsewhere is an error, not part of a request") {
  for (const char* name : {"x/../y", "x?y=1", "x\\u001b[2J", ".."}) {
    std::string body = R"({"zone":"zones/us-central1-b","name":")" + std::string(name) + "\"}";
    CHECK_FALSE(gce::instance_kind().decode(kScope, json(body)).ok());
    CHECK_FALSE(gce::disk_kind().decode(kScope, json(body)).ok());
  }
  CHECK(gce::disk_kind().decode(kScope, json(R"({"zone":"zones/us-central1-b","name":"x-1"})")).ok());
}

TEST_CASE("what a change does to disks is said once, and as it will be") {
  Resource wanted;
  wanted.keep = KeepRule::never;
  Live live;
  live.kind = &gce::instance_kind();
  live.attributes.set("boot_auto_delete",
                      false);  // kept so far; the manifest lets go of it in this very plan
  Change change;
  change.kind = live.kind;
  change.action = Action::replace;
  change.resource = &wanted;
  change.live = std::make_shared<Live>(live);
  CHECK(change.kind->consequences(change).front() == "boot disk ERASED");
  wanted.keep = KeepRule::always;
  CHECK(change.kind->consequences(change).front() == "boot disk kept");

  change.action = Action::update;
  Edit edit;
  edit.attr = "attachments.data";
  edit.before = Map{{"auto_delete", true}, {"disk", "train-data"}};
  change.edits = {edit};
  CHECK(change.kind->consequences(change) == std::vector<std::string>{"disk train-data detached"});
  change.edits[0].before = Map{{"auto_delete", false}, {"disk", "train-data"}};
  CHECK(change.kind->consequences(change) == std::vector<std::string>{"disk train-data detached and kept"});
}

TEST_CASE("machines and disks of Workbench are never seen as ours") {
  auto listing = gce::listing(kScope);
  std::string zone = "https://www.googleapis.com/compute/v1/projects/acme-ml/zones/us-central1-b";
  std::string owned = R"("labels":{"nbform-stack":"s","nbform-notebook":"w","nbform-part":"instance")";
  auto page = json(fmt::format(R"({{"items":{{"zones/us-central1-b":{{"instances":[
     {{"name":"w","zone":"{0}",{1},"notebooks-product":"workbench-instances"}},
       "disks":[{{"boot":true,"source":"{0}/disks/w-boot"}}]}}]}}}}}})",
                               zone, owned));
  CHECK(listing->add_page("instances", page).ok());
  auto disks = json(fmt::format(
      R"({{"items":{{"zones/us-central1-b":{{"disks":[{{"name":"w-boot","zone":"{0}",{1}}}}}]}}}}}})", zone,
      owned));
  CHECK(listing->add_page("disks", disks).ok());
  CHECK(listing->fold().live.empty());
}

TEST_CASE("nothing is asked of a boot disk that is detached") {
  auto live = gce::instance_kind().decode(
      kScope, json(R"({"name":"train","zone":"zones/us-central1-b","labels":{"nbform-stack":"s"}})"));
  REQUIRE(live.ok());
  CHECK(live->bootless);
  live->attributes.set("boot_labels", Map{{"nbform-stack", "s"}});  // as read a moment before
  StepContext context;
  context.live = &*live;
  std::vector<std::string> paths;
  for (const Step& step : gce::instance_kind().forget())
    if (auto call = step.call(context)) paths.push_back(call->path);
  CHECK(paths == std::vector<std::string>{"projects/acme-ml/zones/us-central1-b/instances/train/setLabels"});
}

TEST_CASE("a zone with any warning but an empty page is unknown, never empty") {
  auto listing = gce::listing(kScope);
  CHECK(listing
            ->add_page("instances", json(R"({"items":{
     "zones/a":{"warning":{"code":"NO_RESULTS_ON_PAGE"}},
     "zones/b":{"warning":{"code":"UNREACHABLE"}},
     "zones/c":{"warning":{"code":"LIST_OVERHEAD_QUOTA_EXCEED"}}},
     "unreachables":["https://www.googleapis.com/compute/v1/projects/p/zones/d"]})"))
            .ok());
  CHECK(listing->unreachable() == std::vector<std::string>{"b", "c", "d"});
  CHECK_FALSE(listing->add_page("instances", Value(List{})).ok());
}

TEST_CASE("names that Compute would not give never get into a path") {
  auto read = [](std::string_view name, std::string_view zone, std::string_view disk) {
    return gce::instance_kind()
        .decode(kScope, json(fmt::format(R"({{"name":"{}","zone":"projects/p/zones/{}",
                                              "disks":[{{"boot":true,"source":"zones/z/disks/{}"}},{{}}]}})",
                                         name, zone, disk)))
        .ok();
  };
  CHECK(read("train", "us-central1-b", "train"));
  CHECK_FALSE(read("tr ain", "us-central1-b", "train"));
  CHECK_FALSE(read("train", "u -central1-b", "train"));
  CHECK_FALSE(read("train", "us-central1-b", "train?x=y"));
}

TEST_CASE("scheduling follows Spot and GPUs") {
  Value spot = gce::scheduling_body(true, false, "delete", 0);
  CHECK(spot == json(R"({"provisioningModel":"SPOT","preemptible":true,"automaticRestart":false,
                         "onHostMaintenance":"TERMINATE","instanceTerminationAction":"DELETE"})"));
  CHECK(gce::scheduling_body(false, true, "", 0)["onHostMaintenance"].as_text() == "TERMINATE");
  Value timed = gce::scheduling_body(false, false, "", 43200);
  CHECK(timed["maxRunDuration"]["seconds"].as_text() == "43200");
  CHECK(timed["instanceTerminationAction"].as_text() == "STOP");
}

TEST_CASE("an operation says what became of a mutation") {
  auto settle = [](int status, std::string body) {
    return gce::settle_operation(kScope, Response{status, {}, std::move(body)});
  };
  std::string link = "https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/op-1";
  Settlement pending =
      settle(200, fmt::format(R"({{"name":"op-1","status":"RUNNING","selfLink":"{}"}})", link));
  REQUIRE(pending.state == Settlement::State::pending);
  CHECK(pending.poll->path == "projects/p/zones/z/operations/op-1/wait");
  CHECK(settle(200, R"({"name":"op-1","status":"DONE"})").state == Settlement::State::done);
  Settlement failed =
      settle(200, R"({"name":"op-1","status":"DONE","httpErrorStatusCode":503,"error":{"errors":[
     {"code":"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS","message":"no","errorDetails":[{"errorInfo":{"reason":"resource_availability",
      "metadatas":{"zonesAvailable":"us-central1-a,us-central1-f"}}}]}]}})");
  REQUIRE(failed.state == Settlement::State::failed);
  CHECK(failed.failure.code == Code::capacity);
  CHECK(failed.zone_hints == std::vector<std::string>{"us-central1-a", "us-central1-f"});
  CHECK(settle(200, "<html>").state == Settlement::State::unknown);
  CHECK(settle(412, R"({"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}})").failure.code ==
        Code::conflict);
}
