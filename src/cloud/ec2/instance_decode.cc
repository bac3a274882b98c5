// DescribeInstances items into Lives, and what the root volume and the Spot request add: one health for each
// of their states (EC2 API Reference).
#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "base/text.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"

namespace nbform::ec2 {

namespace {

using State = Health::State;

std::string_view tag_text(const Map& tags, std::string_view key) {
  const Value* value = tags.find(key);
  return value != nullptr ? value->as_text() : std::string_view();
}

void read_remembered(Live& live, const Map& tags) {
  live.protect = tag_text(tags, tag::kProtect) == "true";
  live.health.resume_mark = Value(tag_text(tags, tag::kResume)).as_int();
  live.health.rest_mark = tag_text(tags, tag::kResume) == labels::kRest;
  live.incarnation = static_cast<int>(Value(tag_text(tags, tag::kIncarnation)).as_int(1));
  live.locked = tag_text(tags, tag::kLock) == "true";
  live.attributes.set("deletion_protection", live.locked);
  if (auto image = tag_text(tags, tag::kImage); !image.empty()) live.attributes.set("image", image);
  if (auto boot = tag_text(tags, tag::kBoot); !boot.empty()) live.attributes.set("boot_data", boot);
}

void read_type(Live& live, const Value& item) {
  bool spot = item["instanceLifecycle"].as_text() == "spot";
  live.attributes.set("market", spot ? "spot" : "on-demand");
  live.attributes.set("type", item["instanceType"].as_text());
  live.attributes.set(spot ? "spot_machine_type" : "machine_type", item["instanceType"].as_text());
  live.attributes.set("source_image", item["imageId"].as_text());
  live.attributes.set("key_name", item["keyName"].as_text());
  if (spot) live.attributes.set("spot_request", item["spotInstanceRequestId"].as_text());
}

void read_volumes(Live& live, const Value& item) {
  Map attachments;
  List going;
  std::string_view root = item["rootDeviceName"].as_text();
  live.attributes.set("root_device", root);
  for (const Value& mapping : item["blockDeviceMapping"].as_list()) {
    std::string_view volume = mapping.at_path("ebs/volumeId").as_text();
    if (volume.empty()) continue;
    if (mapping["deviceName"].as_text() == root) {
      live.attributes.set("root_volume", volume);
      live.attributes.set("root_delete_on_termination", is_true(mapping.at_path("ebs/deleteOnTermination")));
      continue;
    }
    attachments.set(volume, mapping["deviceName"].as_text());
    if (is_true(mapping.at_path("ebs/deleteOnTermination"))) going.push_back(volume);
    live.refs.emplace_back(volume);
  }
  live.attributes.set("attachments", std::move(attachments));
  live.attributes.set("delete_on_termination", std::move(going));
}

// Its own group is told by its name; all others are the user's.
void read_groups(Live& live, const Value& item) {
  List others;
  bool own = false;
  for (const Value& group : item["groupSet"].as_list()) {
    std::string_view id = group["groupId"].as_text(), name = group["groupName"].as_text();
    bool ours = name.starts_with("nbform-");
    own = own || ours;
    if (ours) live.refs.emplace_back(id);
    if (!ours) others.push_back(id);
  }
  live.attributes.set("security_groups", std::move(others));
  live.attributes.set("own_group", own);
}

// An address that is given at launch shows only while it runs: a stopped instance says nothing.
void read_network(Live& live, const Value& item, bool running) {
  live.attributes.set("network", item["vpcId"].as_text());
  live.attributes.set("subnet", item["subnetId"].as_text());
  std::string_view address = item["ipAddress"].as_text();
  live.attributes.set("address", address);
  if (running) live.attributes.set("public_ip", !address.empty());
  live.tokens.set("interface", item.at_path("networkInterfaceSet/0/networkInterfaceId").as_text());
}

void read_access(Live& live, const Value& item) {
  live.attributes.set("instance_profile", item.at_path("iamInstanceProfile/arn").as_text());
  const Value& imds = item["metadataOptions"];
  live.attributes.set("imds_tokens", imds["httpTokens"].as_text());
  live.attributes.set("imds_hops", imds["httpPutResponseHopLimit"].as_int());
}

constexpr std::string_view kOnlyEc2 = "stopped by EC2 for capacity; only EC2 may restart it";

// "User initiated (2026-01-01 00:00:00 GMT)"
std::optional<Time> time_in(std::string_view reason) {
  auto open = reason.rfind('('), end = reason.rfind(" GMT)");
  if (open == std::string_view::npos || end == std::string_view::npos || end < open) return std::nullopt;
  std::string text(reason.substr(open + 1, end - open - 1));
  if (auto blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
  return parse_rfc3339(text + "Z");
}

void settling(Live& live, std::string_view why) {
  live.health.state = State::settling;
  live.health.detail = why;
}

// Before anything is known of a Spot request.
void read_health(Live& live, const Value& item) {
  std::string_view state = item.at_path("instanceState/name").as_text();
  live.health.detail = state;
  live.health.started = parse_rfc3339(item["launchTime"].as_text());
  live.health.since = live.health.started;
  live.health.state = state == "running"   ? State::running
                      : state == "stopped" ? State::stopped
                                           : State::settling;
  if (live.health.state != State::stopped) return;
  live.health.since = time_in(item["reason"].as_text());
  live.health.stopped_by = Health::StoppedBy::unknown;
  bool by_ec2 = item.at_path("stateReason/code").as_text() == "Server.SpotInstanceShutdown";
  if (by_ec2) settling(live, kOnlyEc2);
  live.health.held = by_ec2;
}

struct SpotState {
  std::string_view status;
  State state;
  std::string_view detail;
  bool held = false;  // until EC2 does something about it
};
// Of an instance that is there, by the status code of its request. `none`: the instance's own state holds.
constexpr std::array<SpotState, 13> kSpotStates = {{
    {"fulfilled", State::none, ""},
    {"instance-stopped-by-user", State::none, ""},
    {"request-canceled-and-instance-running", State::none, ""},
    {"marked-for-stop", State::settling, "about to be stopped"},
    {"marked-for-termination", State::settling, "about to be terminated by EC2"},
    {"instance-stopped-no-capacity", State::settling, kOnlyEc2, true},
    {"instance-stopped-by-price", State::settling,
     "stopped by EC2, as the Spot price is above `spot.max_price`; only EC2 may restart it", true},
    {"pending-evaluation", State::settling, "waiting for EC2 Spot to look at its start"},
    {"pending-fulfillment", State::settling, "waiting for EC2 Spot to start it"},
    {"capacity-not-available", State::settling, "waiting for Spot capacity; EC2 starts it then", true},
    {"price-too-low", State::settling, "waiting for a Spot price below `spot.max_price`; EC2 starts it then",
     true},
    {"bad-parameters", State::degraded, "refused by EC2 Spot: its request has bad parameters"},
    {"system-error", State::degraded, "refused by EC2 Spot: a system error, as AWS calls it"},
}};

void apply_status(Live& live, std::string_view status) {
  for (const SpotState& row : kSpotStates) {
    if (row.status != status || row.state == State::none) continue;
    live.health.state = row.state;
    live.health.detail = row.detail;
    live.health.held = row.held;
  }
}

}  // namespace

Live decode_instance(const Scope& scope, const Value& item) {
  Live live;
  live.kind = &instance_kind();
  live.scope = scope;
  live.id = live.name = item["instanceId"].as_text();
  live.zone = item.at_path("placement/availabilityZone").as_text();
  Map tags = read_tags(item);
  live.owner = labels::read_owner(tags, labels::kAws);
  read_type(live, item);
  read_volumes(live, item);
  read_groups(live, item);
  read_access(live, item);
  read_health(live, item);
  read_network(live, item, item.at_path("instanceState/name").as_text() == "running");
  read_remembered(live, tags);
  live.attributes.set("tags", std::move(tags));
  live.tokens.set("client_token", item["clientToken"].as_text());
  live.erased_by_replace = live_value(live, "root_delete_on_termination").as_bool();
  // EC2 lets go of a root volume only while its instance is stopped; before the first start none is listed.
  bool stopped = item.at_path("instanceState/name").as_text() == "stopped";
  live.bootless = stopped && live_text(live, "root_volume").empty();
  return live;
}

void fold_root_volume(Live& live, const Value& volume) {
  live.attributes.set("root_size_gb", volume["size"].as_int());
  live.attributes.set("root_type", volume["volumeType"].as_text());
  if (!volume["iops"].is_null()) live.attributes.set("root_iops", volume["iops"].as_int());
  if (!volume["throughput"].is_null()) live.attributes.set("root_throughput", volume["throughput"].as_int());
  live.attributes.set("root_kms", volume["kmsKeyId"].as_text());
  live.attributes.set("root_encrypted", is_true(volume["encrypted"]));
  Map tags = read_tags(volume);
  live.keep = parse_keep(tag_text(tags, tag::kKeep));
  live.attributes.set("root_tags", std::move(tags));
}

// The request says who stopped it, and whether it may be started: only once it is `disabled` by its user.
Live decode_open_request(const Scope& scope, const Value& request) {
  Live live;
  live.kind = &instance_kind();
  live.scope = scope;
  live.id = live.name = request["spotInstanceRequestId"].as_text();
  live.zone = request["launchedAvailabilityZone"].as_text();
  live.owner = labels::read_owner(read_tags(request), labels::kAws);
  live.owner.part = "instance";
  live.attributes.set("market", "spot");
  live.attributes.set("spot_request", live.id);
  live.tokens.set("spot_state", "open");
  settling(live, "to be launched by EC2, when it has capacity");
  live.health.held = true;
  return live;
}

void fold_spot_request(Live& live, const Value& request) {
  std::string_view state = request["state"].as_text(), status = request.at_path("status/code").as_text();
  live.tokens.set("spot_state", state);
  live.tokens.set("spot_status", status);
  live.tokens.set("spot_type", request["type"].as_text());
  live.attributes.set("on_preemption",
                      request["instanceInterruptionBehavior"].as_text() == "stop" ? "stop" : "delete");
  if (std::string price(request["spotPrice"].as_text()); !price.empty())
    live.attributes.set("max_price", fmt::format("{:.6f}", std::strtod(price.c_str(), nullptr)));
  bool stopped = live.health.detail == "stopped" || live.health.state == State::stopped;
  if (state == "cancelled" && stopped)
    return settling(live, "about to be terminated by EC2: its Spot request was cancelled");
  if (status == "instance-stopped-by-user" && live.health.detail == kOnlyEc2) {
    live.health.state = State::stopped;  // the later word
    live.health.detail = "stopped";
    live.health.held = false;
  }
  apply_status(live, status);
  bool may_not_start_yet = live.health.state == State::stopped && state == "active";
  if (may_not_start_yet) settling(live, "stopped, and its Spot request is not ready for a start yet");
}

void fold_profile(Live& live, const Value& associations) {
  for (const Value& one : associations.as_list()) {
    std::string_view state = one["state"].as_text();
    if (state == "disassociated" || state == "disassociating") continue;
    live.tokens.set("profile_association", one["associationId"].as_text());
    live.attributes.set("instance_profile", one.at_path("iamInstanceProfile/arn").as_text());
  }
}

void fold_protection(Live& live, const Value& attribute) {
  live.locked = is_true(attribute["value"]);
  live.attributes.set("deletion_protection", live.locked);
}

}  // namespace nbform::ec2
