// The body of instances.insert: one attempt of one VM, with its boot disk, new data disks and attached old
// ones.
#include <fmt/format.h>

#include "base/text.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

std::string zone_path(const StepContext& context, std::string_view rest) {
  return fmt::format("projects/{}/zones/{}/{}", context.resource->scope.account, context.attempt.zone, rest);
}

Map present_entries(const Value& map) {
  Map out;
  for (const auto& [key, value] : map.as_map())
    if (!value.is_null()) out.set(key, value);
  return out;
}

// Declared entries over the defaults of create.
Map wanted_entries(const Resource& resource, std::string_view attr) {
  Map out;
  if (const Value* value = resource.defaults.find(attr)) out = present_entries(*value);
  if (const Value* value = resource.attributes.find(attr))
    for (const auto& [key, entry] : present_entries(*value)) out.set(key, entry);
  return out;
}

Value boot_disk(const StepContext& context) {
  const Resource& r = *context.resource;
  Map disk{{"boot", true},
           {"type", "PERSISTENT"},
           {"mode", "READ_WRITE"},
           {"deviceName", "boot"},
           {"autoDelete", wanted(r, "boot_auto_delete").as_bool(true)}};
  if (const Live* kept = context.live_at(r.notebook + "/boot");
      kept != nullptr && kept->zone == context.attempt.zone) {
    disk.set("source", kept->id);
    return disk;
  }
  Map params{{"diskName", r.name},
             {"sourceImage", wanted(r, "resolved_image")["path"]},
             {"diskSizeGb", fmt::to_string(wanted(r, "boot_size_gb").as_int())},
             {"diskType", zone_path(context, fmt::format("diskTypes/{}", wanted(r, "boot_type").as_text()))},
             {"labels", wanted_entries(r, "boot_labels")}};
  disk.set("initializeParams", std::move(params));
  if (std::string_view key = wanted(r, "boot_kms").as_text(); !key.empty())
    disk.set("diskEncryptionKey", Map{{"kmsKeyName", key}});
  return disk;
}

Value data_disk(const StepContext& context, std::string_view device, const Value& attachment) {
  std::string address = fmt::format("{}/disk-{}", context.resource->notebook, device);
  Map disk{{"boot", false},
           {"type", "PERSISTENT"},
           {"mode", "READ_WRITE"},
           {"deviceName", device},
           {"autoDelete", attachment["auto_delete"]}};
  const Live* live = context.live_at(address);
  const Resource* fresh = context.resource_at(address);
  if (live != nullptr) {
    disk.set("source", live->id);
  } else if (fresh != nullptr && !fresh->carried_by.empty()) {
    disk.set("initializeParams", carried_disk_params(*fresh, context.attempt.zone));
    if (std::string_view key = wanted(*fresh, "kms").as_text(); !key.empty())
      disk.set("diskEncryptionKey", Map{{"kmsKeyName", key}});
  } else {
    disk.set("source", zone_path(context, fmt::format("disks/{}", attachment["disk"].as_text())));
  }
  return disk;
}

List disks(const StepContext& context) {
  List list{boot_disk(context)};
  for (const auto& [device, attachment] : wanted(*context.resource, "attachments").as_map())
    if (!attachment.is_null()) list.push_back(data_disk(context, device, attachment));
  return list;
}

bool has_gpu(const Resource& r) {
  return !wanted(r, "gpus").as_list().empty() ||
         built_in_gpu(wanted(r, "machine_type").as_text()).has_value();
}

List accelerators(const StepContext& context) {
  List list;
  for (const Value& gpu : wanted(*context.resource, "gpus").as_list())
    list.push_back(Map{
        {"acceleratorCount", gpu["count"]},
        {"acceleratorType", zone_path(context, fmt::format("acceleratorTypes/{}", gpu["type"].as_text()))}});
  return list;
}

std::string reference(std::string_view value, std::string_view prefix) {
  return value.find('/') != std::string_view::npos ? std::string(value) : fmt::format("{}{}", prefix, value);
}

Value network_interface(const StepContext& context) {
  const Resource& r = *context.resource;
  std::string_view network = wanted(r, "network").as_text(), subnet = wanted(r, "subnet").as_text();
  std::string project = fmt::format("projects/{}/", r.scope.account);
  Map nic;
  if (!subnet.empty()) {
    std::string_view region =
        std::string_view(context.attempt.zone).substr(0, context.attempt.zone.rfind('-'));
    nic.set("subnetwork", reference(subnet, fmt::format("{}regions/{}/subnetworks/", project, region)));
  }
  if (!network.empty() || subnet.empty())
    nic.set("network", reference(network.empty() ? "default" : network, project + "global/networks/"));
  if (wanted(r, "public_ip").as_bool(true))
    nic.set("accessConfigs", List{Map{{"name", "External NAT"}, {"type", "ONE_TO_ONE_NAT"}}});
  return nic;
}

