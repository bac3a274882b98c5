#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/disks.h"
#include "sim/instances.h"
#include "sim/refusal.h"

namespace nbform::sim {

Diagnostic bad_field(std::string_view field, std::string_view value, std::string_view why) {
  return refuse("invalid", fmt::format("Invalid value for field '{}': '{}'. {}", field, value, why));
}

bool is_spot(const Value& scheduling) {
  return scheduling["provisioningModel"].as_text() == "SPOT" || scheduling["preemptible"].as_bool();
}

Result<const MachineFacts*> read_machine(const Call& call, std::string_view reference, const Key& key,
                                         std::string_view field) {
  Target target = NB_TRY(read_reference(call, reference, "machineTypes", field));
  const MachineFacts* machine = find_machine(key.zone(), target.name);
  if (machine != nullptr && target.scope == key.scope) return machine;
  return bad_field(
      field, reference,
      fmt::format("Machine type with name '{}' does not exist in zone '{}'.", target.name, key.zone()));
}

bool has_gpu(const Value& instance, const MachineFacts& machine) {
  return machine.gpus > 0 || !instance["guestAccelerators"].as_list().empty();
}

namespace {

constexpr std::string_view kScheduling = "resource.scheduling";

std::string in_scheduling(std::string_view member) {
  return fmt::format("{}.{}", kScheduling, member);
}

Result<> check_spot(const Value& s) {
  if (s["automaticRestart"].as_bool())
    return bad_field(in_scheduling("automaticRestart"), "true",
                     "Scheduling must have preemptible be false when AutomaticRestart is true.");
  if (s["onHostMaintenance"].as_text() == "MIGRATE")
    return bad_field(in_scheduling("onHostMaintenance"), "MIGRATE",
                     "Scheduling must have onHostMaintenance TERMINATE when the provisioning model is SPOT.");
  return Ok{};
}

Result<> check_run_time(const Value& s) {
  bool limited = !s["maxRunDuration"].is_null() || !s["terminationTime"].is_null();
  if (!s["maxRunDuration"].is_null() && !s["terminationTime"].is_null())
    return bad_field(in_scheduling("terminationTime"), s["terminationTime"].as_text(),
                     "maxRunDuration and terminationTime exclude each other.");
  std::int64_t seconds = s["maxRunDuration"]["seconds"].as_int();
  if (!s["maxRunDuration"].is_null() && (seconds < 30 || seconds > 120 * 86400))
    return bad_field(in_scheduling("maxRunDuration.seconds"), std::to_string(seconds),
                     "Must be between 30 seconds and 120 days.");
  if (!s["terminationTime"].is_null() && !parse_rfc3339(s["terminationTime"].as_text()))
    return bad_field(in_scheduling("terminationTime"), s["terminationTime"].as_text(),
                     "Must be an RFC 3339 time.");
  if (!s["instanceTerminationAction"].is_null() && !limited && !is_spot(s))
    return bad_field(
        in_scheduling("instanceTerminationAction"), s["instanceTerminationAction"].as_text(),
        "You can only set instanceTerminationAction for Spot VMs and for VMs with a limited run time.");
  return Ok{};
}

}  // namespace

Result<Value> read_scheduling(const State& state, const Value& asked, bool has_gpu) {
  Value out = Map();
  const Value& given = out;
  Map& s = out.map();
  for (const auto& [key, value] : asked.as_map())
    if (!value.is_null()) s.set(key, value);
  bool spot = is_spot(asked);
  if (spot && given["provisioningModel"].is_null())
    s.set("provisioningModel", asked["preemptible"].as_bool() ? "STANDARD" : "SPOT");
  if (given["provisioningModel"].is_null()) s.set("provisioningModel", "STANDARD");
  if (given["automaticRestart"].is_null()) s.set("automaticRestart", !spot);
  if (given["onHostMaintenance"].is_null()) s.set("onHostMaintenance", spot ? "TERMINATE" : "MIGRATE");
  if (spot) NB_TRY(check_spot(given));
  NB_TRY(check_run_time(given));
  if (has_gpu && given["onHostMaintenance"].as_text() != "TERMINATE")
    return bad_field(in_scheduling("onHostMaintenance"), given["onHostMaintenance"].as_text(),
                     "Instances with guest accelerators do not support live migration.");
  bool limited = !given["maxRunDuration"].is_null() || !given["terminationTime"].is_null();
  if ((spot || limited) && given["instanceTerminationAction"].is_null())
    s.set("instanceTerminationAction", "STOP");
  if (state.variant("preemptible-absent") && given["provisioningModel"].as_text() == "SPOT")
    s.erase("preemptible");
  else
    s.set("preemptible", spot);
  return out;
}

Value built_in_accelerators(const State& state, const MachineFacts& machine, const Key& key) {
  if (machine.gpus == 0 || state.variant("built-in-gpus-hidden")) return {};
  return List{Map{{"acceleratorCount", machine.gpus},
                  {"acceleratorType",
                   global_link(key.project, fmt::format("{}/acceleratorTypes/{}", key.scope, machine.gpu))}}};
}

Result<Value> read_accelerators(const Call& call, const Value& asked, const MachineFacts& machine,
                                const Key& key) {
  constexpr std::string_view kField = "resource.guestAccelerators";
  List out;
  for (const Value& item : asked.as_list()) {
    Target target = NB_TRY(read_reference(call, item["acceleratorType"].as_text(), "acceleratorTypes",
                                          "resource.guestAccelerators[0].acceleratorType"));
    const AcceleratorFacts* facts = find_accelerator(key.zone(), target.name);
    std::int64_t count = item["acceleratorCount"].as_int();
    if (facts == nullptr || target.scope != key.scope)
      return bad_field(
          "resource.guestAccelerators[0].acceleratorType", item["acceleratorType"].as_text(),
          fmt::format("Accelerator type '{}' is not available in zone '{}'.", target.name, key.zone()));
    bool power_of_two = count > 0 && (count & (count - 1)) == 0;
    if (!power_of_two || count > facts->max_cards)
      return bad_field("resource.guestAccelerators[0].acceleratorCount", std::to_string(count),
                       "The number of GPUs is not supported.");
    bool built_in = machine.gpus == count && machine.gpu == target.name;
    if (!built_in && (machine.gpus > 0 || machine.series != "n1" || !facts->attachable))
      return bad_field(kField, target.name,
                       fmt::format("[{}, {}] features are not compatible for creating instance.",
                                   machine.name, target.name));
    out.push_back(Map{{"acceleratorCount", count},
                      {"acceleratorType", global_link(key.project, fmt::format("{}/acceleratorTypes/{}",
                                                                               key.scope, target.name))}});
  }
  if (out.size() > 1) return bad_field(kField, "", "At most one accelerator type can be attached.");
  return Value(std::move(out));
}

Result<Value> read_metadata(const Value& asked) {
  constexpr std::string_view kField = "resource.metadata.items";
  std::set<std::string> seen;
  std::size_t total = 0;
  List items;
  for (const Value& item : asked["items"].as_list()) {
    std::string key(item["key"].as_text());
    bool legal = !key.empty() && key.size() < 128 && std::all_of(key.begin(), key.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!legal) return bad_field(kField, key, "Metadata key is not legal.");
    if (!seen.insert(key).second) return bad_field(kField, key, "Metadata has duplicate key.");
    if (!item["value"].is_text()) return bad_field(kField, key, "Metadata value is required.");
    total += key.size() + item["value"].as_text().size();
    if (item["value"].as_text().size() > 256 * 1024)
      return bad_field(kField, key, "Metadata value is too large; it can be at most 262144 characters.");
    items.push_back(Map{{"key", key}, {"value", item["value"]}});
  }
  if (total > 512 * 1024)
    return bad_field(kField, "", "Metadata is too large; it can be at most 524288 characters in all.");
  Map out{{"kind", "compute#metadata"}, {"fingerprint", fingerprint(items)}};
  if (!items.empty()) out.set("items", std::move(items));
  return Value(std::move(out));
}

Result<Value> read_tags(const Value& asked) {
  List items;
  for (const Value& tag : asked["items"].as_list()) {
    NB_TRY(check_name(tag.as_text(), "resource.tags.items"));
    if (std::find(items.begin(), items.end(), tag) != items.end())
      return bad_field("resource.tags.items", tag.as_text(), "Duplicate tag.");
    items.push_back(tag);
  }
  Map out{{"fingerprint", fingerprint(items)}};
  if (!items.empty()) out.set("items", std::move(items));
  return Value(std::move(out));
}

Result<Value> read_service_accounts(const Value& asked) {
  List out;
  for (const Value& item : asked.as_list()) {
    std::string email(item["email"].as_text());
    if (email.empty() && !item["scopes"].as_list().empty()) email = "default";
    if (email.empty()) continue;
    if (email == "default") email = "123456789012-compute@developer.gserviceaccount.com";
    if (email.find('@') == std::string::npos)
      return bad_field("resource.serviceAccounts[0].email", email, "The email address is not valid.");
    for (const Value& scope : item["scopes"].as_list())
      if (!scope.as_text().starts_with("https://"))
        return bad_field("resource.serviceAccounts[0].scopes", scope.as_text(), "The scope is not a URL.");
    if (item["scopes"].as_list().empty())
      return bad_field("resource.serviceAccounts[0].scopes", "", "At least one scope is required.");
    out.push_back(Map{{"email", email}, {"scopes", item["scopes"]}});
  }
  if (out.size() > 1) return bad_field("resource.serviceAccounts", "", "At most one service account.");
  return Value(std::move(out));
}

Result<Value> read_access_config(const Value& asked) {
  Map out{{"kind", "compute#accessConfig"},
          {"type", "ONE_TO_ONE_NAT"},
          {"name", "External NAT"},
          {"networkTier", "PREMIUM"}};
  if (asked["type"].as_text("ONE_TO_ONE_NAT") != "ONE_TO_ONE_NAT")
    return bad_field("accessConfigs[0].type", asked["type"].as_text(), "Must be ONE_TO_ONE_NAT.");
  for (std::string_view member : {"name", "networkTier", "natIP"})
    if (!asked[member].is_null() && !asked[member].as_text().empty()) out.set(member, asked[member]);
  return Value(std::move(out));
}

namespace {

Result<Value> read_interface(const Call& call, const Value& asked, const Key& key) {
  std::string region = "regions/" + region_of(key.zone());
  Map nic{{"kind", "compute#networkInterface"},
          {"name", "nic0"},
          {"stackType", asked["stackType"].as_text("IPV4_ONLY")},
          {"networkIP", asked["networkIP"].as_text("")}};
  std::string subnet = "default";
  if (!asked["network"].is_null()) {
    Target network = NB_TRY(read_reference(call, asked["network"].as_text(), "networks",
                                           "resource.networkInterfaces[0].network"));
    if (network.name != "default") return not_found(network.key(), "networks");
  }
  if (!asked["subnetwork"].is_null()) {
    Target found = NB_TRY(read_reference(call, asked["subnetwork"].as_text(), "subnetworks",
                                         "resource.networkInterfaces[0].subnetwork"));
    if (found.scope != region)
      return bad_field("resource.networkInterfaces[0].subnetwork", asked["subnetwork"].as_text(),
                       "The subnetwork is in another region than the instance.");
    if (found.name != "default") return not_found(found.key(), "subnetworks");
  }
  nic.set("network", global_link(key.project, "global/networks/default"));
  nic.set("subnetwork", global_link(key.project, fmt::format("{}/subnetworks/{}", region, subnet)));
  if (!asked["nicType"].is_null()) nic.set("nicType", asked["nicType"]);
  List configs;
  for (const Value& config : asked["accessConfigs"].as_list())
    configs.push_back(NB_TRY(read_access_config(config)));
  if (configs.size() > 1)
    return bad_field("resource.networkInterfaces[0].accessConfigs", "",
                     "At most one access config is supported.");
  if (!configs.empty()) nic.set("accessConfigs", std::move(configs));
  nic.set("fingerprint", fingerprint(Value(nic)));
  return Value(std::move(nic));
}

Result<Value> read_interfaces(State& state, const Call& call, const Key& key) {
  List asked = call.body["networkInterfaces"].as_list();
  if (asked.empty()) asked.push_back(Map());
  if (asked.size() > 1) return bad_field("resource.networkInterfaces", "", "The simulator has one network.");
  Value nic = NB_TRY(read_interface(call, asked[0], key));
  if (nic["networkIP"].as_text().empty()) {
    std::uint64_t n = ++state.last_id;
    nic.map().set("networkIP", fmt::format("10.{}.{}.{}", 128 + n / 60000 % 100, n / 250 % 240, n % 250 + 2));
  }
  return Value(List{nic});
}

// initializeParams in the words of a disk.
Value disk_params(const Value& params) {
  Map out;
  for (const auto& [key, value] : params.as_map())
    out.set(key == "diskSizeGb" ? "sizeGb"
            : key == "diskType" ? "type"
            : key == "diskName" ? "name"
                                : key,
            value);
  return out;
}

class DiskReader {
 public:
  DiskReader(State& state, const Call& call, const Key& instance, const MachineFacts& machine)
      : state_(state), call_(call), instance_(instance), machine_(machine) {}

