// The `fields` parameter: which members of an answer are wanted.
//   a,b(c,d)   items/name   items(name,status),nextPageToken   items/*/instances(name)   *
// A member that the message does not have is refused.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace nbform::sim {

class Mask {
 public:
  static Result<Mask> parse(std::string_view text, std::string_view message);
  bool whole() const { return inner_.empty(); }  // everything below is wanted
  Value apply(const Value& value) const;
  // The mask below `name`; null where that member is not wanted.
  const Mask* below(std::string_view name) const;
  const Mask& below_or_whole(std::string_view name) const;

 private:
  friend class MaskParser;
  std::map<std::string, Mask, std::less<>> inner_;
};

}  // namespace nbform::sim
