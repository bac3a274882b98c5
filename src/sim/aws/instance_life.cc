// What happens to instances: boot, stop, terminate, and what goes with them.
#include <fmt/format.h>

#include <array>

#include "sim/aws/client_tokens.h"
#include "sim/aws/instances.h"
#include "sim/aws/network.h"
#include "sim/aws/spot.h"
#include "sim/aws/volumes.h"
#include "sim/aws/xml.h"

namespace nbform::sim::aws {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 6> kStates = {
    std::pair{"pending", 0}, {"running", 16},  {"shutting-down", 32},
    {"terminated", 48},      {"stopping", 64}, {"stopped", 80}};
constexpr Duration kShownAfterwards = std::chrono::hours(1);

// Seconds, at the cloud's own pace.
constexpr double kBoot = 20, kStop = 30, kTerminate = 35, kInterfaceLeaves = 5;

// What was planned for an earlier run of the machine does not come true in a later one.
void plan_run(Region& region, double seconds, std::string what, std::string_view id) {
  Resource& vm = region.get("instances", id);
  std::int64_t run = vm.hidden["run"].as_int() + 1;
  vm.hidden.map().set("run", run);
  region.plan(seconds, std::move(what), id, Map{{"run", run}});
}

std::string interface_of(const Resource& vm) {
  return std::string(vm.hidden["interface"].as_text());
}

void show_addresses(Region& region, std::string_view id, bool on) {
  Resource& vm = region.get("instances", id);
  if (!vm.hidden["public"].as_bool()) return;
  set_public_address(region, interface_of(vm), on);
  refresh_interface(region, id);
}

}  // namespace

std::string_view state_of(const Resource& instance) {
  return instance["instanceState"]["name"].as_text();
}

bool is_spot(const Resource& instance) {
  return instance["instanceLifecycle"].as_text() == "spot";
}

void set_state(Region& region, std::string_view id, std::string_view state) {
  Resource& vm = region.get("instances", id);
  int code = 0;
  for (const auto& [name, number] : kStates)
    if (name == state) code = number;
  vm.edit().set("instanceState", Map{{"code", code}, {"name", state}});
  region.note("status", "instances", id, Map{{"status", state}});
}

void set_reason(Region& region, std::string_view id, std::string_view code, std::string_view message) {
  Map& wire = region.get("instances", id).edit();
  if (code.empty())
    wire.erase("stateReason");
  else
    wire.set("stateReason", Map{{"code", code}, {"message", message}});
  bool user = code == "Client.UserInitiatedShutdown";
  wire.set("reason", user ? Value(user_reason(region)) : code.empty() ? Value("") : Value(message));
}

std::string user_reason(const Region& region) {
  std::string at = stamp(region.now());
  at[10] = ' ';
  return fmt::format("User initiated ({} GMT)", at.substr(0, 19));
}

void refresh_devices(Region& region, std::string_view id) {
  Resource* vm = region.find("instances", id);
  if (vm == nullptr) return;
  List devices;
  for (const Value& volume : vm->hidden["volumes"].as_list()) {
    const Resource& v = region.get("volumes", volume.as_text());
    const Value& a = v["attachmentSet"].as_list().at(0);
    devices.push_back(Map{{"deviceName", a["device"]},
                          {"ebs", Map{{"volumeId", volume},
                                      {"status", a["status"]},
                                      {"attachTime", a["attachTime"]},
                                      {"deleteOnTermination", a["deleteOnTermination"]}}}});
  }
  vm->edit().set("blockDeviceMapping", std::move(devices));
}

void refresh_interface(Region& region, std::string_view id) {
  Resource& vm = region.get("instances", id);
  std::string eni = interface_of(vm);
  const Resource& nic = region.get("network-interfaces", eni);
  const Value& association = nic["association"];
  Map& wire = vm.edit();
  wire.set("networkInterfaceSet", List{shown_interface(region, eni)});
  wire.set("groupSet", nic["groupSet"]);
  wire.set("privateIpAddress", nic["privateIpAddress"]);
  wire.set("dnsName", association["publicDnsName"].as_text());
  if (association.is_null())
    wire.erase("ipAddress");
  else
    wire.set("ipAddress", association["publicIp"]);
}

