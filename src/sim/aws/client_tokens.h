// Client tokens: the same request with the same token is the same thing, for as long as the thing lives and a
// day after; another request with the token is refused. Where a request names a zone, its token counts in
// that zone.
#pragma once

#include <optional>

#include "sim/aws/region.h"

namespace nbform::sim::aws {

// What the request's ClientToken stands for already; none where it is new, or there is none. Refusals:
// InvalidParameterValue (not 1-64 ASCII characters), IdempotentParameterMismatch.
Result<std::optional<TokenUse>> replay(Region& region, std::string_view action, const Value& in,
                                       const std::string& zone);
void remember(Region& region, std::string_view action, const Value& in, const std::string& zone,
              std::vector<std::string> ids, Value answer);
// The thing is gone (for good, or as a terminated instance): its token lasts a day from now.
void release_tokens(Region& region, std::string_view id);

}  // namespace nbform::sim::aws
