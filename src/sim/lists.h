// Lists: filter, order, pages with opaque tokens, partial answers, unreachable zones, in the plain and the
// aggregated form. Rows come in order of scope and name; a token names the last row of its page, so that
// things which come and go between pages neither repeat nor shift the rest.
#pragma once

#include <functional>

#include "sim/call.h"

namespace nbform::sim {

// Things on a shelf: of the call's scope, or of all scopes.
Result<Reply> list_shelf(State& state, const Call& call, std::string_view kind, std::string_view wire_kind);
Result<Reply> list_aggregated(State& state, const Call& call, std::string_view kind,
                              std::string_view wire_kind);

// Static things: made on demand. `names` must be sorted by scope and name.
struct Row {
  std::string scope, name;
};
using Make = std::function<Value(const Row&)>;
Result<Reply> list_made(State& state, const Call& call, const std::vector<Row>& names, const Make& make,
                        std::string_view wire_kind);
Result<Reply> list_made_aggregated(State& state, const Call& call, const std::vector<Row>& names,
                                   const Make& make, std::string_view wire_kind, std::string_view collection);

}  // namespace nbform::sim
