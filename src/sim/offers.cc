// Read-only Compute methods over the catalogue: zones, regions, projects, machine, accelerator and disk
// types, networks.
#include <fmt/format.h>

#include "sim/catalogue.h"
#include "sim/compute.h"
#include "sim/instances.h"
#include "sim/lists.h"
#include "sim/quotas.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kBirth = "2014-01-21T18:35:16.514-08:00";

// Ids of static things: from the place in the catalogue.
std::string static_id(std::size_t n) {
  return std::to_string(2000 + n);
}

bool on_offer(const DiskTypeFacts&, std::string_view) {
  return true;
}
bool on_offer(const auto& facts, std::string_view zone) {
  return offered(facts, zone);
}

template <class Facts>
std::vector<Row> rows_of(const Call& call, const std::vector<Facts>& all, bool everywhere) {
  std::vector<Row> rows;
  for (const ZoneFacts& zone : zones())
    if (everywhere || zone.name == call.arg("zone"))
      for (const Facts& facts : all)
        if (on_offer(facts, zone.name)) rows.push_back({"zones/" + zone.name, std::string(facts.name)});
  return rows;
}

Value machine_wire(const std::string& project, const Row& row) {
  const MachineFacts& m = *find_machine(row.scope.substr(6), row.name);
  Map wire{{"kind", "compute#machineType"},
           {"id", static_id(static_cast<std::size_t>(&m - machines().data()) + 10000)},
           {"name", m.name},
           {"creationTimestamp", kBirth},
           {"description", fmt::format("{} vCPUs, {} MB RAM", m.cpus, m.memory_mb)},
           {"guestCpus", m.cpus},
           {"memoryMb", m.memory_mb},
           {"isSharedCpu", m.shared},
           {"maximumPersistentDisks", m.shared ? 16 : 128},
           {"maximumPersistentDisksSizeGb", "263168"},
           {"imageSpaceGb", 0},
           {"architecture", "X86_64"},
           {"zone", row.scope.substr(6)},
           {"selfLink", link({project, row.scope, row.name}, "machineTypes")}};
  if (m.gpus > 0)
    wire.set("accelerators", List{Map{{"guestAcceleratorType", m.gpu}, {"guestAcceleratorCount", m.gpus}}});
  return wire;
}

Value accelerator_wire(const std::string& project, const Row& row) {
  const AcceleratorFacts& a = *find_accelerator(row.scope.substr(6), row.name);
  return Map{{"kind", "compute#acceleratorType"},
             {"id", static_id(static_cast<std::size_t>(&a - accelerators().data()) + 10000)},
             {"name", a.name},
             {"description", a.description},
             {"creationTimestamp", kBirth},
             {"maximumCardsPerInstance", a.max_cards},
             {"zone", global_link(project, row.scope)},
             {"selfLink", link({project, row.scope, row.name}, "acceleratorTypes")}};
}

Value disk_type_wire(const std::string& project, const Row& row) {
  const DiskTypeFacts& t = *find_disk_type(row.name);
  return Map{{"kind", "compute#diskType"},
             {"id", static_id(static_cast<std::size_t>(&t - disk_types().data()) + 30000)},
             {"name", t.name},
             {"description", t.description},
             {"creationTimestamp", kBirth},
             {"validDiskSize", fmt::format("{}GB-{}GB", t.min_gb, t.max_gb)},
             {"defaultDiskSizeGb", std::to_string(t.default_gb)},
             {"zone", global_link(project, row.scope)},
             {"selfLink", link({project, row.scope, row.name}, "diskTypes")}};
}

Value zone_wire(const State& state, const std::string& project, const std::string& name) {
  bool down = state.unreachable.contains(name);
  std::size_t n = 0;
  while (zones()[n].name != name) ++n;
  return Map{{"kind", "compute#zone"},
             {"id", static_id(n)},
             {"name", name},
             {"description", name},
             {"creationTimestamp", kBirth},
             {"status", down ? "DOWN" : "UP"},
             {"region", global_link(project, "regions/" + region_of(name))},
             {"availableCpuPlatforms", List{"Intel Skylake", "Intel Broadwell", "Intel Cascade Lake",
                                            "Intel Haswell", "Intel Sapphire Rapids", "AMD Rome"}},
             {"selfLink", global_link(project, "zones/" + name)}};
}

