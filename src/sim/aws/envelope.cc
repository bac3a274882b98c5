#include "sim/aws/envelope.h"

#include <fmt/format.h>

#include <array>

#include "base/json.h"
#include "sim/aws/xml.h"

namespace nbform::sim::aws {

namespace {

struct CodeStatus {
  std::string_view code;
  int status;
};
// 400 for all others.
constexpr std::array kStatuses = {
    CodeStatus{"AuthFailure", 401},
    CodeStatus{"OptInRequired", 401},
    CodeStatus{"UnauthorizedException", 401},
    CodeStatus{"AuthFailure.ServiceLinkedRoleCreationNotPermitted", 403},
    CodeStatus{"UnauthorizedOperation", 403},
    CodeStatus{"AccessDenied", 403},
    CodeStatus{"SignatureDoesNotMatch", 403},
    CodeStatus{"InvalidClientTokenId", 403},
    CodeStatus{"MissingAuthenticationToken", 403},
    CodeStatus{"ExpiredToken", 403},
    CodeStatus{"RegionDisabledException", 403},
    CodeStatus{"IDPRejectedClaim", 403},
    CodeStatus{"DryRunOperation", 412},
    CodeStatus{"InternalError", 500},
    CodeStatus{"InternalServerError", 500},
    CodeStatus{"InsufficientInstanceCapacity", 500},
    CodeStatus{"InsufficientHostCapacity", 500},
    CodeStatus{"InsufficientVolumeCapacity", 500},
    CodeStatus{"InsufficientCapacity", 500},
    CodeStatus{"RequestLimitExceeded", 503},
    CodeStatus{"Unavailable", 503},
    CodeStatus{"ServiceUnavailable", 503},
};

constexpr std::string_view kEc2Space = "http://ec2.amazonaws.com/doc/2016-11-15/";
constexpr std::string_view kStsSpace = "https://sts.amazonaws.com/doc/2011-06-15/";

Response answer(int status, std::string type, std::string body, const std::string& request_id) {
  return {status,
          {{"Content-Type", std::move(type)}, {"x-amzn-RequestId", request_id}, {"Server", "AmazonEC2"}},
          std::move(body)};
}

Response xml(int status, std::string body, const std::string& request_id) {
  return answer(status, "text/xml;charset=UTF-8", std::move(body), request_id);
}

std::string ec2_error(std::string_view code, std::string_view message, const std::string& request_id) {
  return fmt::format(
      "<?xml version=\"1.0\" "
      "encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message>"
      "</Error></Errors><RequestID>{}</RequestID></Response>",
      escape_xml(code), escape_xml(message), request_id);
}

}  // namespace

int status_of(std::string_view code) {
  for (const CodeStatus& c : kStatuses)
    if (c.code == code) return c.status;
  return 400;
}

Response success(Protocol protocol, std::string_view action, const Value& members,
                 const std::string& request_id) {
  if (protocol == Protocol::json)
    return answer(200, "application/x-amz-json-1.1", members.is_null() ? "" : to_json(members), request_id);
  std::string root = fmt::format("{}Response", action);
  if (protocol == Protocol::query)
    return xml(200,
               xml_document(root, kStsSpace,
                            Map{{fmt::format("{}Result", action), members},
                                {"ResponseMetadata", Map{{"RequestId", request_id}}}}),
               request_id);
  Map body{{"requestId", request_id}};
  if (members.is_null()) body.set("return", true);
  for (const auto& [name, member] : members.as_map()) body.set(name, member);
  return xml(200, xml_document(root, kEc2Space, std::move(body)), request_id);
}

Response failure(Protocol protocol, std::string_view code, std::string_view message,
                 const std::string& request_id, int status) {
  if (status == 0) status = status_of(code);
  if (protocol == Protocol::json) {
    Response r = answer(status, "application/x-amz-json-1.1",
                        to_json(Map{{"__type", code}, {"message", message}}), request_id);
    set_header(r.headers, "x-amzn-ErrorType", std::string(code));
    return r;
  }
  if (protocol == Protocol::ec2) return xml(status, ec2_error(code, message, request_id), request_id);
  Map error{{"Type", status >= 500 ? "Receiver" : "Sender"}, {"Code", code}, {"Message", message}};
  return xml(
      status,
      xml_document("ErrorResponse", kStsSpace, Map{{"Error", std::move(error)}, {"RequestId", request_id}}),
      request_id);
}

Response failure(Protocol protocol, const Diagnostic& refusal, const std::string& request_id) {
  return failure(protocol, refusal.provider_code, refusal.detail, request_id);
}

std::string_view code_for(Protocol protocol, int status) {
  bool json = protocol == Protocol::json;
  if (status == 503) return json ? "ServiceUnavailable" : "Unavailable";
  if (status >= 500) return json ? "InternalServerError" : "InternalError";
  if (status == 429) return json ? "ThrottlingException" : "RequestLimitExceeded";
  if (status == 401) return json ? "UnrecognizedClientException" : "AuthFailure";
  if (status == 403) return protocol == Protocol::ec2 ? "UnauthorizedOperation" : "AccessDenied";
  return json ? "ValidationException" : "InvalidParameterValue";
}

}  // namespace nbform::sim::aws
