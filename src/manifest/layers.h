// Overlays of one notebook, laid over each other: defaults < profiles < the notebook < its `each` entry.
// Works on nodes in their long form. Knows no files and no services.
#pragma once

#include <string>
#include <vector>

#include "manifest/notebook.h"
#include "manifest/shape.h"

namespace nbform {

struct Layer {
  const Node* node = nullptr;
  std::string name;        // "defaults", "profile cheap", "notebook", "each alice"
  bool inherited = false;  // from `defaults`: what the service can't do is dropped, not an error
};

// Lays `over` over `base`: maps merge, scalars and lists replace, what its shape calls whole replaces whole;
// null replaces, and over a map of texts removes each of its entries.
void merge_node(Node& base, Node over, const Shape& shape);

// Where each value of a merged notebook came from, by path.
Origins origins_of(const Node& merged, const std::vector<Layer>& layers, const Files& files);

}  // namespace nbform
