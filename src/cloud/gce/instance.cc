// gce.instance: a Compute Engine VM with its boot disk. Attribute table, decoding and health.
// Wire facts: Compute v1 instances and disks (discovery revision 20261106).
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "cloud/gce/firewall.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

using M = Mutability;
using S = Sameness;

constexpr std::string_view kStoppedOnly = "changes only while the VM is stopped";

// Order is the order of the screen and of the mutations' edits.
constexpr std::array kAttrs = {
    Attr{"machine_type", "machine", "machine.type", M::stopped, S::exact, "Machine type.",
         "a machine type changes only while stopped"},
    Attr{"min_cpu_platform", "machine.min_cpu_platform", "machine.min_cpu_platform", M::stopped, S::exact,
         "Oldest CPU generation accepted.", kStoppedOnly},
    Attr{"gpus", "gpu", "gpu", M::stopped, S::exact, "Attached GPUs (N1).",
         "GPUs are attached only while stopped"},
    Attr{"image", "image", "image", M::fixed, S::remembered, "Image reference, remembered in labels.",
         "the boot disk is made from its image"},
    Attr{"boot_size_gb", "disks.boot.size", "disks.boot.size", M::live, S::at_least, "Boot disk size in GiB.",
         ""},
    Attr{"boot_type", "disks.boot.type", "disks.boot.type", M::fixed, S::exact, "Boot disk type.",
         "a disk keeps the type it was made with"},
    Attr{"boot_kms", "disks.boot.kms_key", "disks.boot.kms_key", M::fixed, S::exact,
         "Cloud KMS key of the boot disk.", "a disk keeps the key it was made with"},
    Attr{"boot_labels", "labels", "labels", M::live, S::entries, "Labels of the boot disk.", ""},
    Attr{"boot_auto_delete", "disks.boot.keep", "disks.boot.keep", M::live, S::exact,
         "Whether the boot disk goes with its VM.", ""},
    Attr{"attachments", "disks", "disks", M::live, S::entries, "Attached data disks by device name.", ""},
    Attr{"market", "spot", "spot.market", M::stopped, S::exact, "Spot or on demand.",
         "the market changes only while stopped"},
    Attr{"on_preemption", "spot.on_preemption", "spot.on_preemption", M::stopped, S::remembered,
         "What a preemption does to the VM.", kStoppedOnly},
    Attr{"max_run_s", "power.max_uptime", "power.max_uptime", M::stopped, S::exact, "Longest run in seconds.",
         "the longest run changes only while stopped"},
    Attr{"service_account", "identity.service_account", "identity.service_account", M::stopped, S::exact,
         "Service account of the VM.", "a service account changes only while stopped"},
    Attr{"scopes", "identity.scopes", "identity.scopes", M::stopped, S::set, "OAuth scopes of the VM.",
         kStoppedOnly},
    Attr{"network", "network", "network.network", M::fixed, S::last_segment, "VPC network.",
         "a network interface stays in its network"},
    Attr{"subnet", "network.subnet", "network.subnet", M::fixed, S::last_segment, "Subnetwork.",
         "a network interface stays in its subnet"},
    Attr{"public_ip", "network.public_ip", "network.public_ip", M::live, S::exact, "External IP address.",
         ""},
    Attr{"tags", "network.tags", "network.tags", M::live, S::set, "Network tags.", ""},
    Attr{"access_tags", "network tag", "access", M::live, S::set,
         "The notebook's own network tag, for its firewall rules.", ""},
    Attr{"secure_boot", "security.secure_boot", "security.secure_boot", M::stopped, S::exact, "Secure Boot.",
         kStoppedOnly},
    Attr{"vtpm", "security.vtpm", "security.vtpm", M::stopped, S::exact, "Virtual TPM.", kStoppedOnly},
    Attr{"integrity_monitoring", "security.integrity_monitoring", "security.integrity_monitoring", M::stopped,
         S::exact, "Integrity monitoring.", kStoppedOnly},
    Attr{"deletion_protection", "security.deletion_protection", "security.deletion_protection", M::live,
         S::exact, "Deletion protection of Compute Engine.", ""},
    Attr{"ssh_keys", "ssh keys", "access.ssh.keys", M::live, S::set,
         "Our lines of the metadata key ssh-keys.", ""},
    Attr{"ssh_keys_added", "ssh keys", "access.ssh.keys", M::live, S::superset,
         "Keys from the home directory: added, never removed.", ""},
    Attr{"metadata", "metadata", "metadata", M::live, S::entries, "Instance metadata.", ""},
    Attr{"labels", "labels", "labels", M::live, S::entries, "Labels.", ""},
};

