// Volumes that grow or change type while in use: ModifyVolume and what becomes of it.
#include <fmt/format.h>

#include <algorithm>

#include "sim/aws/describe.h"
#include "sim/aws/volumes.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr std::size_t kEachDay = 4;
constexpr Duration kDay = std::chrono::hours(24), kOldCooldown = std::chrono::hours(6);

// Four in a rolling day; in older documents one in six hours.
Result<> check_rate(Region& region, std::string_view id, const Value& begun) {
  bool old_rule = region.variant("volume-cooldown");
  Duration window = old_rule ? kOldCooldown : kDay;
  std::size_t recent = 0;
  Time free = region.state.now;
  for (const Value& at : begun.as_list()) {
    Time end = Time{at.as_int()} + window;
    if (end <= region.state.now) continue;
    if (recent++ == 0) free = end;
  }
  if (recent < (old_rule ? 1 : kEachDay)) return Ok{};
  return refuse(
      "VolumeModificationRateExceeded",
      fmt::format("You've reached the maximum modification rate per volume limit. Wait until {} before the "
                  "next modification of volume {}.",
                  stamp(free), id));
}

Result<> check_state(const Resource& volume, const Resource* last, std::string_view id) {
  std::string_view status = volume["status"].as_text();
  if (status != "in-use" && status != "available")
    return refuse("IncorrectState", fmt::format("Volume {} is in the '{}' state.", id, status));
  std::string_view state = last == nullptr ? "completed" : (*last)["modificationState"].as_text();
  if (state == "completed" || state == "failed") return Ok{};
  return refuse("IncorrectModificationState",
                fmt::format("Volume {} cannot be modified in modification state {}", id,
                            state == "optimizing" ? "OPTIMIZING" : "MODIFYING"));
}

// What is left out is kept, but IOPS and throughput start anew with another type.
VolumeSpec target_of(const Value& wire, const Value& in) {
  VolumeSpec spec;
  spec.type = in["VolumeType"].as_text(wire["volumeType"].as_text());
  spec.size = in["Size"].as_int(wire["size"].as_int());
  bool same_type = spec.type == wire["volumeType"].as_text();
  bool keeps = same_type && spec.type != "gp2";
  spec.iops = in["Iops"].as_int(keeps ? wire["iops"].as_int() : spec.type.starts_with("io") ? 3000 : 0);
  spec.throughput = in["Throughput"].as_int(keeps ? wire["throughput"].as_int() : 0);
  return spec;
}

Map side(std::string_view prefix, const Value& size, const Value& type, const Value& iops,
         const Value& throughput) {
  std::string p(prefix);
  return Map{
      {p + "Size", size}, {p + "VolumeType", type}, {p + "Iops", iops}, {p + "Throughput", throughput}};
}

Value optional_number(std::int64_t n) {
  return n == 0 ? Value() : Value(n);
}

Result<Value> modify_volume(Region& region, const Value& in) {
  std::string id(in["VolumeId"].as_text());
  Resource* volume = NB_TRY(region.need("volumes", id));
  Resource* last = region.find("modifications", id);
  NB_TRY(check_state(*volume, last, id));
  NB_TRY(check_rate(region, id, volume->hidden["modified"]));
  VolumeSpec to = target_of(volume->wire(), in);
  std::int64_t from_size = (*volume)["size"].as_int();
  if (to.size < from_size)
    return refuse("InvalidParameterValue",
                  fmt::format("New size cannot be smaller than existing size ({} GiB).", from_size));
  NB_TRY(complete(to));
  Map wire = side("target", to.size, to.type, optional_number(to.iops), optional_number(to.throughput));
  const Value& v = volume->wire();
  for (auto& [name, value] : side("original", v["size"], v["volumeType"], v["iops"], v["throughput"]))
    wire.set(name, value);
  wire.set("volumeId", id);
  wire.set("modificationState", "modifying");
  wire.set("progress", 0);
  wire.set("startTime", stamp(region.now()));
  region.put("modifications", id, wire);
  Value& begun = volume->hidden.map()["modified"];
  if (begun.is_null()) begun = List();
  begun.list().push_back(region.state.now.us);
  region.note("resize", "volumes", id, Map{{"size", to.size}, {"type", to.type}, {"iops", to.iops}});
  region.plan(6, "aws.volume.modified", id);
  return Value(Map{{"volumeModification", std::move(wire)}});
}

void take_effect(Resource& volume, const Value& change) {
  Map& wire = volume.edit();
  wire.set("size", change["targetSize"]);
  wire.set("volumeType", change["targetVolumeType"]);
  wire.set("iops", change["targetIops"]);
  wire.set("throughput", change["targetThroughput"]);
}

constexpr FilterRule kRules[] = {
    {"volume-id", "volumeId"},         {"modification-state", "modificationState"},
    {"target-size", "targetSize"},     {"target-volume-type", "targetVolumeType"},
    {"original-size", "originalSize"}, {"start-time", "startTime"}};

// A volume that was never modified is an error when it is named.
Result<Value> describe_modifications(Region& region, const Value& in) {
  std::vector<Row> rows;
  auto ids = texts(in["VolumeId"]);
  for (const std::string& id : ids) {
    NB_TRY(region.need("volumes", id));
    const Resource* change = region.find("modifications", id);
    if (change == nullptr && !region.variant("unmodified-volume-empty"))
      return refuse("InvalidVolumeModification.NotFound",
                    fmt::format("Modification for volume '{}' does not exist.", id));
    if (change != nullptr) rows.push_back({id, &change->wire()});
  }
  if (ids.empty())
    for (const auto& [key, modification] : region.all("modifications"))
      rows.push_back({key.name, &modification.wire()});
  return describe_rows(region, in, std::move(rows), {"", "", "volumeModificationSet", kRules, {1, 500}});
}

constexpr Action kActions[] = {{"ModifyVolume", modify_volume},
                               {"DescribeVolumesModifications", describe_modifications}};

}  // namespace

void modification_happens(Region& region, const std::string& id) {
  Resource *change = region.find("modifications", id), *volume = region.find("volumes", id);
  if (change == nullptr || volume == nullptr) return;
  Map& wire = change->edit();
  if (wire["modificationState"].as_text() == "modifying") {
    take_effect(*volume, Value(wire));
    wire.set("modificationState", "optimizing");
    wire.set("progress", 50);
    return region.plan(120, "aws.volume.modified", id);
  }
  wire.set("modificationState", "completed");
  wire.set("progress", 100);
  wire.set("endTime", stamp(region.now()));
}

std::span<const Action> modification_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
