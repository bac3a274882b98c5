// How a request to AWS is written: form parameters for EC2 and STS, JSON 1.1 for SSM and others, and how the
// answer of either is read. Pure; knows no signature and no action (EC2 Query API).
#pragma once

#include <string>
#include <string_view>

#include "base/fields.h"
#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform {

enum class QueryLists {
  flat,    // EC2: Name.1, Name.2; an empty list is not sent
  member,  // STS and the other Query services: Name.member.1; an empty list is sent as "Name="
};

// "Action=..&Version=..&A.B.1.C=..": maps are joined by dots, lists count from 1, a null is left out, an
// empty text is sent. A Ref is a bug.
std::string query_body(std::string_view action, std::string_view version, const Value& parameters,
                       QueryLists lists = QueryLists::flat);

// POST to `base`, the address of the service's endpoint.
Request query_request(std::string base, std::string_view action, std::string_view version,
                      const Value& parameters, QueryLists lists = QueryLists::flat);
// `target`: "AmazonSSM.GetParameter".
Request json_request(std::string base, std::string_view target, const Value& parameters);

// The body of a 2xx of either protocol: JSON, or XML without its outermost element. Booleans, numbers and
// times of XML are texts. Errors (io): neither, or XML that is no answer of AWS (a proxy's page).
// Of XML only those of `fields` are read.
Result<Value> read_aws_body(std::string body, const Fields& fields = {});

}  // namespace nbform
