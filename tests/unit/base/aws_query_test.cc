#include "base/aws_query.h"

#include <algorithm>

#include "base/json.h"
#include "support/catch.h"

using namespace nbform;

namespace {

constexpr const char* kVersion = "2016-11-15";

// The parameters of a body, in an order of their own.
Query parameters(std::string_view body) {
  Query query = form_decode(body);
  std::sort(query.begin(), query.end());
  return query;
}

std::string ec2(std::string_view action, std::string_view json) {
  return query_body(action, kVersion, parse_json(json).value());
}

}  // namespace

TEST_CASE("a spot launch with disks, interface and tags is the body that AWS's own client writes") {
  const char* tags = R"([{"Key":"nbform:name","Value":"demo box"},{"Key":"nbform:uid","Value":"0a1b"}])";
  List specifications;
  for (const char* type : {"instance", "volume", "network-interface", "spot-instances-request"})
    specifications.push_back(Value(Map{{"ResourceType", type}, {"Tag", parse_json(tags).value()}}));
  Value launch =
      parse_json(R"({"ImageId":"ami-0123456789abcdef0","InstanceType":"g5.xlarge","MinCount":1,"MaxCount":1,
    "KeyName":"nb-key","UserData":"IyEvYmluL3NoCg==","BlockDeviceMapping":[
      {"DeviceName":"/dev/sda1","Ebs":{"VolumeSize":100,"VolumeType":"gp3","Iops":3000,"Throughput":125,"Encrypted":true,
       "DeleteOnTermination":true}},
      {"DeviceName":"/dev/sdf","Ebs":{"VolumeSize":200,"VolumeType":"gp3","DeleteOnTermination":false}}],
    "NetworkInterface":[{"DeviceIndex":0,"SubnetId":"subnet-0123456789abcdef0","AssociatePublicIpAddress":true,
      "DeleteOnTermination":true,"SecurityGroupId":["sg-0123456789abcdef0","sg-0fedcba9876543210"]}],
    "Placement":{"AvailabilityZone":"us-west-2a"},"IamInstanceProfile":{"Name":"nb-profile"},
    "MetadataOptions":{"HttpTokens":"required","HttpPutResponseHopLimit":2,"HttpEndpoint":"enabled",
      "InstanceMetadataTags":"disabled"},
    "InstanceMarketOptions":{"MarketType":"spot","SpotOptions":{"MaxPrice":"0.60","SpotInstanceType":"persistent",
      "InstanceInterruptionBehavior":"stop"}},
    "InstanceInitiatedShutdownBehavior":"stop","EbsOptimized":true,"ClientToken":"nbform-0a1b-1"})")
          .value();
  launch.map().set("TagSpecification", Value(specifications));
  const char* expected =
      "Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0&InstanceType=g5.xlarge&MinCount="
      "1&"
      "MaxCount=1&KeyName=nb-key&UserData=IyEvYmluL3NoCg%3D%3D&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&"
      "BlockDeviceMapping.1.Ebs.VolumeSize=100&BlockDeviceMapping.1.Ebs.VolumeType=gp3&"
      "BlockDeviceMapping.1.Ebs.Iops=3000&BlockDeviceMapping.1.Ebs.Throughput=125&"
      "BlockDeviceMapping.1.Ebs.Encrypted=true&BlockDeviceMapping.1.Ebs.DeleteOnTermination=true&"
      "BlockDeviceMapping.2.DeviceName=%2Fdev%2Fsdf&BlockDeviceMapping.2.Ebs.VolumeSize=200&"
      "BlockDeviceMapping.2.Ebs.VolumeType=gp3&BlockDeviceMapping.2.Ebs.DeleteOnTermination=false&"
      "NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId=subnet-0123456789abcdef0&"
      "NetworkInterface.1.AssociatePublicIpAddress=true&NetworkInterface.1.DeleteOnTermination=true&"
      "NetworkInterface.1.SecurityGroupId.1=sg-0123456789abcdef0&"
      "NetworkInterface.1.SecurityGroupId.2=sg-0fedcba9876543210&Placement.AvailabilityZone=us-west-2a&"
      "IamInstanceProfile.Name=nb-profile&MetadataOptions.HttpTokens=required&"
      "MetadataOptions.HttpPutResponseHopLimit=2&MetadataOptions.HttpEndpoint=enabled&"
      "MetadataOptions.InstanceMetadataTags=disabled&InstanceMarketOptions.MarketType=spot&"
      "InstanceMarketOptions.SpotOptions.MaxPrice=0.60&"
      "InstanceMarketOptions.SpotOptions.SpotInstanceType=persistent&"
      "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=stop&"
      "InstanceInitiatedShutdownBehavior=stop&EbsOptimized=true&TagSpecification.1.ResourceType=instance&"
      "TagSpecification.1.Tag.1.Key=nbform%3Aname&TagSpecification.1.Tag.1.Value=demo+box&"
      "TagSpecification.1.Tag.2.Key=nbform%3Auid&TagSpecification.1.Tag.2.Value=0a1b&"
      "TagSpecification.2.ResourceType=volume&TagSpecification.2.Tag.1.Key=nbform%3Aname&"
      "TagSpecification.2.Tag.1.Value=demo+box&TagSpecification.2.Tag.2.Key=nbform%3Auid&"
      "TagSpecification.2.Tag.2.Value=0a1b&TagSpecification.3.ResourceType=network-interface&"
      "TagSpecification.3.Tag.1.Key=nbform%3Aname&TagSpecification.3.Tag.1.Value=demo+box&"
      "TagSpecification.3.Tag.2.Key=nbform%3Auid&TagSpecification.3.Tag.2.Value=0a1b&"
      "TagSpecification.4.ResourceType=spot-instances-request&TagSpecification.4.Tag.1.Key=nbform%3Aname&"
      "TagSpecification.4.Tag.1.Value=demo+box&TagSpecification.4.Tag.2.Key=nbform%3Auid&"
      "TagSpecification.4.Tag.2.Value=0a1b&ClientToken=nbform-0a1b-1";
  CHECK(parameters(query_body("RunInstances", kVersion, launch)) == parameters(expected));
}

