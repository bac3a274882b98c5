// Instance profiles and their associations. IAM itself is not here: every name is known unless a test says
// that it is not, or not yet.
#include <fmt/format.h>

#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/instances.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

std::string profile_name(const Value& profile) {
  return std::string(profile["Name"].as_text(last_segment(profile["Arn"].as_text())));
}

Resource* association_of(Region& region, std::string_view instance) {
  for (auto& [key, a] : region.all("profile-associations")) {
    if (a["instanceId"].as_text() == instance && a["state"].as_text() != "disassociated") return &a;
  }
  return nullptr;
}

Resource& make_association(Region& region, std::string_view instance, const Value& profile) {
  std::string id = region.new_id("iip-assoc-");
  return region.put("profile-associations", id,
                    Map{{"associationId", id},
                        {"instanceId", instance},
                        {"iamInstanceProfile", profile},
                        {"state", "associated"},
                        {"timestamp", stamp(region.now())}});
}

}  // namespace

void associate_profile(Region& region, std::string_view instance) {
  const Value profile = region.get("instances", instance)["iamInstanceProfile"];
  if (!profile.is_null()) make_association(region, instance, profile);
}

void drop_association(Region& region, std::string_view instance) {
  const Resource* association = association_of(region, instance);
  if (association != nullptr)
    region.erase("profile-associations", std::string((*association)["associationId"].as_text()));
}

Result<> check_profile(Region& region, const Value& profile) {
  if (profile.is_null()) return Ok{};
  std::string name = profile_name(profile);
  auto known = region.state.aws.profiles_from.find(name);
  if (known == region.state.aws.profiles_from.end() || known->second <= region.state.now) return Ok{};
  std::string_view member = profile["Arn"].is_null() ? "name" : "arn";
  return refuse(
      "InvalidParameterValue",
      fmt::format(
          "Value ({}) for parameter iamInstanceProfile.{} is invalid. Invalid IAM Instance Profile {}", name,
          member, member));
}

Value shown_profile(const Region& region, const Value& profile) {
  std::string name = profile_name(profile);
  return Map{{"arn", fmt::format("arn:aws:iam::{}:instance-profile/{}", region.account, name)},
             {"id", fmt::format("AIPA{:017X}", std::hash<std::string>()(name))}};
}

namespace {

Value shown_association(const Resource& association) {
  return Map{{"iamInstanceProfileAssociation", association.wire()}};
}

constexpr FilterRule kRules[] = {{"instance-id", "instanceId"}, {"state", "state"}};

Result<Value> describe_associations(Region& region, const Value& in) {
  return describe(region, in,
                  {"profile-associations", "AssociationId", "iamInstanceProfileAssociationSet", kRules, {}});
}

void set_profile(Region& region, std::string_view instance, const Value& profile) {
  Resource& vm = region.get("instances", instance);
  if (profile.is_null())
    vm.edit().erase("iamInstanceProfile");
  else
    vm.edit().set("iamInstanceProfile", profile);
  region.note("profile", "instances", instance, Map{{"profile", profile}});
}

Result<Value> associate(Region& region, const Value& in) {
  std::string id(in["InstanceId"].as_text());
  NB_TRY(region.need("instances", id));
  NB_TRY(check_profile(region, in["IamInstanceProfile"]));
  if (association_of(region, id) != nullptr)
    return refuse("IncorrectState", fmt::format("There is an existing association for instance {}", id));
  Value profile = shown_profile(region, in["IamInstanceProfile"]);
  set_profile(region, id, profile);
  return shown_association(make_association(region, id, profile));
}

Result<Value> replace(Region& region, const Value& in) {
  Resource* old = NB_TRY(region.need("profile-associations", in["AssociationId"].as_text()));
  NB_TRY(check_profile(region, in["IamInstanceProfile"]));
  std::string id((*old)["instanceId"].as_text());
  if (state_of(region.get("instances", id)) != "running")
    return refuse("IncorrectInstanceState",
                  fmt::format("The instance '{}' is not in the 'running' state.", id));
  region.erase("profile-associations", in["AssociationId"].as_text());
  Value profile = shown_profile(region, in["IamInstanceProfile"]);
  set_profile(region, id, profile);
  return shown_association(make_association(region, id, profile));
}

Result<Value> disassociate(Region& region, const Value& in) {
  Resource* old = NB_TRY(region.need("profile-associations", in["AssociationId"].as_text()));
  old->edit().set("state", "disassociating");
  Value shown = shown_association(*old);
  set_profile(region, (*old)["instanceId"].as_text(), Value());
  region.erase("profile-associations", in["AssociationId"].as_text());
  return shown;
}

constexpr Action kActions[] = {{"DescribeIamInstanceProfileAssociations", describe_associations},
                               {"AssociateIamInstanceProfile", associate},
                               {"ReplaceIamInstanceProfileAssociation", replace},
                               {"DisassociateIamInstanceProfile", disassociate}};

}  // namespace

std::span<const Action> profile_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