Map text_map(const Value& object) {
  return object.as_map();
}

Map metadata_map(const Value& metadata) {
  std::vector<Map::Item> items;
  for (const Value& item : metadata["items"].as_list())
    items.emplace_back(std::string(item["key"].as_text()), item["value"]);
  return Map::from(std::move(items));
}

List gpu_list(const Value& body) {
  List gpus;
  for (const Value& gpu : body["guestAccelerators"].as_list())
    gpus.push_back(Map{{"count", gpu["acceleratorCount"].as_int()},
                       {"type", last_segment(gpu["acceleratorType"].as_text())}});
  return gpus;
}

void read_disks(Live& live, const Value& body) {
  Map attachments, attached_links;
  for (const Value& disk : body["disks"].as_list()) {
    std::string path(resource_path(disk["source"].as_text()));
    bool auto_delete = disk["autoDelete"].as_bool();
    if (disk["boot"].as_bool()) {
      live.attributes.set("boot_disk", last_segment(path));
      live.attributes.set("boot_device", disk["deviceName"]);
      live.attributes.set("boot_auto_delete", auto_delete);
      if (!disk["diskSizeGb"].is_null()) live.attributes.set("boot_size_gb", disk["diskSizeGb"].as_int());
      continue;
    }
    live.refs.push_back(path);
    attachments.set(disk["deviceName"].as_text(),
                    Map{{"auto_delete", auto_delete}, {"disk", last_segment(path)}});
  }
  live.attributes.set("attachments", std::move(attachments));
  live.bootless = !live.attributes.has("boot_disk");
}

void read_scheduling(Live& live, const Value& scheduling) {
  bool spot = scheduling["provisioningModel"].as_text() == "SPOT" || scheduling["preemptible"].as_bool();
  live.attributes.set("market", spot ? "spot" : "on-demand");
  std::string_view action = scheduling["instanceTerminationAction"].as_text();
  if (spot && !action.empty()) live.attributes.set("on_preemption", to_lower(action));
  live.attributes.set("max_run_s", scheduling.at_path("maxRunDuration/seconds").as_int());
  live.attributes.set("auto_restart", scheduling["automaticRestart"].as_bool(true));
  live.attributes.set("maintenance", scheduling["onHostMaintenance"]);
}

void read_network(Live& live, const Value& nic) {
  live.attributes.set("network", resource_path(nic["network"].as_text()));
  live.attributes.set("subnet", resource_path(nic["subnetwork"].as_text()));
  const List& access = nic["accessConfigs"].as_list();
  live.attributes.set("public_ip", !access.empty());
  if (access.empty()) return;
  live.attributes.set("address", access[0]["natIP"]);
  live.tokens.set("access_config", access[0]["name"]);
}

// By its own tag the firewall rules of a notebook find their VM: they go after it.
void read_tags(Live& live, const List& items) {
  List others, own;
  for (const Value& tag : items) {
    std::string_view text = tag.as_text();
    (is_access_tag(text) ? own : others).push_back(tag);
    for (std::string_view part : {kSshPart, kPublicPart})
      if (is_access_tag(text))
        live.refs.push_back(
            fmt::format("projects/{}/global/firewalls/{}-{}", live.scope.account, text, part));
  }
  live.attributes.set("tags", std::move(others));
  if (!own.empty()) live.attributes.set("access_tags", std::move(own));
}

void read_identity(Live& live, const Value& body) {
  const Value& account = body.at_path("serviceAccounts/0");
  live.attributes.set("service_account", account["email"].as_text());
  live.attributes.set("scopes", account["scopes"].as_list());
}

void read_shielded(Live& live, const Value& shielded) {
  live.attributes.set("secure_boot", shielded["enableSecureBoot"].as_bool(false));
  live.attributes.set("vtpm", shielded["enableVtpm"].as_bool(true));
  live.attributes.set("integrity_monitoring", shielded["enableIntegrityMonitoring"].as_bool(true));
}

