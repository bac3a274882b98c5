#include "manifest/disk_sizes.h"

#include <algorithm>
#include <array>

namespace nbform {

namespace {

struct Row {
  std::string_view service, type;
  SizeRange range;
};

// The clouds' documentation of disk types, November 2026.
constexpr std::array kRows = {
    Row{"gce", "", {10, 65536}},
    Row{"gce", "standard", {10, 65536}},
    Row{"gce", "balanced", {10, 65536}},
    Row{"gce", "ssd", {10, 65536}},
    Row{"gce", "pd-standard", {10, 65536}},
    Row{"gce", "pd-balanced", {10, 65536}},
    Row{"gce", "pd-ssd", {10, 65536}},
    Row{"gce", "extreme", {500, 65536}},
    Row{"gce", "pd-extreme", {500, 65536}},
    Row{"gce", "hyperdisk-balanced", {4, 65536}},
    Row{"gce", "hyperdisk-extreme", {64, 65536}},
    Row{"gce", "hyperdisk-throughput", {2048, 32768}},
    Row{"gce", "hyperdisk-ml", {4, 65536}},
    Row{"ec2", "io1", {4, 16384}},
    Row{"ec2", "io2", {4, 65536}},
    Row{"ec2", "st1", {125, 16384}},
    Row{"ec2", "sc1", {125, 16384}},
};

}  // namespace

SizeRange disk_sizes(std::string_view service, std::string_view type, bool boot) {
  if (service == "workbench") return {100, 64000};
  if (service == "sagemaker") return {5, 16384};
  auto row = std::find_if(kRows.begin(), kRows.end(),
                          [&](const Row& r) { return r.service == service && r.type == type; });
  SizeRange range = row != kRows.end() ? row->range : SizeRange{};
  if (service == "gce" && boot) range.least = std::max<std::int64_t>(range.least, 10);
  return range;
}

}  // namespace nbform
