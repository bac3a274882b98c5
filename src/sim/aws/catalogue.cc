#include "sim/aws/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/text.h"

namespace nbform::sim::aws {

const std::vector<RegionFacts>& regions() {
  static const std::vector<RegionFacts> all = {
      {"af-south-1", "abc", "afs1", false}, {"eu-central-1", "abc", "euc1", true},
      {"eu-west-1", "abc", "euw1", true},   {"us-east-1", "abcdef", "use1", true},
      {"us-east-2", "abc", "use2", true},   {"us-west-2", "abcd", "usw2", true},
  };
  return all;
}

const RegionFacts* find_region(std::string_view name) {
  for (const RegionFacts& r : regions())
    if (r.name == name) return &r;
  return nullptr;
}

std::vector<std::string> zones_of(std::string_view region) {
  std::vector<std::string> out;
  if (const RegionFacts* r = find_region(region))
    for (char letter : r->zones) out.push_back(std::string(region) + letter);
  return out;
}

// Letters are an account's own aliases: here they run one behind the ids.
std::string zone_id(std::string_view zone) {
  const RegionFacts* r = find_region(zone.substr(0, zone.size() - 1));
  if (r == nullptr) return {};
  auto at = r->zones.find(zone.back());
  return fmt::format("{}-az{}", r->short_name, (at + 1) % r->zones.size() + 1);
}

std::optional<std::string> zone_by_id(std::string_view region, std::string_view id) {
  for (const std::string& zone : zones_of(region))
    if (zone_id(zone) == id) return zone;
  return std::nullopt;
}

namespace {

struct Size {
  std::string_view name;
  int vcpus, memory_mb, gpus, local_gb, max_volumes;
  double hourly;
};
struct Family {
  std::string_view name, arch, gpu;
  int gpu_memory_mb;
  bool shared;
  std::vector<Size> sizes;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"g4dn",
       "x86_64",
       "T4",
       16384,
       true,
       {{"xlarge", 4, 16384, 1, 125, 25, 0.526},
        {"2xlarge", 8, 32768, 1, 225, 25, 0.752},
        {"4xlarge", 16, 65536, 1, 225, 25, 1.204},
        {"8xlarge", 32, 131072, 1, 900, 25, 2.176},
        {"12xlarge", 48, 196608, 4, 900, 22, 3.912},
        {"16xlarge", 64, 262144, 1, 900, 25, 4.352}}},
      {"g5",
       "x86_64",
       "A10G",
       22888,
       true,
       {{"xlarge", 4, 16384, 1, 250, 25, 1.006},
        {"2xlarge", 8, 32768, 1, 450, 25, 1.212},
        {"4xlarge", 16, 65536, 1, 600, 25, 1.624},
        {"8xlarge", 32, 131072, 1, 900, 25, 2.448},
        {"12xlarge", 48, 196608, 4, 3800, 22, 5.672},
        {"16xlarge", 64, 262144, 1, 1900, 25, 4.096},
        {"24xlarge", 96, 393216, 4, 3800, 22, 8.144},
        {"48xlarge", 192, 786432, 8, 7600, 9, 16.288}}},
      {"g5g",
       "arm64",
       "T4g",
       16384,
       true,
       {{"xlarge", 4, 8192, 1, 0, 26, 0.42},
        {"2xlarge", 8, 16384, 1, 0, 26, 0.556},
        {"4xlarge", 16, 32768, 1, 0, 26, 0.828},
        {"16xlarge", 64, 131072, 2, 0, 25, 2.744}}},
      {"g6",
       "x86_64",
       "L4",
       22888,
       false,
       {{"xlarge", 4, 16384, 1, 250, 32, 0.805},
        {"2xlarge", 8, 32768, 1, 450, 32, 0.978},
        {"4xlarge", 16, 65536, 1, 600, 32, 1.323},
        {"8xlarge", 32, 131072, 1, 900, 32, 2.014},
        {"12xlarge", 48, 196608, 4, 3760, 32, 4.602},
        {"24xlarge", 96, 393216, 4, 3760, 64, 6.675},
        {"48xlarge", 192, 786432, 8, 7520, 128, 13.35}}},
      {"g6e",
       "x86_64",
       "L40S",
       45776,
       false,
       {{"xlarge", 4, 32768, 1, 250, 32, 1.861},
        {"2xlarge", 8, 65536, 1, 450, 32, 2.242},
        {"4xlarge", 16, 131072, 1, 600, 32, 3.004},
        {"12xlarge", 48, 393216, 4, 3800, 32, 10.493},
        {"48xlarge", 192, 1572864, 8, 7600, 128, 30.131}}},
      {"p2", "x86_64", "K80", 12288, false, {{"xlarge", 4, 62464, 1, 0, 27, 0.9}}},
      {"p3",
       "x86_64",
       "V100",
       16384,
       false,
       {{"2xlarge", 8, 62464, 1, 0, 27, 3.06},
        {"8xlarge", 32, 249856, 4, 0, 27, 12.24},
        {"16xlarge", 64, 499712, 8, 0, 27, 24.48}}},
      {"p3dn", "x86_64", "V100", 32768, true, {{"24xlarge", 96, 786432, 8, 1800, 17, 31.212}}},
      {"p4d", "x86_64", "A100", 40960, false, {{"24xlarge", 96, 1179648, 8, 8000, 28, 21.957}}},
      {"p5",
       "x86_64",
       "H100",
       81920,
       false,
       {{"4xlarge", 16, 262144, 1, 3800, 32, 6.88}, {"48xlarge", 192, 2097152, 8, 30400, 64, 55.04}}},
      {"t3",
       "x86_64",
       "",
       0,
       true,
       {{"micro", 2, 1024, 0, 0, 27, 0.0104},
        {"small", 2, 2048, 0, 0, 27, 0.0208},
        {"medium", 2, 4096, 0, 0, 27, 0.0416},
        {"large", 2, 8192, 0, 0, 27, 0.0832},
        {"xlarge", 4, 16384, 0, 0, 27, 0.1664},
        {"2xlarge", 8, 32768, 0, 0, 27, 0.3328}}},
      {"t4g",
       "arm64",
       "",
       0,
       true,
       {{"medium", 2, 4096, 0, 0, 27, 0.0336}, {"xlarge", 4, 16384, 0, 0, 27, 0.1344}}},
      {"m5",
       "x86_64",
       "",
       0,
       true,
       {{"large", 2, 8192, 0, 0, 27, 0.096},
        {"xlarge", 4, 16384, 0, 0, 27, 0.192},
        {"2xlarge", 8, 32768, 0, 0, 27, 0.384},
        {"4xlarge", 16, 65536, 0, 0, 27, 0.768}}},
      {"m7i",
       "x86_64",
       "",
       0,
       false,
       {{"large", 2, 8192, 0, 0, 32, 0.1008},
        {"xlarge", 4, 16384, 0, 0, 32, 0.2016},
        {"2xlarge", 8, 32768, 0, 0, 32, 0.4032}}},
      {"c6i",
       "x86_64",
       "",
       0,
       true,
       {{"xlarge", 4, 8192, 0, 0, 27, 0.17}, {"2xlarge", 8, 16384, 0, 0, 27, 0.34}}},
      {"r6i", "x86_64", "", 0, true, {{"xlarge", 4, 32768, 0, 0, 27, 0.252}}},
  };
  return all;
}

