#include "sim/quotas.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sim/catalogue.h"

namespace nbform::sim {

namespace {

double listed_limit(const std::vector<QuotaFacts>& facts, std::string_view metric, double fallback) {
  for (const QuotaFacts& q : facts)
    if (q.metric == metric) return q.limit;
  return fallback;
}

bool is_spot(const Value& instance) {
  return instance["scheduling"]["provisioningModel"].as_text() == "SPOT" ||
         instance["scheduling"]["preemptible"].as_bool();
}

// Spot counts against PREEMPTIBLE_X once that has a limit, else against X.
std::string metric_for(const State& state, const Key& key, std::string_view metric, bool spot) {
  std::string preemptible = fmt::format("PREEMPTIBLE_{}", metric);
  if (!spot) return std::string(metric);
  return quota_limit(state, {key.project, region_of(key.zone()), preemptible}) > 0 ? preemptible
                                                                                   : std::string(metric);
}

Failure exceeded(const Charge& charge, double limit) {
  std::string where = charge.key.region.empty() ? "globally" : "in region " + charge.key.region;
  Map dimensions;
  if (!charge.key.region.empty()) dimensions.set("region", charge.key.region);
  std::string limit_name =
      charge.key.metric + (charge.key.region.empty() ? "-per-project" : "-per-project-region");
  std::string service_metric = "compute.googleapis.com/" + to_lower(charge.key.metric);
  Value info = Map{{"quotaInfo", Map{{"metricName", service_metric},
                                     {"limitName", limit_name},
                                     {"dimensions", dimensions},
                                     {"limit", limit}}}};
  return {"QUOTA_EXCEEDED",
          403,
          fmt::format("Quota '{}' exceeded.  Limit: {:.1f} {}.", charge.key.metric, limit, where),
          {info}};
}

Value charge_list(const std::vector<Charge>& charges) {
  List out;
  for (const Charge& c : charges)
    out.push_back(Map{{"project", c.key.project},
                      {"region", c.key.region},
                      {"metric", c.key.metric},
                      {"amount", c.amount}});
  return out;
}

void add_usage(State& state, const Value& charges, double sign) {
  for (const Value& c : charges.as_list())
    state.usage[{std::string(c["project"].as_text()), std::string(c["region"].as_text()),
                 std::string(c["metric"].as_text())}] += sign * c["amount"].as_real();
}

double addresses(const Value& instance) {
  std::size_t n = 0;
  for (const Value& nic : instance["networkInterfaces"].as_list()) n += nic["accessConfigs"].as_list().size();
  return static_cast<double>(n);
}

}  // namespace

double quota_limit(const State& state, const QuotaKey& key) {
  for (auto rule = state.quota_rules.rbegin(); rule != state.quota_rules.rend(); ++rule) {
    bool place = key.region.empty() ? rule->region_glob.empty() || rule->region_glob == "global"
                                    : glob_match(rule->region_glob, key.region);
    if (place && glob_match(rule->project_glob, key.project) && glob_match(rule->metric_glob, key.metric))
      return rule->limit;
  }
  return listed_limit(key.region.empty() ? project_quotas() : region_quotas(), key.metric, 0);
}

Value quota_list(const State& state, const std::string& project, const std::string& region) {
  List out;
  for (const QuotaFacts& q : region.empty() ? project_quotas() : region_quotas()) {
    QuotaKey key{project, region, std::string(q.metric)};
    auto used = state.usage.find(key);
    out.push_back(Map{{"metric", q.metric},
                      {"limit", quota_limit(state, key)},
                      {"usage", used == state.usage.end() ? 0.0 : used->second}});
  }
  return out;
}

std::vector<Charge> running_charges(const State& state, const Key& key, const Value& instance) {
  std::vector<Charge> out;
  std::string region = region_of(key.zone());
  auto charge = [&](std::string place, std::string metric, double amount) {
    if (!metric.empty() && amount > 0)
      out.push_back({{key.project, std::move(place), std::move(metric)}, amount});
  };
  bool spot = is_spot(instance);
  const MachineFacts* machine = find_machine(key.zone(), last_segment(instance["machineType"].as_text()));
  if (machine == nullptr) return out;
  std::string_view cpus = cpu_quota(machine->series);
  if (!cpus.empty()) charge(region, metric_for(state, key, cpus, spot), machine->cpus);
  charge("", "CPUS_ALL_REGIONS", machine->cpus);
  auto gpus = [&](std::string_view model, double count) {
    const AcceleratorFacts* a = find_accelerator(key.zone(), model);
    if (a == nullptr || count <= 0) return;
    if (!a->quota.empty()) charge(region, metric_for(state, key, a->quota, spot), count);
    charge("", "GPUS_ALL_REGIONS", count);
  };
  gpus(machine->gpu, machine->gpus);
  if (machine->gpus == 0)
    for (const Value& g : instance["guestAccelerators"].as_list())
      gpus(last_segment(g["acceleratorType"].as_text()), g["acceleratorCount"].as_real());
  charge(region, "IN_USE_ADDRESSES", addresses(instance));
  return out;
}

std::vector<Charge> disk_charges(const Key& key, const Value& disk) {
  const DiskTypeFacts* type = find_disk_type(last_segment(disk["type"].as_text()));
  if (type == nullptr) return {};
  return {{{key.project, region_of(key.zone()), std::string(type->quota)},
           static_cast<double>(disk["sizeGb"].as_int())}};
}

std::optional<Failure> over_quota(const State& state, const std::vector<Charge>& charges) {
  if (!state.options.quotas) return std::nullopt;
  for (const Charge& c : charges) {
    double limit = quota_limit(state, c.key);
    auto used = state.usage.find(c.key);
    if ((used == state.usage.end() ? 0 : used->second) + c.amount > limit) return exceeded(c, limit);
  }
  return std::nullopt;
}

std::optional<Failure> take_quota(State& state, Resource& holder, std::string_view slot,
                                  std::vector<Charge> charges) {
  give_back_quota(state, holder, slot);
  if (auto failure = over_quota(state, charges)) return failure;
  Value list = charge_list(charges);
  add_usage(state, list, 1);
  holder.hidden.map().set(slot, list);
  return std::nullopt;
}

void give_back_quota(State& state, Resource& holder, std::string_view slot) {
  add_usage(state, holder.hidden[slot], -1);
  holder.hidden.map().erase(slot);
}

void recount_quotas(State& state) {
  state.usage.clear();
  for (auto* shelf : {&state.instances, &state.disks, &state.firewalls})
    for (auto& [key, resource] : *shelf)
      for (std::string_view slot : {"running", "exists"}) add_usage(state, resource.hidden[slot], 1);
}

}  // namespace nbform::sim
