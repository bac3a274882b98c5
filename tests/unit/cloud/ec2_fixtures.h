// XML and resources as EC2 and lowering make them, for the tests of ec2/.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/aws_query.h"
#include "base/xml.h"
#include "cloud/ec2/ec2.h"
#include "core/diff.h"
#include "core/plan.h"
#include "support/catch.h"

namespace nbform::ec2_fixtures {

inline const Scope kScope{"ec2", "aws", "123456789012", "us-west-2"};

inline Value xml(const std::string& text) {
  auto document = read_xml(text);
  REQUIRE(document.ok());
  return document->content;
}

inline Response answer(std::string_view action, const std::string& members, Headers headers = {}) {
  return {200, std::move(headers),
          fmt::format(
              "<{0}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>{1}"
              "</{0}Response>",
              action, members)};
}

inline Response refusal(int status, std::string_view code, std::string_view message = "no") {
  return {status,
          {},
          fmt::format("<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors>"
                      "<RequestID>r</RequestID></Response>",
                      code, message)};
}

inline std::string tags(const std::map<std::string, std::string>& entries) {
  std::string out = "<tagSet>";
  for (const auto& [key, value] : entries)
    out += fmt::format("<item><key>{}</key><value>{}</value></item>", key, value);
  return out + "</tagSet>";
}

inline std::map<std::string, std::string> owner_tags(const std::string& part = "instance") {
  return {{"nbform:stack", "research"}, {"nbform:notebook", "dlami"}, {"nbform:part", part}};
}

// An item of instancesSet; `extra` stands beside the usual members.
inline std::string instance_xml(const std::string& state, const std::string& extra = "",
                                const std::map<std::string, std::string>& with_tags = owner_tags()) {
  return fmt::format(
      "<item><instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>0</code><name>{}</name>"
      "</instanceState><keyName>k</keyName><instanceType>g4dn.xlarge</instanceType>"
      "<launchTime>2026-01-01T00:00:00.000Z</launchTime>"
      "<placement><availabilityZone>us-west-2a</availabilityZone></placement><subnetId>subnet-1</subnetId>"
      "<vpcId>vpc-1</vpcId><rootDeviceName>/dev/sda1</rootDeviceName><blockDeviceMapping>"
      "<item><deviceName>/dev/sda1</deviceName><ebs><volumeId>vol-root</volumeId>"
      "<deleteOnTermination>true</deleteOnTermination></ebs></item>"
      "<item><deviceName>/dev/sdf</deviceName><ebs><volumeId>vol-data</volumeId>"
      "<deleteOnTermination>false</deleteOnTermination></ebs></item></blockDeviceMapping>"
      "<groupSet><item><groupId>sg-own</groupId><groupName>nbform-aa-bb-security-group</groupName></item>"
      "<item><groupId>sg-lab</groupId><groupName>lab</groupName></item></groupSet>"
      "<metadataOptions><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>"
      "</metadataOptions>{}{}</item>",
      state, tags(with_tags), extra);
}

inline std::string in_reservation(const std::string& instances) {
  return fmt::format(
      "<reservationSet><item><reservationId>r-1</reservationId><instancesSet>{}</instancesSet></item>"
      "</reservationSet>",
      instances);
}

inline Live instance(const std::string& state, const std::string& extra = "",
                     const std::map<std::string, std::string>& with_tags = owner_tags()) {
  auto live = ec2::instance_kind().decode(
      kScope, xml("<x>" + instance_xml(state, extra, with_tags) + "</x>").at_path("0"));
  REQUIRE(live.ok());
  return *live;
}

// The form body of a call, its parameters sorted: their order is free on the wire.
inline Query parameters(const Call& call) {
  Query all = form_decode(query_body(call.method, "2016-11-15", call.body));
  std::sort(all.begin(), all.end());
  return all;
}

inline Query form(std::string_view action, std::string_view body) {
  Query all = form_decode(fmt::format("Action={}&Version=2016-11-15&{}", action, body));
  std::sort(all.begin(), all.end());
  return all;
}

inline std::string volume_xml(const std::string& id, const std::string& part, const std::string& extra = "",
                              const std::string& status = "in-use") {
  auto with = owner_tags(part);
  with["nbform:keep"] = "always";
  return fmt::format(
      "<item><volumeId>{}</volumeId><size>100</size><availabilityZone>us-west-2a</availabilityZone>"
      "<status>{}</status><volumeType>gp3</volumeType><iops>3000</iops><throughput>125</throughput>"
      "<encrypted>true</encrypted>{}{}</item>",
      id, status, tags(with), extra);
}

}  // namespace nbform::ec2_fixtures
