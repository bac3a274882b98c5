// Walks over EC2: its words for files, console and weather, and lines from a seed.
#include <fmt/format.h>

#include <algorithm>

#include "walker.h"

namespace nbform::crash {

namespace {

std::string tag_of(const Value& thing, std::string_view key) {
  for (const Value& tag : thing["tagSet"].as_list())
    if (tag["key"].as_text() == key) return std::string(tag["value"].as_text());
  return {};
}

std::string id_of(const Value& thing, std::string_view member) {
  return std::string(thing[member].as_text());
}

// A cloud in which others live, too.
Rehearsal inhabited() {
  Rehearsal r(ec2_ground());
  std::string others = ec2_stranger(
      r.world, Map{{"nbform:stack", "other"}, {"nbform:notebook", "train"}, {"nbform:part", "instance"}});
  std::string bystander = ec2_stranger(r.world, Map{{"Name", "bystander"}});
  std::string volume = ec2_console(r.world, "CreateVolume",
                                   Map{{"AvailabilityZone", "us-west-2a"},
                                       {"Size", "10"},
                                       {"TagSpecification.1.ResourceType", "volume"},
                                       {"TagSpecification.1.Tag.1.Key", "Name"},
                                       {"TagSpecification.1.Tag.1.Value", "strange"}});
  if (others.empty() || bystander.empty() || volume.empty()) bug("the simulator refuses a bystander");
  r.wait(std::chrono::minutes(2));
  Notebook& n = r.declare("train");
  n.where = {"us-west-2a", "us-west-2c"};
  n.disks["data"] = Setting<Disk>(data_disk());
  return r;
}

class Ec2Walker final : public Walker {
 public:
  Ec2Walker() : Walker(start(), ec2_repertoire()) {}

 private:
  static const Rehearsal& start() {
    static const Rehearsal kStart = inhabited();
    return kStart;
  }

  bool edit_more(const std::string& verb, Notebook& n) override {
    if (verb == "image") return change_image(n), true;
    if (verb == "range") return n.access.ssh.allow_from = Texts(words_), true;
    if (verb == "adopt") return n.adopt = has("no") || machine().empty() ? Text() : Text(machine()), true;
    return false;
  }
  void change_image(Notebook& n) {
    if (word(0) == "base")
      ec2_other_image(n);
    else
      n.image = Setting<Image>();
  }
  bool weather_more(const std::string&) override { return false; }
  void preempt() override { (void)stage_.world.preempt("", "", machine()); }

  std::string heed_console() override {
    console("unclone");
    Value vm = ec2_machine(stage_.world);
    bool torn = tag_of(vm, "nbform:stack").empty() || tag_of(vm, "nbform:notebook").empty();
    return torn ? machine() : std::string();
  }

  // --- colleagues

  std::string machine() const { return id_of(ec2_machine(stage_.world), "instanceId"); }
  std::string volume(std::string_view name) const {
    for (const Value& one : stage_.world.resources("ec2.volumes"))
      if (tag_of(one, "Name") == name) return id_of(one, "volumeId");
    return {};
  }

  void ask(const std::string& action, const Map& parameters) {
    for (const auto& [name, value] : parameters)
      if (value.as_text().empty()) return;  // of what is not there
    (void)ec2_console(stage_.world, action, parameters);
  }

  void console(const std::string& what) override {
    if (what == "terminate") ask("TerminateInstances", {{"InstanceId.1", machine()}});
    if (what == "stop") ask("StopInstances", {{"InstanceId.1", machine()}});
    if (what == "start") ask("StartInstances", {{"InstanceId.1", machine()}});
    if (what == "reboot") ask("RebootInstances", {{"InstanceId.1", machine()}});
    if (what == "cancelspot")
      ask("CancelSpotInstanceRequests",
          {{"SpotInstanceRequestId.1", id_of(ec2_machine(stage_.world), "spotInstanceRequestId")}});
    click_tags(what);
    click_volumes(what);
    if (what == "clone")
      (void)ec2_stranger(stage_.world, Map{{"Name", "clone"},
                                           {"nbform:stack", "research_3f9a1c2e"},
                                           {"nbform:notebook", "train"},
                                           {"nbform:part", "instance"}});
    if (what == "unclone")
      for (const Value& vm : stage_.world.resources("ec2.instances"))
        if (tag_of(vm, "Name") == "clone" && id_of(vm, "clientToken").empty())
          ask("TerminateInstances", {{"InstanceId.1", id_of(vm, "instanceId")}});
  }

