// The requests of AWS as published (api_tables.cc), read into tables: which operations, parameters and
// structures there are, under their names on the wire; and forms and JSON bodies read by them into Values.
// Knows shapes only, nothing of what an operation does.
//
// Table of operations: SERVICE.NAME PARAM:TYPE ... ;     ('PARAM!' = required)
// Table of structures: NAME MEMBER:TYPE ... ;            TYPE = string boolean int double time blob, =A|B
// (enum),
//                                                        [TYPE], or the name of a structure
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform::sim::aws {

extern const std::string_view kOperations;
extern const std::string_view kStructures;

struct Member {
  std::string_view name, type;
  bool required = false;
};
using Members = std::vector<Member>;

// Null for an operation that is not served. `service`: ec2, sts, ssm, servicequotas.
const Members* operation(std::string_view service, std::string_view name);

// The parameters of a form but Action and Version: "Filter.1.Value.2=x" is {"Filter": [{"Value": [..,
// "x"]}]}, numbers and booleans typed, timestamps and blobs as text. `item`: what stands between a list's
// name and its index, "" in EC2, "member" in the older query protocol. Refusals: UnknownParameter,
// MissingParameter, InvalidParameterValue.
Result<Value> read_form(const Query& form, const Members& members, std::string_view item);

// A JSON body judged by the same tables; refusal ValidationException, SerializationException.
Result<Value> read_json_body(std::string_view body, const Members& members);

}  // namespace nbform::sim::aws
