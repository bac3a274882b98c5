#include "sim/disks.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/effects.h"
#include "sim/images.h"
#include "sim/lists.h"
#include "sim/quotas.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

Diagnostic bad_field(std::string_view field, std::string_view value, std::string_view why) {
  return refuse("invalid", fmt::format("Invalid value for field '{}': '{}'. {}", field, value, why));
}

std::string sub(std::string_view field, std::string_view member) {
  return fmt::format("{}.{}", field, member);
}

Result<const DiskTypeFacts*> read_type(const Call& call, const Value& type, std::string_view default_type,
                                       const std::string& field) {
  if (type.is_null()) return find_disk_type(default_type);
  Target target = NB_TRY(read_reference(call, type.as_text(), "diskTypes", field));
  const DiskTypeFacts* facts = find_disk_type(target.name);
  if (facts == nullptr || target.scope != call.scope())
    return bad_field(field, type.as_text(), "The referenced diskType resource cannot be found.");
  return facts;
}

// What a new disk is a copy of, where it is one.
struct Original {
  std::optional<ImageFacts> image;
  const Resource* disk = nullptr;

  std::int64_t gb() const { return image ? image->gb : disk != nullptr ? (*disk)["sizeGb"].as_int() : 0; }
};

Result<const Resource*> read_source_disk(State& state, const Call& call, std::string_view text,
                                         const std::string& field) {
  Key key = NB_TRY(read_reference(call, text, "disks", field)).key();
  if (key.scope != call.scope()) return bad_field(field, text, "The source disk is in another zone.");
  const Resource* disk = state.find("disks", key);
  if (disk == nullptr) return not_found(key, "disks");
  return disk;
}

Result<Original> read_original(State& state, const Call& call, const Value& params, std::string_view field) {
  Original from;
  if (const Value& image = params["sourceImage"]; !image.is_null())
    from.image = NB_TRY(read_image(state, call, image.as_text(), sub(field, "sourceImage")));
  if (const Value& disk = params["sourceDisk"]; !disk.is_null())
    from.disk = NB_TRY(read_source_disk(state, call, disk.as_text(), sub(field, "sourceDisk")));
  if (const Value& snapshot = params["sourceSnapshot"]; !snapshot.is_null())
    return bad_field(sub(field, "sourceSnapshot"), snapshot.as_text(),
                     "The referenced snapshot resource cannot be found.");
  return from;
}

Result<std::int64_t> read_size(const Value& params, const DiskTypeFacts& type, const Original& from,
                               const std::string& field) {
  std::int64_t least = from.gb();
  std::int64_t size = params["sizeGb"].as_int(least > 0 ? least : type.default_gb);
  if (size < least)
    return bad_field(field, std::to_string(size),
                     fmt::format("Requested disk size cannot be smaller than the {} size ({} GB)",
                                 from.image ? "image" : "source disk", least));
  if (size < type.min_gb || size > type.max_gb)
    return bad_field(field, std::to_string(size),
                     fmt::format("Disk size must be between {} GB and {} GB.", type.min_gb, type.max_gb));
  return size;
}

void erase_if_unused(State& state, const Key& key) {
  if (Resource* disk = state.find("disks", key)) {
    give_back_quota(state, *disk, "exists");
    state.disks.erase(key);
  }
}

}  // namespace

