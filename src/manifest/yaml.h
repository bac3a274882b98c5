// YAML text to a Node tree, strictly: own limits, no anchors, tags or merge keys, no repeated keys, one
// document. Knows nothing of manifests. yaml.cc is the only file that includes yaml-cpp; scanning ahead of
// it, to keep hostile text away, is yaml_guard.h's.
#pragma once

#include <optional>

#include "manifest/node.h"

namespace nbform {

struct YamlLimits {
  static constexpr std::size_t kFile = std::size_t{1} << 20;
  static constexpr std::size_t kScalar = std::size_t{64} << 10;
  static constexpr std::size_t kNodes = 50'000;
  static constexpr std::size_t kDepth = 32;
};

// The tree of files.text(file). Nothing where it is not YAML as nbform reads it: why stands in `report`, with
// its position. Repeated keys are reported, the first one is kept. An empty file is a null.
std::optional<Node> parse_yaml(const Files& files, std::uint32_t file, Report& report);

}  // namespace nbform
