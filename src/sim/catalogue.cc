#include "sim/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nbform::sim {

namespace {

struct RegionLetters {
  std::string_view region, letters;
};
constexpr std::array kRegions = {
    RegionLetters{"africa-south1", "abc"},
    RegionLetters{"asia-east1", "abc"},
    RegionLetters{"asia-east2", "abc"},
    RegionLetters{"asia-northeast1", "abc"},
    RegionLetters{"asia-northeast2", "abc"},
    RegionLetters{"asia-northeast3", "abc"},
    RegionLetters{"asia-south1", "abc"},
    RegionLetters{"asia-south2", "abc"},
    RegionLetters{"asia-southeast1", "abc"},
    RegionLetters{"asia-southeast2", "abc"},
    RegionLetters{"australia-southeast1", "abc"},
    RegionLetters{"australia-southeast2", "abc"},
    RegionLetters{"europe-central2", "abc"},
    RegionLetters{"europe-north1", "abc"},
    RegionLetters{"europe-southwest1", "abc"},
    RegionLetters{"europe-west1", "bcd"},
    RegionLetters{"europe-west10", "abc"},
    RegionLetters{"europe-west12", "abc"},
    RegionLetters{"europe-west2", "abc"},
    RegionLetters{"europe-west3", "abc"},
    RegionLetters{"europe-west4", "abc"},
    RegionLetters{"europe-west6", "abc"},
    RegionLetters{"europe-west8", "abc"},
    RegionLetters{"europe-west9", "abc"},
    RegionLetters{"me-central1", "abc"},
    RegionLetters{"me-west1", "abc"},
    RegionLetters{"northamerica-northeast1", "abc"},
    RegionLetters{"northamerica-northeast2", "abc"},
    RegionLetters{"southamerica-east1", "abc"},
    RegionLetters{"southamerica-west1", "abc"},
    RegionLetters{"us-central1", "abcf"},
    RegionLetters{"us-east1", "bcd"},
    RegionLetters{"us-east4", "abc"},
    RegionLetters{"us-east5", "abc"},
    RegionLetters{"us-south1", "abc"},
    RegionLetters{"us-west1", "abc"},
    RegionLetters{"us-west2", "abc"},
    RegionLetters{"us-west3", "abc"},
    RegionLetters{"us-west4", "abc"},
};

bool lists_word(std::string_view words, std::string_view word) {
  for (std::string_view w : split(words, ' '))
    if (w == word) return true;
  return false;
}

constexpr std::string_view kT4 =
    "us-central1-a us-central1-b us-central1-c us-central1-f us-east1-c us-east1-d us-east4-a us-east4-b "
    "us-east4-c "
    "us-west1-a us-west1-b us-west2-b us-west2-c us-west4-a us-west4-b europe-west1-b europe-west1-c "
    "europe-west1-d "
    "europe-west2-a europe-west2-b europe-west3-b europe-west4-a europe-west4-b europe-west4-c "
    "europe-central2-b "
    "europe-central2-c asia-east1-a asia-east1-c asia-northeast1-a asia-northeast1-c asia-northeast3-b "
    "asia-south1-a "
    "asia-south1-b asia-southeast1-a asia-southeast1-b asia-southeast1-c australia-southeast1-a "
    "southamerica-east1-c";
constexpr std::string_view kP4 =
    "us-central1-a us-central1-c us-east4-a us-east4-b us-east4-c us-west2-b us-west2-c europe-west4-b "
    "europe-west4-c asia-southeast1-b asia-southeast1-c";
constexpr std::string_view kP100 =
    "us-central1-c us-central1-f us-east1-b us-east1-c us-west1-a us-west1-b europe-west1-b europe-west1-d "
    "europe-west4-a asia-east1-a asia-east1-c";
constexpr std::string_view kV100 =
    "us-central1-a us-central1-b us-central1-c us-central1-f us-east1-c us-west1-a us-west1-b europe-west4-a "
    "europe-west4-b europe-west4-c asia-east1-c";
constexpr std::string_view kL4 =
    "us-central1-a us-central1-b us-central1-c us-east1-b us-east1-c us-east1-d us-east4-a us-east4-c "
    "us-west1-a "
    "us-west1-b us-west1-c us-west4-a us-west4-c europe-west1-b europe-west1-c europe-west2-a europe-west2-b "
    "europe-west3-b europe-west4-a europe-west4-b europe-west4-c europe-west6-b asia-east1-a asia-east1-b "
    "asia-east1-c "
    "asia-northeast1-a asia-northeast1-b asia-northeast1-c asia-northeast3-a asia-northeast3-b asia-south1-a "
    "asia-south1-b asia-south1-c asia-southeast1-a asia-southeast1-b asia-southeast1-c";
constexpr std::string_view kA100 =
    "us-central1-a us-central1-b us-central1-c us-central1-f us-east1-b us-west1-b us-west3-b us-west4-b "
    "europe-west4-a europe-west4-b asia-northeast1-a asia-northeast1-c asia-northeast3-b asia-southeast1-b "
    "asia-southeast1-c me-west1-b me-west1-c";
constexpr std::string_view kA100x80 =
    "us-central1-a us-central1-c us-east4-c us-east5-a us-east5-b europe-west4-a asia-southeast1-c";
constexpr std::string_view kH100 =
    "us-central1-a us-central1-b us-central1-c us-east4-a us-east4-b us-east4-c us-east5-a us-west1-a "
    "us-west1-b us-west4-a europe-west1-b europe-west1-c europe-west4-b europe-west4-c asia-northeast1-b "
    "asia-southeast1-b asia-southeast1-c";

struct Ladder {
  std::string_view family;  // "e2-standard"
  std::string_view series;
  std::string_view cpus;  // blank-separated
  int mb_per_cpu;
};
constexpr std::array kLadders = {
    Ladder{"e2-standard", "e2", "2 4 8 16 32", 4096},
    Ladder{"e2-highmem", "e2", "2 4 8 16", 8192},
    Ladder{"e2-highcpu", "e2", "2 4 8 16 32", 1024},
    Ladder{"n1-standard", "n1", "1 2 4 8 16 32 64 96", 3840},
    Ladder{"n1-highmem", "n1", "2 4 8 16 32 64 96", 6656},
    Ladder{"n1-highcpu", "n1", "2 4 8 16 32 64 96", 922},
    Ladder{"n2-standard", "n2", "2 4 8 16 32 48 64 80", 4096},
    Ladder{"n2-highmem", "n2", "2 4 8 16 32 48 64 80", 8192},
    Ladder{"n2-highcpu", "n2", "2 4 8 16 32 48 64 80", 1024},
    Ladder{"n2d-standard", "n2d", "2 4 8 16 32 48 64", 4096},
    Ladder{"c2-standard", "c2", "4 8 16 30 60", 4096},
    Ladder{"c3-standard", "c3", "4 8 22 44 88 176", 4096},
    Ladder{"n4-standard", "n4", "2 4 8 16 32 48 64 80", 4096},
};

const std::vector<MachineFacts>& special_machines() {
  static const std::vector<MachineFacts> all = {
      {"e2-micro", "e2", 2, 1024, true},
      {"e2-small", "e2", 2, 2048, true},
      {"e2-medium", "e2", 2, 4096, true},
      {"f1-micro", "f1", 1, 614, true},
      {"g1-small", "g1", 1, 1740, true},
      {"g2-standard-4", "g2", 4, 16384, false, "nvidia-l4", 1},
      {"g2-standard-8", "g2", 8, 32768, false, "nvidia-l4", 1},
      {"g2-standard-12", "g2", 12, 49152, false, "nvidia-l4", 1},
      {"g2-standard-16", "g2", 16, 65536, false, "nvidia-l4", 1},
      {"g2-standard-24", "g2", 24, 98304, false, "nvidia-l4", 2},
      {"g2-standard-32", "g2", 32, 131072, false, "nvidia-l4", 1},
      {"g2-standard-48", "g2", 48, 196608, false, "nvidia-l4", 4},
      {"g2-standard-96", "g2", 96, 393216, false, "nvidia-l4", 8},
      {"a2-highgpu-1g", "a2", 12, 87040, false, "nvidia-tesla-a100", 1},
      {"a2-highgpu-2g", "a2", 24, 174080, false, "nvidia-tesla-a100", 2},
      {"a2-highgpu-4g", "a2", 48, 348160, false, "nvidia-tesla-a100", 4},
      {"a2-highgpu-8g", "a2", 96, 696320, false, "nvidia-tesla-a100", 8},
      {"a2-megagpu-16g", "a2", 96, 1392640, false, "nvidia-tesla-a100", 16},
      {"a2-ultragpu-1g", "a2", 12, 174080, false, "nvidia-a100-80gb", 1},
      {"a2-ultragpu-2g", "a2", 24, 348160, false, "nvidia-a100-80gb", 2},
      {"a2-ultragpu-4g", "a2", 48, 696320, false, "nvidia-a100-80gb", 4},
      {"a2-ultragpu-8g", "a2", 96, 1392640, false, "nvidia-a100-80gb", 8},
      {"a3-highgpu-1g", "a3", 26, 239616, false, "nvidia-h100-80gb", 1},
      {"a3-highgpu-2g", "a3", 52, 479232, false, "nvidia-h100-80gb", 2},
      {"a3-highgpu-4g", "a3", 104, 958464, false, "nvidia-h100-80gb", 4},
      {"a3-highgpu-8g", "a3", 208, 1916928, false, "nvidia-h100-80gb", 8},
      {"a3-megagpu-8g", "a3", 208, 1916928, false, "nvidia-h100-mega-80gb", 8},
  };
  return all;
}

std::vector<MachineFacts> build_machines() {
  std::vector<MachineFacts> out = special_machines();
  for (const Ladder& ladder : kLadders)
    for (std::string_view cpus : split(ladder.cpus, ' ')) {
      int n = std::stoi(std::string(cpus));
      out.push_back({fmt::format("{}-{}", ladder.family, n), ladder.series, n, n * ladder.mb_per_cpu});
    }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

struct FamilySeed {
  std::string_view project, family;
  int gb;
  std::string_view dates;  // YYYYMMDD, oldest first
  std::string_view state;  // of all its images
};
constexpr std::string_view kDlvm = "deeplearning-platform-release";
constexpr std::array kFamilies = {
    FamilySeed{kDlvm, "pytorch-2-9-cu129-ubuntu-2404-nvidia-580", 50, "20260303 20260707 20261013", ""},
    FamilySeed{kDlvm, "pytorch-2-9-cu129-ubuntu-2204-nvidia-580", 50, "20260303 20260707 20261013", ""},
    FamilySeed{kDlvm, "common-cu129-ubuntu-2404-nvidia-580", 50, "20260303 20260707 20261013", ""},
    FamilySeed{kDlvm, "common-cu129-ubuntu-2204-nvidia-580", 50, "20260303 20260707 20261013", ""},
    FamilySeed{kDlvm, "pytorch-2-7-cu128-ubuntu-2204-nvidia-570", 50, "20251105 20260210 20260413", ""},
    FamilySeed{kDlvm, "common-cu128-ubuntu-2204-nvidia-570", 50, "20251105 20260210 20260413", ""},
    FamilySeed{kDlvm, "common-cu128-ubuntu-2404-nvidia-570", 50, "20251105 20260210 20260413", ""},
    FamilySeed{kDlvm, "common-cpu", 50, "20240613 20250219", ""},
    FamilySeed{kDlvm, "pytorch-latest-gpu", 50, "20240613 20250219", ""},
    FamilySeed{kDlvm, "pytorch-2-4-cu124-debian-11-py310", 50, "20250108 20250325", "DEPRECATED"},
    FamilySeed{kDlvm, "common-cu124-debian-11-py310", 50, "20250108 20250325", "DEPRECATED"},
    FamilySeed{kDlvm, "common-cpu-debian-11", 50, "20250108 20250325", "DEPRECATED"},
    FamilySeed{kDlvm, "tf-latest-gpu", 50, "20240613", "OBSOLETE"},
    FamilySeed{kDlvm, "tf-ent-2-8-cu113-notebooks", 100, "20221206", "OBSOLETE"},
    FamilySeed{kDlvm, "tf2-ent-2-17-cu123-notebooks", 100, "20250325", "OBSOLETE"},
    FamilySeed{"debian-cloud", "debian-12", 10, "20260610 20261111", ""},
    FamilySeed{"debian-cloud", "debian-13", 10, "20260610 20261111", ""},
    FamilySeed{"ubuntu-os-cloud", "ubuntu-2204-lts", 10, "20260601 20261102", ""},
    FamilySeed{"ubuntu-os-cloud", "ubuntu-2404-lts-amd64", 10, "20260601 20261102", ""},
    FamilySeed{"cloud-notebooks-managed", "workbench-instances", 150, "20260507 20260918", ""},
};

std::vector<ImageFacts> build_images() {
  std::vector<ImageFacts> out;
  for (const FamilySeed& seed : kFamilies)
    for (std::string_view date : split(seed.dates, ' '))
      out.push_back({std::string(seed.project), std::string(seed.family),
                     fmt::format("{}-v{}", seed.family, date), seed.gb,
                     fmt::format("{}-{}-{}", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2)),
                     seed.state});
  return out;
}

}  // namespace