Result<Resource> draft_disk(State& state, const Call& call, const Key& key, const Value& params,
                            std::string_view default_type, std::string_view field) {
  NB_TRY(check_labels(params["labels"], sub(field, "labels")));
  const DiskTypeFacts* type = NB_TRY(read_type(call, params["type"], default_type, sub(field, "type")));
  Original from = NB_TRY(read_original(state, call, params, field));
  std::int64_t size = NB_TRY(read_size(params, *type, from, sub(field, "sizeGb")));
  Map wire{{"kind", "compute#disk"},
           {"id", state.new_id()},
           {"name", key.name},
           {"creationTimestamp", state.stamp()},
           {"sizeGb", std::to_string(size)},
           {"zone", global_link(key.project, key.scope)},
           {"status", "CREATING"},
           {"selfLink", link(key, "disks")},
           {"type", global_link(key.project, fmt::format("{}/diskTypes/{}", key.scope, type->name))},
           {"labelFingerprint", fingerprint(params["labels"])},
           {"physicalBlockSizeBytes", "4096"},
           {"enableConfidentialCompute", false}};
  if (!params["labels"].as_map().empty()) wire.set("labels", params["labels"]);
  for (std::string_view copied :
       {"description", "provisionedIops", "provisionedThroughput", "architecture", "accessMode"})
    if (!params[copied].is_null()) wire.set(copied, params[copied]);
  if (from.disk != nullptr) {
    wire.set("sourceDisk", (*from.disk)["selfLink"]);
    wire.set("sourceDiskId", (*from.disk)["id"]);
  }
  if (from.image) {
    Value shown = image_wire(*from.image);
    wire.set("sourceImage", shown["selfLink"]);
    wire.set("sourceImageId", shown["id"]);
    wire.set("architecture", "X86_64");
    wire.set("guestOsFeatures", shown["guestOsFeatures"]);
    wire.set("licenses", shown["licenses"]);
  }
  return Resource(Value(std::move(wire)));
}

void put_disk(State& state, const Key& key, Resource disk, std::string_view status, std::string_view by) {
  disk.edit().set("status", status);
  state.note("insert", key, "disks/" + key.name,
             Map{{"by", by}, {"labels", disk["labels"]}, {"sizeGb", disk["sizeGb"]}, {"id", disk["id"]}});
  state.disks[key] = std::move(disk);
}

void erase_disk(State& state, const Key& key, std::string_view why) {
  Resource* disk = state.find("disks", key);
  if (disk == nullptr) return;
  state.note("delete", key, "disks/" + key.name,
             Map{{"by", why}, {"labels", (*disk)["labels"]}, {"id", (*disk)["id"]}});
  erase_if_unused(state, key);
}

void set_disk_status(State& state, const Key& key, std::string_view status) {
  if (Resource* disk = state.find("disks", key)) disk->edit().set("status", status);
}

void forget_use(State& state, const Key& key) {
  Resource* disk = state.find("disks", key);
  if (disk == nullptr) return;
  disk->edit().erase("lastAttachTimestamp");
  disk->edit().erase("lastDetachTimestamp");
}

void add_user(State& state, const Key& key, const Key& instance) {
  Resource* disk = state.find("disks", key);
  if (disk == nullptr) return;
  disk->edit()["users"].list().push_back(link(instance, "instances"));
  disk->edit().set("lastAttachTimestamp", state.stamp());
  state.note("attach", key, "disks/" + key.name, Map{{"instance", instance.name}});
}

void drop_user(State& state, const Key& key, const Key& instance) {
  Resource* disk = state.find("disks", key);
  if (disk == nullptr) return;
  List& users = disk->edit()["users"].list();
  if (std::erase(users, Value(link(instance, "instances"))) == 0) return;
  if (users.empty()) disk->edit().erase("users");
  disk->edit().set("lastDetachTimestamp", state.stamp());
  state.note("detach", key, "disks/" + key.name, Map{{"instance", instance.name}});
}

Result<Key> free_disk(State& state, const Call& call, std::string_view source, std::string_view field) {
  Target target = NB_TRY(read_reference(call, source, "disks", field));
  Key key = target.key();
  const Resource* disk = state.find("disks", key);
  if (disk == nullptr) return not_found(key, "disks");
  if (target.scope != call.scope())
    return bad_field(field, source, "Disk must be in the same zone as the instance.");
  if (!(*disk)["users"].as_list().empty())
    return refuse("resourceInUseByAnotherResource",
                  fmt::format("The disk resource '{}' is already being used by '{}'", path_of(key, "disks"),
                              (*disk)["users"].as_list()[0].as_text().substr(kCompute.size())));
  if ((*disk)["status"].as_text() != "READY")
    return refuse("resourceNotReady", fmt::format("The resource '{}' is not ready", path_of(key, "disks")));
  return key;
}

