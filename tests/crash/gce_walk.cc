// Walks over Compute Engine: its words for files, console and weather, and lines from a seed.
#include <fmt/format.h>

#include <algorithm>

#include "walker.h"

namespace nbform::crash {

namespace {

constexpr const char* kZones[] = {"us-central1-b", "us-central1-f"};
constexpr const char* kFamily = "common-cu129-ubuntu-2404-nvidia-580";

Map vm_body(const std::string& zone, const std::string& name, const Value& labels) {
  Map disk{{"boot", true},
           {"autoDelete", true},
           {"initializeParams",
            Map{{"sourceImage",
                 fmt::format("projects/deeplearning-platform-release/global/images/family/{}", kFamily)}}}};
  return Map{{"name", name},
             {"labels", labels},
             {"machineType", fmt::format("zones/{}/machineTypes/e2-standard-2", zone)},
             {"disks", List{disk}},
             {"networkInterfaces", List{Map{{"network", "global/networks/default"}}}}};
}

// A cloud in which others live, too.
Rehearsal inhabited() {
  Rehearsal r(gce_ground());
  auto post = [&](const std::string& path, const Value& body) {
    if (gce_console(r.world, "POST", path, body) != 200) bug("the simulator refuses a bystander");
  };
  Map labels{{"nbform-stack", "other"}, {"nbform-notebook", "train"}, {"nbform-part", "instance"}};
  post("zones/us-central1-b/instances", vm_body("us-central1-b", "bystander", Map()));
  post("zones/us-central1-f/instances", vm_body("us-central1-f", "others-train", labels));
  for (const char* zone : kZones)
    post(fmt::format("zones/{}/disks", zone), Map{{"name", "strange"}, {"sizeGb", "10"}});
  r.wait(std::chrono::minutes(2));
  Notebook& n = r.declare("train");
  n.where = {kZones[0], kZones[1]};
  n.disks["data"] = Setting<Disk>(data_disk());
  return r;
}

class GceWalker final : public Walker {
 public:
  GceWalker() : Walker(start(), gce_repertoire()) {}

 private:
  static const Rehearsal& start() {
    static const Rehearsal kStart = inhabited();
    return kStart;
  }

  bool edit_more(const std::string& verb, Notebook& n) override {
    if (verb == "image") return change_image(n), true;
    if (verb == "adopt") return n.adopt = has("no") ? Text() : Text(zone_of_vm() + "/train"), true;
    return false;
  }
  void change_image(Notebook& n) {
    if (!n.image.set()) return;
    if (word(0) == "pytorch")
      gce_other_image(n);
    else
      n.image.get().family = Text(kFamily);
  }

  bool weather_more(const std::string& verb) override {
    if (verb == "outage") return stage_.world.set_unreachable(word(0)), true;
    return false;
  }
  void calm() override {
    Walker::calm();
    for (const char* zone : kZones) stage_.world.set_unreachable(zone, false);
  }
  void preempt() override {
    for (const char* zone : kZones) (void)stage_.world.preempt("acme-ml", zone, "train");
  }
  std::string heed_console() override {
    console("unclone");
    std::string zone = zone_of_vm();
    Map labels = vm_in(zone)["labels"].as_map();
    bool torn = !vm_in(zone).is_null() && !(labels.has("nbform-stack") && labels.has("nbform-notebook"));
    return torn ? zone + "/train" : std::string();
  }

  Value vm_in(const std::string& zone) {
    return stage_.world.resource(fmt::format("projects/acme-ml/zones/{}/instances/train", zone));
  }
  std::string zone_of_vm() {
    for (const char* zone : kZones)
      if (!vm_in(zone).is_null()) return zone;
    return kZones[0];
  }