void read_keys(Live& live, const Map& metadata) {
  const Value* all = metadata.find("ssh-keys");
  List ours = own_key_lines(all != nullptr ? all->as_text() : std::string_view(), live.owner.stack);
  live.attributes.set("ssh_keys", ours);
  live.attributes.set("ssh_keys_added", std::move(ours));
}

// What holds after project and instance are merged; where the answer has it not, the VM's own word.
void read_os_login(Live& live, const Value& body, const Map& metadata) {
  const Value& effective =
      body.at_path("resourceStatus/effectiveInstanceMetadata/enableOsloginMetadataValue");
  const Value* own = metadata.find("enable-oslogin");
  bool says = own != nullptr && is_metadata_true(own->as_text());
  live.attributes.set("os_login", effective.is_bool() ? effective.as_bool() : says);
}

void read_remembered(Live& live, const Map& labels) {
  auto text = [&](std::string_view key) {
    const Value* v = labels.find(key);
    return v != nullptr ? v->as_text() : std::string_view();
  };
  live.protect = text(labels::kProtect) == "true";
  live.health.resume_mark = Value(text(labels::kResume)).as_int();
  live.health.rest_mark = text(labels::kResume) == labels::kRest;
  if (!text(labels::kImage).empty())
    live.attributes.set("image", fmt::format("{} {}/{}", text(labels::kImageKind),
                                             text(labels::kImageProject), text(labels::kImage)));
}

Health::State state_of(std::string_view status) {
  if (status == "RUNNING") return Health::State::running;
  if (status == "TERMINATED" || status == "STOPPED") return Health::State::stopped;
  if (status == "SUSPENDED") return Health::State::degraded;
  return Health::State::settling;  // PROVISIONING, STAGING, STOPPING, ... and words not known yet
}

void read_health(Live& live, const Value& body) {
  std::string_view status = body["status"].as_text();
  live.health.state = state_of(status);
  live.health.detail = status;
  live.health.started = parse_rfc3339(body["lastStartTimestamp"].as_text());
  bool was_stopped = !body["lastStopTimestamp"].as_text().empty();
  live.health.rest_mark = live.health.rest_mark && !was_stopped;
  if (live.health.state == Health::State::stopped) {
    live.health.since = parse_rfc3339(body["lastStopTimestamp"].as_text());
    live.health.stopped_by = Health::StoppedBy::unknown;
  } else {
    live.health.since = live.health.started;
  }
}

Live decode_instance(const Scope& scope, const Value& body) {
  Live live;
  live.kind = &instance_kind();
  live.scope = scope;
  live.name = body["name"].as_text();
  live.zone = last_segment(body["zone"].as_text());
  live.id = fmt::format("projects/{}/zones/{}/instances/{}", scope.account, live.zone, live.name);
  live.numeric_id = body["id"].as_int();
  Map labels = text_map(body["labels"]);
  live.owner = labels::read_owner(labels);
  read_remembered(live, labels);
  live.attributes.set("machine_type", last_segment(body["machineType"].as_text()));
  live.attributes.set("min_cpu_platform", body["minCpuPlatform"].as_text());
  live.attributes.set("gpus", gpu_list(body));
  read_disks(live, body);
  read_scheduling(live, body["scheduling"]);
  read_identity(live, body);
  read_network(live, body.at_path("networkInterfaces/0"));
  read_shielded(live, body["shieldedInstanceConfig"]);
  read_tags(live, body.at_path("tags/items").as_list());
  live.locked = body["deletionProtection"].as_bool();
  live.attributes.set("deletion_protection", live.locked);
  Map metadata = metadata_map(body["metadata"]);
  read_keys(live, metadata);
  read_os_login(live, body, metadata);
  live.attributes.set("metadata", std::move(metadata));
  live.attributes.set("labels", std::move(labels));
  live.tokens.set("labels", body["labelFingerprint"]);
  live.tokens.set("metadata", body.at_path("metadata/fingerprint"));
  live.tokens.set("tags", body.at_path("tags/fingerprint"));
  read_health(live, body);
  live.erased_by_replace = live.attributes["boot_auto_delete"].as_bool();
  return live;
}

