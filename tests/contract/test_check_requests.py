"""check_requests.py finds what is wrong, and passes what google's clients sent."""

import json
import pathlib
import subprocess
import sys

import jsonschema
import pytest
import yaml

import aws_messages
from check_requests import Judge
from discovery import Discovery

HERE = pathlib.Path(__file__).parent
ZONE = "/compute/v1/projects/p/zones/us-central1-a"

WRONG = [
    ("GET", f"{ZONE}/instance", None, "no method"),
    ("PUT", f"{ZONE}/instances/x/setLabels", {}, "no method"),
    ("GET", f"{ZONE}/instances?pageSize=3", None, "unknown query parameter pageSize"),
    ("GET", f"{ZONE}/instances?maxResults=many", None, "is no integer"),
    ("POST", f"{ZONE}/instances/x/detachDisk", None, "deviceName is missing"),
    ("POST", f"{ZONE}/instances", {"name": "x", "machinetype": "y"}, "unknown field machinetype"),
    ("POST", f"{ZONE}/instances", {"disks": [{"boot": "yes"}]}, "is no boolean"),
    ("POST", f"{ZONE}/instances", {"scheduling": {"provisioningModel": "CHEAP"}}, "is not one of"),
    ("POST", f"{ZONE}/instances", {"labels": {"a": 1}}, "is no string"),
    ("POST", f"{ZONE}/instances/x/setLabels", {"labelFingerprint": "not base64"}, "is not base64"),
    ("POST", f"{ZONE}/instances/x/start", {"force": True}, "a body where the method has none"),
]


@pytest.mark.parametrize("method,url,body,message", WRONG)
def test_what_is_not_of_the_api_is_found(method, url, body, message):
    errors = Discovery().check_request(method, url, body)
    assert any(message in e for e in errors), errors


EC2 = "https://ec2.us-west-2.amazonaws.com/"
LAUNCH = "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1"


def of_aws(body, target=""):
    record = {"method": "POST", "url": EC2, "body": body, "target": target}
    return aws_messages.check_request(record, aws_messages.operation(record)[2])


WRONG_FORMS = [
    ("Action=RunInstance&Version=2016-11-15", "no such operation"),
    ("Action=RunInstances&Version=2016-11-15&MinCount=1", "MaxCount"),
    (f"{LAUNCH}&Image=ami-1", "unknown parameter Image"),
    (f"{LAUNCH}&TagSpecifications.1.ResourceType=instance", "unknown parameter TagSpecifications"),
    (f"{LAUNCH}&TagSpecification.0.ResourceType=instance", "no list from 1 on"),
    (f"{LAUNCH}&TagSpecification.2.ResourceType=instance", "no list from 1 on"),
    (f"{LAUNCH}&TagSpecification.1.Tag.1.Name=a", "unknown parameter TagSpecification.1.Tag.1.Name"),
    (f"{LAUNCH}&TagSpecification.1.ResourceType=notebook", "is not one of"),
    (f"{LAUNCH}&EbsOptimized=yes", "is no boolean"),
    (f"{LAUNCH}&MinCount=1", "given twice"),
    (f"{LAUNCH}&Placement=us-west-2a", "Placement"),
    (f"{LAUNCH}&InstanceMarketOptions.SpotOptions.ValidUntil=tomorrow", "is no timestamp"),
    ("Action=ModifyInstanceAttribute&Version=2016-11-15&InstanceId=i-1&UserData.Value=%21", "is no blob"),
    ("Action=DescribeInstances&Version=2016-11-15&MaxResults=1e3", "is no integer"),
    ("Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/x&RoleSessionName=nb&Tags.1.Key=k", "no list"),
]


@pytest.mark.parametrize("body,message", WRONG_FORMS)
def test_what_is_not_of_aws_is_found(body, message):
    errors = of_aws(body)
    assert any(message in e for e in errors), errors


