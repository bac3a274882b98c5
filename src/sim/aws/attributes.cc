// What can change on an instance, one attribute a call, and what of it needs a stopped one.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/groups.h"
#include "sim/aws/instances.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

struct Target {
  Region& region;
  std::string id;
  Resource& vm;
  const Value& in;
};

Result<> need_stopped(const Target& t) {
  if (state_of(t.vm) == "stopped") return Ok{};
  return refuse("IncorrectInstanceState",
                fmt::format("The instance '{}' is not in the 'stopped' state.", t.id));
}

Result<> refuse_on_spot(const Target& t, std::string_view attribute) {
  if (!is_spot(t.vm)) return Ok{};
  return refuse("UnsupportedOperation",
                fmt::format("Modifying {} is not supported for spot instances: '{}'.", attribute, t.id));
}

Result<> modify_type(const Target& t) {
  std::string_view to = t.in["InstanceType"]["Value"].as_text(), from = t.vm["instanceType"].as_text();
  NB_TRY(need_stopped(t));
  NB_TRY(refuse_on_spot(t, "instanceType"));
  const TypeFacts* type = find_type(to);
  if (type == nullptr)
    return refuse("InvalidInstanceAttributeValue", fmt::format("Invalid value '{}' for InstanceType.", to));
  if (type->arch != find_type(from)->arch)
    return refuse("InvalidInstanceAttributeValue",
                  fmt::format("Modifying the instance type from {} to {} is not allowed", from, to));
  t.vm.edit().set("instanceType", to);
  t.vm.edit()["cpuOptions"].map().set("coreCount", std::max(1, type->vcpus / 2));
  t.region.note("machine_type", "instances", t.id, Map{{"machineType", to}});
  return Ok{};
}

Result<> modify_user_data(const Target& t) {
  NB_TRY(need_stopped(t));
  auto raw = base64_decode(t.in["UserData"]["Value"].as_text());
  if (!raw) return refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
  if (raw->size() > 16384) return refuse("InvalidParameterValue", "User data is limited to 16384 bytes");
  t.vm.hidden.map().set("userData", t.in["UserData"]["Value"]);
  return Ok{};
}

Result<> modify_ebs_optimized(const Target& t) {
  NB_TRY(need_stopped(t));
  t.vm.edit().set("ebsOptimized", t.in["EbsOptimized"]["Value"].as_bool());
  return Ok{};
}

Result<> modify_groups(const Target& t) {
  return set_groups(t.region, t.vm.hidden["interface"].as_text(), texts(t.in["GroupId"]));
}

Result<> modify_source_check(const Target& t) {
  t.vm.edit().set("sourceDestCheck", t.in["SourceDestCheck"]["Value"].as_bool(true));
  return Ok{};
}

Result<> protect(const Target& t, std::string_view parameter, std::string_view hidden) {
  NB_TRY(refuse_on_spot(t, hidden));
  t.vm.hidden.map().set(hidden, t.in[parameter]["Value"].as_bool());
  return Ok{};
}
Result<> modify_termination(const Target& t) {
  return protect(t, "DisableApiTermination", "disableApiTermination");
}
Result<> modify_stop(const Target& t) {
  return protect(t, "DisableApiStop", "disableApiStop");
}

Result<> modify_shutdown(const Target& t) {
  std::string_view to = t.in["InstanceInitiatedShutdownBehavior"]["Value"].as_text();
  if (to != "stop" && to != "terminate")
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter instanceInitiatedShutdownBehavior is invalid.", to));
  t.vm.hidden.map().set("shutdown", to);
  return Ok{};
}

// Left out, DeleteOnTermination means true.
Result<> modify_devices(const Target& t) {
  for (const Value& mapping : t.in["BlockDeviceMapping"].as_list()) {
    Resource* volume = nullptr;
    for (const Value& id : t.vm.hidden["volumes"].as_list()) {
      Resource& v = t.region.get("volumes", id.as_text());
      if (v["attachmentSet"].as_list().at(0)["device"] == mapping["DeviceName"]) volume = &v;
    }
    if (volume == nullptr)
      return refuse("InvalidInstanceAttributeValue",
                    fmt::format("No device is currently mapped at {}", mapping["DeviceName"].as_text()));
    bool goes = mapping["Ebs"]["DeleteOnTermination"].as_bool(true);
    volume->edit()["attachmentSet"].list()[0].map().set("deleteOnTermination", goes);
    t.region.note("auto_delete", "volumes", (*volume)["volumeId"].as_text(),
                  Map{{"deleteOnTermination", goes}});
  }
  refresh_devices(t.region, t.id);
  return Ok{};
}

