// Instances by request: describe, start, stop, reboot, terminate, status, console.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/instances.h"
#include "sim/aws/spot.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

Value reservation(Region& region, const std::vector<const Value*>& instances) {
  List shown;
  std::string id;
  for (const Value* wire : instances) {
    const Resource* vm = region.find("instances", (*wire)["instanceId"].as_text());
    if (vm != nullptr) id = vm->hidden["reservation"].as_text();
    shown.push_back(*wire);
  }
  return Map{{"reservationId", id},
             {"ownerId", region.account},
             {"groupSet", List()},
             {"instancesSet", std::move(shown)}};
}

Value replayed_reservation(Region& region, const TokenUse& use) {
  Value out = use.answer;
  for (Value& shown : out.map()["instancesSet"].list()) {
    const Resource* vm = region.find("instances", shown["instanceId"].as_text());
    if (vm != nullptr)
      shown = vm->wire();
    else
      shown.map().set("instanceState", Map{{"code", 48}, {"name", "terminated"}});
  }
  return out;
}

namespace {

constexpr FilterRule kRules[] = {{"instance-id", "instanceId"},
                                 {"instance-state-name", "instanceState/name"},
                                 {"instance-state-code", "instanceState/code"},
                                 {"client-token", "clientToken"},
                                 {"spot-instance-request-id", "spotInstanceRequestId"},
                                 {"instance-lifecycle", "instanceLifecycle"},
                                 {"image-id", "imageId"},
                                 {"instance-type", "instanceType"},
                                 {"architecture", "architecture"},
                                 {"availability-zone", "placement/availabilityZone"},
                                 {"availability-zone-id", "placement/availabilityZoneId"},
                                 {"vpc-id", "vpcId"},
                                 {"subnet-id", "subnetId"},
                                 {"instance.group-id", "groupSet/*/groupId"},
                                 {"instance.group-name", "groupSet/*/groupName"},
                                 {"key-name", "keyName"},
                                 {"ip-address", "ipAddress"},
                                 {"private-ip-address", "privateIpAddress"},
                                 {"dns-name", "dnsName"},
                                 {"block-device-mapping.volume-id", "blockDeviceMapping/*/ebs/volumeId"},
                                 {"block-device-mapping.device-name", "blockDeviceMapping/*/deviceName"},
                                 {"iam-instance-profile.arn", "iamInstanceProfile/arn"},
                                 {"hibernation-options.configured", "hibernationOptions/configured"},
                                 {"root-device-name", "rootDeviceName"},
                                 {"root-device-type", "rootDeviceType"},
                                 {"launch-time", "launchTime"},
                                 {"owner-id", "ownerId"},
                                 {"state-reason-code", "stateReason/code"},
                                 {"metadata-options.http-tokens", "metadataOptions/httpTokens"}};

Result<> check_paging(const Value& in) {
  bool both = !in["MaxResults"].is_null() && !in["InstanceId"].as_list().empty();
  if (!both) return Ok{};
  return refuse("InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults");
}

Result<Value> describe_instances(Region& region, const Value& in) {
  NB_TRY(check_paging(in));
  auto rows = NB_TRY(rows_of(region, "instances", in["InstanceId"]));
  rows = NB_TRY(filtered(in, std::move(rows), kRules));
  Page page = NB_TRY(paged(region, in, std::move(rows)));
  std::map<std::string, std::vector<const Value*>> reservations;
  for (const Row& row : page.rows)
    reservations[std::string(region.get("instances", row.id).hidden["reservation"].as_text())].push_back(
        row.wire);
  List shown;
  for (const auto& [id, instances] : reservations) shown.push_back(reservation(region, instances));
  Map out{{"reservationSet", std::move(shown)}};
  if (!page.next.empty()) out.set("nextToken", page.next);
  return Value(std::move(out));
}

// --- power

Result<std::vector<std::string>> named(Region& region, const Value& in) {
  auto rows = NB_TRY(rows_of(region, "instances", in["InstanceId"]));
  std::vector<std::string> out;
  for (const Row& row : rows) out.push_back(row.id);
  return out;
}

// [{instanceId, previousState, currentState}] of what `act` does to each.
template <class Act>
Value state_changes(Region& region, const std::vector<std::string>& ids, Act act) {
  List out;
  for (const std::string& id : ids) {
    Value before = region.get("instances", id)["instanceState"];
    act(id);
    out.push_back(Map{{"instanceId", id},
                      {"previousState", before},
                      {"currentState", region.get("instances", id)["instanceState"]}});
  }
  return Map{{"instancesSet", std::move(out)}};
}

Result<> check_start_of(Region& region, const std::string& id) {
  const Resource& vm = region.get("instances", id);
  std::string_view state = state_of(vm);
  if (state == "running" || state == "pending") return Ok{};
  if (state != "stopped")
    return refuse("IncorrectInstanceState",
                  fmt::format("The instance '{}' is not in a state from which it can be started.", id));
  NB_TRY(check_start(region, id));
  const Value& type = vm["instanceType"];
  NB_TRY(check_quota(region, type.as_text(), is_spot(vm), 1));
  return check_capacity(region, type.as_text(), std::string(vm["placement"]["availabilityZone"].as_text()),
                        is_spot(vm));
}

Result<Value> start_instances(Region& region, const Value& in) {
  auto ids = NB_TRY(named(region, in));
  for (const std::string& id : ids) NB_TRY(check_start_of(region, id));
  return state_changes(region, ids, [&](const std::string& id) {
    if (state_of(region.get("instances", id)) != "stopped") return;
    begin_boot(region, id);
    instance_starts(region, id);
    const FaultAction* fault = region.state.fault;
    if (fault != nullptr && fault->preempt)
      region.plan_at(region.state.now + *fault->preempt, "aws.spot.interrupt", id);
  });
}

Result<> check_stop_of(Region& region, const std::string& id) {
  const Resource& vm = region.get("instances", id);
  std::string_view state = state_of(vm);
  if (state == "stopped" || state == "stopping") return Ok{};
  if (state == "pending" && !vm.hidden["ran"].as_bool())
    return refuse(
        "IncorrectInstanceState",
        fmt::format("The instance '{}' cannot be stopped as it has never reached the 'running' state.", id));
  if (state != "running" && state != "pending")
    return refuse("IncorrectInstanceState",
                  fmt::format("This instance '{}' is not in a state from which it can be stopped.", id));
  if (vm.hidden["disableApiStop"].as_bool())
    return refuse(
        "OperationNotPermitted",
        fmt::format(
            "The instance '{}' may not be stopped. Modify its 'disableApiStop' instance attribute and "
            "try again.",
            id));
  return check_stop(region, id);
}

Result<Value> stop_instances(Region& region, const Value& in) {
  auto ids = NB_TRY(named(region, in));
  for (const std::string& id : ids) {
    NB_TRY(check_stop_of(region, id));
    bool hibernates = region.get("instances", id)["hibernationOptions"]["configured"].as_bool();
    if (in["Hibernate"].as_bool() && !hibernates)
      return refuse("UnsupportedHibernationConfiguration",
                    fmt::format("The instance '{}' is not configured for hibernation.", id));
  }
  return state_changes(region, ids, [&](const std::string& id) {
    std::string_view state = state_of(region.get("instances", id));
    if (state == "running" || state == "pending")
      begin_stop(region, id, "Client.UserInitiatedShutdown",
                 "Client.UserInitiatedShutdown: User initiated shutdown");
  });
}

Result<Value> terminate_instances(Region& region, const Value& in) {
  auto ids = NB_TRY(named(region, in));
  for (const std::string& id : ids)
    if (region.get("instances", id).hidden["disableApiTermination"].as_bool())
      return refuse(
          "OperationNotPermitted",
          fmt::format("The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance "
                      "attribute and try again.",
                      id));
  return state_changes(region, ids, [&](const std::string& id) {
    std::string_view state = state_of(region.get("instances", id));
    if (state != "terminated" && state != "shutting-down")
      begin_terminate(region, id, "Client.UserInitiatedShutdown",
                      "Client.UserInitiatedShutdown: User initiated shutdown");
  });
}

Result<Value> reboot_instances(Region& region, const Value& in) {
  for (const std::string& id : NB_TRY(named(region, in))) {
    if (state_of(region.get("instances", id)) != "running")
      return refuse("IncorrectInstanceState", fmt::format("The instance '{}' is not 'running'", id));
    region.note("reboot", "instances", id);
  }
  return Value();
}

// --- status

constexpr FilterRule kStatusRules[] = {{"instance-state-name", "instanceState/name"},
                                       {"instance-state-code", "instanceState/code"},
                                       {"availability-zone", "availabilityZone"},
                                       {"instance-status.status", "instanceStatus/status"},
                                       {"system-status.status", "systemStatus/status"}};

Value check_of(std::string_view status) {
  List details;
  if (status == "ok") details.push_back(Map{{"name", "reachability"}, {"status", "passed"}});
  return Map{{"status", status}, {"details", std::move(details)}};
}

Value shown_status(Region& region, const Resource& vm) {
  bool runs = state_of(vm) == "running";
  auto since = parse_rfc3339(vm["launchTime"].as_text()).value_or(region.now());
  bool young = region.now() - since < region.state.pace(90);
  std::string_view status = !runs ? "not-applicable" : young ? "initializing" : "ok";
  return Map{{"instanceId", vm["instanceId"]},
             {"availabilityZone", vm["placement"]["availabilityZone"]},
             {"instanceState", vm["instanceState"]},
             {"instanceStatus", check_of(status)},
             {"systemStatus", check_of(status)}};
}

Result<Value> describe_status(Region& region, const Value& in) {
  NB_TRY(check_paging(in));
  auto rows = NB_TRY(rows_of(region, "instances", in["InstanceId"]));
  std::vector<Value> made;
  made.reserve(rows.size());
  std::vector<Row> shown;
  for (const Row& row : rows) {
    const Resource& vm = region.get("instances", row.id);
    if (state_of(vm) != "running" && !in["IncludeAllInstances"].as_bool()) continue;
    made.push_back(shown_status(region, vm));
    shown.push_back({row.id, &made.back()});
  }
  return describe_rows(region, in, std::move(shown), {"", "", "instanceStatusSet", kStatusRules, {5, 1000}});
}

// --- console

// Host keys as cloud-init prints them at the boot that makes them; they follow from the instance's id.
std::string host_key(std::string_view id) {
  auto field = [](std::string_view text) {
    std::string out(3, '\0');
    out.push_back(static_cast<char>(text.size()));
    return out.append(text);
  };
  return field("ssh-ed25519") + field(sha256(fmt::format("host key of {}", id)));
}

std::string console_text(std::string_view id) {
  std::string blob = host_key(id), print = base64(sha256(blob));
  while (print.ends_with('=')) print.pop_back();
  std::string lines;
  for (const std::string& line : {std::string("-----BEGIN SSH HOST KEY FINGERPRINTS-----"),
                                  fmt::format("256 SHA256:{} root@ip (ED25519)", print),
                                  std::string("-----END SSH HOST KEY FINGERPRINTS-----")})
    lines += fmt::format("<14>Nov 21 12:00:40 cloud-init: {}\r\n", line);
  return fmt::format(
      "Cloud-init v. 24.1 running 'modules:final'\r\n{}-----BEGIN SSH HOST KEY KEYS-----\r\n"
      "ssh-ed25519 {} root@ip\r\n-----END SSH HOST KEY KEYS-----\r\n",
      lines, base64(blob));
}

constexpr std::size_t kConsole = std::size_t{64} << 10;  // that much of its end is kept

// Posted minutes after the first boot; `Latest` is fresher.
Result<Value> console_output(Region& region, const Value& in) {
  std::string_view id = in["InstanceId"].as_text();
  const Resource* vm = NB_TRY(region.need("instances", id));
  auto first = parse_rfc3339(vm->hidden["first_run"].as_text());
  Duration wait = region.state.pace(in["Latest"].as_bool() ? 30 : 240);
  Map out{{"instanceId", id}, {"timestamp", stamp(region.now())}};
  if (first && region.now() - *first >= wait) {
    std::string text = console_text(id) + std::string(vm->hidden["console"].as_text());
    out.set("output", base64(text.substr(text.size() - std::min(text.size(), kConsole))));
  }
  return Value(std::move(out));
}

constexpr Action kActions[] = {
    {"DescribeInstances", describe_instances}, {"StartInstances", start_instances},
    {"StopInstances", stop_instances},         {"TerminateInstances", terminate_instances},
    {"RebootInstances", reboot_instances},     {"DescribeInstanceStatus", describe_status},
    {"GetConsoleOutput", console_output},
};

}  // namespace

std::span<const Action> instance_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
