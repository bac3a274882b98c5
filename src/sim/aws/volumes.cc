#include "sim/aws/volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/client_tokens.h"
#include "sim/aws/describe.h"
#include "sim/aws/instances.h"
#include "sim/aws/offers.h"
#include "sim/aws/tags.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

struct VolumeType {
  std::string_view name;
  std::int64_t least_gb, most_gb, least_iops, most_iops, default_iops;
  bool asks_iops, takes_iops;
};
constexpr std::array kTypes = {
    VolumeType{"gp3", 1, 65536, 3000, 80000, 3000, false, true},
    VolumeType{"gp2", 1, 16384, 0, 0, 0, false, false},
    VolumeType{"io1", 4, 16384, 100, 64000, 0, true, true},
    VolumeType{"io2", 4, 65536, 100, 256000, 0, true, true},
    VolumeType{"st1", 125, 16384, 0, 0, 0, false, false},
    VolumeType{"sc1", 125, 16384, 0, 0, 0, false, false},
    VolumeType{"standard", 1, 1024, 0, 0, 0, false, false},
};
constexpr std::int64_t kLeastThroughput = 125, kMostThroughput = 2000;

const VolumeType& type_named(std::string_view name) {
  return *std::find_if(kTypes.begin(), kTypes.end(), [&](const VolumeType& t) { return t.name == name; });
}

Diagnostic bad_value(std::string message) {
  return refuse("InvalidParameterValue", std::move(message));
}

Result<> complete_throughput(VolumeSpec& spec) {
  if (spec.type != "gp3") {
    if (spec.throughput == 0) return Ok{};
    return refuse("InvalidParameterCombination",
                  fmt::format("The parameter Throughput is not supported for {} volumes.", spec.type));
  }
  if (spec.throughput == 0) spec.throughput = kLeastThroughput;
  if (spec.throughput < kLeastThroughput || spec.throughput > kMostThroughput)
    return bad_value(fmt::format("Volume throughput of {} MiB/s is not between {} and {}.", spec.throughput,
                                 kLeastThroughput, kMostThroughput));
  if (spec.throughput * 4 > spec.iops)
    return bad_value("Throughput (MiBps) to iops ratio is too high; maximum is 0.25 MiBps per iops");
  return Ok{};
}

}  // namespace

Result<> complete(VolumeSpec& spec) {
  const VolumeType& type = type_named(spec.type);
  if (spec.size < type.least_gb || spec.size > type.most_gb)
    return bad_value(fmt::format("Volume of {}GiB is too {} for volume type {}; {} is {}GiB.", spec.size,
                                 spec.size < type.least_gb ? "small" : "large", spec.type,
                                 spec.size < type.least_gb ? "minimum" : "maximum",
                                 spec.size < type.least_gb ? type.least_gb : type.most_gb));
  if (spec.iops != 0 && !type.takes_iops)
    return refuse("InvalidParameterCombination",
                  fmt::format("The parameter iops is not supported for {} volumes.", spec.type));
  if (spec.iops == 0 && type.asks_iops)
    return refuse("MissingParameter",
                  fmt::format("The request must contain the parameter iops for volume type {}", spec.type));
  if (spec.iops == 0) spec.iops = type.default_iops;
  if (type.takes_iops && (spec.iops < type.least_iops || spec.iops > type.most_iops))
    return bad_value(fmt::format("Volume iops of {} is not between {} and {} for volume type {}.", spec.iops,
                                 type.least_iops, type.most_iops, spec.type));
  std::int64_t ratio = spec.type == "io1" ? 50 : 500;
  if (type.takes_iops && spec.iops > std::max<std::int64_t>(ratio * spec.size, type.least_iops))
    return bad_value(fmt::format("Iops to volume size ratio of {} is too high; maximum is {}",
                                 spec.iops / spec.size, ratio));
  if (spec.type == "gp2") spec.iops = std::clamp<std::int64_t>(spec.size * 3, 100, 16000);
  return complete_throughput(spec);
}

