// RunInstances, and EC2's own relaunch of what a persistent spot request asked for.
#include "sim/aws/launch.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sim/aws/client_tokens.h"
#include "sim/aws/instances.h"
#include "sim/aws/network.h"
#include "sim/aws/spot.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

Value metadata_options(const Value& asked, const ImageFacts& image) {
  bool version_2 = image.root == "/dev/xvda";
  return Map{{"state", "pending"},
             {"httpTokens", asked["HttpTokens"].as_text(version_2 ? "required" : "optional")},
             {"httpPutResponseHopLimit", asked["HttpPutResponseHopLimit"].as_int(version_2 ? 2 : 1)},
             {"httpEndpoint", asked["HttpEndpoint"].as_text("enabled")},
             {"httpProtocolIpv6", asked["HttpProtocolIpv6"].as_text("disabled")},
             {"instanceMetadataTags", asked["InstanceMetadataTags"].as_text("disabled")}};
}

Value private_name(const Region& region, std::string_view address) {
  std::string dashed(address);
  for (char& c : dashed)
    if (c == '.') c = '-';
  std::string domain = region.name == "us-east-1" ? "ec2.internal" : region.name + ".compute.internal";
  return fmt::format("ip-{}.{}", dashed, domain);
}

Map identity_of(const Draft& draft, const std::string& id, const Value& in) {
  return Map{{"instanceId", id},
             {"imageId", in["ImageId"]},
             {"instanceType", draft.type->name},
             {"keyName", in["KeyName"]},
             {"clientToken", in["ClientToken"].as_text()},
             {"amiLaunchIndex", 0},
             {"productCodes", List()},
             {"architecture", draft.image.arch},
             {"rootDeviceType", "ebs"},
             {"rootDeviceName", draft.image.root},
             {"virtualizationType", "hvm"},
             {"hypervisor", "xen"},
             {"enaSupport", true},
             {"platformDetails", "Linux/UNIX"},
             {"usageOperation", "RunInstances"},
             {"bootMode", draft.image.arch == "arm64" ? "uefi" : "uefi-preferred"},
             {"tagSet", draft.tags}};
}

Value instance_wire(Region& region, const Draft& draft, const std::string& id, const Value& in) {
  Map wire = identity_of(draft, id, in);
  wire.set("instanceState", Map{{"code", 0}, {"name", "pending"}});
  wire.set("reason", "");
  wire.set("launchTime", stamp(region.now()));
  wire.set("placement", Map{{"availabilityZone", draft.zone},
                            {"availabilityZoneId", zone_id(draft.zone)},
                            {"groupName", ""},
                            {"tenancy", in["Placement"]["Tenancy"].as_text("default")}});
  wire.set("monitoring", Map{{"state", in["Monitoring"]["Enabled"].as_bool() ? "enabled" : "disabled"}});
  wire.set("subnetId", draft.subnet);
  wire.set("vpcId", draft.vpc);
  wire.set("dnsName", "");
  wire.set("sourceDestCheck", true);
  wire.set("ebsOptimized", in["EbsOptimized"].as_bool());
  wire.set("cpuOptions", Map{{"coreCount", std::max(1, draft.type->vcpus / 2)},
                             {"threadsPerCore", draft.type->arch == "arm64" ? 1 : 2}});
  wire.set("capacityReservationSpecification", Map{{"capacityReservationPreference", "open"}});
  wire.set("hibernationOptions", Map{{"configured", in["HibernationOptions"]["Configured"].as_bool()}});
  wire.set("enclaveOptions", Map{{"enabled", false}});
  wire.set("maintenanceOptions", Map{{"autoRecovery", "default"}});
  wire.set("metadataOptions", metadata_options(in["MetadataOptions"], draft.image));
  wire.set("blockDeviceMapping", List());
  if (!in["IamInstanceProfile"].is_null())
    wire.set("iamInstanceProfile", shown_profile(region, in["IamInstanceProfile"]));
  return wire;
}

Value hidden_of(const Draft& draft, const Value& in, const std::string& reservation) {
  return Map{{"reservation", reservation},
             {"userData", in["UserData"]},
             {"shutdown", in["InstanceInitiatedShutdownBehavior"].as_text("stop")},
             {"disableApiTermination", in["DisableApiTermination"].as_bool()},
             {"disableApiStop", in["DisableApiStop"].as_bool()},
             {"public", draft.public_address},
             {"volumes", List()},
             {"run", 0}};
}

