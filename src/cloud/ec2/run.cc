// RunInstances: one attempt of one instance, tagged in the call itself, with a token that names the instance
// and not what is wished of it (RunInstances).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/crypto.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"

namespace nbform::ec2 {

namespace {

// Declared entries over the defaults of create.
Map wanted_entries(const Resource& r, std::string_view attr) {
  Map out;
  for (const Map* from : {&r.defaults, &r.attributes})
    if (const Value* entries = from->find(attr))
      for (const auto& [key, value] : entries->as_map())
        if (!value.is_null()) out.set(key, value);
  return out;
}

Owner owner_of(const Resource& r) {
  return labels::read_owner(wanted_entries(r, "tags"), labels::kAws);
}

Map instance_tags(const StepContext& c) {
  const Resource& r = *c.resource;
  Map tags = wanted_entries(r, "tags");
  if (auto image = wanted(r, "image").as_text(); !image.empty()) tags.set(tag::kImage, image);
  if (auto boot = wanted(r, "boot_data").as_text(); !boot.empty()) tags.set(tag::kBoot, boot);
  if (wanted(r, "deletion_protection").as_bool()) tags.set(tag::kLock, "true");
  tags.set(tag::kIncarnation, fmt::to_string(c.incarnation));
  // What the files declare needs no mark, unless it was so before they did.
  bool rests = c.ends_stopped && (c.was_stopped || r.power.want != PowerPolicy::Want::stopped);
  if (rests) tags.set(tag::kResume, labels::kRest);
  return tags;
}

// What comes along carries the owner, with a part of its own.
Map companion_tags(const Resource& r, std::string_view part) {
  Owner owner = owner_of(r);
  owner.part = part;
  Map tags;
  labels::write_owner(tags, owner, labels::kAws);
  return tags;
}

List tag_specifications(const StepContext& c) {
  const Resource& r = *c.resource;
  List list{tag_specification("instance", instance_tags(c)),
            tag_specification("volume", wanted_entries(r, "root_tags")),
            tag_specification("network-interface", companion_tags(r, "interface"))};
  if (c.attempt.spot)
    list.push_back(tag_specification("spot-instances-request", companion_tags(r, "spot-request")));
  return list;
}

Map root_volume(const Resource& r) {
  Map ebs{{"DeleteOnTermination", wanted(r, "root_delete_on_termination")},
          {"Encrypted", true},
          {"VolumeSize", wanted(r, "root_size_gb")},
          {"VolumeType", wanted(r, "root_type")}};
  for (auto [attr, field] :
       {std::pair{"root_iops", "Iops"}, {"root_throughput", "Throughput"}, {"root_kms", "KmsKeyId"}})
    if (const Value& value = wanted(r, attr); !value.is_null()) ebs.set(field, value);
  return Map{{"DeviceName", wanted(r, "resolved_image")["root_device"]}, {"Ebs", std::move(ebs)}};
}

List security_groups(const StepContext& c) {
  List groups;
  if (const Live* own = own_group(c)) groups.push_back(own->id);
  for (const Value& other : wanted(*c.resource, "security_groups").as_list()) groups.push_back(other);
  return groups;
}

Map network_interface(const StepContext& c) {
  const Resource& r = *c.resource;
  Map nic{{"AssociatePublicIpAddress", wanted(r, "public_ip").as_bool(true)},
          {"DeleteOnTermination", true},
          {"DeviceIndex", 0},
          {"SecurityGroupId", security_groups(c)}};
  Map subnets = c.facts != nullptr ? subnets_for(r, *c.facts) : Map();
  if (const Value* subnet = subnets.find(c.attempt.zone)) nic.set("SubnetId", *subnet);
  return nic;
}

// Only a persistent request with `stop` can be stopped and started; one-time ends with its instance.
Map spot_options(const Resource& r) {
  bool ends = wanted(r, "on_preemption").as_text() == "delete";
  Map spot{{"InstanceInterruptionBehavior", ends ? "terminate" : "stop"},
           {"SpotInstanceType", ends ? "one-time" : "persistent"}};
  if (const Value& price = wanted(r, "max_price"); !price.is_null()) spot.set("MaxPrice", price);
  return Map{{"MarketType", "spot"}, {"SpotOptions", std::move(spot)}};
}

void write_market(Map& p, const StepContext& c) {
  const Resource& r = *c.resource;
  if (c.attempt.spot) {
    p.set("InstanceMarketOptions", spot_options(r));
  } else {
    p.set("InstanceInitiatedShutdownBehavior", "stop");
    if (wanted(r, "deletion_protection").as_bool()) p.set("DisableApiTermination", true);
  }
}

}  // namespace

Map run_parameters(const StepContext& c) {
  const Resource& r = *c.resource;
  Map p{{"BlockDeviceMapping", List{root_volume(r)}},
        {"ImageId", wanted(r, "resolved_image")["id"]},
        {"InstanceType", wanted(r, "machine_type")},
        {"MaxCount", 1},
        {"MetadataOptions", Map{{"HttpEndpoint", "enabled"},
                                {"HttpPutResponseHopLimit", 2},
                                {"HttpTokens", "required"},
                                {"InstanceMetadataTags", "disabled"}}},
        {"MinCount", 1},
        {"NetworkInterface", List{network_interface(c)}},
        {"Placement", Map{{"AvailabilityZone", c.attempt.zone}}},
        {"TagSpecification", tag_specifications(c)}};
  if (auto profile = wanted(r, "instance_profile").as_text(); !profile.empty())
    p.set("IamInstanceProfile", Map{{profile.starts_with("arn:") ? "Arn" : "Name", profile}});
  if (auto key = wanted(r, "key_name").as_text(); !key.empty()) p.set("KeyName", key);
  if (auto data = wanted(r, "user_data").as_text(); !data.empty()) p.set("UserData", base64(data));
  write_market(p, c);
  p.set("ClientToken", client_token(owner_of(r), c));
  return p;
}

// --- data volumes ---

namespace {

std::string address_of(const StepContext& c, std::string_view part) {
  const std::string& notebook = c.resource != nullptr ? c.resource->notebook : c.live->owner.notebook;
  return fmt::format("{}/{}", notebook, part);
}

std::string_view device_on(const Live& machine, const Live* volume) {
  return volume != nullptr ? live_value(machine, "attachments")[volume->name].as_text() : std::string_view();
}

// /dev/sdf to /dev/sdp is what AWS recommends for data volumes; older names differ in their prefix only.
std::string first_free(std::set<char>& used) {
  for (char letter = 'f'; letter <= 'p'; ++letter)
    if (used.insert(letter).second) return fmt::format("/dev/sd{}", letter);
  return "/dev/sdp";  // the cloud says that it is taken
}

}  // namespace

std::string device_for(const StepContext& c, std::string_view part) {
  const Live* machine = c.live_at(address_of(c, "instance"));
  const Resource* declared = c.resource_at(address_of(c, "instance"));
  if (machine == nullptr) return "/dev/sdf";
  if (auto device = device_on(*machine, c.live_at(address_of(c, part))); !device.empty())
    return std::string(device);
  std::set<char> used;
  for (const auto& [volume, device] : live_value(*machine, "attachments").as_map())
    if (!device.as_text().empty()) used.insert(device.as_text().back());
  if (declared != nullptr)
    for (const Value& sibling : wanted(*declared, "volumes").as_list()) {
      bool attached = !device_on(*machine, c.live_at(address_of(c, sibling.as_text()))).empty();
      if (attached) continue;
      std::string device = first_free(used);
      if (sibling.as_text() == part) return device;
    }
  return first_free(used);
}

std::optional<Call> attach_call(const StepContext& c, const Live& volume, const Live& machine,
                                std::string_view part) {
  bool attached = live_value(machine, "attachments").as_map().has(volume.name) ||
                  live_value(volume, "instance").as_text() == machine.name;
  if (attached) return std::nullopt;
  return call("AttachVolume",
              Map{{"Device", device_for(c, part)}, {"InstanceId", machine.name}, {"VolumeId", volume.name}});
}

}  // namespace nbform::ec2
