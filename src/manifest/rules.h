// What a notebook's values must be to each other and to its service, beyond the shape of each: places,
// labels, GPU and machine, Spot and power, disks, names. Pure judgements on decoded structs, with positions
// from the merged nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/notebooks.h"

namespace nbform {

// "gcp" or "aws"; "" for an unknown service.
std::string cloud_type(std::string_view service);

void check_notebook(const Notebook& notebook, const Node& merged, Report& report);

// Names that two notebooks or disks of one place would share.
void check_names(const std::vector<Built>& all, Report& report);
// `moved_from` that names what is still declared, or what another notebook was too.
void check_old_names(const std::vector<Built>& all, Report& report);

// The legal spelling nearest to a label's key or value on Google Cloud.
std::string legal_gcp_label(std::string_view text, bool is_key);

}  // namespace nbform