std::string make_volume(Region& region, const VolumeSpec& spec) {
  std::string id = region.new_id("vol-");
  std::string key = spec.kms_key.empty()
                        ? fmt::format("arn:aws:kms:{}:{}:key/00000000-0000-4000-8000-000000000001",
                                      region.name, region.account)
                        : spec.kms_key;
  region.put("volumes", id,
             Map{{"volumeId", id},
                 {"size", spec.size},
                 {"snapshotId", spec.snapshot},
                 {"availabilityZone", spec.zone},
                 {"availabilityZoneId", zone_id(spec.zone)},
                 {"status", "creating"},
                 {"createTime", stamp(region.now())},
                 {"volumeType", spec.type},
                 {"iops", spec.iops == 0 ? Value() : Value(spec.iops)},
                 {"throughput", spec.throughput == 0 ? Value() : Value(spec.throughput)},
                 {"encrypted", spec.encrypted},
                 {"kmsKeyId", spec.encrypted ? Value(key) : Value()},
                 {"multiAttachEnabled", false},
                 {"attachmentSet", List()},
                 {"tagSet", spec.tags.is_list() ? spec.tags : Value(List())}});
  region.note("insert", "volumes", id, Map{{"tagSet", spec.tags}, {"size", spec.size}, {"type", spec.type}});
  return id;
}

void bind_volume(Region& region, std::string_view volume, std::string_view instance,
                 const std::string& device, bool delete_on_termination, std::string_view status) {
  Map& wire = region.get("volumes", volume).edit();
  wire.set("status", "in-use");
  wire.set("attachmentSet", List{Map{{"volumeId", volume},
                                     {"instanceId", instance},
                                     {"device", device},
                                     {"status", status},
                                     {"attachTime", stamp(region.now())},
                                     {"deleteOnTermination", delete_on_termination}}});
  Value& held = region.get("instances", instance).hidden.map()["volumes"];
  if (held.is_null()) held = List();
  held.list().push_back(volume);
  region.note("attach", "instances", instance, Map{{"volume", volume}, {"device", device}});
}

void unbind_volume(Region& region, std::string_view volume) {
  Resource& r = region.get("volumes", volume);
  std::string instance;
  for (const Value& a : r["attachmentSet"].as_list()) instance = a["instanceId"].as_text();
  r.edit().set("attachmentSet", List());
  r.edit().set("status", "available");
  if (Resource* vm = region.find("instances", instance))
    std::erase(vm->hidden.map()["volumes"].list(), Value(volume));
  region.note("detach", "instances", instance, Map{{"volume", volume}});
}

void delete_volume_now(Region& region, std::string_view volume, std::string_view why) {
  region.note("delete", "volumes", volume, Map{{"why", why}});
  release_tokens(region, volume);
  region.erase("volumes", volume);
  region.erase("modifications", volume);
}

// --- create, describe, delete