  Result<> read(const Value& asked, std::size_t index, Draft& draft) {
    std::string field = fmt::format("resource.disks[{}]", index);
    if (asked["type"].as_text("PERSISTENT") != "PERSISTENT")
      return bad_field(field + ".type", "SCRATCH", "The simulator has no local SSDs.");
    if (asked["boot"].as_bool() != (index == 0))
      return bad_field(field + ".boot", index == 0 ? "false" : "true",
                       "Exactly the first disk must be the boot disk.");
    std::string device(asked["deviceName"].as_text());
    if (device.empty()) device = fmt::format("persistent-disk-{}", index);
    if (!devices_.insert(device).second)
      return bad_field(field + ".deviceName", device, "The device name is used twice.");
    bool by_source = !asked["source"].is_null(), by_params = !asked["initializeParams"].is_null();
    if (by_source == by_params)
      return bad_field(field, "", "Exactly one of source and initializeParams is required.");
    DraftDisk disk = by_source ? NB_TRY(attached(asked, field)) : NB_TRY(made(asked, index, field));
    for (const DraftDisk& other : draft.disks)
      if (other.key == disk.key) return bad_field(field, disk.key.name, "The disk is named twice.");
    draft.disks.push_back(std::move(disk));
    return Ok{};
  }

 private:
  Result<DraftDisk> attached(const Value& asked, const std::string& field) {
    Key key = NB_TRY(free_disk(state_, call_, asked["source"].as_text(), field + ".source"));
    return DraftDisk{key, std::nullopt};
  }

