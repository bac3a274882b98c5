// ec2.instance: an EC2 instance with its root volume and its Spot request. The attribute table and the Kind;
// what it decodes, sends and says stands beside (instance_parts.h). Facts: EC2 API Reference.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "cloud/ec2/instance_parts.h"

namespace nbform::ec2 {

namespace {

using M = Mutability;
using S = Sameness;

constexpr std::string_view kSpotIsFixed = "a Spot request never changes";

// Order is the order of the screen and of the mutations' edits. A live instance has one of the two type rows:
// EC2 changes the type of on-demand instances only.
constexpr std::array kAttrs = {
    Attr{"machine_type", "machine", "machine.type", M::stopped, S::remembered,
         "Instance type; of an on-demand instance it changes while stopped.",
         "an instance type changes only while stopped"},
    Attr{"spot_machine_type", "machine", "machine.type", M::fixed, S::remembered,
         "Instance type; a Spot instance keeps the one it was made with.",
         "a Spot instance keeps its instance type"},
    Attr{"image", "image", "image", M::fixed, S::remembered, "Image reference, remembered in a tag.",
         "the root volume is made from its AMI"},
    Attr{"root_size_gb", "disks.boot.size", "disks.boot.size", M::live, S::at_least,
         "Root volume size in GiB.", ""},
    Attr{"root_type", "disks.boot.type", "disks.boot.type", M::live, S::exact, "Root volume type.", ""},
    Attr{"root_iops", "disks.boot.iops", "disks.boot.iops", M::live, S::exact,
         "Provisioned IOPS of the root volume.", ""},
    Attr{"root_throughput", "disks.boot.throughput", "disks.boot.throughput", M::live, S::exact,
         "Provisioned MiB/s of the root volume (gp3).", ""},
    Attr{"root_kms", "disks.boot.kms_key", "disks.boot.kms_key", M::fixed, S::last_segment,
         "KMS key of the root volume.", "a volume keeps the key it was made with"},
    Attr{"root_tags", "labels", "labels", M::live, S::entries, "Tags of the root volume.", ""},
    Attr{"root_delete_on_termination", "disks.boot.keep", "disks.boot.keep", M::live, S::exact,
         "Whether the root volume goes with its instance.", ""},
    Attr{"attachments", "disks", "disks", M::live, S::entries,
         "Attached data volumes by id, with their devices.", ""},
    Attr{"market", "spot", "spot.market", M::fixed, S::exact, "Spot or on demand.",
         "the market of an instance never changes"},
    Attr{"on_preemption", "spot.on_preemption", "spot.on_preemption", M::fixed, S::remembered,
         "What an interruption does to the instance.", kSpotIsFixed},
    Attr{"max_price", "spot.max_price", "spot.max_price", M::fixed, S::remembered,
         "The most to pay for an hour of Spot, in USD.", kSpotIsFixed},
    Attr{"instance_profile", "identity.role", "identity.role", M::live, S::last_segment,
         "IAM instance profile.", ""},
    Attr{"network", "network", "network.network", M::fixed, S::exact, "VPC.", "an instance stays in its VPC"},
    Attr{"subnet", "network.subnet", "network.subnet", M::fixed, S::exact, "Subnet.",
         "an instance stays in its subnet"},
    Attr{"public_ip", "network.public_ip", "network.public_ip", M::fixed, S::exact,
         "Whether it gets a public IPv4 address.", "a public address is given only at launch"},
    Attr{"security_groups", "network.security_groups", "network.security_groups", M::live, S::set,
         "Security groups beside its own.", ""},
    Attr{"own_group", "access", "access", M::live, S::exact, "Whether its own security group is on it.", ""},
    Attr{"deletion_protection", "security.deletion_protection", "security.deletion_protection", M::live,
         S::exact, "Termination protection of EC2; not for Spot instances.", ""},
    Attr{"imds_tokens", "metadata service", "", M::live, S::exact,
         "IMDSv2: `required` keeps requests without a token out.", ""},
    Attr{"imds_hops", "metadata service hops", "", M::live, S::exact,
         "How far an answer of the metadata service travels; 2 reaches containers.", ""},
    Attr{"key_name", "ssh key", "access.ssh.keys", M::create_only, S::exact,
         "Key pair whose key the first boot installs.", "a key pair is read at the first boot only"},
    Attr{"boot_data", "setup", "setup", M::at_rest, S::remembered,
         "Digest of the script and keys that each boot takes, remembered in a tag.",
         "EC2 changes boot data only while the instance is stopped, and the next boot takes it"},
    Attr{"tags", "labels", "labels", M::live, S::entries, "Tags.", ""},
};

bool is_gone(const Value& item) {
  return item.at_path("instanceState/name").as_text() == "terminated";
}

List instances_of(const Value& body) {
  List all;
  for (const Value& reservation : body["reservationSet"].as_list())
    for (const Value& instance : reservation["instancesSet"].as_list()) all.push_back(instance);
  return all;
}

class InstanceKind final : public Kind {
 public:
  std::string_view name() const override { return "ec2.instance"; }
  std::string_view noun() const override { return "instance"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  bool is_named() const override { return false; }
  Duration settles_within() const override { return kConsistent; }

  std::vector<Step> create(const Resource& resource) const override { return instance_create(resource); }
  std::vector<Step> update(const std::vector<Edit>& edits) const override { return instance_update(edits); }
  std::vector<Step> destroy(const Live& live) const override { return instance_destroy(live); }
  std::optional<Step> stop() const override { return instance_stop(); }
  std::optional<Step> start() const override { return instance_start(); }
  std::optional<Step> mark_resume(bool set) const override { return instance_mark_resume(set); }
  std::vector<Step> forget() const override { return instance_forget(); }

  Call read(const Scope&, std::string_view, std::string_view name) const override {
    if (name.starts_with("sir-"))
      return describe("DescribeSpotInstanceRequests", "spot-instance-request-id", name);
    return describe("DescribeInstances", "instance-id", name);
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    if (const Value& request = body.at_path("spotInstanceRequestSet/0"); request["state"].as_text() == "open")
      return std::optional<Live>(decode_open_request(scope, request));
    return found_item(*this, scope, answer, instances_of(body), is_gone);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (body["instanceId"].as_text().empty() || body.at_path("placement/availabilityZone").as_text().empty())
      return error(Code::unavailable, "An answer lacks what every instance has",
                   "The cloud sent an instance without id or zone.");
    return decode_instance(scope, body);
  }

  std::vector<Call> parts(const Live& live) const override {
    std::vector<Call> calls;
    if (is_request(live)) return calls;
    if (std::string_view root = live_value(live, "root_volume").as_text(); !root.empty())
      calls.push_back(describe("DescribeVolumes", "volume-id", root));
    if (std::string_view request = live_value(live, "spot_request").as_text(); !request.empty())
      calls.push_back(describe("DescribeSpotInstanceRequests", "spot-instance-request-id", request));
    calls.push_back(describe("DescribeIamInstanceProfileAssociations", "instance-id", live.name));
    if (live_value(live, "market").as_text() != "spot")
      calls.push_back(call("DescribeInstanceAttribute",
                           Map{{"Attribute", "disableApiTermination"}, {"InstanceId", live.name}}));
    return calls;
  }
  void fold(Live& live, const Value& part) const override {
    if (const Value& volume = part.at_path("volumeSet/0"); !volume.is_null()) fold_root_volume(live, volume);
    if (const Value& request = part.at_path("spotInstanceRequestSet/0"); !request.is_null())
      fold_spot_request(live, request);
    if (const Value& all = part["iamInstanceProfileAssociationSet"]; !all.is_null()) fold_profile(live, all);
    if (const Value& lock = part["disableApiTermination"]; !lock.is_null()) fold_protection(live, lock);
  }

  Settlement settle(const Scope& scope, const Response& answer) const override {
    return ec2::settle(scope, answer);
  }
  // Tags that are gone don't change whose it is, nor do single reads tell which disk is which.
  void carry_over(Live& fresh, const Live& older) const override {
    bool same_launch = live_token(fresh, "client_token") == live_token(older, "client_token");
    if (!fresh.owner.whole() && same_launch) fresh.owner = older.owner;
    if (const Value* parts = older.attributes.find("attached_parts"))
      fresh.attributes.set("attached_parts", *parts);
  }
  Value absent_value(std::string_view) const override { return {}; }

  std::vector<std::string> consequences(const Change& change) const override {
    return instance_consequences(change);
  }
  std::optional<std::string> postpones(const Live& live, const Edit& edit) const override {
    if (edit.attr == "boot_data" && never_stops(live))
      return fmt::format(
          "setup or ssh keys changed, and this Spot instance cannot be stopped; `--replace {}` "
          "boots anew",
          live.owner.notebook);
    if (!waits_for_modification(live, edit, "root_")) return std::nullopt;
    return "a change of its boot disk waits until EC2 is done with the one before";
  }
  std::vector<std::string> notes(const Resource& resource, const Live& live) const override {
    return instance_notes(resource, live);
  }
  // A volume that is no longer declared is let go; one that is declared attaches itself.
  void relate(Resource& machine, const Live* live_machine, std::string_view part, const Live& sibling,
              bool declared) const override {
    bool attached =
        live_machine != nullptr && live_value(*live_machine, "attachments").as_map().has(sibling.name);
    if (declared || !attached || !part.starts_with("disk-")) return;
    Map attachments = wanted(machine, "attachments").as_map();
    attachments.set(sibling.name, Value());
    machine.attributes.set("attachments", std::move(attachments));
  }
  // An id says nothing of its zone; reads don't need one.
  std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const override {
    if (!id.starts_with("i-")) return std::nullopt;
    return std::pair(std::string(), std::string(id));
  }
  std::vector<std::pair<std::string, std::string>> companions(const Live& machine) const override {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [volume, device] : live_value(machine, "attachments").as_map())
      out.emplace_back("disk-" + std::string(last_segment(device.as_text())), volume);
    return out;
  }
  std::string summary(const Resource& resource, const Attempt& attempt) const override {
    return instance_summary(resource, attempt);
  }
  std::string data_name(const Live&) const override { return "boot disk"; }
  std::optional<std::string> words(const Change& change, const Edit& edit) const override {
    return instance_words(change, edit);
  }
  std::string gpu(const Live& live) const override { return instance_gpu(live); }
};

}  // namespace

const Kind& instance_kind() {
  static const InstanceKind kind;
  return kind;
}

}  // namespace nbform::ec2
