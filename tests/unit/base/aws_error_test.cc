#include "base/aws_error.h"

#include <fmt/format.h>

#include "support/catch.h"

using namespace nbform;

namespace {

Response ec2(int status, std::string_view code, std::string_view message = "m") {
  return {status,
          {},
          fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>req-1</RequestID></Response>)",
                      code, message)};
}

Response json(int status, std::string body, Headers headers = {}) {
  headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
  return {status, std::move(headers), std::move(body)};
}

}  // namespace

TEST_CASE("the code decides before the status") {
  CHECK(classify_aws(ec2(500, "InsufficientInstanceCapacity")) == Code::capacity);
  CHECK(classify_aws(ec2(500, "InsufficientVolumeCapacity")) == Code::capacity);
  CHECK(classify_aws(ec2(503, "RequestLimitExceeded")) == Code::throttled);
  CHECK(classify_aws(ec2(503, "Unavailable")) == Code::unavailable);
  CHECK(classify_aws(ec2(500, "InternalError")) == Code::unavailable);
  CHECK(classify_aws(ec2(400, "InvalidInstanceID.NotFound")) == Code::not_found);
  CHECK(classify_aws(ec2(400, "VcpuLimitExceeded")) == Code::quota);
  CHECK(classify_aws(ec2(400, "MaxSpotInstanceCountExceeded")) == Code::quota);
  CHECK(classify_aws(ec2(400, "VolumeLimitExceeded")) == Code::quota);
  CHECK(classify_aws(ec2(400, "SpotMaxPriceTooLow")) == Code::capacity);
  CHECK(classify_aws(ec2(400, "IncorrectInstanceState")) == Code::busy);
  CHECK(classify_aws(ec2(400, "DependencyViolation")) == Code::busy);
  CHECK(classify_aws(ec2(400, "InvalidGroup.InUse")) == Code::busy);
  CHECK(classify_aws(ec2(400, "InvalidGroup.Duplicate")) == Code::exists);
  CHECK(classify_aws(ec2(400, "InvalidAMIID.Malformed")) == Code::bad_manifest);
  CHECK(classify_aws(ec2(400, "IdempotentParameterMismatch")) == Code::exists);
  CHECK(classify_aws(ec2(400, "OptInRequired")) == Code::denied);
  CHECK(classify_aws(ec2(403, "UnauthorizedOperation")) == Code::denied);
  CHECK(classify_aws(ec2(400, "OperationNotPermitted")) == Code::denied);
  CHECK(classify_aws(ec2(400, "RequestExpired")) == Code::unauthenticated);
  CHECK(classify_aws(ec2(401, "AuthFailure")) == Code::unauthenticated);
  CHECK(classify_aws(ec2(403, "SignatureDoesNotMatch")) == Code::unauthenticated);
  CHECK(classify_aws(ec2(400, "SomethingNew")) == Code::bad_manifest);
}

TEST_CASE("two codes mean something else with certain words") {
  CHECK(classify_aws(ec2(400, "InvalidParameterValue", "Value (x) is invalid")) == Code::bad_manifest);
  CHECK(classify_aws(ec2(400, "InvalidParameterValue",
                         "Value (nb) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "
                         "Profile name")) == Code::busy);
  CHECK(classify_aws(ec2(400, "AuthFailure", "Not authorized for images: [ami-1]")) == Code::denied);
}

TEST_CASE("EC2's envelope") {
  AwsProblem problem =
      parse_aws_error(ec2(400, "Client.InvalidInstanceID.NotFound", "The ID &apos;i-1&apos;"));
  CHECK(problem.code == "InvalidInstanceID.NotFound");
  CHECK(problem.message == "The ID 'i-1'");
  CHECK(problem.request_id == "req-1");
  Diagnostic d = aws_error(problem);
  CHECK(d.code == Code::not_found);
  CHECK(d.provider_code == "InvalidInstanceID.NotFound");
  CHECK(d.request_id == "req-1");
  CHECK(d.detail == "The ID 'i-1' (HTTP 400, InvalidInstanceID.NotFound)");
}

