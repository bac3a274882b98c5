// What every Describe* shares: ids, filters (values ORed, filters ANDed, wildcards), pages with opaque
// tokens. Rows come in the order of their ids, so that things which come and go between pages neither repeat
// nor shift the rest. Knows no kind of thing but by the rules it is given.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sim/aws/region.h"

namespace nbform::sim::aws {

// `path` into the wire form: "instanceState/name"; '*' stands for every item of a list.
struct FilterRule {
  std::string_view name, path;
};

struct Row {
  std::string id;
  const Value* wire = nullptr;
};

struct PageLimits {
  int least = 5, most = 1000;
};

struct Page {
  std::vector<Row> rows;
  std::string next;  // "" = the last one
};

// Throws out what the request's Filter does not admit. Refusal InvalidParameterValue: an unknown filter.
Result<std::vector<Row>> filtered(const Value& in, std::vector<Row> rows, std::span<const FilterRule> rules);
// MaxResults and NextToken. Refusals: InvalidParameterValue, InvalidNextToken.
Result<Page> paged(Region& region, const Value& in, std::vector<Row> rows, PageLimits limits = {});

// All visible things on a shelf, or those that `id_param` names (all of which must be there).
Result<std::vector<Row>> rows_of(Region& region, std::string_view kind, const Value& ids);

// The three together, as {set: [...], nextToken}.
struct Listing {
  std::string_view kind, id_param, set;
  std::span<const FilterRule> rules;
  PageLimits limits;
  Value (*show)(Region&, const Value& wire) = nullptr;  // what is shown of it; its wire form where absent
};
Result<Value> describe(Region& region, const Value& in, const Listing& listing);
Result<Value> describe_rows(Region& region, const Value& in, std::vector<Row> rows, const Listing& listing);

bool wildcard_match(std::string_view pattern, std::string_view text);  // '*', '?', '\' escapes

}  // namespace nbform::sim::aws