  void click_tags(const std::string& what) {
    if (what == "tag")
      ask("CreateTags", {{"ResourceId.1", machine()}, {"Tag.1.Key", "team"}, {"Tag.1.Value", "console"}});
    if (what == "untag") ask("DeleteTags", {{"ResourceId.1", machine()}, {"Tag.1.Key", "nbform:notebook"}});
    if (what == "untagall")
      ask("DeleteTags", {{"ResourceId.1", machine()},
                         {"Tag.1.Key", "nbform:notebook"},
                         {"Tag.2.Key", "nbform:stack"},
                         {"Tag.3.Key", "nbform:part"}});
    if (what == "unkeep")
      ask("DeleteTags", {{"ResourceId.1", volume("train-data")}, {"Tag.1.Key", "nbform:keep"}});
  }

  void click_volumes(const std::string& what) {
    std::string data = volume("train-data");
    if (what == "resize") ask("ModifyVolume", {{"VolumeId", data}, {"Size", "260"}});
    if (what == "detach") ask("DetachVolume", {{"VolumeId", data}});
    if (what == "deletevolume") ask("DeleteVolume", {{"VolumeId", data}});
    if (what == "attach")
      ask("AttachVolume",
          {{"VolumeId", volume("strange")}, {"InstanceId", machine()}, {"Device", "/dev/sdp"}});
    if (what == "autodelete" || what == "noautodelete")
      ask("ModifyInstanceAttribute",
          {{"InstanceId", machine()},
           {"BlockDeviceMapping.1.DeviceName", "/dev/sdf"},
           {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", what == "autodelete" ? "true" : "false"}});
  }
};

// --- lines from a seed

std::string edit_line(Dice& d) {
  switch (d.below(12)) {
    case 0:
      return d.pick({"machine g4dn.2xlarge", "machine g4dn.xlarge"});
    case 1:
      return d.pick({"label a", "label b"});
    case 2:
      return d.pick({"image base", "image pytorch"});
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
      return d.pick({"where us-west-2a us-west-2c", "where us-west-2c us-west-2a", "where us-west-2c"});
    case 10:
      return d.one_in(3) ? "undeclare" : "declare";
    default:
      return d.pick(
          {"range 203.0.113.7/32", "range 203.0.113.7/32 198.51.100.0/24", "range 198.51.100.0/24"});
  }
}

std::string console_line(Dice& d) {
  std::string line = "console ";
  line +=
      d.pick({"terminate", "stop",    "start",   "reboot",     "tag",        "untag",        "untagall",
              "unkeep",    "resize",  "detach",  "attach",     "autodelete", "noautodelete", "deletevolume",
              "clone",     "unclone", "unclone", "cancelspot", "stop",       "start"});
  if (d.one_in(2)) line += fmt::format(" later={}", d.below(60));
  return line;
}

std::string cloud_line(Dice& d) {
  std::string zone = d.pick({"us-west-2a", "us-west-2c"});
  switch (d.below(5)) {
    case 0:
      return "stockout " + zone;
    case 1:
      return "stockout " + zone + " spot";
    case 2:
      return "calm";
    case 3:
      return "preempt";
    default:
      return fmt::format("preempt later={}", d.below(60));
  }
}

}  // namespace

std::unique_ptr<Walker> ec2_walker() {
  return std::make_unique<Ec2Walker>();
}

Steps ec2_steps(Dice& d) {
  Steps steps;
  for (const char* variant : {"shuffled-sets", "repeated-rows", "unmodified-volume-empty", "token-regional",
                              "spot-relaunch-tagged"})
    if (d.one_in(5)) steps.push_back(fmt::format("variant {}", variant));
  if (d.one_in(2)) steps.push_back("apply");
  for (std::uint64_t rounds = 3 + d.below(4); rounds > 0; --rounds) {
    while (!d.one_in(3)) steps.push_back(edit_line(d));
    if (d.one_in(3)) steps.push_back(cloud_line(d));
    if (d.one_in(2)) steps.push_back(console_line(d));
    steps.push_back(apply_line(d, ec2_repertoire().troubles.size()));
    if (d.one_in(2)) steps.push_back(fmt::format("wait {}", d.pick({1, 5, 20, 60, 300, 3700})));
  }
  return steps;
}

}  // namespace nbform::crash
