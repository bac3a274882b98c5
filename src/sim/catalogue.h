// What the simulated cloud has on offer: zones, machine types, accelerators, disk types, images. Static
// facts, a plausible excerpt of the real catalogue as of autumn 2026. Knows no project and no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nbform::sim {

struct ZoneFacts {
  std::string name, region;
};
const std::vector<ZoneFacts>& zones();  // sorted by name
const std::vector<std::string>& region_names();
bool has_zone(std::string_view zone);
bool has_region(std::string_view region);
std::string region_of(std::string_view zone);  // "us-central1-b" -> "us-central1"

struct AcceleratorFacts {
  std::string_view name, description;
  int max_cards;
  std::string_view quota;  // metric, "" where regions.get has none
  std::string_view zones;  // blank-separated
  bool attachable;         // to N1; the others are built into machine types
};
const std::vector<AcceleratorFacts>& accelerators();
const AcceleratorFacts* find_accelerator(std::string_view zone, std::string_view name);
bool offered(const AcceleratorFacts& accelerator, std::string_view zone);

struct MachineFacts {
  std::string name;
  std::string_view series;  // "e2"
  int cpus = 0;
  int memory_mb = 0;
  bool shared = false;
  std::string_view gpu;  // built in; "" = none
  int gpus = 0;
};
const std::vector<MachineFacts>& machines();  // sorted by name
const MachineFacts* find_machine(std::string_view zone, std::string_view name);
bool offered(const MachineFacts& machine, std::string_view zone);
std::string_view default_platform(std::string_view series);
std::string_view default_disk_type(std::string_view series);
std::string_view cpu_quota(std::string_view series);  // metric, "" where there is none

struct DiskTypeFacts {
  std::string_view name, description;
  int min_gb, max_gb, default_gb;
  std::string_view quota;
};
const std::vector<DiskTypeFacts>& disk_types();
const DiskTypeFacts* find_disk_type(std::string_view name);

struct ImageFacts {
  std::string project, family, name;
  int gb = 0;
  std::string created;     // date, YYYY-MM-DD
  std::string_view state;  // "" or DEPRECATED, OBSOLETE
};
const std::vector<ImageFacts>& images();  // within a family: oldest first

struct QuotaFacts {
  std::string_view metric;
  double limit;
};
const std::vector<QuotaFacts>& region_quotas();
const std::vector<QuotaFacts>& project_quotas();

}  // namespace nbform::sim