struct Attribute {
  std::string_view parameter;
  Result<> (*modify)(const Target&);
};
constexpr std::array kAttributes = {
    Attribute{"InstanceType", modify_type},
    Attribute{"UserData", modify_user_data},
    Attribute{"EbsOptimized", modify_ebs_optimized},
    Attribute{"GroupId", modify_groups},
    Attribute{"SourceDestCheck", modify_source_check},
    Attribute{"DisableApiTermination", modify_termination},
    Attribute{"DisableApiStop", modify_stop},
    Attribute{"InstanceInitiatedShutdownBehavior", modify_shutdown},
    Attribute{"BlockDeviceMapping", modify_devices},
};

// The older form: Attribute=instanceType&Value=g5.xlarge.
Value spelled_out(const Value& in) {
  if (in["Attribute"].is_null()) return in;
  std::string name(in["Attribute"].as_text());
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  Value value = in["Value"];
  if (value.as_text() == "true" || value.as_text() == "false") value = value.as_text() == "true";
  Value out = in;
  out.map().erase("Attribute");
  out.map().erase("Value");
  out.map().set(name, Map{{"Value", value}});
  return out;
}

Result<Value> modify_attribute(Region& region, const Value& given) {
  Value in = spelled_out(given);
  std::string id(in["InstanceId"].as_text());
  Resource* vm = NB_TRY(region.need("instances", id));
  const Attribute* chosen = nullptr;
  for (const auto& [name, value] : in.as_map()) {
    if (name == "InstanceId") continue;
    auto it = std::find_if(kAttributes.begin(), kAttributes.end(),
                           [&key = name](const Attribute& a) { return a.parameter == key; });
    if (it == kAttributes.end())
      return refuse("UnsupportedOperation",
                    fmt::format("nbsim does not serve {} of ModifyInstanceAttribute.", name));
    if (chosen != nullptr)
      return refuse("InvalidParameterCombination", "Fields for multiple attribute types specified");
    chosen = &*it;
  }
  if (chosen == nullptr) return refuse("InvalidParameterCombination", "No attributes specified.");
  if (state_of(*vm) == "terminated" || state_of(*vm) == "shutting-down")
    return refuse("IncorrectInstanceState", fmt::format("Instance '{}' is terminated.", id));
  NB_TRY(chosen->modify({region, id, *vm, in}));
  region.note("attribute", "instances", id, Map{{"attribute", chosen->parameter}});
  return Value();
}

// --- describe

Value boxed(Value value) {
  return value.is_null() ? Value(Map()) : Value(Map{{"value", std::move(value)}});
}

Result<Value> describe_attribute(Region& region, const Value& in) {
  std::string_view id = in["InstanceId"].as_text(), name = in["Attribute"].as_text();
  const Resource* vm = NB_TRY(region.need("instances", id));
  Map out{{"instanceId", id}};
  if (name == "groupSet" || name == "blockDeviceMapping" || name == "productCodes")
    out.set(name, (*vm)[name]);
  else if (name == "userData" || name == "disableApiTermination" || name == "disableApiStop")
    out.set(name, boxed(vm->hidden[name]));
  else if (name == "instanceInitiatedShutdownBehavior")
    out.set(name, boxed(vm->hidden["shutdown"]));
  else if (name == "enclaveOptions")
    out.set(name, Map{{"enabled", false}});
  else
    out.set(name, boxed((*vm)[name]));
  return Value(std::move(out));
}

// --- metadata options

Result<Value> modify_metadata(Region& region, const Value& in) {
  std::string id(in["InstanceId"].as_text());
  Resource* vm = NB_TRY(region.need("instances", id));
  std::string_view state = state_of(*vm);
  if (state != "running" && state != "stopped")
    return refuse(
        "IncorrectInstanceState",
        fmt::format("The instance '{}' is not in a state that allows changing its metadata options.", id));
  std::int64_t hops = in["HttpPutResponseHopLimit"].as_int(1);
  if (hops < 1 || hops > 64)
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter HttpPutResponseHopLimit is invalid.", hops));
  Map& options = vm->edit()["metadataOptions"].map();
  for (const auto& [parameter, member] :
       {std::pair("HttpTokens", "httpTokens"),
        std::pair("HttpPutResponseHopLimit", "httpPutResponseHopLimit"),
        std::pair("HttpEndpoint", "httpEndpoint"), std::pair("HttpProtocolIpv6", "httpProtocolIpv6"),
        std::pair("InstanceMetadataTags", "instanceMetadataTags")})
    if (!in[parameter].is_null()) options.set(member, in[parameter]);
  options.set("state", "pending");
  Value shown(options);
  if (state == "running") region.plan(2, "aws.vm.metadata", id);
  region.note("attribute", "instances", id, Map{{"attribute", "MetadataOptions"}});
  return Value(Map{{"instanceId", id}, {"instanceMetadataOptions", std::move(shown)}});
}

constexpr Action kActions[] = {{"ModifyInstanceAttribute", modify_attribute},
                               {"DescribeInstanceAttribute", describe_attribute},
                               {"ModifyInstanceMetadataOptions", modify_metadata}};

}  // namespace

std::span<const Action> attribute_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
