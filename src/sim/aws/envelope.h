// The three forms in which AWS answers: EC2's query protocol, the older query protocol (STS), JSON 1.1.
// Success and refusal, with the HTTP status that belongs to a code. Knows no action.
#pragma once

#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform::sim::aws {

enum class Protocol { ec2, query, json };

int status_of(std::string_view code);
// `members` of the answer; null: EC2's <return>true</return>, an empty body in JSON.
Response success(Protocol protocol, std::string_view action, const Value& members,
                 const std::string& request_id);
// `status` 0: the one that belongs to the code.
Response failure(Protocol protocol, std::string_view code, std::string_view message,
                 const std::string& request_id, int status = 0);
Response failure(Protocol protocol, const Diagnostic& refusal, const std::string& request_id);
// What a protocol says for a bare HTTP status: throttled, unavailable, broken.
std::string_view code_for(Protocol protocol, int status);

}  // namespace nbform::sim::aws