const std::vector<ZoneFacts>& zones() {
  static const std::vector<ZoneFacts> all = [] {
    std::vector<ZoneFacts> out;
    for (const RegionLetters& r : kRegions)
      for (char letter : r.letters)
        out.push_back({fmt::format("{}-{}", r.region, letter), std::string(r.region)});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
  }();
  return all;
}

const std::vector<std::string>& region_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out;
    for (const RegionLetters& r : kRegions) out.emplace_back(r.region);
    return out;
  }();
  return all;
}

bool has_zone(std::string_view zone) {
  auto it = std::lower_bound(zones().begin(), zones().end(), zone,
                             [](const ZoneFacts& z, std::string_view name) { return z.name < name; });
  return it != zones().end() && it->name == zone;
}

bool has_region(std::string_view region) {
  return std::binary_search(region_names().begin(), region_names().end(), region);
}

std::string region_of(std::string_view zone) {
  return std::string(zone.substr(0, zone.rfind('-')));
}

const std::vector<AcceleratorFacts>& accelerators() {
  static const std::vector<AcceleratorFacts> all = {
      {"nvidia-a100-80gb", "NVIDIA A100 80GB", 8, "NVIDIA_A100_80GB_GPUS", kA100x80, false},
      {"nvidia-h100-80gb", "NVIDIA H100 80GB", 8, "", kH100, false},
      {"nvidia-h100-mega-80gb", "NVIDIA H100 80GB MEGA", 8, "", kH100, false},
      {"nvidia-l4", "NVIDIA L4", 8, "NVIDIA_L4_GPUS", kL4, false},
      {"nvidia-tesla-a100", "NVIDIA A100 40GB", 16, "NVIDIA_A100_GPUS", kA100, false},
      {"nvidia-tesla-p100", "NVIDIA Tesla P100", 4, "NVIDIA_P100_GPUS", kP100, true},
      {"nvidia-tesla-p4", "NVIDIA Tesla P4", 4, "NVIDIA_P4_GPUS", kP4, true},
      {"nvidia-tesla-t4", "NVIDIA T4", 4, "NVIDIA_T4_GPUS", kT4, true},
      {"nvidia-tesla-v100", "NVIDIA Tesla V100", 8, "NVIDIA_V100_GPUS", kV100, true},
  };
  return all;
}