namespace {

Result<std::string> zone_of(Region& region, const Value& in) {
  std::string zone(in["AvailabilityZone"].as_text());
  if (zone.empty() == in["AvailabilityZoneId"].is_null())
    return refuse(zone.empty() ? "MissingParameter" : "InvalidParameterCombination",
                  "The request must contain exactly one of AvailabilityZone and AvailabilityZoneId");
  if (zone.empty()) zone = zone_by_id(region.name, in["AvailabilityZoneId"].as_text()).value_or("");
  auto zones = zones_of(region.name);
  if (std::find(zones.begin(), zones.end(), zone) == zones.end())
    return refuse("InvalidZone.NotFound",
                  fmt::format("The zone '{}' does not exist.", in["AvailabilityZone"].as_text()));
  return zone;
}

Result<VolumeSpec> read_spec(Region& region, const Value& in) {
  VolumeSpec spec;
  spec.zone = NB_TRY(zone_of(region, in));
  spec.type = in["VolumeType"].as_text("gp2");
  spec.snapshot = in["SnapshotId"].as_text();
  spec.kms_key = in["KmsKeyId"].as_text();
  spec.size = in["Size"].as_int();
  spec.iops = in["Iops"].as_int();
  spec.throughput = in["Throughput"].as_int();
  spec.encrypted = in["Encrypted"].as_bool();
  if (!spec.kms_key.empty() && !spec.encrypted)
    return refuse("InvalidParameterDependency",
                  "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  std::int64_t least = 0;
  for (const ImageFacts& image : images_of(region))
    if (snapshot_id(region.name, image.name) == spec.snapshot) least = image.gb;
  if (!spec.snapshot.empty() && least == 0)
    return refuse("InvalidSnapshot.NotFound",
                  fmt::format("The snapshot '{}' does not exist.", spec.snapshot));
  if (spec.size == 0) spec.size = least;
  if (spec.size == 0)
    return refuse("MissingParameter", "The request must contain the parameter size/snapshot");
  if (spec.size < least)
    return bad_value(fmt::format("Volume of size {}GB is smaller than snapshot '{}', expect size >= {}GB",
                                 spec.size, spec.snapshot, least));
  NB_TRY(complete(spec));
  spec.tags = NB_TRY(tags_for(in, "volume"));
  return spec;
}

Result<Value> create_volume(Region& region, const Value& in) {
  std::string zone(in["AvailabilityZone"].as_text());
  auto again = NB_TRY(replay(region, "CreateVolume", in, zone));
  if (again) {
    Resource* volume = region.find("volumes", again->ids.at(0));
    return volume != nullptr ? volume->wire() : again->answer;
  }
  VolumeSpec spec = NB_TRY(read_spec(region, in));
  std::string id = make_volume(region, spec);
  region.plan(4, "aws.volume.available", id);
  Value answer = region.get("volumes", id).wire();
  remember(region, "CreateVolume", in, zone, {id}, answer);
  return answer;
}

constexpr FilterRule kVolumeRules[] = {
    {"volume-id", "volumeId"},
    {"attachment.instance-id", "attachmentSet/*/instanceId"},
    {"attachment.device", "attachmentSet/*/device"},
    {"attachment.status", "attachmentSet/*/status"},
    {"attachment.delete-on-termination", "attachmentSet/*/deleteOnTermination"},
    {"status", "status"},
    {"volume-type", "volumeType"},
    {"size", "size"},
    {"encrypted", "encrypted"},
    {"snapshot-id", "snapshotId"},
    {"availability-zone", "availabilityZone"},
    {"availability-zone-id", "availabilityZoneId"},
    {"create-time", "createTime"}};

Result<Value> describe_volumes(Region& region, const Value& in) {
  return describe(region, in, {"volumes", "VolumeId", "volumeSet", kVolumeRules, {5, 1000}});
}

Result<Value> delete_volume(Region& region, const Value& in) {
  std::string_view id = in["VolumeId"].as_text();
  Resource* volume = NB_TRY(region.need("volumes", id));
  std::string_view status = (*volume)["status"].as_text();
  if (status == "in-use") {
    std::string_view vm = (*volume)["attachmentSet"].as_list().at(0)["instanceId"].as_text();
    return refuse("VolumeInUse", fmt::format("Volume {} is currently attached to {}", id, vm));
  }
  if (status != "available")
    return refuse("IncorrectState", fmt::format("The volume '{}' is '{}'", id, status));
  volume->edit().set("status", "deleting");
  region.plan(3, "aws.volume.deleted", id);
  return Value();
}

// --- attach, detach

Value shown_attachment(const Value& attachment, std::string_view status) {
  Value out = attachment;
  out.map().set("status", status);
  return out;
}

bool device_name(std::string_view name) {
  return name.starts_with("/dev/sd") || name.starts_with("/dev/xvd");
}

Result<> check_attachable(Region& region, const Value& in, const Resource& volume, const Resource& instance) {
  std::string_view id = in["VolumeId"].as_text(), vm = in["InstanceId"].as_text(),
                   device = in["Device"].as_text();
  std::string_view status = volume["status"].as_text(), state = instance["instanceState"]["name"].as_text();
  if (volume["availabilityZone"] != instance["placement"]["availabilityZone"])
    return refuse(
        "InvalidVolume.ZoneMismatch",
        fmt::format("The volume '{}' is not in the same availability zone as instance '{}'", id, vm));
  if (status == "in-use")
    return refuse("VolumeInUse", fmt::format("{} is already attached to an instance", id));
  if (status != "available") return refuse("IncorrectState", fmt::format("Volume '{}' is '{}'", id, status));
  if (state != "running" && state != "stopped")
    return refuse("IncorrectState", fmt::format("Instance '{}' is not 'running'.", vm));
  if (!device_name(device))
    return bad_value(fmt::format(
        "Value ({}) for parameter device is invalid. {} is not a valid EBS device name.", device, device));
  for (const Value& m : instance["blockDeviceMapping"].as_list())
    if (m["deviceName"].as_text() == device)
      return bad_value(fmt::format("Invalid value '{}' for unixDevice. Attachment point {} is already in use",
                                   device, device));
  const Resource* change = region.find("modifications", id);
  if (change != nullptr && (*change)["modificationState"].as_text() == "modifying")
    return refuse("OperationNotPermitted",
                  fmt::format("Cannot attach volume '{}' when it is in modification state: MODIFYING", id));
  const TypeFacts* type = find_type(instance["instanceType"].as_text());
  auto most = static_cast<std::size_t>(type == nullptr ? 27 : type->max_volumes);
  if (instance["blockDeviceMapping"].as_list().size() >= most)
    return refuse("AttachmentLimitExceeded",
                  fmt::format("The instance '{}' has {} attachments already.", vm, most));
  return Ok{};
}

Result<Value> attach_volume(Region& region, const Value& in) {
  std::string volume_id(in["VolumeId"].as_text()), vm(in["InstanceId"].as_text()),
      device(in["Device"].as_text());
  Resource* volume = NB_TRY(region.need("volumes", volume_id));
  Resource* instance = NB_TRY(region.need("instances", vm));
  NB_TRY(check_attachable(region, in, *volume, *instance));
  bind_volume(region, volume_id, vm, device, false, "attaching");
  refresh_devices(region, vm);
  region.plan(3, "aws.volume.attached", volume_id);
  return shown_attachment((*volume)["attachmentSet"].as_list().at(0), "attaching");
}

Result<Value> detach_volume(Region& region, const Value& in) {
  std::string id(in["VolumeId"].as_text());
  Resource* volume = NB_TRY(region.need("volumes", id));
  const List& attachments = (*volume)["attachmentSet"].as_list();
  if (attachments.empty())
    return refuse("IncorrectState", fmt::format("Volume '{}' is in the 'available' state.", id));
  Value attachment = attachments[0];
  std::string vm(attachment["instanceId"].as_text());
  if (!in["InstanceId"].is_null() && in["InstanceId"].as_text() != vm)
    return refuse(
        "InvalidAttachment.NotFound",
        fmt::format("The volume '{}' is not attached to instance '{}'", id, in["InstanceId"].as_text()));
  const Resource& instance = region.get("instances", vm);
  bool root = attachment["device"] == instance["rootDeviceName"];
  if (root && instance["instanceState"]["name"].as_text() != "stopped")
    return refuse("OperationNotPermitted",
                  fmt::format("Unable to detach root volume '{}' from instance '{}'", id, vm));
  volume->edit()["attachmentSet"].list()[0].map().set("status", "detaching");
  refresh_devices(region, vm);
  region.plan(5, "aws.volume.detached", id);
  return shown_attachment(attachment, "detaching");
}

}  // namespace

void volume_happens(Region& region, const Happening& h) {
  const std::string& id = h.target.name;
  Resource* volume = region.find("volumes", id);
  if (h.what == "aws.volume.modified") return modification_happens(region, id);
  if (volume == nullptr) return;
  if (h.what == "aws.volume.available" && (*volume)["status"].as_text() == "creating")
    volume->edit().set("status", "available");
  if (h.what == "aws.volume.deleted") return delete_volume_now(region, id, "DeleteVolume");
  const List& attachments = (*volume)["attachmentSet"].as_list();
  if (attachments.empty()) return;
  std::string vm(attachments[0]["instanceId"].as_text());
  if (h.what == "aws.volume.attached" && attachments[0]["status"].as_text() == "attaching")
    volume->edit()["attachmentSet"].list()[0].map().set("status", "attached");
  if (h.what == "aws.volume.detached" && attachments[0]["status"].as_text() == "detaching")
    unbind_volume(region, id);
  refresh_devices(region, vm);
}

namespace {

constexpr Action kActions[] = {
    {"CreateVolume", create_volume}, {"DescribeVolumes", describe_volumes}, {"DeleteVolume", delete_volume},
    {"AttachVolume", attach_volume}, {"DetachVolume", detach_volume},
};

}  // namespace

std::span<const Action> volume_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