Value region_wire(const State& state, const std::string& project, const std::string& name) {
  List in;
  for (const ZoneFacts& z : zones())
    if (z.region == name) in.push_back(global_link(project, "zones/" + z.name));
  std::size_t n = 0;
  while (region_names()[n] != name) ++n;
  return Map{{"kind", "compute#region"},
             {"id", static_id(n + 1000)},
             {"name", name},
             {"description", name},
             {"creationTimestamp", kBirth},
             {"status", "UP"},
             {"zones", in},
             {"quotas", quota_list(state, project, name)},
             {"selfLink", global_link(project, "regions/" + name)}};
}

Value network_wire(const std::string& project) {
  List subnets;
  for (const std::string& r : region_names())
    subnets.push_back(global_link(project, fmt::format("regions/{}/subnetworks/default", r)));
  return Map{{"kind", "compute#network"},
             {"id", "5001"},
             {"name", "default"},
             {"description", "Default network for the project"},
             {"creationTimestamp", kBirth},
             {"autoCreateSubnetworks", true},
             {"subnetworks", subnets},
             {"mtu", 1460},
             {"routingConfig", Map{{"routingMode", "REGIONAL"}}},
             {"selfLink", global_link(project, "global/networks/default")}};
}

Value subnetwork_wire(const std::string& project, const std::string& region) {
  std::size_t n = 0;
  while (region_names()[n] != region) ++n;
  return Map{{"kind", "compute#subnetwork"},
             {"id", static_id(n + 4000)},
             {"name", "default"},
             {"creationTimestamp", kBirth},
             {"network", global_link(project, "global/networks/default")},
             {"ipCidrRange", fmt::format("10.{}.0.0/20", 128 + n)},
             {"gatewayAddress", fmt::format("10.{}.0.1", 128 + n)},
             {"region", global_link(project, "regions/" + region)},
             {"privateIpGoogleAccess", false},
             {"purpose", "PRIVATE"},
             {"stackType", "IPV4_ONLY"},
             {"fingerprint", fingerprint({})},
             {"selfLink", global_link(project, fmt::format("regions/{}/subnetworks/default", region))}};
}

Result<Reply> get_zone(State& state, const Call& call) {
  if (!has_zone(call.arg("zone")))
    return refuse("notFound", fmt::format("The resource 'projects/{}/zones/{}' was not found", call.project(),
                                          call.arg("zone")));
  return reply(call, zone_wire(state, call.project(), call.arg("zone")));
}

Result<Reply> list_zones(State& state, const Call& call) {
  std::vector<Row> rows;
  for (const ZoneFacts& z : zones())
    if (state.lists_region(z.region)) rows.push_back({"global", z.name});
  return list_made(
      state, call, rows, [&](const Row& r) { return zone_wire(state, call.project(), r.name); },
      "compute#zoneList");
}

Result<Reply> get_region(State& state, const Call& call) {
  if (!has_region(call.arg("region")))
    return refuse("notFound", fmt::format("The resource 'projects/{}/regions/{}' was not found",
                                          call.project(), call.arg("region")));
  return reply(call, region_wire(state, call.project(), call.arg("region")));
}

Result<Reply> list_regions(State& state, const Call& call) {
  std::vector<Row> rows;
  for (const std::string& r : region_names())
    if (state.lists_region(r)) rows.push_back({"global", r});
  return list_made(
      state, call, rows, [&](const Row& r) { return region_wire(state, call.project(), r.name); },
      "compute#regionList");
}

Value common_metadata(const State& state, const std::string& project) {
  List items;
  auto found = state.project_metadata.find(project);
  if (found != state.project_metadata.end())
    for (const auto& [key, value] : found->second) items.push_back(Map{{"key", key}, {"value", value}});
  Map out{{"kind", "compute#metadata"}, {"fingerprint", fingerprint(items)}};
  if (!items.empty()) out.set("items", std::move(items));
  return out;
}

Result<Reply> get_project(State& state, const Call& call) {
  return reply(call, Map{{"kind", "compute#project"},
                         {"id", "7301954621873301"},
                         {"name", call.project()},
                         {"creationTimestamp", kBirth},
                         {"commonInstanceMetadata", common_metadata(state, call.project())},
                         {"quotas", quota_list(state, call.project(), "")},
                         {"defaultNetworkTier", "PREMIUM"},
                         {"defaultServiceAccount", "123456789012-compute@developer.gserviceaccount.com"},
                         {"xpnProjectStatus", "UNSPECIFIED_XPN_PROJECT_STATUS"},
                         {"selfLink", fmt::format("{}projects/{}", kCompute, call.project())}});
}

