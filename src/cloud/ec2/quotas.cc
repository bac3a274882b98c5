// The vCPU quotas of EC2: which one a machine type counts against, by market. Facts: EC2 User Guide, quotas.
#include <array>
#include <string>

#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

struct Bucket {
  std::string_view families;  // with blanks around each
  std::string_view on_demand, spot;
};

constexpr std::array kBuckets = {
    Bucket{" a c d h i im is m r t z ", "L-1216C47A", "L-34B43A08"},
    Bucket{" g gr vt ", "L-DB2E81BA", "L-3819A6DF"},
    Bucket{" p ", "L-417A185B", "L-7212CCBC"},
    Bucket{" f ", "L-74FC7D96", "L-88CF9481"},
    Bucket{" inf ", "L-1945791B", "L-B5D1601B"},
    Bucket{" trn ", "L-2C3B7624", ""},
    Bucket{" x ", "L-7295265B", "L-E3A00192"},
    Bucket{" dl ", "L-6E869C2A", "L-85EED4F7"},
};

// P5 has a Spot quota of its own; of later ones nothing certain is known.
std::string_view spot_quota_of_p(std::string_view type) {
  if (type.starts_with("p5")) return "L-C4BD4855";
  return type.starts_with("p2") || type.starts_with("p3") || type.starts_with("p4") ? "L-7212CCBC" : "";
}

}  // namespace

std::string_view quota_code(std::string_view type, bool spot) {
  std::string_view family = type.substr(0, type.find_first_of("0123456789"));
  if (family.empty() || family.size() == type.size()) return {};
  if (family == "p" && spot) return spot_quota_of_p(type);
  std::string word = " " + std::string(family) + " ";
  for (const Bucket& bucket : kBuckets)
    if (bucket.families.find(word) != std::string_view::npos) return spot ? bucket.spot : bucket.on_demand;
  return {};
}

}  // namespace nbform::ec2