// Zones that offer a family; those not named offer it in every zone. A region that is not named has none.
struct Places {
  std::string_view family, zones;
};
constexpr std::array kPlaces = {
    Places{"g4dn",
           "us-west-2a us-west-2b us-west-2c us-east-1a us-east-1b us-east-1c us-east-1d us-east-1f "
           "us-east-2a us-east-2b us-east-2c eu-west-1a eu-west-1b eu-west-1c eu-central-1a eu-central-1b"},
    Places{
        "g5",
        "us-west-2a us-west-2b us-west-2c us-east-1a us-east-1b us-east-1c us-east-1d us-east-1f us-east-2a "
        "us-east-2b eu-west-1a eu-west-1b eu-west-1c eu-central-1a eu-central-1b"},
    Places{"g5g", "us-west-2a us-west-2b us-east-1a us-east-1c"},
    Places{
        "g6",
        "us-west-2a us-west-2b us-west-2c us-west-2d us-east-1a us-east-1b us-east-1c us-east-1d us-east-2a "
        "us-east-2b eu-central-1a eu-central-1b"},
    Places{"g6e", "us-west-2a us-west-2b us-west-2c us-east-1b us-east-1c us-east-2a us-east-2c"},
    Places{"p2", "us-west-2a us-west-2b us-east-1b us-east-1c eu-west-1a"},
    Places{
        "p3",
        "us-west-2a us-west-2b us-west-2c us-east-1b us-east-1c us-east-1d us-east-1f us-east-2a eu-west-1a "
        "eu-west-1b"},
    Places{"p3dn", "us-west-2a us-west-2b us-east-1d us-east-1f"},
    Places{"p4d", "us-west-2a us-west-2b us-east-1a us-east-1d"},
    Places{"p5", "us-west-2b us-west-2c us-east-1a us-east-1f us-east-2a"},
};

}  // namespace

