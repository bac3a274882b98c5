// What a change to an instance does, in a person's words, and what is worth knowing though it is no change.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/ec2/instance_parts.h"

namespace nbform::ec2 {

namespace {

std::string volumes_text(const Live& live) {
  std::size_t n = live_value(live, "attachments").as_map().size();
  if (n == 0) return {};
  return n == 1 ? "data disk kept" : "data disks kept";
}

std::vector<std::string> lost_memory(const Live& live) {
  if (live.health.state != Health::State::running) return {};
  return {"memory and running kernels lost"};
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<std::string> of_restart(const Live& live) {
  std::vector<std::string> out{"all disks kept", "instance store, if any, lost"};
  append(out, lost_memory(live));
  if (live_value(live, "public_ip").as_bool()) out.push_back("IP changes");
  out.push_back("about 2 min down");
  out.push_back("may not start again if the zone is full");
  return out;
}

std::vector<std::string> of_removal(const Change& change) {
  const Live& live = *change.live;
  if (is_request(live)) return {"Spot request cancelled"};
  std::vector<std::string> out;
  bool goes = live_value(live, "root_delete_on_termination").as_bool();
  out.push_back(goes ? "boot disk ERASED" : "boot disk kept");
  bool replaced = change.action == Action::replace;  // a destroyed notebook's disks have changes of their own
  if (std::string volumes = volumes_text(live); replaced && !volumes.empty()) out.push_back(volumes);
  append(out, lost_memory(live));
  if (replaced && live_value(live, "public_ip").as_bool()) out.push_back("IP changes");
  if (!live_text(live, "spot_request").empty()) out.push_back("Spot request cancelled");
  return out;
}

std::vector<std::string> of_stop(const Live& live) {
  std::vector<std::string> out = lost_memory(live);
  out.push_back("instance store, if any, lost");
  out.push_back("disks kept, and billed");
  if (live_value(live, "public_ip").as_bool()) out.push_back("IP changes at the next start");
  return out;
}

bool touches(const Change& change, std::string_view attr) {
  return edits_attr(change.edits, attr);
}

// "disk data", of the volume that an edit of `attachments` is about.
std::string attached_disk(const Live& live, const Edit& edit) {
  std::string volume = edit.attr.substr(std::string_view("attachments.").size());
  std::string_view part = live_value(live, "attached_parts")[volume].as_text();
  return part.starts_with("disk-") ? fmt::format("disk {}", part.substr(5)) : volume;
}

std::vector<std::string> of_update(const Change& change) {
  const Live& live = *change.live;
  std::vector<std::string> out;
  if (touches(change, "root_size_gb")) out.push_back("the file system grows at the next start");
  bool modifies = touches(change, "root_size_gb") || touches(change, "root_type") ||
                  touches(change, "root_iops") || touches(change, "root_throughput");
  if (modifies) out.push_back("EC2 allows a few modifications of a volume a day");
  for (const Edit& edit : change.edits)
    if (edit.attr.starts_with("attachments.") && edit.after.is_null())
      out.push_back(fmt::format("{} kept", attached_disk(live, edit)));
  return out;
}

// --- notes ---

using Notes = std::vector<std::string>;

void note_newer_image(Notes& out, const Resource& r, const Live& live) {
  std::string_view image = wanted(r, "image").as_text(), runs = live_text(live, "source_image");
  const Value& newest = wanted(r, "resolved_image");
  std::string_view remembered = live_text(live, "image");
  bool same_reference = remembered.empty() || remembered == image;
  if (image.starts_with("ami ") || newest.is_null() || !same_reference || runs == newest["id"].as_text())
    return;
  out.push_back(fmt::format("a newer image of {} exists: {} (runs {}); `--replace {}` takes it", r.notebook,
                            newest["name"].as_text(newest["id"].as_text()), runs, r.notebook));
}

void note_unmanaged_machine(Notes& out, const Resource& r, const Live& live) {
  const Value* normal = r.defaults.find("machine_type");
  if (normal == nullptr || live_text(live, "type") == normal->as_text()) return;
  out.push_back(fmt::format("not managed: machine, the cloud has {} (default {})", live_text(live, "type"),
                            normal->as_text()));
}

void note_spot_request(Notes& out, const Live& live) {
  const Value* state = live.tokens.find("spot_state");
  if (state == nullptr || state->as_text() != "cancelled") return;
  out.push_back("its Spot request was cancelled: it runs on and can no longer be stopped, only terminated");
}

// Where it would be made anew.
std::string place_words(const Resource& r, const Live& live) {
  if (!live_value(live, "attachments").as_map().empty())
    return fmt::format("in {}, where its data disk is", live.zone);
  bool nowhere_else =
      std::all_of(r.where.begin(), r.where.end(), [&](const auto& place) { return place == live.zone; });
  return nowhere_else ? "elsewhere, once `where` has more places" : "elsewhere";
}

// What a person can do about an instance that only EC2 can start.
void note_held(Notes& out, const Resource& r, const Live& live) {
  if (!live.health.held) return;
  bool data = !live_value(live, "attachments").as_map().empty();
  std::string how = place_words(r, live);
  if (live.health.detail.find("max_price") != std::string::npos)
    how = "with another `spot.max_price`";
  else if (data)
    how += ", on demand perhaps (`spot: false`)";
  out.push_back(
      fmt::format("wait, EC2 starts it by itself; or make it anew {}: `--replace {}`; boot disk ERASED{}",
                  how, r.notebook, data ? ", data disk kept" : ""));
}

void note_encryption(Notes& out, const Live& live) {
  const Value* encrypted = live.attributes.find("root_encrypted");
  if (encrypted != nullptr && !encrypted->as_bool()) out.push_back("its boot disk is not encrypted");
}

std::string image_words(std::string_view image) {
  if (image.empty()) return "(unknown)";
  return std::string(image.substr(image.find(' ') + 1));
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
    case Action::stop:
      return of_stop(*change.live);
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
  Notes out;
  note_newer_image(out, resource, live);
  note_unmanaged_machine(out, resource, live);
  note_spot_request(out, live);
  note_held(out, resource, live);
  note_encryption(out, live);
  if (auto note = modification_note("its boot disk", live)) out.push_back(std::move(*note));
  if (live.health.state == Health::State::degraded)
    out.push_back(fmt::format("{}; `--replace {}` makes it anew", live.health.detail, resource.notebook));
  return out;
}

std::string gpu_words(const TypeGpu& gpu) {
  return fmt::format("{} x{}", gpu.model, gpu.count);
}

std::string instance_summary(const Resource& resource, const Attempt& attempt) {
  std::string_view type = wanted(resource, "machine_type").as_text();
  std::vector<std::string> parts{std::string(type)};
  if (auto gpu = gpu_of_type(type)) parts.push_back("gpu " + gpu_words(*gpu));
  if (attempt.spot) parts.push_back("spot");
  parts.push_back(fmt::format("boot {} GB", wanted(resource, "root_size_gb").as_int()));
  return join(parts, " · ");
}

std::optional<std::string> instance_words(const Change& change, const Edit& edit) {
  if (edit.secret) return std::nullopt;
  if (edit.attr == "image")
    return fmt::format("image {} → {}", image_words(edit.before.as_text()),
                       image_words(edit.after.as_text()));
  if (edit.attr.starts_with("attachments.")) return attached_disk(*change.live, edit) + " detached";
  if (edit.attr == "boot_data") return std::string("setup or ssh keys changed");
  if (edit.attr == "own_group") return std::string("its own security group put back");
  if (edit.attr == "instance_profile")
    return fmt::format("identity.role {} → {}",
                       edit.before.as_text().empty() ? "(none)" : last_segment(edit.before.as_text()),
                       edit.after.as_text().empty() ? "(none)" : last_segment(edit.after.as_text()));
  return std::nullopt;
}

std::string instance_gpu(const Live& live) {
  auto gpu = gpu_of_type(live_text(live, "type"));
  return gpu ? gpu_words(*gpu) : std::string();
}

}  // namespace nbform::ec2