// get, list and aggregatedList of one kind of zonal offer.
template <class Facts>
struct Zonal {
  std::string_view collection, argument, list_kind, aggregated_kind;
  const std::vector<Facts>& (*all)();
  Value (*wire)(const std::string& project, const Row& row);
};
constexpr Zonal<MachineFacts> kMachines{
    "machineTypes", "machineType", "compute#machineTypeList", "compute#machineTypeAggregatedList",
    machines,       machine_wire};
constexpr Zonal<AcceleratorFacts> kAccelerators{"acceleratorTypes",
                                                "acceleratorType",
                                                "compute#acceleratorTypeList",
                                                "compute#acceleratorTypeAggregatedList",
                                                accelerators,
                                                accelerator_wire};
constexpr Zonal<DiskTypeFacts> kDiskTypes{
    "diskTypes", "diskType",    "compute#diskTypeList", "compute#diskTypeAggregatedList",
    disk_types,  disk_type_wire};

template <const auto& kOffer>
Result<Reply> get_offer(State&, const Call& call) {
  const std::string& name = call.arg(kOffer.argument);
  for (const auto& facts : kOffer.all())
    if (facts.name == name && on_offer(facts, call.arg("zone")))
      return reply(call, kOffer.wire(call.project(), {call.scope(), name}));
  return not_found(call.key(name), kOffer.collection);
}

template <const auto& kOffer>
Result<Reply> list_offers(State& state, const Call& call) {
  return list_made(
      state, call, rows_of(call, kOffer.all(), false),
      [&](const Row& r) { return kOffer.wire(call.project(), r); }, kOffer.list_kind);
}

template <const auto& kOffer>
Result<Reply> all_offers(State& state, const Call& call) {
  return list_made_aggregated(
      state, call, rows_of(call, kOffer.all(), true),
      [&](const Row& r) { return kOffer.wire(call.project(), r); }, kOffer.aggregated_kind,
      kOffer.collection);
}

Result<Reply> get_network(State&, const Call& call) {
  if (call.arg("network") != "default") return not_found(call.key(call.arg("network")), "networks");
  return reply(call, network_wire(call.project()));
}
Result<Reply> list_networks(State& state, const Call& call) {
  return list_made(
      state, call, {{"global", "default"}}, [&](const Row&) { return network_wire(call.project()); },
      "compute#networkList");
}
Result<Reply> get_subnetwork(State&, const Call& call) {
  if (call.arg("subnetwork") != "default") return not_found(call.key(call.arg("subnetwork")), "subnetworks");
  return reply(call, subnetwork_wire(call.project(), call.arg("region")));
}
Result<Reply> list_subnetworks(State& state, const Call& call) {
  return list_made(
      state, call, {{call.scope(), "default"}},
      [&](const Row&) { return subnetwork_wire(call.project(), call.arg("region")); },
      "compute#subnetworkList");
}

constexpr Handling kMethods[] = {
    {"zones.get", get_zone},
    {"zones.list", list_zones},
    {"regions.get", get_region},
    {"regions.list", list_regions},
    {"projects.get", get_project},
    {"machineTypes.get", get_offer<kMachines>},
    {"machineTypes.list", list_offers<kMachines>},
    {"machineTypes.aggregatedList", all_offers<kMachines>},
    {"acceleratorTypes.get", get_offer<kAccelerators>},
    {"acceleratorTypes.list", list_offers<kAccelerators>},
    {"acceleratorTypes.aggregatedList", all_offers<kAccelerators>},
    {"diskTypes.get", get_offer<kDiskTypes>},
    {"diskTypes.list", list_offers<kDiskTypes>},
    {"diskTypes.aggregatedList", all_offers<kDiskTypes>},
    {"networks.get", get_network},
    {"networks.list", list_networks},
    {"subnetworks.get", get_subnetwork},
    {"subnetworks.list", list_subnetworks},
};

}  // namespace

std::span<const Handling> catalogue_methods() {
  return kMethods;
}

}  // namespace nbform::sim