const AcceleratorFacts* find_accelerator(std::string_view zone, std::string_view name) {
  for (const AcceleratorFacts& a : accelerators())
    if (a.name == name && offered(a, zone)) return &a;
  return nullptr;
}

bool offered(const AcceleratorFacts& accelerator, std::string_view zone) {
  return lists_word(accelerator.zones, zone);
}

const std::vector<MachineFacts>& machines() {
  static const std::vector<MachineFacts> all = build_machines();
  return all;
}

const MachineFacts* find_machine(std::string_view zone, std::string_view name) {
  auto it = std::lower_bound(machines().begin(), machines().end(), name,
                             [](const MachineFacts& m, std::string_view n) { return m.name < n; });
  return it != machines().end() && it->name == name && offered(*it, zone) ? &*it : nullptr;
}

bool offered(const MachineFacts& machine, std::string_view zone) {
  return machine.gpu.empty() || find_accelerator(zone, machine.gpu) != nullptr;
}

std::string_view default_platform(std::string_view series) {
  if (series == "n1") return "Intel Haswell";
  if (series == "n2" || series == "c2" || series == "g2" || series == "a2") return "Intel Cascade Lake";
  if (series == "c3" || series == "a3") return "Intel Sapphire Rapids";
  if (series == "n4") return "Intel Emerald Rapids";
  return series == "n2d" ? "AMD Rome" : "Intel Broadwell";
}

