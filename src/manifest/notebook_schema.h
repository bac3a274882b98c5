// The manifest's tables, seen from outside: shapes for whoever judges or documents a manifest, and the
// functions that turn a checked Node into structs and back. The tables themselves stand in
// notebook_schema.cc.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "manifest/notebook.h"
#include "manifest/shape.h"

namespace nbform {

const Shape& notebook_shape();  // of a notebook, and of every overlay of one
const Shape& document_shape();  // of a *.nb.yaml file
bool may_stand_in_include(std::string_view top_level_key);
const Shape& name_shape();  // of stacks, notebooks, `each` keys, disks

// From nodes that check_shape let pass, in their long form; what does not fit is left absent.
Notebook decode_notebook(const Node& merged);
Stack decode_stack(const Node& node);
Cloud decode_cloud(const Node& node);
Policy decode_policy(const Node& node);

// Calls `visit` for each leaf that is set or removed, in the order of the tables. The value is as YAML says
// it
// ("200GB", true, a list); null is a removal.
using VisitLeaf =
    std::function<void(const std::vector<std::string>& path, const Shape& shape, const Value& value)>;
void walk_notebook(const Notebook& notebook, const VisitLeaf& visit);

}  // namespace nbform
