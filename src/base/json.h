// JSON text <-> Value. The only doors; the parsing library is known to json.cc alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace nbform {

// RFC 8259, UTF-8. Integers that fit int64 stay integers; larger ones become doubles. Nesting beyond 64,
// trailing text and bad UTF-8 are errors with the byte offset where the parser gives one. Of duplicate keys
// the last wins. More values than `most_values` are an error (kTooLarge) before memory is spent on them.
Result<Value> parse_json(std::string_view text, std::size_t most_values = SIZE_MAX);

// Compact, keys sorted, no trailing newline; what steers a terminal is escaped. A Ref becomes
// {"$ref":"address#attr"}.
std::string to_json(const Value& value);

// The same, indented by two blanks, with a trailing newline: for files and screens that people read.
std::string to_pretty_json(const Value& value);

}  // namespace nbform