std::string_view default_disk_type(std::string_view series) {
  if (series == "n4") return "hyperdisk-balanced";
  return series == "c3" || series == "a3" ? "pd-balanced" : "pd-standard";
}

std::string_view cpu_quota(std::string_view series) {
  if (series == "n2") return "N2_CPUS";
  if (series == "n2d") return "N2D_CPUS";
  if (series == "c2") return "C2_CPUS";
  if (series == "c3") return "C3_CPUS";
  if (series == "a2") return "A2_CPUS";
  return series == "g2" || series == "a3" || series == "n4" ? "" : "CPUS";
}

const std::vector<DiskTypeFacts>& disk_types() {
  static const std::vector<DiskTypeFacts> all = {
      {"hyperdisk-balanced", "Hyperdisk Balanced Persistent Disk", 4, 65536, 100, "HDB_TOTAL_GB"},
      {"local-ssd", "Local SSD", 375, 375, 375, "LOCAL_SSD_TOTAL_GB"},
      {"pd-balanced", "Balanced Persistent Disk", 10, 65536, 100, "SSD_TOTAL_GB"},
      {"pd-extreme", "Extreme Persistent Disk", 500, 65536, 1000, "SSD_TOTAL_GB"},
      {"pd-ssd", "SSD Persistent Disk", 10, 65536, 100, "SSD_TOTAL_GB"},
      {"pd-standard", "Standard Persistent Disk", 10, 65536, 500, "DISKS_TOTAL_GB"},
  };
  return all;
}

