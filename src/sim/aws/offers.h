// The catalogue as EC2 shows it: machine images (those that tests publish too), instance types and offerings,
// zones, regions, spot prices.
#pragma once

#include "sim/aws/catalogue.h"
#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

std::vector<ImageFacts> images_of(const Region& region);  // within a series: oldest first
std::optional<ImageFacts> find_image(const Region& region, std::string_view id);
double spot_price(const Region& region, std::string_view zone, std::string_view type);

}  // namespace nbform::sim::aws