const std::vector<TypeFacts>& instance_types() {
  static const std::vector<TypeFacts> all = [] {
    std::vector<TypeFacts> out;
    for (const Family& f : families())
      for (const Size& s : f.sizes)
        out.push_back({fmt::format("{}.{}", f.name, s.name), s.vcpus, s.memory_mb, f.arch, f.gpu, "NVIDIA",
                       s.gpus, s.gpus > 0 ? f.gpu_memory_mb : 0, s.local_gb, s.max_volumes, f.shared,
                       s.hourly});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
  }();
  return all;
}

const TypeFacts* find_type(std::string_view name) {
  for (const TypeFacts& t : instance_types())
    if (t.name == name) return &t;
  return nullptr;
}

std::string_view family_of(std::string_view type) {
  return type.substr(0, type.find('.'));
}

bool offered(std::string_view type, std::string_view zone) {
  for (const Places& p : kPlaces) {
    if (p.family != family_of(type)) continue;
    auto zones = split(p.zones, ' ');
    return std::find(zones.begin(), zones.end(), zone) != zones.end();
  }
  return find_region(zone.substr(0, zone.size() - 1)) != nullptr;
}

std::string_view quota_code(std::string_view type, bool spot) {
  std::string_view family = family_of(type);
  if (family.starts_with("p5")) return spot ? "L-C4BD4855" : "L-417A185B";
  if (family[0] == 'p') return spot ? "L-7212CCBC" : "L-417A185B";
  if (family[0] == 'g') return spot ? "L-3819A6DF" : "L-DB2E81BA";
  return spot ? "L-34B43A08" : "L-1216C47A";
}

