// Tags: what may be one, TagSpecification in creates, CreateTags and DeleteTags.
#pragma once

#include "sim/aws/ec2.h"

namespace nbform::sim::aws {

// The tags that a create gives to what it makes of this type, as [{key, value}]. Refusals: a specification
// for another type (unless `types` names it), reserved or too long tags, more than 50.
Result<Value> tags_for(const Value& in, std::string_view type);
Result<Value> tags_for(const Value& in, std::string_view type, const std::vector<std::string_view>& types);

}  // namespace nbform::sim::aws