Key disk_key(std::string_view source_link) {
  auto parts = split(source_link.substr(kCompute.size()), '/');
  return {std::string(parts[1]), "zones/" + std::string(parts[3]), std::string(parts[5])};
}

namespace {

Result<Reply> insert_disk(State& state, const Call& call) {
  std::string_view name = call.body["name"].as_text();
  NB_TRY(check_name(name, "resource.name"));
  Key key = call.key(name);
  Mutation mutation{"insert", "disks.insert", "disks", key, 4, {}, {}};
  if (state.find("disks", key) != nullptr) {
    std::string message = fmt::format("The resource '{}' already exists", path_of(key, "disks"));
    if (!state.variant("exists-in-operation")) return refuse("alreadyExists", message);
    mutation.failure = Failure{"RESOURCE_ALREADY_EXISTS", 409, message, {}};
    mutation.effect = "disks.refused";
    return submit(state, call, std::move(mutation));
  }
  Value params = call.body;
  if (call.has("sourceImage")) params.map().set("sourceImage", call.param("sourceImage"));
  put_disk(state, key, NB_TRY(draft_disk(state, call, key, params, "pd-standard", "resource")), "CREATING",
           "disks.insert");
  return submit(state, call, std::move(mutation));
}

std::optional<Failure> begin_insert(State& state, const Key& key, Resource&) {
  Resource* disk = state.find("disks", key);
  return take_quota(state, *disk, "exists", disk_charges(key, disk->wire()));
}

std::optional<Failure> complete_insert(State& state, const Key& key, Resource&) {
  set_disk_status(state, key, "READY");
  return std::nullopt;
}

void undo_insert(State& state, const Key& key, Resource&) {
  erase_disk(state, key, "failed insert");
}

std::optional<Failure> nothing(State&, const Key&, Resource&) {
  return std::nullopt;
}

Result<Resource*> existing(State& state, const Call& call, std::string_view argument) {
  Key key = call.key(call.arg(argument));
  Resource* disk = state.find("disks", key);
  if (disk == nullptr || !state.visible(*disk)) return not_found(key, "disks");
  return disk;
}

Result<Reply> get_disk(State& state, const Call& call) {
  return reply(call, *NB_TRY(existing(state, call, "disk")));
}

std::optional<Failure> in_use(const Resource& disk, const Key& key) {
  if (disk["users"].as_list().empty()) return std::nullopt;
  return Failure{"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
                 400,
                 fmt::format("The disk resource '{}' is already being used by '{}'", path_of(key, "disks"),
                             disk["users"].as_list()[0].as_text().substr(kCompute.size())),
                 {}};
}

Result<Reply> delete_disk(State& state, const Call& call) {
  Resource* disk = NB_TRY(existing(state, call, "disk"));
  Key key = call.key(call.arg("disk"));
  if (auto used = in_use(*disk, key)) return refuse("resourceInUseByAnotherResource", used->message);
  return submit(state, call, {"delete", "disks.delete", "disks", key, 2, {}, {}});
}

std::optional<Failure> begin_delete(State& state, const Key& key, Resource&) {
  const Resource* disk = state.find("disks", key);
  if (disk == nullptr) return std::nullopt;
  if (auto used = in_use(*disk, key)) return used;
  set_disk_status(state, key, "DELETING");
  return std::nullopt;
}

std::optional<Failure> complete_delete(State& state, const Key& key, Resource& work) {
  const Resource* disk = state.find("disks", key);
  if (disk == nullptr) return std::nullopt;
  if (auto used = in_use(*disk, key)) return used;
  erase_disk(state, key, work["name"].as_text());
  return std::nullopt;
}

Result<Reply> resize_disk(State& state, const Call& call) {
  Resource* disk = NB_TRY(existing(state, call, "disk"));
  Key key = call.key(call.arg("disk"));
  std::int64_t size = call.body["sizeGb"].as_int(), now = (*disk)["sizeGb"].as_int();
  if (size <= now)
    return bad_field(
        "sizeGb", std::to_string(size),
        fmt::format("New disk size '{}' GB must be larger than existing size '{}' GB.", size, now));
  if (size > 65536)
    return bad_field("sizeGb", std::to_string(size), "Disk size must be between 10 GB and 65536 GB.");
  return submit(state, call,
                {"resizeDisk", "disks.resize", "disks", key, 3, Map{{"sizeGb", std::to_string(size)}}, {}});
}

std::optional<Failure> complete_resize(State& state, const Key& key, Resource& work) {
  Resource* disk = state.find("disks", key);
  if (disk == nullptr)
    return Failure{
        "RESOURCE_NOT_FOUND", 404, fmt::format("The resource '{}' was not found", path_of(key, "disks")), {}};
  Value before = disk->wire();
  disk->edit().set("sizeGb", work.hidden["args"]["sizeGb"]);
  if (auto failure = take_quota(state, *disk, "exists", disk_charges(key, disk->wire()))) {
    disk->edit().set("sizeGb", before["sizeGb"]);
    (void)take_quota(state, *disk, "exists", disk_charges(key, before));
    return failure;
  }
  state.note("resize", key, "disks/" + key.name,
             Map{{"before", before["sizeGb"]}, {"after", (*disk)["sizeGb"]}});
  return std::nullopt;
}

Result<Reply> set_labels(State& state, const Call& call) {
  Resource* disk = NB_TRY(existing(state, call, "resource"));
  NB_TRY(check_labels(call.body["labels"], "labels"));
  bool stale = call.body["labelFingerprint"] != (*disk)["labelFingerprint"];
  if (stale && !state.variant("stale-in-operation"))
    return refuse("conditionNotMet", "Labels fingerprint either invalid or resource labels have changed");
  return submit(state, call,
                {"setLabels", "disks.setLabels", "disks", call.key(call.arg("resource")), 1, call.body, {}});
}

std::optional<Failure> complete_labels(State& state, const Key& key, Resource& work) {
  Resource* disk = state.find("disks", key);
  const Value& args = work.hidden["args"];
  if (disk == nullptr || args["labelFingerprint"] != (*disk)["labelFingerprint"])
    return Failure{
        "CONDITION_NOT_MET", 412, "Labels fingerprint either invalid or resource labels have changed", {}};
  state.note("labels", key, "disks/" + key.name,
             Map{{"before", (*disk)["labels"]}, {"after", args["labels"]}});
  if (args["labels"].as_map().empty())
    disk->edit().erase("labels");
  else
    disk->edit().set("labels", args["labels"]);
  disk->edit().set("labelFingerprint", fingerprint(args["labels"]));
  return std::nullopt;
}

Result<Reply> list_disks(State& state, const Call& call) {
  return list_shelf(state, call, "disks", "compute#diskList");
}
Result<Reply> all_disks(State& state, const Call& call) {
  return list_aggregated(state, call, "disks", "compute#diskAggregatedList");
}

constexpr Effect kEffects[] = {
    {"disks.insert", begin_insert, complete_insert, undo_insert},
    {"disks.refused", nothing, nothing},
    {"disks.delete", begin_delete, complete_delete},
    {"disks.resize", nothing, complete_resize},
    {"disks.setLabels", nothing, complete_labels},
};
constexpr Handling kMethods[] = {
    {"disks.insert", insert_disk},       {"disks.get", get_disk},         {"disks.delete", delete_disk},
    {"disks.resize", resize_disk},       {"disks.setLabels", set_labels}, {"disks.list", list_disks},
    {"disks.aggregatedList", all_disks},
};

}  // namespace

std::span<const Effect> disk_effects() {
  return kEffects;
}
std::span<const Handling> disk_methods() {
  return kMethods;
}

}  // namespace nbform::sim
