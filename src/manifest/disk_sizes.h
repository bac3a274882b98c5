// How small and how large a disk may be, by service and type. Knows no manifest and no image, whose own size
// is a lower bound too.
#pragma once

#include <cstdint>
#include <string_view>

namespace nbform {

// In GB.
struct SizeRange {
  std::int64_t least = 1, most = 65536;
};

// `type`: as a manifest says it, "" for the default. An unknown type has the service's widest range.
SizeRange disk_sizes(std::string_view service, std::string_view type, bool boot);

}  // namespace nbform
