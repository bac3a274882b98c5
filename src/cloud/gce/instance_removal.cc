// How a VM goes: what must survive it is kept and seen to be kept, then the VM is deleted.
#include <fmt/format.h>

#include "cloud/gce/instance_calls.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/labels.h"
#include "core/diff.h"

namespace nbform::gce {

namespace {

using Needs = Step::Needs;

// Which attached disks must survive the VM: all but our own ones marked `never`, there and in the manifest.
bool survives(const StepContext& c, std::string_view device, const Value& attachment) {
  std::string notebook = c.resource != nullptr ? c.resource->notebook : c.live->owner.notebook;
  std::string address = fmt::format("{}/disk-{}", notebook, device);
  const Live* disk = c.live_at(address);
  const Resource* declared = c.resource_at(address);
  bool known = disk != nullptr && disk->name == attachment["disk"].as_text();
  return !known || disk->keep != KeepRule::never ||
         (declared != nullptr && declared->keep != KeepRule::never);
}

// A replace makes the boot disk anew; otherwise the live label decides.
bool boot_survives(const StepContext& c) {
  if (c.resource != nullptr) return c.resource->keep != KeepRule::never;
  const Value& keep = live_value(*c.live, "boot_labels")[labels::kKeep];
  return keep.as_text() == keep_name(KeepRule::always);
}

// A replace may make the disks that are `never` kept anew in another zone, so the old ones must go; a
// destroyed notebook's disks have changes of their own.
Step keep_device_step(std::string device) {
  return {Needs::any, "keep-" + device, "keeping disk " + device,
          [device](const StepContext& c) -> std::optional<Call> {
            const Value& attachment = live_value(*c.live, "attachments")[device];
            if (attachment.is_null()) return std::nullopt;
            bool goes = attachment["auto_delete"].as_bool(), keep = survives(c, device, attachment);
            bool right = keep ? !goes : goes || c.resource == nullptr;
            if (right) return std::nullopt;
            return auto_delete_call(c, device, !keep);
          }};
}

Diagnostic still_goes(const StepContext& c, std::string_view disk) {
  return error(Code::data_loss, "A kept disk would go with its VM",
               fmt::format("{} is still set to be deleted together with {}, although nbform switched that "
                           "off. The VM is left alone.",
                           disk, c.live->name));
}

std::optional<Diagnostic> would_lose_disk(const StepContext& c) {
  if (boot_survives(c) && live_value(*c.live, "boot_auto_delete").as_bool())
    return still_goes(c, live_value(*c.live, "boot_disk").as_text());
  for (const auto& [device, attachment] : live_value(*c.live, "attachments").as_map())
    if (attachment["auto_delete"].as_bool() && survives(c, device, attachment))
      return still_goes(c, attachment["disk"].as_text());
  return std::nullopt;
}

}  // namespace

std::vector<Step> instance_destroy(const Live& live) {
  std::vector<Step> steps;
  if (const Value* attached = live.attributes.find("attachments"))
    for (const auto& [device, attachment] : attached->as_map()) steps.push_back(keep_device_step(device));
  Step keep_boot{Needs::any, "keep-boot", "keeping the boot disk",
                 [](const StepContext& c) -> std::optional<Call> {
                   bool keep = boot_survives(c), goes = live_value(*c.live, "boot_auto_delete").as_bool();
                   bool right = keep ? !goes : goes || c.resource == nullptr;
                   if (right) return std::nullopt;
                   return auto_delete_call(c, live_value(*c.live, "boot_device").as_text(), !keep);
                 }};
  Step remove{Needs::any, "delete", "deleting", [](const StepContext& c) -> std::optional<Call> {
                if (c.live == nullptr) return std::nullopt;
                return zonal("DELETE", c.live->scope, c.live->zone, fmt::format("instances/{}", c.live->name),
                             c.request_id);
              }};
  remove.forbid = would_lose_disk;
  remove.removes = true;
  Step unlock = lock_step(false);
  auto unlock_call = unlock.call;
  unlock.call = [unlock_call](const StepContext& c) -> std::optional<Call> {
    bool approved = c.edits != nullptr && edits_attr(*c.edits, "deletion_protection");
    return approved ? unlock_call(c) : std::nullopt;
  };
  steps.push_back(std::move(keep_boot));
  steps.push_back(std::move(unlock));
  steps.push_back(std::move(remove));
  return steps;
}

}  // namespace nbform::gce