const std::vector<QuotaFacts>& quotas() {
  static const std::vector<QuotaFacts> all = {
      {"L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152},
      {"L-34B43A08", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 1152},
      {"L-DB2E81BA", "Running On-Demand G and VT instances", 768},
      {"L-3819A6DF", "All G and VT Spot Instance Requests", 768},
      {"L-417A185B", "Running On-Demand P instances", 384},
      {"L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests", 384},
      {"L-C4BD4855", "All P5 Spot Instance Requests", 192},
  };
  return all;
}

namespace {

constexpr std::string_view kDlami = "898082745236", kCanonical = "099720109477",
                           kAmazonLinux = "137112412989";

// A series of one image: the same name with the dates of its releases, the newest last.
void add_dlami(std::vector<ImageFacts>& out, std::string_view name, std::string_view parameter, int gb,
               std::string_view dates) {
  bool linux2023 = name.find("Amazon Linux") != std::string_view::npos;
  for (std::string_view date : split(dates, ' ')) {
    ImageFacts image{fmt::format("{} {}", name, date), std::string(kDlami), "amazon"};
    image.arch = name.find("ARM64") != std::string_view::npos ? "arm64" : "x86_64";
    image.root = linux2023 ? "/dev/xvda" : "/dev/sda1";
    image.description =
        fmt::format("{}. Release notes: https://docs.aws.amazon.com/dlami/latest/devguide/", name);
    image.created = fmt::format("{}-{}-{}", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2));
    if (!parameter.empty())
      image.parameter =
          fmt::format("/aws/service/deeplearning/ami/{}/{}/latest/ami-id", image.arch, parameter);
    image.gb = gb;
    out.push_back(std::move(image));
  }
  out.back().deprecated = false;
}

void add_plain(std::vector<ImageFacts>& out) {
  out.push_back({"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261015",
                 std::string(kCanonical), "amazon", "x86_64", "/dev/sda1",
                 "Canonical, Ubuntu, 24.04, amd64 noble image", "2026-10-15",
                 "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", 8});
  out.push_back({"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20261010", std::string(kCanonical),
                 "amazon", "x86_64", "/dev/sda1", "Canonical, Ubuntu, 22.04 LTS, amd64 jammy image",
                 "2026-10-10",
                 "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id", 8});
  out.push_back({"al2023-ami-2023.9.20261101.0-kernel-6.1-x86_64", std::string(kAmazonLinux), "amazon",
                 "x86_64", "/dev/xvda", "Amazon Linux 2023 AMI x86_64 HVM kernel-6.1", "2026-11-01",
                 "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", 8});
}

}  // namespace

const std::vector<ImageFacts>& images() {
  static const std::vector<ImageFacts> all = [] {
    std::vector<ImageFacts> out;
    add_dlami(out, "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04)",
              "base-oss-nvidia-driver-gpu-ubuntu-22.04", 75, "20260801 20261105");
    add_dlami(out, "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04)",
              "base-oss-nvidia-driver-gpu-ubuntu-24.04", 75, "20260801 20261105");
    add_dlami(out, "Deep Learning Base OSS Nvidia Driver GPU AMI (Amazon Linux 2023)",
              "base-oss-nvidia-driver-gpu-amazon-linux-2023", 75, "20261105");
    add_dlami(out, "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.7 (Ubuntu 22.04)",
              "oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04", 75, "20260602 20260912");
    add_dlami(out, "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04)",
              "oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04", 75, "20260317 20261001");
    add_dlami(out, "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.12 (Ubuntu 24.04)",
              "oss-nvidia-driver-gpu-pytorch-2.12-ubuntu-24.04", 75, "20261110");
    add_dlami(out, "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.12 (Amazon Linux 2023)",
              "oss-nvidia-driver-gpu-pytorch-2.12-amazon-linux-2023", 75, "20261110");
    add_dlami(out, "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.9 (Ubuntu 24.04)",
              "oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04", 75, "20261001");
    add_dlami(out, "Deep Learning Base Proprietary Nvidia Driver AMI (Ubuntu 22.04)", "", 65,
              "20260115 20260620");
    add_dlami(out, "Deep Learning Base Proprietary Nvidia Driver GPU AMI (Ubuntu 22.04)",
              "base-proprietary-nvidia-driver-gpu-ubuntu-22.04", 65, "20260620");
    add_plain(out);
    return out;
  }();
  return all;
}

namespace {
std::string stable_id(std::string_view prefix, std::string_view region, std::string_view name) {
  return fmt::format("{}0{}", prefix,
                     hex(sha256(fmt::format("{} {} {}", prefix, region, name))).substr(0, 16));
}
}  // namespace

std::string image_id(std::string_view region, std::string_view name) {
  return stable_id("ami-", region, name);
}
std::string snapshot_id(std::string_view region, std::string_view name) {
  return stable_id("snap-", region, name);
}

}  // namespace nbform::sim::aws