  void console(const std::string& what) override {
    std::string zone = zone_of_vm(), base = fmt::format("zones/{}/", zone), vm = base + "instances/train";
    Value live = vm_in(zone);
    auto post = [&](const std::string& path, const Value& body = {}) {
      gce_console(stage_.world, "POST", path, body);
    };
    if (what == "delete") gce_console(stage_.world, "DELETE", vm);
    if (what == "stop" || what == "start") post(vm + "/" + what);
    if (what == "label") set_labels(vm, live, [](Map& l) { l.set("team", "console"); });
    if (what == "unlabel") set_labels(vm, live, [](Map& l) { l.erase("nbform-notebook"); });
    if (what == "relabel") set_labels(vm, live, [](Map& l) { l.set("nbform-notebook", "train"); });
    if (what == "unkeep") drop_keep(base + "disks/train-data");
    if (what == "resize") post(base + "disks/train-data/resize", Map{{"sizeGb", "260"}});
    if (what == "detach") post(vm + "/detachDisk?deviceName=data");
    if (what == "autodelete") post(vm + "/setDiskAutoDelete?autoDelete=true&deviceName=data");
    if (what == "noautodelete") post(vm + "/setDiskAutoDelete?autoDelete=false&deviceName=more");
    if (what == "attach" || what == "attach-autodelete")
      post(vm + "/attachDisk", Map{{"source", base + "disks/strange"},
                                   {"deviceName", "strange"},
                                   {"autoDelete", what != "attach"}});
    if (what == "deletedisk") gce_console(stage_.world, "DELETE", base + "disks/train-data");
    if (what == "clone")
      post("zones/us-central1-f/instances", vm_body("us-central1-f", "clone", live["labels"]));
    if (what == "unclone") gce_console(stage_.world, "DELETE", "zones/us-central1-f/instances/clone");
  }

  void set_labels(const std::string& path, const Value& live, const std::function<void(Map&)>& change) {
    if (live.is_null()) return;
    Map labels = live["labels"].as_map();
    change(labels);
    gce_console(stage_.world, "POST", path + "/setLabels",
                Map{{"labels", labels}, {"labelFingerprint", live["labelFingerprint"]}});
  }
  void drop_keep(const std::string& path) {
    set_labels(path, stage_.world.resource("projects/acme-ml/" + path),
               [](Map& l) { l.erase("nbform-keep"); });
  }
};

// --- lines from a seed

std::string edit_line(Dice& d) {
  switch (d.below(12)) {
    case 0:
      return d.pick({"machine e2-standard-4", "machine e2-standard-2"});
    case 1:
      return d.pick({"label a", "label b"});
    case 2:
      return d.pick({"image pytorch", "image common"});
    case 3:
      return d.pick({"power running", "power stopped", "power any"});
    case 4:
      return d.pick({"disk more never", "disk more always", "disk more until-destroy"});
    case 5:
      return "nodisk more";
    case 6:
      return d.pick({"disk data always", "disk data until-destroy", "disk data never"});
    case 7:
      return "nodisk data";
    case 8:
      return d.pick({"spot auto", "spot on", "spot off"});
    case 9:
      return d.pick(
          {"where us-central1-b us-central1-f", "where us-central1-f us-central1-b", "where us-central1-f"});
    case 10:
      return d.one_in(3) ? "undeclare" : "declare";
    default:
      return d.pick({"adopt", "adopt no"});
  }
}

std::string console_line(Dice& d) {
  std::string line = "console ";
  line +=
      d.pick({"delete",     "stop",   "start",   "label",      "unlabel",      "relabel", "relabel",
              "unkeep",     "resize", "detach",  "autodelete", "noautodelete", "attach",  "attach-autodelete",
              "deletedisk", "clone",  "unclone", "unclone",    "stop",         "start"});
  if (d.one_in(2)) line += fmt::format(" later={}", d.below(60));
  return line;
}

std::string cloud_line(Dice& d) {
  std::string zone = d.pick({"us-central1-b", "us-central1-f"});
  switch (d.below(6)) {
    case 0:
      return "stockout " + zone;
    case 1:
      return "stockout " + zone + " spot";
    case 2:
      return "outage " + zone;
    case 3:
      return "calm";
    case 4:
      return "preempt";
    default:
      return fmt::format("preempt later={}", d.below(60));
  }
}

}  // namespace

std::unique_ptr<Walker> gce_walker() {
  return std::make_unique<GceWalker>();
}

Steps gce_steps(Dice& d) {
  Steps steps;
  for (const char* variant :
       {"leftover-disks", "slow-visibility", "flickering-visibility", "staging-after-done", "short-memory",
        "disk-name-attaches", "exists-in-operation", "no-preempted-record"})
    if (d.one_in(5)) steps.push_back(fmt::format("variant {}", variant));
  if (d.one_in(2)) steps.push_back("apply");
  for (std::uint64_t rounds = 3 + d.below(4); rounds > 0; --rounds) {
    while (!d.one_in(3)) steps.push_back(edit_line(d));
    if (d.one_in(3)) steps.push_back(cloud_line(d));
    if (d.one_in(2)) steps.push_back(console_line(d));
    steps.push_back(apply_line(d, gce_repertoire().troubles.size()));
    if (d.one_in(2)) steps.push_back(fmt::format("wait {}", d.pick({1, 5, 20, 60, 300, 3700})));
  }
  return steps;
}

}  // namespace nbform::crash
