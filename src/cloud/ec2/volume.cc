// ec2.volume: an EBS volume of its own: a notebook's data disk, or a root volume that outlived its instance.
// It is made after its machine, in its zone, and attaches itself. Facts: EBS User Guide.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "base/time.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"

namespace nbform::ec2 {

namespace {

using M = Mutability;
using S = Sameness;

constexpr std::array kAttrs = {
    Attr{"size_gb", "disk size", "size", M::live, S::at_least, "Size in GiB; grows while attached.", ""},
    Attr{"type", "disk type", "type", M::live, S::exact, "Volume type.", ""},
    Attr{"iops", "disk iops", "iops", M::live, S::exact, "Provisioned IOPS (gp3, io1, io2).", ""},
    Attr{"throughput", "disk throughput", "throughput", M::live, S::exact, "Provisioned MiB/s (gp3).", ""},
    Attr{"kms", "disk kms_key", "kms_key", M::fixed, S::last_segment, "KMS key.",
         "a volume keeps the key it was made with"},
    Attr{"attached", "disk attached", "", M::live, S::exact, "Whether it is attached to its instance.", ""},
    Attr{"tags", "disk labels", "labels", M::live, S::entries, "Tags.", ""},
};

Live decode_volume(const Scope& scope, const Value& item) {
  Live live;
  live.kind = &volume_kind();
  live.scope = scope;
  live.id = live.name = item["volumeId"].as_text();
  live.zone = item["availabilityZone"].as_text();
  Map tags = read_tags(item);
  live.owner = labels::read_owner(tags, labels::kAws);
  const Value* keep = tags.find(tag::kKeep);
  live.keep = parse_keep(keep != nullptr ? keep->as_text() : std::string_view());
  live.protect = tags.has(tag::kProtect) && tags.find(tag::kProtect)->as_text() == "true";
  live.attributes.set("size_gb", item["size"].as_int());
  live.attributes.set("type", item["volumeType"].as_text());
  if (!item["iops"].is_null()) live.attributes.set("iops", item["iops"].as_int());
  if (!item["throughput"].is_null()) live.attributes.set("throughput", item["throughput"].as_int());
  live.attributes.set("kms", item["kmsKeyId"].as_text());
  live.attributes.set("encrypted", is_true(item["encrypted"]));
  const Value& attachment = item.at_path("attachmentSet/0");
  std::string_view attached = attachment["status"].as_text();
  live.attributes.set("attached", attached == "attached" || attached == "attaching" || attached == "busy");
  live.attributes.set("instance", attachment["instanceId"].as_text());
  live.attributes.set("device", attachment["device"].as_text());
  live.attributes.set("tags", std::move(tags));
  std::string_view status = item["status"].as_text();
  bool settling = status == "creating" || status == "deleting" || attached == "detaching";
  live.health.state = settling            ? Health::State::settling
                      : status == "error" ? Health::State::failed
                                          : Health::State::none;
  live.health.detail = attached == "detaching" ? attached : status;
  live.holds_data = true;
  bool stays = live.keep != KeepRule::never || attachment["instanceId"].is_text();  // goes along with nothing
  live.pins = stays && live.owner.part != "boot";  // an old root starts nothing
  return live;
}

bool is_gone(const Value& item) {
  return item["status"].as_text() == "deleted" || item["status"].as_text() == "deleting";
}

// --- steps ---

using Needs = Step::Needs;

std::string_view part_of(const StepContext& c) {
  return c.resource != nullptr ? std::string_view(c.resource->part) : std::string_view(c.live->owner.part);
}

const Live* machine_of(const StepContext& c) {
  return c.live_at(fmt::format("{}/instance", c.resource->notebook));
}

// "snapshot:snap-0123" of the manifest; a new volume is empty otherwise.
std::string_view snapshot_of(const Resource& r) {
  std::string_view source = wanted(r, "source").as_text();
  return source.starts_with("snapshot:") ? source.substr(9) : std::string_view();
}

std::optional<Call> create_call(const StepContext& c) {
  if (c.live != nullptr) return std::nullopt;
  const Resource& r = *c.resource;
  Map tags;
  for (const auto& [key, value] : wanted(r, "tags").as_map())
    if (!value.is_null()) tags.set(key, value);
  Owner owner = labels::read_owner(tags, labels::kAws);
  tags.set(tag::kIncarnation, fmt::to_string(c.incarnation));
  const Live* machine = machine_of(c);
  Map p{{"AvailabilityZone", machine != nullptr ? machine->zone : c.attempt.zone},
        {"Encrypted", true},
        {"Size", wanted(r, "size_gb")},
        {"TagSpecification", List{tag_specification("volume", tags)}},
        {"VolumeType", wanted(r, "type")}};
  for (auto [attr, field] : {std::pair{"iops", "Iops"}, {"throughput", "Throughput"}, {"kms", "KmsKeyId"}})
    if (const Value& value = wanted(r, attr); !value.is_null()) p.set(field, value);
  if (auto snapshot = snapshot_of(r); !snapshot.empty()) p.set("SnapshotId", snapshot);
  p.set("ClientToken", client_token(owner, c));
  return call("CreateVolume", std::move(p));
}

Step attach_step() {
  return {Needs::any, "attach", "attaching", [](const StepContext& c) -> std::optional<Call> {
            const Live* machine = machine_of(c);
            if (machine == nullptr || c.live == nullptr) return std::nullopt;
            return attach_call(c, *c.live, *machine, part_of(c));
          }};
}

// All that differs in one call: EC2 counts modifications.
std::optional<Call> modify(const StepContext& c) {
  Map p{{"VolumeId", c.live->name}};
  const Resource& r = *c.resource;
  if (wanted(r, "size_gb").as_int() > live_value(*c.live, "size_gb").as_int())
    p.set("Size", wanted(r, "size_gb"));
  bool retyped = r.attributes.has("type") && wanted(r, "type") != live_value(*c.live, "type");
  if (retyped) p.set("VolumeType", wanted(r, "type"));
  for (auto [attr, field] : {std::pair{"iops", "Iops"}, {"throughput", "Throughput"}}) {
    const Value* want = r.attributes.find(attr);
    if (want != nullptr && (retyped || *want != live_value(*c.live, attr))) p.set(field, *want);
  }
  if (p.size() == 1) return std::nullopt;
  return call("ModifyVolume", std::move(p));
}

std::optional<Call> detach(const StepContext& c) {
  std::string_view instance =
      c.live != nullptr ? live_value(*c.live, "instance").as_text() : std::string_view();
  if (instance.empty() || live_value(*c.live, "device").as_text().empty()) return std::nullopt;
  return call("DetachVolume", Map{{"InstanceId", instance}, {"VolumeId", c.live->name}});
}

class VolumeKind final : public Kind {
 public:
  std::string_view name() const override { return "ec2.volume"; }
  std::string_view noun() const override { return "volume"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  bool is_named() const override { return false; }
  Duration settles_within() const override { return kConsistent; }

  std::vector<Step> create(const Resource&) const override {
    Step make{Needs::any, "create", "creating", create_call};
    make.makes = true;
    return {std::move(make), attach_step()};
  }
  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    std::vector<Step> steps;
    auto has = [&](std::string_view attr) { return edits_attr(edits, attr); };
    if (has("tags")) steps = tag_steps();
    // Attach first: EC2 attaches nothing while it modifies.
    if (has("attached")) steps.push_back(attach_step());
    if (has("size_gb") || has("type") || has("iops") || has("throughput"))
      steps.push_back({Needs::any, "modify", "modifying", modify});
    return steps;
  }
  std::vector<Step> destroy(const Live&) const override {
    return {{Needs::any, "detach", "detaching", detach}, delete_step("DeleteVolume", "VolumeId")};
  }
  std::vector<Step> forget() const override { return {untag_step()}; }

