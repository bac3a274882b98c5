// Images and their families, the catalogue's and those published since. Knows nothing of disks.
#pragma once

#include <optional>
#include <vector>

#include "sim/call.h"
#include "sim/catalogue.h"

namespace nbform::sim {

std::vector<ImageFacts> images_of(const State& state, std::string_view project);
Value image_wire(const ImageFacts& image);
// The image that a sourceImage reference stands for; a family means its newest image that is not deprecated.
Result<ImageFacts> read_image(const State& state, const Call& call, std::string_view reference,
                              std::string_view field);

std::span<const Handling> image_methods();

}  // namespace nbform::sim
