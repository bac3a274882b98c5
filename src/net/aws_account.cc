#include "net/aws_account.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/aws_query.h"
#include "base/text.h"

namespace nbform {

Request caller_identity_request(const std::string& sts_base) {
  return query_request(sts_base, "GetCallerIdentity", "2011-06-15", Value(), QueryLists::member);
}

Result<AwsCaller> parse_caller_identity(const Value& body) {
  const Value& found = body["GetCallerIdentityResult"];
  AwsCaller caller{std::string(found["Account"].as_text()), std::string(found["Arn"].as_text())};
  bool digits =
      std::all_of(caller.account.begin(), caller.account.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (caller.account.size() == 12 && digits) return caller;
  return error(Code::unavailable, "AWS does not say whose credentials these are",
               "The answer to GetCallerIdentity names no account.");
}

Result<> check_account(const AwsCaller& caller, const std::string& declared) {
  if (declared.empty() || declared == caller.account) return Ok{};
  return error(Code::usage, "The credentials are of another AWS account",
               fmt::format(
                   "The manifest declares account {}; the credentials are of {} ({}). Nothing was read.",
                   declared, caller.account, printable(caller.arn)))
      .with_hint(
          "Name the right profile in AWS_PROFILE or clouds.aws.profile, or a role in clouds.aws.assume_role");
}

}  // namespace nbform
