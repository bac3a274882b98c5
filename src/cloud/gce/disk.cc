// gce.disk: a persistent disk of its own: a notebook's data disk, or a boot disk that outlived its VM.
// Wire facts: Compute v1 disks (discovery revision 20261106).
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/labels.h"
#include "core/plan.h"

namespace nbform::gce {

namespace {

using M = Mutability;
using S = Sameness;

constexpr std::array kAttrs = {
    Attr{"size_gb", "disk size", "size", M::live, S::at_least, "Size in GiB; grows while attached.", ""},
    Attr{"type", "disk type", "type", M::fixed, S::exact, "Disk type.",
         "a disk keeps the type it was made with"},
    Attr{"kms", "disk kms_key", "kms_key", M::fixed, S::exact, "Cloud KMS key.",
         "a disk keeps the key it was made with"},
    Attr{"iops", "disk iops", "iops", M::live, S::exact, "Provisioned IOPS (Hyperdisk).", ""},
    Attr{"throughput", "disk throughput", "throughput", M::live, S::exact, "Provisioned MB/s (Hyperdisk).",
         ""},
    Attr{"labels", "disk labels", "labels", M::live, S::entries, "Labels.", ""},
};

std::string kms_key_of(const Value& body) {
  std::string_view key = body.at_path("diskEncryptionKey/kmsKeyName").as_text();
  return std::string(key.substr(0, key.find("/cryptoKeyVersions/")));
}

void read_keep(Live& live, const Map& labels) {
  const Value* keep = labels.find(labels::kKeep);
  live.keep = parse_keep(keep != nullptr ? keep->as_text() : std::string_view());
  live.protect = labels.has(labels::kProtect) && labels.find(labels::kProtect)->as_text() == "true";
}

Live decode_disk(const Scope& scope, const Value& body) {
  Live live;
  live.kind = &disk_kind();
  live.scope = scope;
  live.name = body["name"].as_text();
  live.zone = last_segment(body["zone"].as_text());
  live.id = fmt::format("projects/{}/zones/{}/disks/{}", scope.account, live.zone, live.name);
  live.numeric_id = body["id"].as_int();
  Map labels = body["labels"].as_map();
  live.owner = labels::read_owner(labels);
  read_keep(live, labels);
  live.attributes.set("size_gb", body["sizeGb"].as_int());
  live.attributes.set("type", last_segment(body["type"].as_text()));
  live.attributes.set("kms", kms_key_of(body));
  live.attributes.set("source_image", resource_path(body["sourceImage"].as_text()));
  if (!body["provisionedIops"].is_null()) live.attributes.set("iops", body["provisionedIops"].as_int());
  if (!body["provisionedThroughput"].is_null())
    live.attributes.set("throughput", body["provisionedThroughput"].as_int());
  live.attributes.set("labels", std::move(labels));
  for (const Value& user : body["users"].as_list()) live.users.emplace_back(resource_path(user.as_text()));
  live.tokens.set("labels", body["labelFingerprint"]);
  std::string_view status = body["status"].as_text();
  bool settling = status == "CREATING" || status == "RESTORING" || status == "DELETING";
  live.health.state = settling             ? Health::State::settling
                      : status == "FAILED" ? Health::State::failed
                                           : Health::State::none;
  live.health.detail = status;
  live.holds_data = true;
  live.never_used = live.users.empty() && body["lastAttachTimestamp"].as_text().empty();
  live.pins = live.keep != KeepRule::never;
  return live;
}

Call on(const StepContext& c, std::string_view verb, Value body) {
  return zonal("POST", c.live->scope, c.live->zone, fmt::format("disks/{}/{}", c.live->name, verb),
               c.request_id, std::move(body));
}

Map target_labels(const StepContext& c) {
  Map labels = c.live->attributes.find("labels")->as_map();
  apply_entries(labels, *c.edits, "labels");
  return labels;
}

std::optional<Call> set_labels(const StepContext& c, Map labels) {
  if (labels == c.live->attributes.find("labels")->as_map()) return std::nullopt;
  return on(c, "setLabels",
            Map{{"labelFingerprint", *c.live->tokens.find("labels")}, {"labels", std::move(labels)}});
}

std::optional<Call> resize(const StepContext& c) {
  std::int64_t want = wanted(*c.resource, "size_gb").as_int();
  if (c.live->attributes.find("size_gb")->as_int() >= want) return std::nullopt;
  return on(c, "resize", Map{{"sizeGb", fmt::to_string(want)}});
}

// Hyperdisk performance: PATCH with the changed fields named in `paths`.
std::optional<Call> set_performance(const StepContext& c) {
  Map body{{"name", c.live->name}};
  Query paths;
  for (auto [attr, field] : {std::pair{"iops", "provisionedIops"}, {"throughput", "provisionedThroughput"}}) {
    const Value* want = c.resource->attributes.find(attr);
    const Value* now = c.live->attributes.find(attr);
    if (want == nullptr || (now != nullptr && *now == *want)) continue;
    body.set(field, fmt::to_string(want->as_int()));
    paths.emplace_back("paths", field);
  }
  if (paths.empty()) return std::nullopt;
  Call call = zonal("PATCH", c.live->scope, c.live->zone, fmt::format("disks/{}", c.live->name), c.request_id,
                    std::move(body));
  call.query.insert(call.query.end(), paths.begin(), paths.end());
  return call;
}

// "disk:N", "snapshot:N", "image:N"; N may be a full path.
void write_source(Map& body, const Resource& disk, std::string_view zone, bool in_params) {
  std::string_view source = wanted(disk, "source").as_text();
  auto colon = source.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view kind = source.substr(0, colon), name = source.substr(colon + 1);
  auto path = [&](std::string_view rest) {
    return name.find('/') != std::string_view::npos
               ? std::string(name)
               : fmt::format("projects/{}/{}{}", disk.scope.account, rest, name);
  };
  if (kind == "snapshot") body.set("sourceSnapshot", path("global/snapshots/"));
  if (kind == "image") body.set("sourceImage", path("global/images/"));
  if (kind == "disk" && !in_params) body.set("sourceDisk", path(fmt::format("zones/{}/disks/", zone)));
}

Map new_disk(const Resource& disk, std::string_view zone, bool in_params) {
  Map labels;
  for (const auto& [key, value] : wanted(disk, "labels").as_map())
    if (!value.is_null()) labels.set(key, value);
  Map body{{"labels", std::move(labels)}};
  body.set(in_params ? "diskName" : "name", disk.name);
  body.set(in_params ? "diskSizeGb" : "sizeGb", fmt::to_string(wanted(disk, "size_gb").as_int()));
  body.set(in_params ? "diskType" : "type",
           fmt::format("projects/{}/zones/{}/diskTypes/{}", disk.scope.account, zone,
                       wanted(disk, "type").as_text()));
  for (auto [attr, field] : {std::pair{"iops", "provisionedIops"}, {"throughput", "provisionedThroughput"}})
    if (const Value& value = wanted(disk, attr); !value.is_null())
      body.set(field, fmt::to_string(value.as_int()));
  write_source(body, disk, zone, in_params);
  return body;
}

class DiskKind final : public Kind {
 public:
  std::string_view name() const override { return "gce.disk"; }
  std::string_view noun() const override { return "disk"; }
  std::span<const Attr> attrs() const override { return kAttrs; }

