// XML text -> Value: how AWS answers. The only door; the parsing library is known to xml.cc alone. Knows no
// service.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform {

struct XmlRules {
  // Elements that stand beside each other without a list around them; always a list under that name.
  std::vector<std::string_view> repeated = {};
  // Members of the outermost element that are read; others are passed over, once they are well-formed.
  const Fields* fields = nullptr;
};

struct XmlDocument {
  std::string root;  // name of the outermost element
  Value content;
};

// An element with children is a map by name, or a list where each is an `item` or a `member`; one with text
// only is a text, an empty one null and left out of its map: AWS sends an empty list in either way. A
// `tagSet` of nothing but keys and values is a map of them. Of an unforeseen repetition the last wins.
// Namespaces, attributes, comments and text between elements are ignored. Errors (io): not well-formed, bad
// UTF-8, a DTD, an unknown entity, nesting beyond 64, more than 32 MiB or a million tags.
Result<XmlDocument> read_xml(std::string text, const XmlRules& rules = {});

}  // namespace nbform
