// What the steps and words of every service read: attributes wanted and live, and the edits that a person
// approved. Pure; knows no cloud.
#pragma once

#include <string_view>
#include <vector>

#include "core/plan.h"
#include "core/resource.h"

namespace nbform {

// The wanted value of an attribute at create: the manifest's, else the default; null where neither.
const Value& wanted(const Resource& resource, std::string_view attr);
const Value& live_value(const Live& live, std::string_view attr);  // null where it has none
std::string_view live_text(const Live& live, std::string_view attr);

// Whether a change has an approved edit of the attribute or of one of its entries.
bool edits_attr(const std::vector<Edit>& edits, std::string_view attr);
// A map attribute with the approved edits "attr.KEY".
void apply_entries(Map& map, const std::vector<Edit>& edits, std::string_view attr);

}  // namespace nbform
