#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/aws/instances.h"
#include "sim/aws/keys.h"
#include "sim/aws/launch.h"
#include "sim/aws/offers.h"
#include "sim/aws/tags.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

// What nbsim does not act on is refused rather than ignored.
constexpr std::array<std::string_view, 12> kUnserved = {"LaunchTemplate",
                                                        "ElasticGpuSpecification",
                                                        "ElasticInferenceAccelerator",
                                                        "LicenseSpecification",
                                                        "Ipv6Address",
                                                        "Ipv6AddressCount",
                                                        "KernelId",
                                                        "RamdiskId",
                                                        "AdditionalInfo",
                                                        "SecondaryInterface",
                                                        "EnclaveOptions",
                                                        "Operator"};

constexpr std::size_t kUserData = 16384;

Result<> draft_image(Region& region, const Value& in, Draft& draft) {
  const IdKind& ids = id_kind_of("images");
  std::string_view id = in["ImageId"].as_text();
  if (id.empty()) return refuse("MissingParameter", "The request must contain the parameter ImageId");
  if (!well_formed(ids, id)) return refuse(ids.malformed, fmt::format("Invalid id: \"{}\"", id));
  auto image = find_image(region, id);
  if (!image) return refuse(ids.not_found, fmt::format("The image id '[{}]' does not exist", id));
  draft.image = *std::move(image);
  return Ok{};
}

Result<> draft_type(const Value& in, Draft& draft) {
  std::string_view name = in["InstanceType"].as_text("m1.small");
  draft.type = find_type(name);
  if (draft.type == nullptr)
    return refuse("InvalidParameterValue", fmt::format("Invalid value '{}' for InstanceType.", name));
  if (draft.type->arch == draft.image.arch) return Ok{};
  return refuse(
      "InvalidParameterValue",
      fmt::format("The architecture '{}' of the specified instance type does not match the architecture '{}' "
                  "of the specified AMI. Specify an instance type and an AMI that have matching "
                  "architectures, and try again.",
                  draft.type->arch, draft.image.arch));
}

Result<> check_count(const Value& in) {
  std::int64_t least = in["MinCount"].as_int(), most = in["MaxCount"].as_int();
  if (least < 1 || most < least)
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter maxCount is invalid.", most));
  return Ok{};
}

Result<> check_user_data(const Value& in) {
  if (in["UserData"].is_null()) return Ok{};
  auto raw = base64_decode(in["UserData"].as_text());
  if (!raw) return refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
  if (raw->size() <= kUserData) return Ok{};
  return refuse("InvalidParameterValue", "User data is limited to 16384 bytes");
}

Result<> check_options(const Value& in, const Draft& draft) {
  const Value& hops = in["MetadataOptions"]["HttpPutResponseHopLimit"];
  if (!hops.is_null() && (hops.as_int() < 1 || hops.as_int() > 64))
    return refuse(
        "InvalidParameterValue",
        fmt::format("Value ({}) for parameter HttpPutResponseHopLimit is invalid. It must be between 1 and "
                    "64.",
                    hops.as_int()));
  bool hibernates = in["HibernationOptions"]["Configured"].as_bool();
  if (hibernates && draft.type->gpus > 0)
    return refuse("UnsupportedHibernationConfiguration",
                  fmt::format("The instance type {} does not support hibernation.", draft.type->name));
  if (!in["CreditSpecification"].is_null() && draft.type->name[0] != 't')
    return refuse(
        "InvalidParameterCombination",
        fmt::format("The instance type {} does not support CreditSpecification.", draft.type->name));
  return Ok{};
}

Result<> draft_tags(const Value& in, Draft& draft) {
  std::vector<std::string_view> types{"instance", "volume", "network-interface"};
  if (draft.spot) types.push_back("spot-instances-request");
  draft.tags = NB_TRY(tags_for(in, "instance", types));
  draft.volume_tags = NB_TRY(tags_for(in, "volume", types));
  draft.interface_tags = NB_TRY(tags_for(in, "network-interface", types));
  draft.request_tags = NB_TRY(tags_for(in, "spot-instances-request", types));
  return Ok{};
}

}  // namespace