Value metadata(const Resource& r) {
  Map entries = wanted_entries(r, "metadata");
  List keys = wanted(r, "ssh_keys").as_list();
  for (const Value& line : wanted(r, "ssh_keys_added").as_list()) keys.push_back(line);
  std::string_view before = entries.has("ssh-keys") ? entries.find("ssh-keys")->as_text() : "";
  std::string stack(r.attributes.find("labels")->as_map().find(labels::kStack)->as_text());
  if (!keys.empty()) entries.set("ssh-keys", merge_key_lines(before, keys, stack));
  List items;
  for (const auto& [key, value] : entries) items.push_back(Map{{"key", key}, {"value", value}});
  return Map{{"items", std::move(items)}};
}

Value service_accounts(const Resource& r) {
  std::string_view email = wanted(r, "service_account").as_text();
  if (email.empty()) return List{};
  return List{Map{{"email", email}, {"scopes", wanted(r, "scopes")}}};
}

List tags(const Resource& r) {
  List items = wanted(r, "tags").as_list();
  for (const Value& own : wanted(r, "access_tags").as_list()) items.push_back(own);
  return items;
}

Map shielded(const Resource& r) {
  Map out;
  for (auto [attr, field] : {std::pair{"secure_boot", "enableSecureBoot"},
                             {"vtpm", "enableVtpm"},
                             {"integrity_monitoring", "enableIntegrityMonitoring"}})
    if (const Value& value = wanted(r, attr); !value.is_null()) out.set(field, value);
  return out;
}

}  // namespace

// onHostMaintenance TERMINATE wherever a GPU or Spot demands it; maxRunDuration needs a termination action.
Value scheduling_body(bool spot, bool gpu, std::string_view on_preemption, std::int64_t max_run_s) {
  Map s{{"provisioningModel", spot ? "SPOT" : "STANDARD"},
        {"preemptible", spot},
        {"automaticRestart", !spot},
        {"onHostMaintenance", spot || gpu ? "TERMINATE" : "MIGRATE"}};
  if (spot) s.set("instanceTerminationAction", on_preemption == "delete" ? "DELETE" : "STOP");
  if (!spot && max_run_s > 0) s.set("instanceTerminationAction", "STOP");
  if (max_run_s > 0) s.set("maxRunDuration", Map{{"seconds", fmt::to_string(max_run_s)}});
  return s;
}

Value insert_body(const StepContext& context) {
  const Resource& r = *context.resource;
  Map labels = wanted_entries(r, "labels");
  write_image_labels(labels, wanted(r, "image").as_text());
  // What the files declare needs no mark, unless it was so before they did.
  bool rests = context.ends_stopped && (context.was_stopped || r.power.want != PowerPolicy::Want::stopped);
  if (rests) labels.set(labels::kResume, labels::kRest);
  Map body{
      {"name", r.name},
      {"machineType",
       zone_path(context, fmt::format("machineTypes/{}", wanted(r, "machine_type").as_text()))},
      {"labels", std::move(labels)},
      {"disks", disks(context)},
      {"networkInterfaces", List{network_interface(context)}},
      {"scheduling", scheduling_body(context.attempt.spot, has_gpu(r), wanted(r, "on_preemption").as_text(),
                                     wanted(r, "max_run_s").as_int())},
      {"metadata", metadata(r)}};
  if (List gpus = accelerators(context); !gpus.empty()) body.set("guestAccelerators", std::move(gpus));
  if (Value accounts = service_accounts(r); !accounts.as_list().empty())
    body.set("serviceAccounts", accounts);
  if (Map config = shielded(r); !config.empty()) body.set("shieldedInstanceConfig", std::move(config));
  if (List items = tags(r); !items.empty()) body.set("tags", Map{{"items", std::move(items)}});
  if (std::string_view cpu = wanted(r, "min_cpu_platform").as_text(); !cpu.empty())
    body.set("minCpuPlatform", cpu);
  if (const Value& lock = wanted(r, "deletion_protection"); !lock.is_null())
    body.set("deletionProtection", lock);
  return body;
}

}  // namespace nbform::gce
