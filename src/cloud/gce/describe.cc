// What a change to a VM does, in a person's words, and what is worth knowing though it is no change.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/gce/firewall.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

bool has_ephemeral_ip(const Live& live) {
  const Value* ip = live.attributes.find("public_ip");
  return ip != nullptr && ip->as_bool();
}

std::string data_disks_text(const Live& live, const Resource* wanted) {
  const Value* attached = live.attributes.find("attachments");
  const Value* declared = wanted != nullptr ? wanted->attributes.find("attachments") : nullptr;
  auto goes = [&](const std::string& device, const Value& attachment) {
    bool never = declared != nullptr && (*declared)[device]["auto_delete"].as_bool();
    return never || attachment["auto_delete"].as_bool();
  };
  std::vector<std::string> names;
  if (attached != nullptr)
    for (const auto& [device, attachment] : attached->as_map())
      if (!goes(device, attachment)) names.push_back(device);
  if (names.empty()) return {};
  return fmt::format("data disk{} {} kept", names.size() == 1 ? "" : "s", join(names, ", "));
}

std::vector<std::string> lost_memory(const Live& live) {
  if (live.health.state != Health::State::running) return {};
  return {"memory and running kernels lost"};
}

std::vector<std::string> of_restart(const Live& live) {
  std::vector<std::string> out{"all disks kept"};
  for (const std::string& text : lost_memory(live)) out.push_back(text);
  if (has_ephemeral_ip(live)) out.push_back("IP may change");
  out.push_back("about 90 s down");
  out.push_back("may not start again if the zone is full");
  return out;
}

std::vector<std::string> of_removal(const Change& change) {
  const Live& live = *change.live;
  std::vector<std::string> out;
  bool replaced = change.action == Action::replace;  // a destroyed notebook's disks have changes of their own
  const Value* goes = live.attributes.find("boot_auto_delete");
  bool erased = replaced && change.resource != nullptr ? change.resource->keep == KeepRule::never
                                                       : goes != nullptr && goes->as_bool();
  out.push_back(erased ? "boot disk ERASED" : "boot disk kept");
  if (std::string disks = data_disks_text(live, change.resource); replaced && !disks.empty())
    out.push_back(disks);
  for (const std::string& text : lost_memory(live)) out.push_back(text);
  if (change.action == Action::replace && has_ephemeral_ip(live)) out.push_back("IP changes");
  return out;
}

bool touches(const Change& change, std::string_view prefix) {
  return std::any_of(change.edits.begin(), change.edits.end(),
                     [&](const Edit& edit) { return edit.attr.starts_with(prefix); });
}

std::vector<std::string> of_update(const Change& change) {
  std::vector<std::string> out;
  if (touches(change, "metadata.startup-script") || touches(change, "metadata.install-nvidia-driver"))
    out.push_back("takes effect at the next start");
  if (touches(change, "boot_size_gb")) out.push_back("the file system grows at the next start");
  for (const Edit& edit : change.edits)
    if (edit.attr.starts_with("attachments.") && edit.after.is_null())
      out.push_back(fmt::format("disk {} detached{}", edit.before["disk"].as_text(),
                                edit.before["auto_delete"].as_bool() ? "" : " and kept"));
  return out;
}

std::string gpu_text(const Value& gpus) {
  const Value& gpu = gpus.at_path("0");
  std::string_view type = gpu["type"].as_text();
  if (type.starts_with("nvidia-tesla-")) type.remove_prefix(13);
  if (type.starts_with("nvidia-")) type.remove_prefix(7);
  return fmt::format("{} x{}", type, gpu["count"].as_int());
}

// "family deeplearning-platform-release/pytorch-2-7" -> "pytorch-2-7", with its project where the two differ
// in that.
std::string image_words(std::string_view image, std::string_view other) {
  if (image.empty()) return "(unknown)";
  auto project = [](std::string_view text) {
    return text.substr(text.find(' ') + 1, text.find('/') - text.find(' ') - 1);
  };
  std::string_view name = last_segment(image);
  bool same = other.empty() || project(image) == project(other);
  return same ? std::string(name) : fmt::format("{}/{}", project(image), name);
}

