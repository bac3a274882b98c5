// The filter parameter of Compute's lists, in both dialects, which must not be mixed:
//   labels.team=research   labels.owner:*   status != "RUNNING"   (a=1) (b=2)   (a=1) OR (b=2)   NOT x=1
//   name eq nb-.*   (name eq x)(status ne RUNNING)      RE2 full matches, joined by AND
// AND and OR at one level without parentheses are refused, as is a field that the message does not have.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace nbform::sim {

class Filter {
 public:
  // `message`: name of the resource's message in compute_api.cc. An empty text lets everything through.
  static Result<Filter> parse(std::string_view text, std::string_view message);
  bool admits(const Value& resource) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace nbform::sim