Result<Draft> draft_launch(Region& region, const Value& in) {
  for (std::string_view name : kUnserved)
    if (!in[name].is_null())
      return refuse("UnsupportedOperation", fmt::format("nbsim does not serve {} of RunInstances.", name));
  Draft draft;
  NB_TRY(check_count(in));
  NB_TRY(draft_image(region, in, draft));
  NB_TRY(draft_type(in, draft));
  NB_TRY(draft_market(region, in, draft));
  std::string_view key = in["KeyName"].as_text();
  if (!key.empty() && key_named(region, key).empty())
    return refuse("InvalidKeyPair.NotFound", fmt::format("The key pair '{}' does not exist", key));
  NB_TRY(check_user_data(in));
  NB_TRY(check_options(in, draft));
  NB_TRY(draft_tags(in, draft));
  NB_TRY(check_profile(region, in["IamInstanceProfile"]));
  NB_TRY(check_quota(region, draft.type->name, draft.spot, in["MinCount"].as_int()));
  NB_TRY(draft_place(region, in, draft));
  NB_TRY(draft_disks(region, in, draft));
  return draft;
}

// --- market

namespace {

Diagnostic bad_combination(std::string message) {
  return refuse("InvalidParameterCombination", std::move(message));
}

Result<> check_price(Region& region, const Value& in, Draft& draft) {
  if (draft.max_price.empty()) return Ok{};
  double price = std::atof(draft.max_price.c_str());
  if (price < 0.001)
    return refuse("InvalidParameterValue", fmt::format("Invalid value '{}' for spotPrice.", draft.max_price));
  std::string zone = asked_zone(region, in);
  double needed = spot_price(region, zone.empty() ? zones_of(region.name).at(0) : zone, draft.type->name);
  if (price >= needed) return Ok{};
  return refuse(
      "SpotMaxPriceTooLow",
      fmt::format("Your Spot request price of {} is lower than the minimum required Spot request fulfillment "
                  "price of {:.4f}.",
                  draft.max_price, needed));
}

}  // namespace

Result<> draft_market(Region& region, const Value& in, Draft& draft) {
  const Value &market = in["InstanceMarketOptions"], &options = market["SpotOptions"];
  std::string_view kind = market["MarketType"].as_text(market.is_null() ? "on-demand" : "spot");
  draft.spot = kind == "spot";
  if (!draft.spot && kind != "on-demand")
    return refuse("UnsupportedOperation", fmt::format("nbsim does not serve the market type {}.", kind));
  if (!draft.spot)
    return options.is_null() ? Result<>(Ok{}) : bad_combination("SpotOptions need the market type spot.");
  draft.persistent = options["SpotInstanceType"].as_text("one-time") == "persistent";
  draft.interruption = options["InstanceInterruptionBehavior"].as_text("terminate");
  draft.max_price = options["MaxPrice"].as_text();
  if (draft.persistent && draft.interruption == "terminate")
    return bad_combination(
        "The interruption behavior 'terminate' is not supported for persistent Spot requests "
        "launched with RunInstances.");
  if (!draft.persistent && draft.interruption != "terminate")
    return bad_combination(
        fmt::format("The interruption behavior '{}' is supported for persistent Spot requests only.",
                    draft.interruption));
  if (!options["ValidUntil"].is_null() && !draft.persistent)
    return bad_combination("ValidUntil is supported for persistent Spot requests only.");
  if (in["DisableApiTermination"].as_bool() || in["DisableApiStop"].as_bool())
    return refuse("UnsupportedOperation",
                  "Termination and stop protection are not supported for Spot Instances.");
  if (region.state.aws.no_spot_role)
    return refuse(
        "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
        "The provided credentials do not have permission to create the service-linked role for EC2 Spot "
        "Instances.");
  return check_price(region, in, draft);
}

