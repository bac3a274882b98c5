// The points where what is known of the cloud is unconfirmed or contradictory, each a named switch between
// its possible answers. The default (no switch) is the answer that the sources make likeliest.
#pragma once

#include <span>
#include <string_view>

namespace nbform::sim {

struct Variant {
  std::string_view name;
  std::string_view meaning;  // what happens with the switch on, and instead of what
};

std::span<const Variant> variants();
bool is_variant(std::string_view name);

}  // namespace nbform::sim
