// NVIDIA machine types of EC2: which GPU each has and how many (DescribeInstanceTypes; P2, P3 and
// G3 from the published tables of these older families).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

struct GpuType {
  std::string_view type, model;
  int count = 1;
};

// Of each model and count the smallest type comes first.
constexpr std::array kTypes = {
    GpuType{"g4dn.xlarge", "t4"},
    GpuType{"g4dn.2xlarge", "t4"},
    GpuType{"g4dn.4xlarge", "t4"},
    GpuType{"g4dn.8xlarge", "t4"},
    GpuType{"g4dn.16xlarge", "t4"},
    GpuType{"g4dn.12xlarge", "t4", 4},
    GpuType{"g4dn.metal", "t4", 8},
    GpuType{"g5.xlarge", "a10g"},
    GpuType{"g5.2xlarge", "a10g"},
    GpuType{"g5.4xlarge", "a10g"},
    GpuType{"g5.8xlarge", "a10g"},
    GpuType{"g5.16xlarge", "a10g"},
    GpuType{"g5.12xlarge", "a10g", 4},
    GpuType{"g5.24xlarge", "a10g", 4},
    GpuType{"g5.48xlarge", "a10g", 8},
    GpuType{"g5g.xlarge", "t4g"},
    GpuType{"g5g.2xlarge", "t4g"},
    GpuType{"g5g.4xlarge", "t4g"},
    GpuType{"g5g.8xlarge", "t4g"},
    GpuType{"g5g.16xlarge", "t4g", 2},
    GpuType{"g5g.metal", "t4g", 2},
    GpuType{"g6.xlarge", "l4"},
    GpuType{"g6.2xlarge", "l4"},
    GpuType{"g6.4xlarge", "l4"},
    GpuType{"g6.8xlarge", "l4"},
    GpuType{"g6.16xlarge", "l4"},
    GpuType{"gr6.4xlarge", "l4"},
    GpuType{"gr6.8xlarge", "l4"},
    GpuType{"g6.12xlarge", "l4", 4},
    GpuType{"g6.24xlarge", "l4", 4},
    GpuType{"g6.48xlarge", "l4", 8},
    GpuType{"g6e.xlarge", "l40s"},
    GpuType{"g6e.2xlarge", "l40s"},
    GpuType{"g6e.4xlarge", "l40s"},
    GpuType{"g6e.8xlarge", "l40s"},
    GpuType{"g6e.16xlarge", "l40s"},
    GpuType{"g6e.12xlarge", "l40s", 4},
    GpuType{"g6e.24xlarge", "l40s", 4},
    GpuType{"g6e.48xlarge", "l40s", 8},
    GpuType{"g7.2xlarge", "rtx-pro-4500"},
    GpuType{"g7.4xlarge", "rtx-pro-4500"},
    GpuType{"g7.8xlarge", "rtx-pro-4500"},
    GpuType{"g7.12xlarge", "rtx-pro-4500", 2},
    GpuType{"g7.24xlarge", "rtx-pro-4500", 4},
    GpuType{"g7.48xlarge", "rtx-pro-4500", 8},
    GpuType{"g7e.2xlarge", "rtx-pro-6000"},
    GpuType{"g7e.4xlarge", "rtx-pro-6000"},
    GpuType{"g7e.8xlarge", "rtx-pro-6000"},
    GpuType{"g7e.12xlarge", "rtx-pro-6000", 2},
    GpuType{"g7e.24xlarge", "rtx-pro-6000", 4},
    GpuType{"g7e.48xlarge", "rtx-pro-6000", 8},
    GpuType{"p4d.24xlarge", "a100", 8},
    GpuType{"p4de.24xlarge", "a100-80gb", 8},
    GpuType{"p5.4xlarge", "h100"},
    GpuType{"p5.48xlarge", "h100", 8},
    GpuType{"p5e.48xlarge", "h200", 8},
    GpuType{"p5en.48xlarge", "h200", 8},
    GpuType{"p6-b200.48xlarge", "b200", 8},
    GpuType{"p6-b300.48xlarge", "b300", 8},
    GpuType{"p3.2xlarge", "v100"},
    GpuType{"p3.8xlarge", "v100", 4},
    GpuType{"p3.16xlarge", "v100", 8},
    GpuType{"p3dn.24xlarge", "v100", 8},
    GpuType{"p2.xlarge", "k80"},
    GpuType{"p2.8xlarge", "k80", 8},
    GpuType{"p2.16xlarge", "k80", 16},
    GpuType{"g3s.xlarge", "m60"},
    GpuType{"g3.4xlarge", "m60"},
    GpuType{"g3.8xlarge", "m60", 2},
    GpuType{"g3.16xlarge", "m60", 4},
};

}  // namespace

std::optional<TypeGpu> gpu_of_type(std::string_view type) {
  for (const GpuType& row : kTypes)
    if (row.type == type) return TypeGpu{std::string(row.model), row.count};
  return std::nullopt;
}

std::string gpu_model(std::string_view written) {
  std::string model = to_lower(written);
  std::replace(model.begin(), model.end(), '_', '-');
  for (std::string_view prefix : {"nvidia-tesla-", "nvidia-", "tesla-"})
    if (model.starts_with(prefix)) return model.substr(prefix.size());
  return model;
}

std::string type_for_gpu(std::string_view model, int count) {
  for (const GpuType& row : kTypes)
    if (row.model == model && row.count == count) return std::string(row.type);
  return {};
}

std::string gpu_counts(std::string_view model) {
  std::vector<int> counts;
  for (const GpuType& row : kTypes)
    if (row.model == model && std::find(counts.begin(), counts.end(), row.count) == counts.end())
      counts.push_back(row.count);
  std::sort(counts.begin(), counts.end());
  return fmt::format("{}", fmt::join(counts, ", "));
}

bool needs_proprietary_driver(std::string_view type) {
  auto gpu = gpu_of_type(type);
  if (gpu) return gpu->model == "v100" || gpu->model == "k80" || gpu->model == "m60";
  std::string_view family = type.substr(0, type.find('.'));
  return family == "p2" || family == "p3" || family == "p3dn" || family == "g3" || family == "g3s";
}

// "g5g", "m7gd", "c6gn": a g right after the generation's digit is Graviton. So is "a1".
bool is_arm(std::string_view type) {
  std::string_view family = type.substr(0, type.find('.'));
  auto digit = family.find_first_of("0123456789");
  if (digit == std::string_view::npos) return false;
  return family == "a1" || (digit + 1 < family.size() && family[digit + 1] == 'g');
}

}  // namespace nbform::ec2