def test_what_is_of_aws_is_passed():
    """The worked bodies that botocore writes, one with everything in it."""
    assert of_aws(
        f"{LAUNCH}&ImageId=ami-0123456789abcdef0&InstanceType=g5.xlarge&UserData=IyEvYmluL3NoCg%3D%3D"
        "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&BlockDeviceMapping.1.Ebs.Encrypted=true"
        "&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SecurityGroupId.1=sg-0123456789abcdef0"
        "&InstanceMarketOptions.MarketType=spot&InstanceMarketOptions.SpotOptions.MaxPrice=0.60"
        "&TagSpecification.1.ResourceType=spot-instances-request&TagSpecification.1.Tag.1.Key=nbform%3Aname"
        "&TagSpecification.1.Tag.1.Value=demo+box&ClientToken=nbform-0a1b-1") == []
    assert of_aws("Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp"
                  "&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=203.0.113.0%2F24") == []
    assert of_aws({"Name": "/a", "WithDecryption": False}, "AmazonSSM.GetParameter") == []
    assert of_aws({"Names": "/a"}, "AmazonSSM.GetParameter") != []
    assert of_aws({"Name": "/a"}, "AmazonSSM.GetNothing") == ["no such operation"]


ANSWERS = [
    ("<DescribeVpcsResponse><requestId>r</requestId><vpcSet/></DescribeVpcsResponse>", ""),
    ("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>", "no requestId"),
    ("<DescribeVpcsResponse><requestId>r</requestId><vpcs/></DescribeVpcsResponse>", "unknown member vpcs"),
    ("<DescribeVpcsResponse><requestId>r</requestId><vpcSet><vpc/></vpcSet></DescribeVpcsResponse>", "in a list of <item>"),
    ("<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><isDefault>yes</isDefault></item></vpcSet></DescribeVpcsResponse>",
     "is no boolean"),
    ("<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><state>open</state></item></vpcSet></DescribeVpcsResponse>",
     "is not one of"),
    ("<DescribeVpcsResponse><requestId>r</requestId>", "not to be parsed"),
]


@pytest.mark.parametrize("answer,message", ANSWERS)
def test_answers_of_aws_are_judged(answer, message):
    errors = aws_messages.check_answer(aws_messages.service_model("ec2").operation_model("DescribeVpcs"), 200, answer, set())
    assert any(message in e for e in errors) if message else errors == []


def test_a_log_may_be_of_both_clouds():
    judge = Judge()
    answer = "<DescribeVpcsResponse><requestId>r</requestId><vpcSet/></DescribeVpcsResponse>"
    body = "Action=DescribeVpcs&Version=2016-11-15"
    assert judge.line({"method": "POST", "url": EC2, "body": body, "status": 200, "answer": answer}) == []
    assert judge.line({"method": "GET", "url": f"{ZONE}/instances", "status": 200, "answer": {"kind": "compute#instanceList"}}) == []
    assert judge.line({"method": "POST", "url": EC2, "body": body + "s", "status": 400, "answer": answer}) != []
    assert judge.asked == {"ec2.DescribeVpcs": 2, "compute.instances.list": 1}


def test_the_undated_parameter_is_allowed_on_lists_only():
    discovery = Discovery()
    assert discovery.check_request("GET", "/compute/v1/projects/p/aggregated/instances?returnPartialSuccess=true", None) == []
    assert discovery.check_request("GET", f"{ZONE}?returnPartialSuccess=true", None) != []


def test_the_program_reads_a_log(nbsim):
    nbsim.raw("GET", "projects/acme-ml/aggregated/instances?maxResults=5")
    check = [sys.executable, HERE / "check_requests.py", nbsim.log]
    assert subprocess.run(check, capture_output=True).returncode == 0
    nbsim.raw("GET", "projects/acme-ml/aggregated/nothing")
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 1 and "no method GET" in done.stdout


def fault_schema():
    return json.loads((HERE.parents[1] / "schemas/faults.schema.json").read_text())


EXAMPLES = yaml.safe_load((HERE / "faults.yaml").read_text())


@pytest.mark.parametrize("case", EXAMPLES["accepted"], ids=lambda c: c["what"])
def test_the_fault_schema_and_nbsim_accept(nbsim, case):
    jsonschema.validate(case["script"], fault_schema())
    nbsim.admin("faults", list=case["script"])


@pytest.mark.parametrize("case", EXAMPLES["refused"], ids=lambda c: c["what"])
def test_the_fault_schema_and_nbsim_refuse(nbsim, case):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(case["script"], fault_schema())
    with pytest.raises(Exception, match="HTTP Error 400"):
        nbsim.admin("faults", list=case["script"])