// What the boot disk alone knows: its type, size, key, labels, image.
void fold_boot(Live& live, const Live& boot) {
  for (auto [to, from] : {std::pair{"boot_type", "type"},
                          {"boot_size_gb", "size_gb"},
                          {"boot_kms", "kms"},
                          {"boot_labels", "labels"},
                          {"source_image", "source_image"}})
    if (const Value* value = boot.attributes.find(from)) live.attributes.set(to, *value);
  if (const Value* token = boot.tokens.find("labels")) live.tokens.set("boot_labels", *token);
}

class InstanceKind final : public Kind {
 public:
  std::string_view name() const override { return "gce.instance"; }
  std::string_view noun() const override { return "VM"; }
  std::span<const Attr> attrs() const override { return kAttrs; }

  std::vector<Step> create(const Resource&) const override { return instance_create(); }
  std::vector<Step> update(const std::vector<Edit>& edits) const override { return instance_update(edits); }
  std::vector<Step> destroy(const Live& live) const override { return instance_destroy(live); }
  std::optional<Step> stop() const override { return instance_stop(); }
  std::optional<Step> start() const override { return instance_start(); }
  std::optional<Step> mark_resume(bool set) const override { return instance_mark_resume(set); }
  std::vector<Step> forget() const override { return instance_forget(); }

  Call read(const Scope& scope, std::string_view zone, std::string_view name) const override {
    return zonal("GET", scope, zone, fmt::format("instances/{}", name));
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_resource(*this, scope, answer, body);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (!has_place(body))
      return error(Code::unavailable, "An answer lacks what every VM has",
                   "The cloud sent a VM without a name, zone or disks of its kind.");
    return decode_instance(scope, body);
  }
  std::vector<Call> parts(const Live& live) const override {
    std::string_view boot =
        live.attributes.has("boot_disk") ? live.attributes.find("boot_disk")->as_text() : "";
    if (boot.empty()) return {};
    return {disk_kind().read(live.scope, live.zone, boot)};
  }
  void fold(Live& live, const Value& part) const override {
    auto boot = disk_kind().decode(live.scope, part);
    if (boot.ok()) fold_boot(live, *boot);
  }
  std::vector<std::pair<const Kind*, std::string>> leftovers(const StepContext& context) const override {
    return instance_leftovers(context);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return settle_operation(scope, answer);
  }
  void carry_over(Live& fresh, const Live& older) const override {
    bool same_stop =
        fresh.health.state == Health::State::stopped && fresh.health.started == older.health.started;
    if (same_stop && older.health.stopped_by == Health::StoppedBy::preemption) fresh.health = older.health;
  }
  Value absent_value(std::string_view) const override { return {}; }
  std::vector<std::string> consequences(const Change& change) const override {
    return instance_consequences(change);
  }
  std::vector<std::string> notes(const Resource& resource, const Live& live) const override {
    return instance_notes(resource, live);
  }
  void relate(Resource& machine, const Live* live_machine, std::string_view part, const Live& sibling,
              bool declared) const override {
    instance_relate(machine, live_machine, part, sibling, declared);
  }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const override {
    return zone_and_name(id);
  }
  std::vector<std::pair<std::string, std::string>> companions(const Live& machine) const override {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [device, attachment] : machine.attributes.find("attachments")->as_map())
      out.emplace_back("disk-" + device, fmt::format("projects/{}/zones/{}/disks/{}", machine.scope.account,
                                                     machine.zone, attachment["disk"].as_text()));
    return out;
  }
  std::string summary(const Resource& resource, const Attempt& attempt) const override {
    return instance_summary(resource, attempt);
  }
  std::string data_name(const Live&) const override { return "boot disk"; }
  std::optional<std::string> words(const Change&, const Edit& edit) const override {
    return instance_words(edit);
  }
  std::vector<WayIn> ways_in(const Resource& machine, const Live* live, const Facts& facts) const override {
    return instance_ways_in(machine, live, facts);
  }
  std::string gpu(const Live& live) const override { return instance_gpu(live); }
};

}  // namespace

void fold_boot_disk(Live& instance, const Live& boot) {
  fold_boot(instance, boot);
}

const Kind& instance_kind() {
  static const InstanceKind kind;
  return kind;
}

}  // namespace nbform::gce