  std::vector<Step> create(const Resource&) const override {
    Step insert{Step::Needs::any, "insert", "creating", [](const StepContext& c) -> std::optional<Call> {
                  if (c.live != nullptr) return std::nullopt;
                  Map body = new_disk(*c.resource, c.attempt.zone, false);
                  if (std::string_view key = wanted(*c.resource, "kms").as_text(); !key.empty())
                    body.set("diskEncryptionKey", Map{{"kmsKeyName", key}});
                  return zonal("POST", c.resource->scope, c.attempt.zone, "disks", c.request_id,
                               std::move(body));
                }};
    insert.makes = true;
    return {std::move(insert)};
  }

  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    std::vector<Step> steps;
    auto has = [&](std::string_view attr) { return edits_attr(edits, attr); };
    if (has("labels"))
      steps.push_back({Step::Needs::any, "set-labels", "setting labels",
                       [](const StepContext& c) { return set_labels(c, target_labels(c)); }});
    if (has("size_gb")) steps.push_back({Step::Needs::any, "resize", "growing", resize});
    if (has("iops") || has("throughput"))
      steps.push_back({Step::Needs::any, "set-performance", "changing performance", set_performance});
    return steps;
  }

  std::vector<Step> destroy(const Live&) const override {
    Step remove{Step::Needs::any, "delete", "deleting", [](const StepContext& c) -> std::optional<Call> {
                  if (c.live == nullptr) return std::nullopt;
                  return zonal("DELETE", c.live->scope, c.live->zone, fmt::format("disks/{}", c.live->name),
                               c.request_id);
                }};
    remove.removes = true;
    return {std::move(remove)};
  }

  std::vector<Step> forget() const override {
    return {{Step::Needs::any, "forget", "taking labels off", [](const StepContext& c) {
               Map rest;
               for (const auto& [key, value] : c.live->attributes.find("labels")->as_map())
                 if (!labels::is_own(key)) rest.set(key, value);
               return set_labels(c, std::move(rest));
             }}};
  }

  Call read(const Scope& scope, std::string_view zone, std::string_view name) const override {
    return zonal("GET", scope, zone, fmt::format("disks/{}", name));
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_resource(*this, scope, answer, body);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (!has_place(body))
      return error(Code::unavailable, "An answer lacks what every disk has",
                   "The cloud sent a disk without a name or zone of its kind.");
    return decode_disk(scope, body);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return settle_operation(scope, answer);
  }
  void carry_over(Live&, const Live&) const override {}

  std::vector<std::string> consequences(const Change& change) const override {
    if (change.action == Action::replace) return {fmt::format("{} ERASED", data_name(*change.live))};
    if (change.action == Action::destroy && change.reason != Reason::remainder)
      return {fmt::format("{} ERASED", data_name(*change.live))};
    return {};
  }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const override {
    return zone_and_name(id);
  }
  std::string summary(const Resource& resource, const Attempt&) const override {
    std::string_view part(resource.part);
    return fmt::format("disk {} {} GB", part.substr(part.find('-') + 1),
                       wanted(resource, "size_gb").as_int());
  }
  std::string data_name(const Live& live) const override {
    return fmt::format("disk {} ({} GB)", live.name, live.attributes.find("size_gb")->as_int());
  }
};

}  // namespace

Value carried_disk_params(const Resource& disk, std::string_view zone) {
  return new_disk(disk, zone, true);
}

const Kind& disk_kind() {
  static const DiskKind kind;
  return kind;
}

}  // namespace nbform::gce