// --- disks

namespace {

std::string image_snapshot(Region& region, const Draft& draft) {
  return snapshot_id(region.name, draft.image.name);
}

DraftDisk root_disk(Region& region, const Draft& draft) {
  DraftDisk root{draft.image.root, {}, true};
  root.volume.type = "gp3";
  root.volume.size = draft.image.gb;
  root.volume.snapshot = image_snapshot(region, draft);
  return root;
}

// What a mapping says beats what the image says.
void overlay(DraftDisk& disk, const Value& ebs) {
  VolumeSpec& v = disk.volume;
  v.type = ebs["VolumeType"].as_text(v.type);
  v.size = ebs["VolumeSize"].as_int(v.size);
  v.iops = ebs["Iops"].as_int();
  v.throughput = ebs["Throughput"].as_int();
  v.encrypted = ebs["Encrypted"].as_bool();
  v.kms_key = ebs["KmsKeyId"].as_text();
  v.snapshot = ebs["SnapshotId"].as_text(v.snapshot);
  disk.delete_on_termination = ebs["DeleteOnTermination"].as_bool(disk.delete_on_termination);
}

Diagnostic bad_mapping(std::string message) {
  return refuse("InvalidBlockDeviceMapping", std::move(message));
}

Result<> check_disk(Region& region, const Draft& draft, DraftDisk& disk) {
  VolumeSpec& v = disk.volume;
  bool from_image = v.snapshot == image_snapshot(region, draft);
  if (!v.snapshot.empty() && !from_image)
    return refuse("InvalidSnapshot.NotFound", fmt::format("The snapshot '{}' does not exist.", v.snapshot));
  if (v.size == 0)
    return refuse("MissingParameter", "The request must contain the parameter size or snapshotId");
  if (from_image && v.size < draft.image.gb)
    return bad_mapping(fmt::format("Volume of size {}GB is smaller than snapshot '{}', expect size >= {}GB",
                                   v.size, v.snapshot, draft.image.gb));
  if (disk.device == draft.image.root && (v.type == "st1" || v.type == "sc1"))
    return refuse("InvalidParameterValue", fmt::format("Volume type {} cannot be a boot volume.", v.type));
  if (!v.kms_key.empty() && !v.encrypted)
    return refuse("InvalidParameterDependency",
                  "The parameter KmsKeyId requires the parameter Encrypted to be set.");
  return complete(v);
}

}  // namespace

Result<> draft_disks(Region& region, const Value& in, Draft& draft) {
  draft.disks.push_back(root_disk(region, draft));
  for (const Value& mapping : in["BlockDeviceMapping"].as_list()) {
    std::string device(mapping["DeviceName"].as_text());
    if (device.empty()) return bad_mapping("A block device mapping needs a device name.");
    auto known = std::find_if(draft.disks.begin(), draft.disks.end(),
                              [&](const DraftDisk& d) { return d.device == device; });
    if (known != draft.disks.begin() && known != draft.disks.end())
      return bad_mapping(
          fmt::format("The device '{}' is used in more than one block-device mapping", device));
    if (mapping["Ebs"].is_null()) {
      if (!mapping["NoDevice"].is_null() || !mapping["VirtualName"].is_null()) continue;
      return bad_mapping(fmt::format("The mapping of '{}' says nothing.", device));
    }
    if (known == draft.disks.end()) {
      draft.disks.push_back({device, {}, false});
      known = draft.disks.end() - 1;
    }
    overlay(*known, mapping["Ebs"]);
  }
  for (DraftDisk& disk : draft.disks) {
    disk.volume.zone = draft.zone;
    disk.volume.tags = draft.volume_tags;
    NB_TRY(check_disk(region, draft, disk));
  }
  return Ok{};
}

}  // namespace nbform::sim::aws