TEST_CASE("the envelope of STS") {
  AwsProblem problem = parse_aws_error(
      {403, {}, R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
        <Code>InvalidClientTokenId</Code><Message>The security token is invalid</Message></Error>
        <RequestId>r2</RequestId></ErrorResponse>)"});
  CHECK(problem.code == "InvalidClientTokenId");
  CHECK(problem.request_id == "r2");
  CHECK(classify_aws(problem) == Code::unauthenticated);
}

TEST_CASE("the envelope of S3, and an S3 answer without a body") {
  AwsProblem problem =
      parse_aws_error({400,
                       {},
                       "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message>"
                       "<Region>eu-west-1</Region><RequestId>r3</RequestId></Error>"});
  CHECK(problem.code == "AuthorizationHeaderMalformed");
  CHECK(problem.region == "eu-west-1");
  CHECK(problem.request_id == "r3");
  CHECK(classify_aws(Response{412, {}, "<Error><Code>PreconditionFailed</Code></Error>"}) == Code::conflict);
  CHECK(classify_aws(Response{409, {}, "<Error><Code>ConditionalRequestConflict</Code></Error>"}) ==
        Code::busy);
  CHECK(classify_aws(Response{404, {}, ""}) == Code::not_found);
  CHECK(parse_aws_error({301, {{"x-amz-bucket-region", "eu-west-1"}}, ""}).region == "eu-west-1");
}

TEST_CASE("JSON envelopes: type with and without namespace, header, both spellings of message") {
  AwsProblem plain = parse_aws_error(json(400, R"({"__type":"ParameterNotFound","message":"no"})"));
  CHECK(plain.code == "ParameterNotFound");
  CHECK(classify_aws(plain) == Code::not_found);
  CHECK(parse_aws_error(json(400, R"({"__type":"com.amazonaws.ssm#ThrottlingException"})")).code ==
        "ThrottlingException");
  AwsProblem by_header =
      parse_aws_error(json(401, R"({"Message":"Session token not found"})",
                           {{"x-amzn-ErrorType", "UnauthorizedException:http://internal.amazon.com/x"},
                            {"x-amzn-RequestId", "r4"}}));
  CHECK(by_header.code == "UnauthorizedException");
  CHECK(by_header.message == "Session token not found");
  CHECK(by_header.request_id == "r4");
  CHECK(classify_aws(by_header) == Code::unauthenticated);
}

TEST_CASE("no envelope: the status decides, and a page of HTML is not quoted") {
  CHECK(classify_aws(Response{502, {}, "<html><body>Bad Gateway</body></html>"}) == Code::unavailable);
  CHECK(classify_aws(Response{429, {}, ""}) == Code::throttled);
  CHECK(classify_aws(Response{302, {}, ""}) == Code::io);
  Diagnostic d = aws_error(Response{502, {}, "<html><body>Bad Gateway</body></html>"});
  CHECK(d.provider_code.empty());
  CHECK(d.detail == "The answer carries no explanation. (HTTP 502)");
}

TEST_CASE("remedies stand beside the codes that have one") {
  CHECK(aws_error(ec2(400, "AuthFailure.ServiceLinkedRoleCreationNotPermitted"))
            .hint.find("aws iam create-service-linked-role") != std::string::npos);
  CHECK(aws_error(ec2(400, "VPCIdNotSpecified")).hint.find("network.subnet") != std::string::npos);
  CHECK(aws_error(ec2(400, "SpotMaxPriceTooLow")).hint.find("spot.max_price") != std::string::npos);
}

TEST_CASE("a stateReason's word and a dry run are recognised") {
  CHECK(classify_aws_code("Server.InsufficientInstanceCapacity") == Code::capacity);
  CHECK(classify_aws_code("Client.VolumeLimitExceeded") == Code::quota);
  CHECK(is_dry_run_success(parse_aws_error(ec2(412, "DryRunOperation"))));
  CHECK_FALSE(is_dry_run_success(parse_aws_error(ec2(403, "UnauthorizedOperation"))));
}
