#include "base/aws_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/json.h"
#include "base/refusal.h"
#include "base/text.h"
#include "base/xml.h"

namespace nbform {

namespace {

const std::map<std::string_view, Code>& known_codes() {
  static const std::map<std::string_view, Code> kCodes = {
      // Too fast.
      {"RequestLimitExceeded", Code::throttled},
      {"EC2ThrottledException", Code::throttled},
      {"Throttling", Code::throttled},
      {"ThrottlingException", Code::throttled},
      {"ThrottledException", Code::throttled},
      {"RequestThrottled", Code::throttled},
      {"RequestThrottledException", Code::throttled},
      {"TooManyRequestsException", Code::throttled},
      {"ProvisionedThroughputExceededException", Code::throttled},
      {"TransactionInProgressException", Code::throttled},
      {"BandwidthLimitExceeded", Code::throttled},
      {"LimitExceededException", Code::throttled},
      {"PriorRequestNotComplete", Code::throttled},
      {"SlowDown", Code::throttled},
      // Passing by itself.
      {"Unavailable", Code::unavailable},
      {"ServiceUnavailable", Code::unavailable},
      {"InternalError", Code::unavailable},
      {"InternalFailure", Code::unavailable},
      {"InternalServerError", Code::unavailable},
      {"RequestTimeout", Code::unavailable},
      {"RequestTimeoutException", Code::unavailable},
      {"IDPCommunicationError", Code::unavailable},
      {"BadDigest", Code::unavailable},
      // Not to be had here, now or at this price.
      {"UnfulfillableCapacity", Code::capacity},
      {"SpotMaxPriceTooLow", Code::capacity},
      {"InsufficientFreeAddressesInSubnet", Code::capacity},
      {"PrivateIpAddressLimitExceeded", Code::capacity},
      {"ResourceCountExceeded", Code::capacity},
      // A limit of the account. Others end in LimitExceeded.
      {"MaxSpotInstanceCountExceeded", Code::quota},
      {"ResourceLimitExceeded", Code::quota},
      {"VolumeModificationRateExceeded", Code::quota},
      {"FilterLimitExceeded", Code::bad_manifest},
      // In the wrong state for it, as yet.
      {"IncorrectInstanceState", Code::busy},
      {"IncorrectState", Code::busy},
      {"IncorrectSpotRequestState", Code::busy},
      {"IncorrectModificationState", Code::busy},
      {"DependencyViolation", Code::busy},
      {"VolumeInUse", Code::busy},
      {"ResourceInUse", Code::busy},
      {"OperationAborted", Code::busy},
      {"ConditionalRequestConflict", Code::busy},
      // Somebody else was there first.
      {"PreconditionFailed", Code::conflict},
      {"ConflictException", Code::conflict},
      {"IdempotentParameterMismatch", Code::exists},  // made by another request with that token
      {"BucketAlreadyExists", Code::exists},
      {"BucketAlreadyOwnedByYou", Code::exists},
      {"NoSuchKey", Code::not_found},
      {"NoSuchBucket", Code::not_found},
      {"ParameterNotFound", Code::not_found},
      {"ParameterVersionNotFound", Code::not_found},
      {"ResourceNotFound", Code::not_found},
      {"ResourceNotFoundException", Code::not_found},
      {"NoSuchResourceException", Code::not_found},
      // Not for this caller.
      {"UnauthorizedOperation", Code::denied},
      {"AccessDenied", Code::denied},
      {"AccessDeniedException", Code::denied},
      {"ForbiddenException", Code::denied},
      {"OperationNotPermitted", Code::denied},  // protection against termination or stopping
      {"OptInRequired", Code::denied},
      {"RegionDisabledException", Code::denied},
      {"Blocked", Code::denied},
      {"PendingVerification", Code::denied},
      {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", Code::denied},
      // No valid caller.
      {"AuthFailure", Code::unauthenticated},
      {"ExpiredToken", Code::unauthenticated},
      {"ExpiredTokenException", Code::unauthenticated},
      {"RequestExpired", Code::unauthenticated},
      {"RequestInTheFuture", Code::unauthenticated},
      {"RequestTimeTooSkewed", Code::unauthenticated},
      {"SignatureDoesNotMatch", Code::unauthenticated},
      {"InvalidSignatureException", Code::unauthenticated},
      {"IncompleteSignature", Code::unauthenticated},
      {"IncompleteSignatureException", Code::unauthenticated},
      {"InvalidClientTokenId", Code::unauthenticated},
      {"InvalidAccessKeyId", Code::unauthenticated},
      {"InvalidToken", Code::unauthenticated},
      {"MissingAuthenticationToken", Code::unauthenticated},
      {"MissingAuthenticationTokenException", Code::unauthenticated},
      {"UnrecognizedClientException", Code::unauthenticated},
      {"UnauthorizedException", Code::unauthenticated},
      {"IDPRejectedClaim", Code::unauthenticated},
      {"InvalidIdentityToken", Code::unauthenticated},
      // Not in this place, or not at all.
      {"Unsupported", Code::unsupported},
      {"UnsupportedOperation", Code::unsupported},
      {"NotImplemented", Code::unsupported},
      {"MethodNotAllowed", Code::unsupported},
      {"UnknownOperationException", Code::unsupported},
      {"InvalidAction", Code::unsupported},
  };
  return kCodes;
}

// A profile that was just made is not known everywhere yet.
bool is_settling_profile(const AwsProblem& problem) {
  return problem.code == "InvalidParameterValue" &&
         (problem.message.find("Invalid IAM Instance Profile") != std::string::npos ||
          problem.message.find("has no associated IAM Roles") != std::string::npos);
}

std::optional<Code> code_of_family(std::string_view code) {
  if (code.starts_with("Insufficient") && code.ends_with("Capacity")) return Code::capacity;
  if (code.ends_with(".NotFound")) return Code::not_found;
  if (code.ends_with(".Duplicate")) return Code::exists;
  if (code.ends_with(".InUse")) return Code::busy;
  if (code.ends_with("LimitExceeded")) return Code::quota;
  if (code.starts_with("Invalid") || code.starts_with("Missing") || code.starts_with("Unknown") ||
      code.starts_with("Validation"))
    return Code::bad_manifest;
  return std::nullopt;
}

std::optional<Code> code_of_word(const AwsProblem& problem) {
  if (is_settling_profile(problem)) return Code::busy;
  // The caller is known; what it asks for is not shared with it.
  if (problem.code == "AuthFailure" && problem.message.starts_with("Not authorized for")) return Code::denied;
  auto known = known_codes().find(problem.code);
  return known != known_codes().end() ? std::optional(known->second) : code_of_family(problem.code);
}

// 409: the same request may be taken in a moment.
Code code_of_status(int status) {
  return status == 409 ? Code::busy : code_of_http_status(status);
}

// "Server.X" -> X; "aws.ssm#X" -> X; "X:http://..." -> X.
std::string plain_code(std::string_view code) {
  code = trim(code.substr(0, code.find(':')));
  if (auto hash = code.rfind('#'); hash != std::string_view::npos) code = code.substr(hash + 1);
  for (std::string_view prefix : {"Client.", "Server."})
    if (code.starts_with(prefix)) code.remove_prefix(prefix.size());
  return std::string(code.substr(0, 100));
}

void read_xml_envelope(AwsProblem& problem, std::string_view body) {
  auto document = read_xml(std::string(body));
  if (!document.ok()) return;
  const Value& content = document->content;
  // <Response><Errors><Error>, <ErrorResponse><Error>, or <Error> itself.
  const Value& inside = content["Errors"]["Error"].is_map() ? content["Errors"]["Error"] : content["Error"];
  const Value& found = inside.is_map() ? inside : content;
  problem.code = plain_code(found["Code"].as_text());
  problem.message = found["Message"].as_text();
  problem.region = found["Region"].as_text();
  for (const Value* id : {&content["RequestID"], &content["RequestId"], &found["RequestId"]})
    if (problem.request_id.empty()) problem.request_id = id->as_text();
}

void read_json_envelope(AwsProblem& problem, const Response& response) {
  problem.code = plain_code(header(response.headers, "x-amzn-errortype").value_or(""));
  auto body = parse_json(response.body);
  if (!body.ok()) return;
  const Value& content = *body;
  if (auto type = content["__type"].as_text(content["code"].as_text()); problem.code.empty())
    problem.code = plain_code(type);
  problem.message = content["message"].as_text(content["Message"].as_text());
}

std::string_view summary_of(Code code) {
  switch (code) {
    case Code::throttled:
      return "AWS limits the rate of requests";
    case Code::quota:
      return "A quota of the AWS account is used up";
    case Code::capacity:
      return "AWS has no capacity there now";
    case Code::not_found:
      return "AWS does not have this";
    case Code::exists:
      return "The name is taken in AWS";
    case Code::busy:
      return "The resource is busy with something else";
    case Code::conflict:
      return "The resource was changed meanwhile";
    case Code::denied:
      return "AWS does not allow this";
    case Code::unauthenticated:
      return "AWS does not accept the credentials";
    case Code::bad_manifest:
      return "AWS refuses a value";
    case Code::unsupported:
      return "AWS does not offer this";
    case Code::io:
      return "The answer is not one of AWS";
    default:
      return "AWS is not available";
  }
}

std::string_view hint_of_word(const AwsProblem& problem) {
  static const std::map<std::string_view, std::string_view> kHints = {
      {"SpotMaxPriceTooLow", "Raise spot.max_price, or leave it out: the on-demand price is the limit then"},
      {"VcpuLimitExceeded",
       "Ask for more vCPUs of this family: Service Quotas, Amazon EC2, \"Running On-Demand ... instances\""},
      {"MaxSpotInstanceCountExceeded",
       "Ask for more: Service Quotas, Amazon EC2, \"All ... Spot Instance Requests\""},
      {"OptInRequired",
       "Enable the region or the service for this account:\n  aws account enable-region --region-name "
       "REGION"},
      {"RegionDisabledException",
       "Enable the region for this account:\n  aws account enable-region --region-name REGION"},
      {"AuthFailure.ServiceLinkedRoleCreationNotPermitted",
       "Someone who may must create EC2 Spot's role once:\n  aws iam create-service-linked-role "
       "--aws-service-name spot.amazonaws.com"},
      {"VPCIdNotSpecified",
       "The region has no default VPC: name a subnet in network.subnet, or make one:\n  aws ec2 "
       "create-default-vpc"},
      {"PendingVerification", "AWS is still checking the account for this region; it says so by e-mail"},
      {"OperationNotPermitted", "Switch the protection off (protect, security.deletion_protection) first"},
      {"RequestTimeTooSkewed", "Set this machine's clock"},
      {"RequestInTheFuture", "Set this machine's clock"},
  };
  auto at = kHints.find(problem.code);
  return at == kHints.end() ? std::string_view{} : at->second;
}

std::string_view hint_of(Code code, const AwsProblem& problem) {
  if (auto own = hint_of_word(problem); !own.empty()) return own;
  switch (code) {
    case Code::unauthenticated:
      return "See who you are:\n  aws sts get-caller-identity\nand log in again:\n  aws sso login";
    case Code::quota:
      return "Ask for more: https://console.aws.amazon.com/servicequotas/home";
    case Code::capacity:
      return "Try another availability zone or machine type, or later";
    case Code::throttled:
      return "Try again in a minute, or with a smaller --parallelism";
    case Code::denied:
      return "Ask an administrator of the account for the permission";
    default:
      return "";
  }
}

}  // namespace

AwsProblem parse_aws_error(const Response& response) {
  AwsProblem problem;
  problem.http_status = response.status;
  for (const char* name : {"x-amzn-requestid", "x-amz-request-id", "x-amz-requestid"})
    if (auto id = header(response.headers, name); id && problem.request_id.empty()) problem.request_id = *id;
  problem.region = header(response.headers, "x-amz-bucket-region").value_or("");
  if (trim(response.body).starts_with('<'))
    read_xml_envelope(problem, response.body);
  else
    read_json_envelope(problem, response);
  problem.message.resize(std::min(problem.message.size(), kMaxRefusalMessage));
  return problem;
}

Code classify_aws(const AwsProblem& problem) {
  return code_of_word(problem).value_or(code_of_status(problem.http_status));
}

Code classify_aws(const Response& response) {
  return classify_aws(parse_aws_error(response));
}

Code classify_aws_code(std::string_view code, std::string_view message) {
  return classify_aws(
      AwsProblem{.http_status = 400, .code = plain_code(code), .message = std::string(message)});
}

Diagnostic aws_error(const AwsProblem& problem) {
  Code code = classify_aws(problem);
  Diagnostic d = error(code, std::string(summary_of(code)),
                       refusal_detail(problem.message, problem.http_status, problem.code))
                     .with_hint(std::string(hint_of(code, problem)));
  d.provider_code = problem.code;
  d.request_id = problem.request_id;
  return d;
}

Diagnostic aws_error(const Response& response) {
  return aws_error(parse_aws_error(response));
}

bool is_dry_run_success(const AwsProblem& problem) {
  return problem.code == "DryRunOperation";
}

}  // namespace nbform
