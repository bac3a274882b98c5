// What the simulated AWS has on offer: regions, availability zones, instance types and where they are
// offered, machine images and the public parameters that name them. Static facts, a plausible excerpt as of
// autumn 2026; prices are round figures. Knows no account and no state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nbform::sim::aws {

struct RegionFacts {
  std::string_view name;
  std::string_view zones;       // letters: "abcd"
  std::string_view short_name;  // of zone ids: "usw2"
  bool opted_in;                // false: an opt-in region that this account has not switched on
};
const std::vector<RegionFacts>& regions();
const RegionFacts* find_region(std::string_view name);
std::vector<std::string> zones_of(std::string_view region);  // "us-west-2a", ...
std::string zone_id(std::string_view zone);                  // "usw2-az1"
std::optional<std::string> zone_by_id(std::string_view region, std::string_view id);

struct TypeFacts {
  std::string name;
  int vcpus = 0, memory_mb = 0;
  std::string_view arch = "x86_64";
  std::string_view gpu, maker = "NVIDIA";
  int gpus = 0, gpu_memory_mb = 0;  // memory of each
  int local_gb = 0;                 // NVMe
  int max_volumes = 28;
  bool shared_attachments = false;  // attachmentLimitType
  double hourly = 0;                // on demand, dollars
};
const std::vector<TypeFacts>& instance_types();  // by name
const TypeFacts* find_type(std::string_view name);
std::string_view family_of(std::string_view type);  // "g4dn"
bool offered(std::string_view type, std::string_view zone);
// The vCPU quota that a type counts against: Service Quotas code.
std::string_view quota_code(std::string_view type, bool spot);
struct QuotaFacts {
  std::string_view code, name;
  double limit;
};
const std::vector<QuotaFacts>& quotas();

struct ImageFacts {
  std::string name, owner, alias;  // owner: account id
  std::string arch = "x86_64", root = "/dev/sda1", description;
  std::string created;    // YYYY-MM-DD
  std::string parameter;  // public SSM name, "" where there is none
  int gb = 0;
  bool deprecated = false;
};
const std::vector<ImageFacts>& images();
std::string image_id(std::string_view region, std::string_view name);
std::string snapshot_id(std::string_view region, std::string_view name);

}  // namespace nbform::sim::aws