std::string gpus_words(const Value& gpus) {
  return gpus.as_list().empty() ? std::string("(none)") : gpu_text(gpus);
}

// Whose key a line "user:type key comment nbform:stack" is: its comment, else the end of the key.
std::string key_owner(std::string_view line) {
  line = line.substr(0, line.rfind(" nbform:"));
  auto key = line.find(' ');
  if (key == std::string_view::npos) return std::string(line);
  auto comment = line.find(' ', key + 1);
  if (comment != std::string_view::npos) return std::string(trim(line.substr(comment)));
  return "…" + std::string(line.substr(line.size() - std::min<std::size_t>(line.size(), 8)));
}

std::string keys_words(const List& before, const List& after) {
  std::vector<std::string> parts;
  auto tell = [&](std::string_view sign, const List& items, const List& in) {
    for (const Value& item : items)
      if (std::find(in.begin(), in.end(), item) == in.end())
        parts.push_back(std::string(sign) + key_owner(item.as_text()));
  };
  tell("+", after, before);
  tell("−", before, after);
  return "ssh keys " + join(parts, ", ");
}

std::string script_words(std::string_view name, const Edit& edit) {
  return fmt::format("{} {}", name,
                     edit.before.is_null()  ? "added"
                     : edit.after.is_null() ? "removed"
                                            : "changed");
}

void note_newer_image(std::vector<std::string>& out, const Resource& resource, const Live& live) {
  const Value* image = resource.attributes.find("image");
  const Value* newest = resource.defaults.find("resolved_image");
  if (image == nullptr || newest == nullptr || image->as_text().starts_with("name ")) return;
  const Value* remembered = live.attributes.find("image");
  if (remembered != nullptr && *remembered != *image) return;  // another image is a change, not news
  std::string_view runs = live_text(live, "source_image"), there = (*newest)["path"].as_text();
  if (runs.empty() || there.empty() || last_segment(runs) == last_segment(there)) return;
  out.push_back(fmt::format("a newer image of {} exists: {} (runs {}); `--replace {}` takes it",
                            resource.notebook, last_segment(there), last_segment(runs), resource.notebook));
}

void note_unmanaged_gpu(std::vector<std::string>& out, const Resource& resource, const Live& live) {
  const Value* gpus = live.attributes.find("gpus");
  bool attached =
      gpus != nullptr && !gpus->as_list().empty() && !built_in_gpu(live_text(live, "machine_type"));
  if (attached && !resource.attributes.has("gpus"))
    out.push_back(fmt::format("not managed: gpu, the cloud has {}; `gpu: null` removes it", gpu_text(*gpus)));
}

void note_unmanaged_machine(std::vector<std::string>& out, const Resource& resource, const Live& live) {
  const Value* normal = resource.defaults.find("machine_type");
  if (normal == nullptr || live_text(live, "machine_type") == normal->as_text()) return;
  out.push_back(fmt::format("not managed: machine, the cloud has {} (default {})",
                            live_text(live, "machine_type"), normal->as_text()));
}

}  // namespace

std::vector<std::string> instance_consequences(const Change& change) {
  if (change.live == nullptr) return {};
  switch (change.action) {
    case Action::restart:
      return of_restart(*change.live);
    case Action::replace:
    case Action::destroy:
      return of_removal(change);
    case Action::stop: {
      std::vector<std::string> out = lost_memory(*change.live);
      out.push_back("disks kept, and billed");
      return out;
    }
    case Action::forget:
      return {"stays as it is; nbform no longer knows it"};
    case Action::update:
    case Action::adopt:
      return of_update(change);
    default:
      return {};
  }
}

std::vector<std::string> instance_notes(const Resource& resource, const Live& live) {
  std::vector<std::string> out;
  note_newer_image(out, resource, live);
  note_unmanaged_gpu(out, resource, live);
  note_unmanaged_machine(out, resource, live);
  if (live.health.state == Health::State::degraded) out.push_back("suspended; nbform leaves it so");
  return out;
}

