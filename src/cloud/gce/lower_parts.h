// Pieces of lowering a GCE notebook that stand in files of their own. Pure; used by lower.cc alone.
#pragma once

#include <string>

#include "cloud/gce/gce.h"

namespace nbform::gce {

// Adds the firewall rules of a notebook, and the tag by which they find its VM. `vm` must know its network.
void lower_access(const Notebook& notebook, const std::string& stack, Resource& vm, Graph& graph,
                  Diagnostics& problems);

}  // namespace nbform::gce
