// Shelves as JSON and back.
#pragma once

#include "sim/shelf.h"

namespace nbform::sim {

Value key_value(const Key& key);
Key read_key(const Value& v);
Value write_shelf(const Shelf& shelf);
void read_shelf(const Value& v, Shelf& shelf);

}  // namespace nbform::sim