TEST_CASE("filters, wildcards and a page token") {
  CHECK(parameters(
            ec2("DescribeInstances", R"({"Filter":[{"Name":"tag:nbform:name","Value":["demo box","demo*"]},
          {"Name":"tag:nbform:uid","Value":["0a1b"]}],"NextToken":"eyJ2IjoiMiJ9+/=","MaxResults":50})")) ==
        parameters("Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Anbform%3Aname&"
                   "Filter.1.Value.1=demo+box&Filter.1.Value.2=demo%2A&Filter.2.Name=tag%3Anbform%3Auid&"
                   "Filter.2.Value.1=0a1b&NextToken=eyJ2IjoiMiJ9%2B%2F%3D&MaxResults=50"));
}

TEST_CASE("bodies of one action each, byte for byte") {
  CHECK(ec2("AuthorizeSecurityGroupIngress",
            R"({"GroupId":"sg-1","IpPermissions":[{"IpProtocol":"tcp","FromPort":22,
          "ToPort":22,"IpRanges":[{"CidrIp":"203.0.113.0/24","Description":"ssh home"}]}]})") ==
        "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&IpPermissions.1.FromPort=22&"
        "IpPermissions.1.IpProtocol=tcp&IpPermissions.1.IpRanges.1.CidrIp=203.0.113.0%2F24&"
        "IpPermissions.1.IpRanges.1.Description=ssh%20home&IpPermissions.1.ToPort=22");
  CHECK(ec2("RevokeSecurityGroupIngress", R"({"GroupId":"sg-1","SecurityGroupRuleId":["sgr-1","sgr-2"]})") ==
        "Action=RevokeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&SecurityGroupRuleId.1=sgr-1&"
        "SecurityGroupRuleId.2=sgr-2");
  CHECK(
      ec2("ModifySecurityGroupRules",
          R"({"GroupId":"sg-1","SecurityGroupRule":[{"SecurityGroupRuleId":"sgr-1",
          "SecurityGroupRule":{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"10.0.0.0/8"}}]})") ==
      "Action=ModifySecurityGroupRules&Version=2016-11-15&GroupId=sg-1&"
      "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.0.0.0%2F8&"
      "SecurityGroupRule.1.SecurityGroupRule.FromPort=22&"
      "SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp&SecurityGroupRule.1.SecurityGroupRule.ToPort=22&"
      "SecurityGroupRule.1.SecurityGroupRuleId=sgr-1");
  CHECK(ec2("ModifyInstanceAttribute", R"({"InstanceId":"i-1","InstanceType":{"Value":"g5.2xlarge"}})") ==
        "Action=ModifyInstanceAttribute&Version=2016-11-15&InstanceId=i-1&InstanceType.Value=g5.2xlarge");
  // a: whatever its value; b: only if empty
  CHECK(ec2("DeleteTags", R"({"ResourceId":["i-1"],"Tag":[{"Key":"a"},{"Key":"b","Value":""}]})") ==
        "Action=DeleteTags&Version=2016-11-15&ResourceId.1=i-1&Tag.1.Key=a&Tag.2.Key=b&Tag.2.Value=");
}

TEST_CASE("nulls and empty lists are not sent to EC2; STS wants members and the empty list") {
  Value value = parse_json(R"({"A":null,"B":[],"C":{},"D":[["x"]]})").value();
  CHECK(query_body("X", "1", value) == "Action=X&Version=1&D.1.1=x");
  Value tags = parse_json(R"({"PolicyArns":[],"Tags":[{"Key":"a"},{"Key":"b"}]})").value();
  CHECK(query_body("AssumeRole", "2011-06-15", tags, QueryLists::member) ==
        "Action=AssumeRole&Version=2011-06-15&PolicyArns=&Tags.member.1.Key=a&Tags.member.2.Key=b");
}

TEST_CASE("a JSON 1.1 request names its operation in a header") {
  Request request = json_request("https://ssm.us-west-2.amazonaws.com/", "AmazonSSM.GetParameter",
                                 Value(Map{{"Name", "/a"}}));
  CHECK(request.method == "POST");
  CHECK(request.body == R"({"Name":"/a"})");
  CHECK(header(request.headers, "x-amz-target") == "AmazonSSM.GetParameter");
  CHECK(header(request.headers, "content-type") == "application/x-amz-json-1.1");
  CHECK(json_request("https://x/", "T.Op", Value()).body == "{}");
}

TEST_CASE("an answer is read whatever its protocol, and a proxy's page is none") {
  CHECK(to_json(
            read_aws_body("<RunInstancesResponse><requestId>r</requestId></RunInstancesResponse>").value()) ==
        R"({"requestId":"r"})");
  CHECK(to_json(read_aws_body("<DeleteTagsResponse/>").value()) == "{}");
  CHECK(to_json(read_aws_body(R"({"Parameter":{"Value":"ami-1"}})").value()) ==
        R"({"Parameter":{"Value":"ami-1"}})");
  CHECK(read_aws_body("<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>")
            ->at_path("Contents/0/Key")
            .as_text() == "k");
  CHECK_FALSE(read_aws_body("<html><body>Please log in</body></html>").ok());
  CHECK_FALSE(read_aws_body("").ok());
}