void attach_interface(Region& region, const Draft& draft, const std::string& id) {
  std::string eni = make_interface(region, {draft.subnet, draft.groups, draft.delete_interface,
                                            draft.interface_description, draft.interface_tags});
  Resource& instance = region.get("instances", id);
  instance.hidden.map().set("interface", eni);
  const Resource& nic = region.get("network-interfaces", eni);
  region.get("network-interfaces", eni)
      .edit()
      .set("attachment", Map{{"attachmentId", region.new_id("eni-attach-")},
                             {"deviceIndex", 0},
                             {"networkCardIndex", 0},
                             {"instanceId", id},
                             {"instanceOwnerId", region.account},
                             {"status", "attached"},
                             {"attachTime", stamp(region.now())},
                             {"deleteOnTermination", draft.delete_interface}});
  instance.edit().set("privateDnsName", private_name(region, nic["privateIpAddress"].as_text()));
  refresh_interface(region, id);
}

void attach_disks(Region& region, const Draft& draft, const std::string& id) {
  for (const DraftDisk& disk : draft.disks) {
    std::string volume = make_volume(region, disk.volume);
    bind_volume(region, volume, id, disk.device, disk.delete_on_termination, "attaching");
    region.plan(3, "aws.volume.attached", volume);
  }
  refresh_devices(region, id);
}

// A fault may say that the launch fails after it was accepted, or when the instance is interrupted.
void follow_fault(Region& region, const std::string& id) {
  const FaultAction* fault = region.state.fault;
  bool fails = fault != nullptr && fault->operation;
  begin_boot(region, id, fails ? *fault->operation : "");
  if (fault != nullptr && fault->preempt)
    region.plan_at(region.state.now + *fault->preempt, "aws.spot.interrupt", id);
}

std::string make_instance(Region& region, const Draft& draft, const Value& in,
                          const std::string& reservation) {
  std::string id = region.new_id("i-");
  region.put("instances", id, instance_wire(region, draft, id, in), hidden_of(draft, in, reservation));
  attach_interface(region, draft, id);
  attach_disks(region, draft, id);
  associate_profile(region, id);
  region.note("insert", "instances", id,
              Map{{"tagSet", draft.tags},
                  {"instanceType", draft.type->name},
                  {"clientToken", in["ClientToken"]},
                  {"volumes", region.get("instances", id).hidden["volumes"]},
                  {"interface", region.get("instances", id).hidden["interface"]},
                  {"groups", List(draft.groups.begin(), draft.groups.end())},
                  {"spot", draft.spot}});
  return id;
}

Result<Value> run_instances(Region& region, const Value& in) {
  std::string asked = asked_zone(region, in);
  auto again = NB_TRY(replay(region, "RunInstances", in, asked));
  if (again) return replayed_reservation(region, *again);
  Draft draft = NB_TRY(draft_launch(region, in));
  std::string id = region.new_id("r-");
  std::vector<std::string> made;
  for (std::int64_t i = 0; i < in["MaxCount"].as_int(); ++i) {
    if (i >= in["MinCount"].as_int() && !check_quota(region, draft.type->name, draft.spot, 1)) break;
    made.push_back(make_instance(region, draft, in, id));
    region.get("instances", made.back()).edit().set("amiLaunchIndex", i);
    if (draft.spot) make_spot_request(region, draft, in, made.back());
    follow_fault(region, made.back());
  }
  std::vector<const Value*> shown;
  for (const std::string& instance : made) shown.push_back(&region.get("instances", instance).wire());
  Value answer = reservation(region, shown);
  remember(region, "RunInstances", in, asked, made, answer);
  return answer;
}

}  // namespace

Result<std::string> relaunch(Region& region, const std::string& spot_request) {
  Value in = region.get("spot-requests", spot_request).hidden["launch"];
  Draft draft = NB_TRY(draft_launch(region, in));
  std::string id = make_instance(region, draft, in, region.new_id("r-"));
  region.get("instances", id).edit().set("instanceLifecycle", "spot");
  region.get("instances", id).edit().set("spotInstanceRequestId", spot_request);
  begin_boot(region, id);
  return id;
}

std::span<const Action> launch_actions() {
  static constexpr Action kActions[] = {{"RunInstances", run_instances}};
  return kActions;
}

}  // namespace nbform::sim::aws
