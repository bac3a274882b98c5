// The mutations of ec2.instance: one call each, none where the live side is already so
// (EC2 API Reference).
#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"
#include "core/diff.h"

namespace nbform::ec2 {

namespace {

using Needs = Step::Needs;
using Calling = std::optional<Call> (*)(const StepContext&);

Step plain(Needs needs, std::string id, std::string phase, Calling call) {
  return {needs, std::move(id), std::move(phase), call};
}

const Value& now(const StepContext& c, std::string_view attr) {
  return live_value(*c.live, attr);
}

// Whether an approved edit of the attribute is still to be made.
bool differs(const StepContext& c, std::string_view attr) {
  return c.resource != nullptr && c.edits != nullptr && edits_attr(*c.edits, attr) &&
         !satisfies(instance_kind().attr(attr)->same, wanted(*c.resource, attr), now(c, attr));
}

// ModifyInstanceAttribute takes just one attribute.
Call modify(const StepContext& c, std::string_view parameter, Value value) {
  return call("ModifyInstanceAttribute",
              Map{{"InstanceId", c.live->name}, {std::string(parameter), std::move(value)}});
}

Call keep_mapping(const StepContext& c, std::string_view device, bool goes) {
  return modify(c, "BlockDeviceMapping",
                List{Map{{"DeviceName", device}, {"Ebs", Map{{"DeleteOnTermination", goes}}}}});
}

// --- tags ---

// What the tags should read: approved edits, what nobody wrote down yet, no stale resume mark.
Map target_tags(const StepContext& c) {
  Map tags = now(c, "tags").as_map();
  if (c.edits != nullptr) apply_entries(tags, *c.edits, "tags");
  if (c.resource != nullptr && !tags.has(tag::kImage))
    if (const Value* image = c.resource->attributes.find("image")) tags.set(tag::kImage, *image);
  if (c.edits != nullptr && c.resource != nullptr && edits_attr(*c.edits, "deletion_protection"))
    tags.set(tag::kLock, wanted(*c.resource, "deletion_protection").as_bool() ? Value("true") : Value());
  if (!c.live->health.wants_resume() && !c.live->health.wants_rest()) tags.erase(tag::kResume);
  return tags;
}

void tag_steps(std::vector<Step>& steps) {
  steps.push_back(plain(Needs::any, "set-tags", "setting tags", [](const StepContext& c) {
    return set_tags(c.live->name, now(c, "tags").as_map(), target_tags(c));
  }));
  steps.push_back(plain(Needs::any, "delete-tags", "removing tags", [](const StepContext& c) {
    return delete_tags(c.live->name, now(c, "tags").as_map(), target_tags(c));
  }));
}

Map target_root_tags(const StepContext& c) {
  Map tags = now(c, "root_tags").as_map();
  apply_entries(tags, *c.edits, "root_tags");
  return tags;
}

void root_tag_steps(std::vector<Step>& steps) {
  steps.push_back(plain(Needs::any, "set-root-tags", "tagging the root volume", [](const StepContext& c) {
    return set_tags(now(c, "root_volume").as_text(), now(c, "root_tags").as_map(), target_root_tags(c));
  }));
  steps.push_back(
      plain(Needs::any, "delete-root-tags", "removing tags of the root volume", [](const StepContext& c) {
        return delete_tags(now(c, "root_volume").as_text(), now(c, "root_tags").as_map(),
                           target_root_tags(c));
      }));
}

// --- root volume ---

// Size, type and performance travel together: each modification counts against a daily limit.
std::optional<Call> modify_root(const StepContext& c) {
  Map p{{"VolumeId", now(c, "root_volume")}};
  for (auto [attr, field] : {std::pair{"root_size_gb", "Size"},
                             {"root_type", "VolumeType"},
                             {"root_iops", "Iops"},
                             {"root_throughput", "Throughput"}})
    if (differs(c, attr)) p.set(field, wanted(*c.resource, attr));
  if (p.size() == 1) return std::nullopt;
  // Another type takes its usual performance unless told.
  if (p.has("VolumeType"))
    for (auto [attr, field] : {std::pair{"root_iops", "Iops"}, {"root_throughput", "Throughput"}})
      if (const Value* declared = c.resource->attributes.find(attr)) p.set(field, *declared);
  return call("ModifyVolume", std::move(p));
}

std::optional<Call> keep_root(const StepContext& c) {
  if (!differs(c, "root_delete_on_termination")) return std::nullopt;
  return keep_mapping(c, now(c, "root_device").as_text(),
                      wanted(*c.resource, "root_delete_on_termination").as_bool());
}

// --- access ---

std::optional<Call> set_groups(const StepContext& c) {
  if (!differs(c, "security_groups") && !differs(c, "own_group")) return std::nullopt;
  const Value& others =
      differs(c, "security_groups") ? wanted(*c.resource, "security_groups") : now(c, "security_groups");
  List groups;
  if (const Live* own = c.live_at(c.resource->notebook + "/security-group")) groups.push_back(own->id);
  for (const Value& group : others.as_list()) groups.push_back(group);
  return modify(c, "GroupId", std::move(groups));
}

std::optional<Call> set_imds(const StepContext& c) {
  if (!differs(c, "imds_tokens") && !differs(c, "imds_hops")) return std::nullopt;
  return call("ModifyInstanceMetadataOptions",
              Map{{"HttpEndpoint", "enabled"},
                  {"HttpPutResponseHopLimit", wanted(*c.resource, "imds_hops")},
                  {"HttpTokens", wanted(*c.resource, "imds_tokens")},
                  {"InstanceId", c.live->name}});
}

Map profile_name(std::string_view profile) {
  return Map{{profile.starts_with("arn:") ? "Arn" : "Name", profile}};
}

std::string_view association(const StepContext& c) {
  return live_token(*c.live, "profile_association");
}

// A stopped instance cannot replace its profile: it lets go of one and takes the other.
std::optional<Call> drop_profile(const StepContext& c) {
  if (!differs(c, "instance_profile") || association(c).empty()) return std::nullopt;
  bool replaces = !wanted(*c.resource, "instance_profile").as_text().empty() &&
                  c.live->health.state == Health::State::running;
  if (replaces) return std::nullopt;
  return call("DisassociateIamInstanceProfile", Map{{"AssociationId", association(c)}});
}

std::optional<Call> take_profile(const StepContext& c) {
  std::string_view want = wanted(*c.resource, "instance_profile").as_text();
  if (!differs(c, "instance_profile") || want.empty()) return std::nullopt;
  bool replaces = !association(c).empty() && c.live->health.state == Health::State::running;
  if (replaces)
    return call("ReplaceIamInstanceProfileAssociation",
                Map{{"AssociationId", association(c)}, {"IamInstanceProfile", profile_name(want)}});
  return call("AssociateIamInstanceProfile",
              Map{{"IamInstanceProfile", profile_name(want)}, {"InstanceId", c.live->name}});
}

Step lock_step(bool value) {
  return {Needs::any, "set-termination-protection", "setting termination protection",
          [value](const StepContext& c) -> std::optional<Call> {
            if (c.live->locked == value) return std::nullopt;
            return modify(c, "DisableApiTermination", Map{{"Value", value}});
          }};
}

// --- boot data ---

// The tag that says what it is comes last: until then a further run sends it again.
void boot_data_steps(std::vector<Step>& steps) {
  steps.push_back(plain(Needs::stopped, "set-boot-data", "changing the boot data",
                        [](const StepContext& c) -> std::optional<Call> {
                          if (!differs(c, "boot_data")) return std::nullopt;
                          std::string text = base64(wanted(*c.resource, "user_data").as_text());
                          return modify(c, "UserData", Map{{"Value", std::move(text)}});
                        }));
  steps.push_back(plain(Needs::stopped, "tag-boot-data", "noting the boot data", [](const StepContext& c) {
    Map tags = now(c, "tags").as_map();
    if (differs(c, "boot_data")) tags.set(tag::kBoot, wanted(*c.resource, "boot_data"));
    return set_tags(c.live->name, now(c, "tags").as_map(), tags);
  }));
}

// --- power ---

std::string_view token(const StepContext& c, std::string_view name) {
  return live_token(*c.live, name);
}

std::optional<Diagnostic> cannot_stop(const StepContext& c) {
  if (!never_stops(*c.live)) return std::nullopt;
  bool one_time = token(c, "spot_type") == "one-time";
  return error(Code::unsupported, "This Spot instance cannot be stopped",
               fmt::format("The Spot request of {} {}. EC2 stops only instances of a persistent request.",
                           c.live->name, one_time ? "is a one-time request" : "was cancelled"))
      .with_hint("`spot: {on_preemption: stop}` makes one that can be stopped; --replace makes it anew.");
}

std::optional<Diagnostic> cannot_start(const StepContext& c) {
  std::string_view status = token(c, "spot_status");
  bool taken = status == "instance-stopped-no-capacity" || status == "instance-stopped-by-price";
  if (!taken) return std::nullopt;
  return error(Code::capacity, "Only EC2 may restart this Spot instance",
               fmt::format("EC2 stopped {} ({}) and starts it again when there is capacity in {}.",
                           c.live->name, status, c.live->zone));
}

// --- removal ---

bool boot_survives(const StepContext& c) {
  if (c.resource != nullptr) return c.resource->keep != KeepRule::never;
  return now(c, "root_tags")[tag::kKeep].as_text() == keep_name(KeepRule::always);
}

std::optional<Call> keep_boot(const StepContext& c) {
  bool goes = now(c, "root_delete_on_termination").as_bool(), keep = boot_survives(c);
  bool right = keep ? !goes : goes || c.resource == nullptr;
  if (right) return std::nullopt;
  return keep_mapping(c, now(c, "root_device").as_text(), !keep);
}

// A data volume goes with its instance only where somebody switched that on: ours have changes of their own.
Step keep_volume_step(std::string volume) {
  return {Needs::any, "keep-" + volume, "keeping " + volume,
          [volume](const StepContext& c) -> std::optional<Call> {
            const List& going = now(c, "delete_on_termination").as_list();
            if (std::find(going.begin(), going.end(), Value(volume)) == going.end()) return std::nullopt;
            return keep_mapping(c, now(c, "attachments")[volume].as_text(), false);
          }};
}

Diagnostic still_goes(const StepContext& c, std::string_view volume) {
  return error(
      Code::data_loss, "A kept disk would go with its instance",
      fmt::format("{} is still set to be deleted together with {}, although nbform switched that off. "
                  "The instance is left alone.",
                  volume, c.live->name));
}

std::optional<Diagnostic> would_lose_disk(const StepContext& c) {
  if (boot_survives(c) && now(c, "root_delete_on_termination").as_bool())
    return still_goes(c, now(c, "root_volume").as_text());
  if (const List& going = now(c, "delete_on_termination").as_list(); !going.empty())
    return still_goes(c, going.front().as_text());
  return std::nullopt;
}

// Without it EC2 would launch another one for the request; with it EC2 terminates a stopped one itself.
std::optional<Call> cancel_spot(const StepContext& c) {
  std::string_view request = now(c, "spot_request").as_text(), state = token(c, "spot_state");
  bool open = state.empty() || state == "open" || state == "active" || state == "disabled";
  if (request.empty() || !open) return std::nullopt;
  return call("CancelSpotInstanceRequests", Map{{"SpotInstanceRequestId", List{request}}});
}

std::optional<Call> terminate(const StepContext& c) {
  if (c.live == nullptr || is_request(*c.live)) return std::nullopt;
  return call("TerminateInstances", Map{{"InstanceId", List{c.live->name}}});
}

Step detach_step(const std::string& volume) {
  return {Needs::any, "detach-" + volume, "detaching " + volume,
          [volume](const StepContext& c) -> std::optional<Call> {
            if (now(c, "attachments")[volume].is_null()) return std::nullopt;
            return call("DetachVolume", Map{{"InstanceId", c.live->name}, {"VolumeId", volume}});
          }};
}

Map forgotten_tags(const StepContext& c) {
  Map tags = without_own(now(c, "tags").as_map());
  tags.set(tag::kForgotten, "true");
  return tags;
}

std::optional<Call> untag_request(const StepContext& c) {
  std::string_view request = now(c, "spot_request").as_text();
  if (request.empty()) return std::nullopt;
  Map owner;
  labels::write_owner(owner, c.live->owner, labels::kAws);
  return delete_tags(request, owner, Map());
}

}  // namespace

bool never_stops(const Live& live) {
  return live_value(live, "market").as_text() == "spot" &&
         (live_token(live, "spot_type") == "one-time" || live_token(live, "spot_state") == "cancelled");
}

std::vector<Step> instance_create(const Resource& resource) {
  Step run{Needs::any, "run", "launching", [](const StepContext& c) -> std::optional<Call> {
             if (c.live != nullptr) return std::nullopt;
             return call("RunInstances", run_parameters(c));
           }};
  run.makes = true;
  std::vector<Step> steps{std::move(run)};
  for (const Value& part : wanted(resource, "volumes").as_list()) {
    std::string name(part.as_text());
    steps.push_back({Needs::any, "attach-" + name, "attaching " + name,
                     [name](const StepContext& c) -> std::optional<Call> {
                       const Live* volume = c.live_at(fmt::format("{}/{}", c.resource->notebook, name));
                       if (volume == nullptr || c.live == nullptr)
                         return std::nullopt;  // new: attaches itself
                       return attach_call(c, *volume, *c.live, name);
                     }});
  }
  return steps;
}

std::vector<Step> instance_update(const std::vector<Edit>& edits) {
  std::vector<Step> steps;
  auto has = [&](std::string_view attr) { return edits_attr(edits, attr); };
  if (has("tags") || has("deletion_protection")) tag_steps(steps);
  if (has("root_tags")) root_tag_steps(steps);
  if (has("root_delete_on_termination"))
    steps.push_back(plain(Needs::any, "keep-root", "setting keep of the boot disk", keep_root));
  if (has("root_size_gb") || has("root_type") || has("root_iops") || has("root_throughput"))
    steps.push_back(plain(Needs::any, "modify-root", "modifying the root volume", modify_root));
  if (has("security_groups") || has("own_group"))
    steps.push_back(plain(Needs::any, "set-groups", "changing security groups", set_groups));
  if (has("imds_tokens") || has("imds_hops"))
    steps.push_back(plain(Needs::any, "set-imds", "changing the metadata service", set_imds));
  if (has("instance_profile")) {
    steps.push_back(plain(Needs::any, "drop-profile", "removing the instance profile", drop_profile));
    steps.push_back(plain(Needs::any, "take-profile", "changing the instance profile", take_profile));
  }
  for (const Edit& edit : edits) {
    if (edit.attr.starts_with("attachments.") && edit.after.is_null())
      steps.push_back(detach_step(edit.attr.substr(12)));
    if (edit.attr == "deletion_protection") steps.push_back(lock_step(edit.after.as_bool()));
  }
  if (has("boot_data")) boot_data_steps(steps);
  if (has("machine_type"))
    steps.push_back(
        plain(Needs::stopped, "set-type", "changing the instance type",
              [](const StepContext& c) -> std::optional<Call> {
                if (!differs(c, "machine_type")) return std::nullopt;
                return modify(c, "InstanceType", Map{{"Value", wanted(*c.resource, "machine_type")}});
              }));
  return steps;
}

std::vector<Step> instance_destroy(const Live& live) {
  std::vector<Step> steps;
  for (const Value& volume : live_value(live, "delete_on_termination").as_list())
    steps.push_back(keep_volume_step(std::string(volume.as_text())));
  steps.push_back(plain(Needs::any, "keep-boot", "keeping the boot disk", keep_boot));
  steps.push_back(plain(Needs::any, "unlock", "removing termination protection",
                        [](const StepContext& c) -> std::optional<Call> {
                          bool approved = c.edits != nullptr && edits_attr(*c.edits, "deletion_protection");
                          return approved ? lock_step(false).call(c) : std::nullopt;
                        }));
  steps.push_back(plain(Needs::any, "cancel-spot", "cancelling the Spot request", cancel_spot));
  steps.back().forbid = would_lose_disk;
  steps.push_back(plain(Needs::any, "terminate", "terminating", terminate));
  steps.back().forbid = would_lose_disk;
  steps.back().removes = true;
  return steps;
}

Step instance_stop() {
  Step stop = plain(Needs::any, "stop", "stopping", [](const StepContext& c) -> std::optional<Call> {
    if (c.live->health.state == Health::State::stopped) return std::nullopt;
    return call("StopInstances", Map{{"InstanceId", List{c.live->name}}});
  });
  stop.forbid = cannot_stop;
  return stop;
}

Step instance_start() {
  Step start = plain(Needs::any, "start", "starting", [](const StepContext& c) -> std::optional<Call> {
    if (c.live->health.state == Health::State::running) return std::nullopt;
    return call("StartInstances", Map{{"InstanceId", List{c.live->name}}});
  });
  start.forbid = cannot_start;
  return start;
}

Step instance_mark_resume(bool set) {
  if (set)
    return plain(Needs::any, "mark-resume", "marking the restart", [](const StepContext& c) {
      Map tags = target_tags(c);
      if (c.live->health.started) tags.set(tag::kResume, fmt::to_string(c.live->health.started->millis()));
      return set_tags(c.live->name, now(c, "tags").as_map(), tags);
    });
  return plain(Needs::any, "unmark-resume", "unmarking the restart",
               [](const StepContext& c) -> std::optional<Call> {
                 Map tags = now(c, "tags").as_map();
                 if (!tags.erase(tag::kResume)) return std::nullopt;
                 return delete_tags(c.live->name, now(c, "tags").as_map(), tags);
               });
}

std::vector<Step> instance_forget() {
  return {plain(Needs::any, "forget-boot", "taking tags off the root volume",
                [](const StepContext& c) {
                  return delete_tags(now(c, "root_volume").as_text(), now(c, "root_tags").as_map(),
                                     without_own(now(c, "root_tags").as_map()));
                }),
          plain(Needs::any, "forget-request", "taking tags off the Spot request", untag_request),
          // Its client token stays, and would speak for us.
          plain(Needs::any, "mark-forgotten", "marking it as forgotten",
                [](const StepContext& c) {
                  return set_tags(c.live->name, now(c, "tags").as_map(), forgotten_tags(c));
                }),
          plain(Needs::any, "forget", "taking tags off", [](const StepContext& c) {
            return delete_tags(c.live->name, now(c, "tags").as_map(), forgotten_tags(c));
          })};
}

}  // namespace nbform::ec2