const DiskTypeFacts* find_disk_type(std::string_view name) {
  for (const DiskTypeFacts& t : disk_types())
    if (t.name == name) return &t;
  return nullptr;
}

const std::vector<ImageFacts>& images() {
  static const std::vector<ImageFacts> all = build_images();
  return all;
}

const std::vector<QuotaFacts>& region_quotas() {
  static const std::vector<QuotaFacts> all = {
      {"CPUS", 2400},
      {"N2_CPUS", 500},
      {"N2D_CPUS", 500},
      {"C2_CPUS", 500},
      {"C3_CPUS", 500},
      {"A2_CPUS", 192},
      {"PREEMPTIBLE_CPUS", 0},
      {"INSTANCES", 24000},
      {"IN_USE_ADDRESSES", 2300},
      {"STATIC_ADDRESSES", 700},
      {"DISKS_TOTAL_GB", 102400},
      {"SSD_TOTAL_GB", 102400},
      {"HDB_TOTAL_GB", 102400},
      {"LOCAL_SSD_TOTAL_GB", 10000},
      {"NVIDIA_T4_GPUS", 16},
      {"NVIDIA_P4_GPUS", 4},
      {"NVIDIA_P100_GPUS", 4},
      {"NVIDIA_V100_GPUS", 8},
      {"NVIDIA_L4_GPUS", 16},
      {"NVIDIA_A100_GPUS", 16},
      {"NVIDIA_A100_80GB_GPUS", 8},
      {"PREEMPTIBLE_NVIDIA_T4_GPUS", 16},
      {"PREEMPTIBLE_NVIDIA_P4_GPUS", 0},
      {"PREEMPTIBLE_NVIDIA_P100_GPUS", 0},
      {"PREEMPTIBLE_NVIDIA_V100_GPUS", 0},
      {"PREEMPTIBLE_NVIDIA_L4_GPUS", 16},
      {"PREEMPTIBLE_NVIDIA_A100_GPUS", 16},
      {"PREEMPTIBLE_NVIDIA_A100_80GB_GPUS", 8},
      {"PREEMPTIBLE_NVIDIA_H100_GPUS", 8},
  };
  return all;
}

const std::vector<QuotaFacts>& project_quotas() {
  static const std::vector<QuotaFacts> all = {{"CPUS_ALL_REGIONS", 32000},
                                              {"GPUS_ALL_REGIONS", 64},
                                              {"NETWORKS", 50},
                                              {"FIREWALLS", 1000},
                                              {"IMAGES", 2000}};
  return all;
}

}  // namespace nbform::sim
