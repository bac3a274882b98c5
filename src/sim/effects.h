// What operations do, collected: each file of resources brings its effects.
#pragma once

#include <span>
#include <vector>

#include "sim/operations.h"

namespace nbform::sim {

std::span<const Effect> instance_life_effects();    // insert, delete, start, stop, reset
std::span<const Effect> instance_change_effects();  // set*, attach, detach, access configs
std::span<const Effect> disk_effects();
std::span<const Effect> firewall_effects();
const std::vector<Effect>& all_effects();

// errorDetails of a stock-out, with the hint where the capacity is.
Value stockout_detail(std::string_view zone, std::string_view machine, std::string_view attachment,
                      const std::vector<std::string>& zones_available);

}  // namespace nbform::sim