std::string instance_summary(const Resource& resource, const Attempt& attempt) {
  std::vector<std::string> parts{std::string(wanted(resource, "machine_type").as_text())};
  if (const Value& gpus = wanted(resource, "gpus"); !gpus.as_list().empty())
    parts.push_back("gpu " + gpu_text(gpus));
  if (auto gpu = built_in_gpu(wanted(resource, "machine_type").as_text()))
    parts.push_back("gpu " + gpu_text(List{Map{{"count", gpu->count}, {"type", gpu->type}}}));
  if (attempt.spot) parts.push_back("spot");
  parts.push_back(fmt::format("boot {} GB", wanted(resource, "boot_size_gb").as_int()));
  return join(parts, " · ");
}

std::optional<std::string> instance_words(const Edit& edit) {
  if (edit.secret) return std::nullopt;
  std::string_view attr(edit.attr);
  if (attr == "image")
    return fmt::format("image {} → {}", image_words(edit.before.as_text(), edit.after.as_text()),
                       image_words(edit.after.as_text(), edit.before.as_text()));
  if (attr == "gpus") return fmt::format("gpu {} → {}", gpus_words(edit.before), gpus_words(edit.after));
  if (attr == "access_tags")
    return edit.after.as_list().empty() ? "network tag taken off" : "network tag for its firewall rules";
  if (attr == "ssh_keys") return keys_words(edit.before.as_list(), edit.after.as_list());
  if (attr == "ssh_keys_added") return keys_words({}, edit.after.as_list());
  if (attr == "metadata.startup-script") return script_words("setup.script", edit);
  if (attr == "metadata.shutdown-script") return script_words("setup.shutdown_script", edit);
  return std::nullopt;
}

std::string instance_gpu(const Live& live) {
  if (auto gpu = built_in_gpu(live_text(live, "machine_type")))
    return gpu_text(List{Map{{"count", gpu->count}, {"type", gpu->type}}});
  const Value* gpus = live.attributes.find("gpus");
  return gpus != nullptr && !gpus->as_list().empty() ? gpu_text(*gpus) : std::string();
}

namespace {

// The device that a disk is attached as; "" where it is not.
std::string device_of(const Live* machine, std::string_view disk) {
  const Value* attached = machine != nullptr ? machine->attributes.find("attachments") : nullptr;
  if (attached == nullptr) return {};
  for (const auto& [device, attachment] : attached->as_map())
    if (attachment["disk"].as_text() == disk) return device;
  return {};
}

// A rule that is there keeps its name, and so the tag that it asks for. With the last rule the tag goes.
void relate_rule(Resource& machine, const Live& rule, bool declared) {
  std::string_view tag = tag_of_rule(rule.name);
  if (declared && !tag.empty())
    machine.attributes.set("access_tags", List{tag});
  else if (!machine.attributes.has("access_tags"))
    machine.attributes.set("access_tags", List());
}

}  // namespace

// A disk keeps its name, and the device it is attached as, when its key in the manifest changes.
void instance_relate(Resource& machine, const Live* live_machine, std::string_view part, const Live& sibling,
                     bool declared) {
  if (sibling.kind == &firewall_kind()) return relate_rule(machine, sibling, declared);
  if (!part.starts_with("disk-")) return;
  Map attachments = wanted(machine, "attachments").as_map();
  std::string key(part.substr(5)), device = device_of(live_machine, sibling.name);
  if (declared && attachments.has(key)) {
    Value attachment = *attachments.find(key);
    attachment.map().set("disk", sibling.name);
    if (!device.empty()) attachments.erase(key);
    attachments.set(device.empty() ? key : device, std::move(attachment));
  } else if (!declared && !device.empty()) {
    attachments.set(device, Value());
  } else {
    return;
  }
  machine.attributes.set("attachments", std::move(attachments));
}

}  // namespace nbform::gce