  Result<DraftDisk> made(const Value& asked, std::size_t index, const std::string& field) {
    Value params = disk_params(asked["initializeParams"]);
    std::string name(params["name"].as_text());
    if (name.empty()) name = index == 0 ? instance_.name : fmt::format("{}-{}", instance_.name, index);
    NB_TRY(check_name(name, field + ".initializeParams.diskName"));
    Key key{instance_.project, instance_.scope, name};
    if (const Resource* taken = state_.find("disks", key)) return name_taken(*taken, key, field);
    if (index == 0 && params["sourceImage"].is_null() && params["sourceSnapshot"].is_null())
      return bad_field(field, "", "Boot disk must have a source specified.");
    params.map().set("name", name);
    Resource disk = NB_TRY(draft_disk(state_, call_, key, params, default_disk_type(machine_.series),
                                      field + ".initializeParams"));
    return DraftDisk{key, std::move(disk)};
  }

  Result<DraftDisk> name_taken(const Resource& taken, const Key& key, const std::string& field) {
    bool free = taken["users"].as_list().empty() && taken["status"].as_text() == "READY";
    if (state_.variant("disk-name-attaches") && free) return DraftDisk{key, std::nullopt};
    if (state_.variant("disk-name-in-use"))
      return refuse("resourceInUseByAnotherResource",
                    fmt::format("The disk resource '{}' is already being used", path_of(key, "disks")));
    (void)field;
    return refuse("alreadyExists", fmt::format("The resource '{}' already exists", path_of(key, "disks")));
  }