void begin_boot(Region& region, std::string_view id, std::string_view failure) {
  set_state(region, id, "pending");
  set_reason(region, id, "", "");
  Resource& vm = region.get("instances", id);
  vm.edit().set("launchTime", stamp(region.now()));
  if (!failure.empty()) vm.hidden.map().set("launch_failure", failure);
  plan_run(region, kBoot, "aws.vm.booted", id);
}

void begin_stop(Region& region, std::string_view id, std::string_view reason, std::string_view message) {
  set_state(region, id, "stopping");
  set_reason(region, id, reason, message);
  instance_stops(region, id);
  plan_run(region, kStop, "aws.vm.stopped", id);
}

void begin_terminate(Region& region, std::string_view id, std::string_view reason, std::string_view message) {
  set_state(region, id, "shutting-down");
  set_reason(region, id, reason, message);
  show_addresses(region, id, false);
  instance_terminates(region, id);
  plan_run(region, kTerminate, "aws.vm.terminated", id);
}

namespace {

void booted(Region& region, const std::string& id) {
  Resource& vm = region.get("instances", id);
  if (state_of(vm) != "pending") return;
  if (std::string failure(vm.hidden["launch_failure"].as_text()); !failure.empty())
    return begin_terminate(region, id, failure, fmt::format("{}: Instance failed to launch", failure));
  set_state(region, id, "running");
  vm.hidden.map().set("ran", true);
  if (vm.hidden["first_run"].is_null()) vm.hidden.map().set("first_run", stamp(region.now()));
  vm.edit()["metadataOptions"].map().set("state", "applied");
  show_addresses(region, id, true);
}

void stopped(Region& region, const std::string& id) {
  if (state_of(region.get("instances", id)) != "stopping") return;
  set_state(region, id, "stopped");
  show_addresses(region, id, false);
  instance_stopped(region, id);
}

// Volumes go or stay as their attachments say.
void part_with_volumes(Region& region, const std::string& id) {
  List volumes = region.get("instances", id).hidden["volumes"].as_list();
  for (const Value& volume : volumes) {
    const Resource& v = region.get("volumes", volume.as_text());
    bool goes = v["attachmentSet"].as_list().at(0)["deleteOnTermination"].as_bool();
    unbind_volume(region, volume.as_text());
    if (goes) delete_volume_now(region, volume.as_text(), "deleteOnTermination");
  }
}

void terminated(Region& region, const std::string& id) {
  set_state(region, id, "terminated");
  part_with_volumes(region, id);
  drop_association(region, id);
  Map& wire = region.get("instances", id).edit();
  for (std::string_view name : {"vpcId", "subnetId", "privateIpAddress", "ipAddress", "iamInstanceProfile"})
    wire.erase(name);
  wire.set("dnsName", "");
  wire.set("privateDnsName", "");
  for (std::string_view name : {"blockDeviceMapping", "networkInterfaceSet", "groupSet"})
    wire.set(name, List());
  region.note("delete", "instances", id);
  release_tokens(region, id);
  region.plan(kInterfaceLeaves, "aws.vm.interface", id);
  region.plan_at(region.state.now + kShownAfterwards, "aws.vm.forget", id);
}

// Groups can be deleted from now on.
void interface_leaves(Region& region, const std::string& id) {
  std::string eni = interface_of(region.get("instances", id));
  Resource* nic = region.find("network-interfaces", eni);
  if (nic == nullptr) return;
  bool goes = nic->hidden["delete_on_termination"].as_bool(true);
  if (goes) {
    region.note("delete", "network-interfaces", eni);
    return region.erase("network-interfaces", eni);
  }
  nic->edit().erase("attachment");
  nic->edit().set("status", "available");
}

}  // namespace

void instance_happens(Region& region, const Happening& h) {
  const std::string& id = h.target.name;
  Resource* vm = region.find("instances", id);
  if (vm == nullptr) return;
  bool stale = !h.detail["run"].is_null() && h.detail["run"] != vm->hidden["run"];
  if (stale) return;
  if (h.what == "aws.vm.booted") booted(region, id);
  if (h.what == "aws.vm.stopped") stopped(region, id);
  if (h.what == "aws.vm.terminated") terminated(region, id);
  if (h.what == "aws.vm.interface") interface_leaves(region, id);
  if (h.what == "aws.vm.metadata") vm->edit()["metadataOptions"].map().set("state", "applied");
  if (h.what == "aws.vm.forget") region.erase("instances", id);
}

}  // namespace nbform::sim::aws
