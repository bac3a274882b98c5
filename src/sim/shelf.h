// Shelves: the things of a simulated cloud, each with what a client may see of it and what the cloud knows
// besides. Hold data only; know no service.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/value.h"
#include "sim/mask.h"

namespace nbform::sim {

// Where a thing is: scope is "zones/Z", "regions/R" or "global". In AWS: account, region, id.
struct Key {
  std::string project, scope, name;
  auto operator<=>(const Key&) const = default;
  std::string zone() const { return scope.substr(scope.find('/') + 1); }
};

// A thing on a shelf: what GET shows, and what the cloud knows besides.
class Resource {
 public:
  Resource() = default;
  explicit Resource(Value wire) : wire_(std::move(wire)) {}
  const Value& wire() const { return wire_; }
  const Value& operator[](std::string_view key) const { return wire_[key]; }
  Map& edit() {
    whole_.clear();
    masked_.clear();
    return wire_.map();
  }
  // JSON, reduced by the mask; remembered until the next edit, as lists of thousands are made of these.
  const std::string& text(const Mask& mask, const std::string& mask_text) const;

  Value hidden = Map();
  Time visible_from;

 private:
  Value wire_;
  mutable std::string whole_, masked_, masked_by_;
};
using Shelf = std::map<Key, Resource>;

}  // namespace nbform::sim
