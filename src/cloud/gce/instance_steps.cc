#include "cloud/gce/instance_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/gce/instance_calls.h"
#include "cloud/labels.h"
#include "core/diff.h"

namespace nbform::gce {

namespace {

using Needs = Step::Needs;

// None where it was detached.
std::optional<Call> on_boot_disk(const StepContext& c, std::string_view verb, Value body) {
  const Value* boot = c.live->attributes.find("boot_disk");
  if (boot == nullptr) return std::nullopt;
  std::string_view disk = boot->as_text();
  return zonal("POST", c.live->scope, c.live->zone, fmt::format("disks/{}/{}", disk, verb), c.request_id,
               std::move(body));
}

const Value& token(const StepContext& c, std::string_view name) {
  static const Value kNone;
  const Value* value = c.live->tokens.find(name);
  return value != nullptr ? *value : kNone;
}

// What labels should read: approved edits, the image that nobody wrote down yet, no stale resume mark.
Map target_labels(const StepContext& c) {
  Map labels = live_value(*c.live, "labels").as_map();
  if (c.edits != nullptr) apply_entries(labels, *c.edits, "labels");
  bool knows_image = c.resource != nullptr && !labels.has(labels::kImage);
  if (knows_image)
    if (const Value* image = c.resource->attributes.find("image"))
      write_image_labels(labels, image->as_text());
  if (!c.live->health.wants_resume() && !c.live->health.wants_rest()) labels.erase(labels::kResume);
  return labels;
}

std::optional<Call> set_labels(const StepContext& c, Map labels) {
  if (labels == live_value(*c.live, "labels").as_map()) return std::nullopt;
  return on(c, "setLabels", Map{{"labelFingerprint", token(c, "labels")}, {"labels", std::move(labels)}});
}

Step labels_step() {
  return {Needs::any, "set-labels", "setting labels",
          [](const StepContext& c) { return set_labels(c, target_labels(c)); }};
}

std::optional<Call> set_metadata(const StepContext& c) {
  Map metadata = live_value(*c.live, "metadata").as_map();
  apply_entries(metadata, *c.edits, "metadata");
  std::string_view keys = metadata.has("ssh-keys") ? metadata.find("ssh-keys")->as_text() : "";
  std::string stack = c.live->owner.stack;
  if (c.resource != nullptr)
    stack = c.resource->attributes.find("labels")->as_map().find(labels::kStack)->as_text();
  List ours = own_key_lines(keys, stack);
  for (const Edit& edit : *c.edits) {
    if (edit.attr == "ssh_keys") ours = edit.after.as_list();
    if (edit.attr != "ssh_keys_added") continue;
    for (const Value& line : edit.after.as_list())
      if (std::find(ours.begin(), ours.end(), line) == ours.end()) ours.push_back(line);
  }
  if (edits_attr(*c.edits, "ssh_keys") || edits_attr(*c.edits, "ssh_keys_added")) {
    std::string merged = merge_key_lines(keys, ours, stack);
    if (merged.empty())
      metadata.erase("ssh-keys");
    else
      metadata.set("ssh-keys", merged);
  }
  if (metadata == live_value(*c.live, "metadata").as_map()) return std::nullopt;
  return metadata_call(*c.live, metadata, c.request_id);
}

// A call that sets one attribute to what the edit approved, unless it is so already.
Step setter(Needs needs, std::string id, std::string phase, std::string attr,
            std::function<std::optional<Call>(const StepContext&, const Value&)> build) {
  auto call = [attr, build](const StepContext& c) -> std::optional<Call> {
    const Value& want = wanted(*c.resource, attr);
    const Attr* row = instance_kind().attr(attr);
    if (satisfies(row->same, want, live_value(*c.live, attr))) return std::nullopt;
    return build(c, want);
  };
  return {needs, std::move(id), std::move(phase), std::move(call)};
}

Call machine_type_call(const StepContext& c, const Value& want) {
  return on(c, "setMachineType",
            Map{{"machineType", fmt::format("zones/{}/machineTypes/{}", c.live->zone, want.as_text())}});
}

Call gpus_call(const StepContext& c, const Value& want) {
  List gpus;
  for (const Value& gpu : want.as_list())
    gpus.push_back(
        Map{{"acceleratorCount", gpu["count"]},
            {"acceleratorType", fmt::format("projects/{}/zones/{}/acceleratorTypes/{}", c.live->scope.account,
                                            c.live->zone, gpu["type"].as_text())}});
  return on(c, "setMachineResources", Map{{"guestAccelerators", std::move(gpus)}});
}

// Market, preemption, longest run and, with GPUs, maintenance travel together.
std::optional<Call> set_scheduling(const StepContext& c) {
  auto pick = [&](std::string_view attr) -> Value {
    bool approved = edits_attr(*c.edits, attr);
    return approved ? wanted(*c.resource, attr) : live_value(*c.live, attr);
  };
  bool spot = pick("market").as_text() == "spot";
  bool gpu = !pick("gpus").as_list().empty() || built_in_gpu(pick("machine_type").as_text()).has_value();
  std::string action(pick("on_preemption").as_text());
  if (action.empty()) action = wanted(*c.resource, "on_preemption").as_text();
  std::int64_t max_run = pick("max_run_s").as_int();
  std::string_view maintenance = spot || gpu ? "TERMINATE" : "MIGRATE";
  bool same = live_value(*c.live, "market").as_text() == (spot ? "spot" : "on-demand") &&
              live_value(*c.live, "max_run_s").as_int() == max_run &&
              (!spot || live_value(*c.live, "on_preemption").as_text("stop") == action) &&
              (!gpu || live_value(*c.live, "maintenance").as_text() == maintenance);
  if (same) return std::nullopt;
  Value body = scheduling_body(spot, gpu, action, max_run);
  // What is not given stays; null clears.
  if (max_run == 0 && live_value(*c.live, "max_run_s").as_int() > 0)
    body.map().set("maxRunDuration", Value());
  if (!body.as_map().has("instanceTerminationAction")) body.map().set("instanceTerminationAction", Value());
  return on(c, "setScheduling", std::move(body));
}

Call service_account_call(const StepContext& c, const Value&) {
  return on(
      c, "setServiceAccount",
      Map{{"email", wanted(*c.resource, "service_account")}, {"scopes", wanted(*c.resource, "scopes")}});
}

std::optional<Call> set_service_account(const StepContext& c) {
  bool same = satisfies(Sameness::exact, wanted(*c.resource, "service_account"),
                        live_value(*c.live, "service_account")) &&
              satisfies(Sameness::set, wanted(*c.resource, "scopes"), live_value(*c.live, "scopes"));
  if (same) return std::nullopt;
  return service_account_call(c, {});
}

std::optional<Call> set_shielded(const StepContext& c) {
  Map patch;
  for (auto [attr, field] : {std::pair{"secure_boot", "enableSecureBoot"},
                             {"vtpm", "enableVtpm"},
                             {"integrity_monitoring", "enableIntegrityMonitoring"}})
    if (edits_attr(*c.edits, attr) && wanted(*c.resource, attr) != live_value(*c.live, attr))
      patch.set(field, wanted(*c.resource, attr));
  if (patch.empty()) return std::nullopt;
  return on(c, "updateShieldedInstanceConfig", std::move(patch), {}, "PATCH");
}

std::optional<Call> set_public_ip(const StepContext& c) {
  bool want = wanted(*c.resource, "public_ip").as_bool();
  if (want == live_value(*c.live, "public_ip").as_bool()) return std::nullopt;
  if (want)
    return on(c, "addAccessConfig", Map{{"name", "External NAT"}, {"type", "ONE_TO_ONE_NAT"}},
              {{"networkInterface", "nic0"}});
  return on(c, "deleteAccessConfig", {},
            {{"accessConfig", std::string(token(c, "access_config").as_text("External NAT"))},
             {"networkInterface", "nic0"}});
}

// One entry of `attachments`: attach, detach, or change whether the disk goes with its VM.
void attachment_steps(std::vector<Step>& steps, const Edit& edit) {
  std::string device = edit.attr.substr(edit.attr.find('.') + 1);
  Value want = edit.after;
  auto now = [device](const StepContext& c) -> const Value& {
    return live_value(*c.live, "attachments")[device];
  };
  steps.push_back({Needs::any, "detach-" + device, "detaching disk " + device,
                   [=](const StepContext& c) -> std::optional<Call> {
                     bool other = !now(c).is_null() && (want.is_null() || now(c)["disk"] != want["disk"]);
                     if (!other) return std::nullopt;
                     return on(c, "detachDisk", {}, {{"deviceName", device}});
                   }});
  if (want.is_null()) return;
  steps.push_back({Needs::any, "attach-" + device, "attaching disk " + device,
                   [=](const StepContext& c) -> std::optional<Call> {
                     if (!now(c).is_null()) return std::nullopt;
                     std::string source = fmt::format("projects/{}/zones/{}/disks/{}", c.live->scope.account,
                                                      c.live->zone, want["disk"].as_text());
                     return on(c, "attachDisk",
                               Map{{"autoDelete", want["auto_delete"]},
                                   {"deviceName", device},
                                   {"mode", "READ_WRITE"},
                                   {"source", source},
                                   {"type", "PERSISTENT"}});
                   }});
  steps.push_back({Needs::any, "auto-delete-" + device, "setting keep of disk " + device,
                   [=](const StepContext& c) -> std::optional<Call> {
                     if (now(c).is_null() || now(c)["auto_delete"] == want["auto_delete"])
                       return std::nullopt;
                     return auto_delete_call(c, device, want["auto_delete"].as_bool());
                   }});
}

std::optional<Call> set_boot_labels(const StepContext& c) {
  Map labels = live_value(*c.live, "boot_labels").as_map();
  apply_entries(labels, *c.edits, "boot_labels");
  if (labels == live_value(*c.live, "boot_labels").as_map()) return std::nullopt;
  return on_boot_disk(c, "setLabels",
                      Map{{"labelFingerprint", token(c, "boot_labels")}, {"labels", std::move(labels)}});
}

// The user's tags and the notebook's own travel together; what is not approved stays.
std::optional<Call> set_tags(const StepContext& c) {
  List items;
  for (std::string_view attr : {"tags", "access_tags"}) {
    const Value& side = edits_attr(*c.edits, attr) ? wanted(*c.resource, attr) : live_value(*c.live, attr);
    items.insert(items.end(), side.as_list().begin(), side.as_list().end());
  }
  List now = live_value(*c.live, "tags").as_list();
  const List& own = live_value(*c.live, "access_tags").as_list();
  now.insert(now.end(), own.begin(), own.end());
  if (satisfies(Sameness::set, Value(items), Value(now))) return std::nullopt;
  return on(c, "setTags", Map{{"fingerprint", token(c, "tags")}, {"items", std::move(items)}});
}

Step plain(Needs needs, std::string id, std::string phase, std::optional<Call> (*call)(const StepContext&)) {
  return {needs, std::move(id), std::move(phase), call};
}

std::vector<Step> live_steps(const std::vector<Edit>& edits) {
  std::vector<Step> steps;
  auto has = [&](std::string_view attr) { return edits_attr(edits, attr); };
  if (has("labels")) steps.push_back(labels_step());
  if (has("metadata") || has("ssh_keys") || has("ssh_keys_added"))
    steps.push_back(plain(Needs::any, "set-metadata", "setting metadata", set_metadata));
  if (has("tags") || has("access_tags"))
    steps.push_back(plain(Needs::any, "set-tags", "setting network tags", set_tags));
  if (has("boot_size_gb"))
    steps.push_back(setter(Needs::any, "resize-boot", "growing the boot disk", "boot_size_gb",
                           [](const StepContext& c, const Value& want) {
                             return on_boot_disk(c, "resize", Map{{"sizeGb", fmt::to_string(want.as_int())}});
                           }));
  if (has("boot_labels"))
    steps.push_back(plain(Needs::any, "label-boot", "labelling the boot disk", set_boot_labels));
  if (has("boot_auto_delete"))
    steps.push_back(setter(Needs::any, "auto-delete-boot", "setting keep of the boot disk",
                           "boot_auto_delete", [](const StepContext& c, const Value& want) {
                             return auto_delete_call(c, live_value(*c.live, "boot_device").as_text(),
                                                     want.as_bool());
                           }));
  if (has("public_ip"))
    steps.push_back(plain(Needs::any, "set-public-ip", "changing the external IP", set_public_ip));
  for (const Edit& edit : edits)
    if (edit.attr.starts_with("attachments.")) attachment_steps(steps, edit);
  for (const Edit& edit : edits)
    if (edit.attr == "deletion_protection") steps.push_back(lock_step(edit.after.as_bool()));
  return steps;
}

bool gains_gpu(const std::vector<Edit>& edits) {
  return std::any_of(edits.begin(), edits.end(), [](const Edit& edit) {
    return (edit.attr == "gpus" && !edit.after.as_list().empty()) ||
           (edit.attr == "machine_type" && built_in_gpu(edit.after.as_text()).has_value());
  });
}

// A machine with GPUs can't migrate, and only some types take them: what a GPU needs comes before it, and
// goes after it.
std::vector<Step> stopped_steps(const std::vector<Edit>& edits) {
  std::vector<Step> steps;
  auto has = [&](std::string_view attr) { return edits_attr(edits, attr); };
  bool gains = gains_gpu(edits);
  auto scheduling = [&] {
    if (!has("market") && !has("on_preemption") && !has("max_run_s") && !has("gpus") && !has("machine_type"))
      return;
    steps.push_back(plain(Needs::stopped, "set-scheduling", "changing scheduling", set_scheduling));
    steps.back().replaceable = has("market");
  };
  auto gpus = [&] {
    if (has("gpus")) steps.push_back(setter(Needs::stopped, "set-gpus", "changing GPUs", "gpus", gpus_call));
  };
  gains ? scheduling() : gpus();
  if (has("machine_type"))
    steps.push_back(setter(Needs::stopped, "set-machine-type", "changing the machine type", "machine_type",
                           machine_type_call));
  gains ? gpus() : scheduling();
  if (has("min_cpu_platform"))
    steps.push_back(setter(Needs::stopped, "set-cpu-platform", "changing the CPU platform",
                           "min_cpu_platform", [](const StepContext& c, const Value& want) {
                             return on(c, "setMinCpuPlatform", Map{{"minCpuPlatform", want}});
                           }));
  if (has("service_account") || has("scopes"))
    steps.push_back(
        plain(Needs::stopped, "set-service-account", "changing the service account", set_service_account));
  if (has("secure_boot") || has("vtpm") || has("integrity_monitoring"))
    steps.push_back(plain(Needs::stopped, "set-shielded", "changing Shielded VM options", set_shielded));
  return steps;
}

}  // namespace

Call on(const StepContext& c, std::string_view verb, Value body, Query query, std::string_view method) {
  Call call = zonal(method, c.live->scope, c.live->zone, fmt::format("instances/{}/{}", c.live->name, verb),
                    c.request_id, std::move(body));
  call.query.insert(call.query.end(), query.begin(), query.end());
  return call;
}

Call auto_delete_call(const StepContext& c, std::string_view device, bool value) {
  return on(c, "setDiskAutoDelete", {},
            {{"autoDelete", value ? "true" : "false"}, {"deviceName", std::string(device)}});
}

Step lock_step(bool value) {
  return {Needs::any, "set-deletion-protection", "setting deletion protection",
          [value](const StepContext& c) -> std::optional<Call> {
            if (c.live->locked == value) return std::nullopt;
            return on(c, "setDeletionProtection", {}, {{"deletionProtection", value ? "true" : "false"}});
          }};
}

std::vector<Step> instance_create() {
  Step insert{Needs::any, "insert", "creating", [](const StepContext& c) -> std::optional<Call> {
                if (c.live != nullptr) return std::nullopt;
                return zonal("POST", c.resource->scope, c.attempt.zone, "instances", c.request_id,
                             insert_body(c));
              }};
  insert.makes = true;
  return {std::move(insert)};
}

std::vector<Step> instance_update(const std::vector<Edit>& edits) {
  std::vector<Step> steps = live_steps(edits);
  for (Step& step : stopped_steps(edits)) steps.push_back(std::move(step));
  return steps;
}

Step instance_stop() {
  return {Needs::any, "stop", "stopping", [](const StepContext& c) -> std::optional<Call> {
            if (c.live->health.state == Health::State::stopped) return std::nullopt;
            return on(c, "stop");
          }};
}

Step instance_start() {
  return {Needs::any, "start", "starting", [](const StepContext& c) -> std::optional<Call> {
            if (c.live->health.state == Health::State::running) return std::nullopt;
            return on(c, "start");
          }};
}

Step instance_mark_resume(bool set) {
  auto mark = [](const StepContext& c) -> std::optional<Call> {
    Map labels = target_labels(c);
    if (c.live->health.started) labels.set(labels::kResume, fmt::to_string(c.live->health.started->millis()));
    return set_labels(c, std::move(labels));
  };
  auto unmark = [](const StepContext& c) -> std::optional<Call> {
    Map labels = live_value(*c.live, "labels").as_map();
    if (!labels.erase(labels::kResume)) return std::nullopt;
    return set_labels(c, std::move(labels));
  };
  if (set) return {Needs::any, "mark-resume", "marking the restart", mark};
  return {Needs::any, "unmark-resume", "unmarking the restart", unmark};
}

namespace {
Map without_own(const Value& labels) {
  Map rest;
  for (const auto& [key, value] : labels.as_map())
    if (!labels::is_own(key)) rest.set(key, value);
  return rest;
}
}  // namespace

std::vector<Step> instance_forget() {
  Step boot{Needs::any, "forget-boot", "taking labels off the boot disk",
            [](const StepContext& c) -> std::optional<Call> {
              Map labels = without_own(live_value(*c.live, "boot_labels"));
              if (labels == live_value(*c.live, "boot_labels").as_map()) return std::nullopt;
              return on_boot_disk(
                  c, "setLabels",
                  Map{{"labelFingerprint", token(c, "boot_labels")}, {"labels", std::move(labels)}});
            }};
  Step machine{Needs::any, "forget", "taking labels off", [](const StepContext& c) {
                 return set_labels(c, without_own(live_value(*c.live, "labels")));
               }};
  return {std::move(boot), std::move(machine)};
}

std::vector<std::pair<const Kind*, std::string>> instance_leftovers(const StepContext& c) {
  std::vector<std::pair<const Kind*, std::string>> names{{&disk_kind(), c.resource->name}};
  for (const auto& [device, attachment] : wanted(*c.resource, "attachments").as_map())
    if (!attachment.is_null()) names.emplace_back(&disk_kind(), attachment["disk"].as_text());
  return names;
}

}  // namespace nbform::gce