  Call read(const Scope&, std::string_view, std::string_view name) const override {
    return describe("DescribeVolumes", "volume-id", name);
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_item(*this, scope, answer, body["volumeSet"].as_list(), is_gone);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (body["volumeId"].as_text().empty() || body["availabilityZone"].as_text().empty())
      return error(Code::unavailable, "An answer lacks what every volume has",
                   "The cloud sent a volume without id or zone.");
    return decode_volume(scope, body);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return ec2::settle(scope, answer);
  }
  void carry_over(Live&, const Live&) const override {}

  std::vector<std::string> consequences(const Change& change) const override {
    bool removed = change.action == Action::replace ||
                   (change.action == Action::destroy && change.reason != Reason::remainder);
    if (removed) return {fmt::format("{} ERASED", data_name(*change.live))};
    bool modifies = edits_attr(change.edits, "size_gb") || edits_attr(change.edits, "type") ||
                    edits_attr(change.edits, "iops") || edits_attr(change.edits, "throughput");
    if (modifies) return {"EC2 allows a few modifications of a volume a day"};
    return {};
  }
  std::optional<std::string> postpones(const Live& live, const Edit& edit) const override {
    if (!waits_for_modification(live, edit, "")) return std::nullopt;
    return "a change of its disk waits until EC2 is done with the one before";
  }
  std::vector<std::string> notes(const Resource& resource, const Live& live) const override {
    std::vector<std::string> out;
    std::string disk = "disk " + resource.part.substr(resource.part.find('-') + 1);
    const Value* encrypted = live.attributes.find("encrypted");
    if (encrypted != nullptr && !encrypted->as_bool()) out.push_back(disk + " is not encrypted");
    if (auto note = modification_note(disk, live)) out.push_back(std::move(*note));
    return out;
  }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const override {
    if (!id.starts_with("vol-")) return std::nullopt;
    return std::pair(std::string(), std::string(id));
  }
  // "train-data": what consoles show.
  bool goes_as(const Resource& resource, const Live& companion) const override {
    const Value& shown = live_value(companion, "tags")[tag::kName];
    return !shown.is_null() && shown == wanted(resource, "tags")[tag::kName];
  }
  std::optional<std::string> words(const Change&, const Edit& edit) const override {
    if (edit.attr == "attached") return std::string("disk attached again");
    return std::nullopt;
  }
  std::string summary(const Resource& resource, const Attempt&) const override {
    std::string_view part(resource.part);
    return fmt::format("disk {} {} GB", part.substr(part.find('-') + 1),
                       wanted(resource, "size_gb").as_int());
  }
  std::string data_name(const Live& live) const override {
    const Map& tags = live_value(live, "tags").as_map();
    const Value* name = tags.find(tag::kName);
    return fmt::format("disk {} ({} GB)", name != nullptr ? name->as_text() : std::string_view(live.name),
                       live_value(live, "size_gb").as_int());
  }
};

}  // namespace

std::optional<std::string> modification_note(std::string_view what, const Live& live) {
  const Value* state = live.tokens.find("modification");
  if (state == nullptr) return std::nullopt;
  const Value* progress = live.tokens.find("modification_progress");
  auto since = parse_rfc3339(live_token(live, "modification_since"));
  return fmt::format("{} is still {}{} ({} %); EC2 takes no other modification of it until that is done",
                     what, state->as_text(),
                     since ? fmt::format(" since {} UTC", format_date_clock(*since)) : std::string(),
                     progress != nullptr ? progress->as_int() : 0);
}

bool waits_for_modification(const Live& live, const Edit& edit, std::string_view prefix) {
  std::string_view attr(edit.attr);
  if (live.tokens.find("modification") == nullptr || !attr.starts_with(prefix)) return false;
  attr.remove_prefix(prefix.size());
  return attr == "size_gb" || attr == "type" || attr == "iops" || attr == "throughput";
}

const Kind& volume_kind() {
  static const VolumeKind kind;
  return kind;
}

}  // namespace nbform::ec2
