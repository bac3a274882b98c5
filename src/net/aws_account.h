// Whose account the credentials are of, and whether it is the declared one. Pure: builds the question, judges
// the answer. It is asked before anything is listed.
#pragma once

#include <string>

#include "base/message.h"
#include "base/result.h"
#include "base/value.h"

namespace nbform {

struct AwsCaller {
  std::string account, arn;
};

// `sts_base`: the endpoint of STS; to be signed with its scope.
Request caller_identity_request(const std::string& sts_base);
// Of a 2xx, read as read_aws_body() does. Errors: unavailable (no such answer).
Result<AwsCaller> parse_caller_identity(const Value& body);
// `declared`: clouds.aws.account, "" for none. Errors: usage, for another account.
Result<> check_account(const AwsCaller& caller, const std::string& declared);

}  // namespace nbform
