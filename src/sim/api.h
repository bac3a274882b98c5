// Compute v1 as published (compute_api.cc), read into tables: which paths, query parameters and body fields
// there are. Knows shapes only, nothing of what a method does.
//
// Table of methods:  NAME VERB PATH REQUEST RESPONSE PARAM... ;      ('-' = no body; 'PARAM!' = required)
// Table of messages: NAME FIELD:TYPE ... ;      TYPE = string bool int32 int64 double bytes any, =A|B (enum),
//                                               [TYPE], {TYPE} (map of string), or the name of a message
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace nbform::sim {

extern const std::string_view kComputeMethods;
extern const std::string_view kComputeMessages;

struct Param {
  std::string_view name;
  bool required = false;
};

struct Method {
  std::string_view name, verb, request, response;
  std::vector<std::string_view> path;  // "{zone}" stands for any segment
  std::vector<Param> params;
};

using PathArgs = std::map<std::string, std::string, std::less<>>;

struct Routed {
  const Method* method = nullptr;
  PathArgs args;
};

// `path`: segments after /compute/v1/. Refusals: notFound (no such path), methodNotAllowed (another verb).
Result<Routed> route(std::string_view verb, const std::vector<std::string>& path);

// The fields of a message by name, with their types; null for an unknown message.
using Fields = std::map<std::string_view, std::string_view>;
const Fields* message(std::string_view name);
// Type of what a [list] or {map} holds; the type itself otherwise.
std::string_view element_type(std::string_view type);

// Refuses unknown fields, wrong types and unknown enum values, at any depth. A null member means absent.
Result<> check_body(const Value& body, std::string_view message_name, const std::string& at = "resource");

}  // namespace nbform::sim