  State& state_;
  const Call& call_;
  Key instance_;
  const MachineFacts& machine_;
  std::set<std::string> devices_;
};

Value shielded_config(const Value& asked) {
  return Map{{"enableSecureBoot", asked["enableSecureBoot"].as_bool(false)},
             {"enableVtpm", asked["enableVtpm"].as_bool(true)},
             {"enableIntegrityMonitoring", asked["enableIntegrityMonitoring"].as_bool(true)}};
}

}  // namespace

Value shown_disk(State& state, const Key& disk, const Value& asked, std::size_t index) {
  const Resource* made = state.find("disks", disk);
  Map out{{"kind", "compute#attachedDisk"},
          {"type", "PERSISTENT"},
          {"mode", asked["mode"].as_text("READ_WRITE")},
          {"boot", asked["boot"].as_bool()},
          {"autoDelete", asked["autoDelete"].as_bool()},
          {"index", static_cast<int>(index)},
          {"interface", asked["interface"].as_text("SCSI")},
          {"source", link(disk, "disks")},
          {"deviceName", asked["deviceName"].as_text().empty() ? fmt::format("persistent-disk-{}", index)
                                                               : std::string(asked["deviceName"].as_text())}};
  if (made != nullptr)
    for (std::string_view copied : {"architecture", "guestOsFeatures", "licenses"})
      if (!(*made)[copied].is_null()) out.set(copied, (*made)[copied]);
  if (made != nullptr) out.set("diskSizeGb", (*made)["sizeGb"]);
  return out;
}

Result<Draft> draft_instance(State& state, const Call& call, const Key& key) {
  const Value& body = call.body;
  const MachineFacts* machine =
      NB_TRY(read_machine(call, body["machineType"].as_text(), key, "resource.machineType"));
  NB_TRY(check_labels(body["labels"], "resource.labels"));
  Value accelerators = NB_TRY(read_accelerators(call, body["guestAccelerators"], *machine, key));
  if (machine->gpus > 0) accelerators = built_in_accelerators(state, *machine, key);
  Draft draft;
  DiskReader reader(state, call, key, *machine);
  const List& disks = body["disks"].as_list();
  if (disks.empty()) return bad_field("resource.disks", "", "No disks are specified.");
  for (std::size_t i = 0; i < disks.size(); ++i) NB_TRY(reader.read(disks[i], i, draft));
  Map wire{
      {"kind", "compute#instance"},
      {"name", key.name},
      {"zone", global_link(key.project, key.scope)},
      {"selfLink", link(key, "instances")},
      {"status", "PROVISIONING"},
      {"startRestricted", false},
      {"machineType", global_link(key.project, fmt::format("{}/machineTypes/{}", key.scope, machine->name))},
      {"canIpForward", body["canIpForward"].as_bool()},
      {"deletionProtection", body["deletionProtection"].as_bool()},
      {"cpuPlatform", "Unknown CPU Platform"},
      {"labelFingerprint", fingerprint(body["labels"])},
      {"shieldedInstanceConfig", shielded_config(body["shieldedInstanceConfig"])},
      {"shieldedInstanceIntegrityPolicy", Map{{"updateAutoLearnPolicy", true}}}};
  wire.set("scheduling", NB_TRY(read_scheduling(state, body["scheduling"],
                                                machine->gpus > 0 || !accelerators.as_list().empty())));
  wire.set("metadata", NB_TRY(read_metadata(body["metadata"])));
  wire.set("tags", NB_TRY(read_tags(body["tags"])));
  wire.set("networkInterfaces", NB_TRY(read_interfaces(state, call, key)));
  Value accounts = NB_TRY(read_service_accounts(body["serviceAccounts"]));
  if (!accounts.as_list().empty()) wire.set("serviceAccounts", accounts);
  if (!accelerators.as_list().empty()) wire.set("guestAccelerators", accelerators);
  if (!body["labels"].as_map().empty()) wire.set("labels", body["labels"]);
  for (std::string_view copied :
       {"description", "hostname", "minCpuPlatform", "reservationAffinity", "confidentialInstanceConfig",
        "advancedMachineFeatures", "displayDevice", "keyRevocationActionType"})
    if (!body[copied].is_null()) wire.set(copied, body[copied]);
  draft.wire = std::move(wire);
  return draft;
}

}  // namespace nbform::sim
