"""boto3 drives nbsim's AWS: every answer is held against botocore's service models, and so is what boto3 sends,
which shows that the judge of requests refuses nothing that is right (aws_messages.py)."""

import base64
import contextlib
import datetime
import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import pytest

import aws_api
from check_requests import Judge
from conftest import ANSWERS

PYTORCH = "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04/latest/ami-id"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Qb3Hn1cFzVbM0mH3mYh8cQ0w4wWQ5m0dOqJcD0F2a me@example"
CONFIG = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=20, read_timeout=60)
KEYS = {"aws_access_key_id": "AKIANBFORMSANDBOX001",  # known to every nbsim; test_aws_cli.py takes them from its env
        "aws_secret_access_key": "nbform/sandbox+secret/known/to/everyone1"}
FAST = {"Delay": 0, "MaxAttempts": 200}


class Aws:
    def __init__(self, nbsim, **keys):
        self.nbsim = nbsim
        self.keys = keys or KEYS

    def client(self, service, region="us-west-2", **keys):
        return boto3.client(service, region_name=region, endpoint_url=self.nbsim.url, config=CONFIG,
                            **(keys or self.keys))

    def jump(self, minutes):
        """Time passes in the cloud; its clock goes on as botocore's does, which signs with it."""
        self.jumped = getattr(self, "jumped", 0) + minutes
        self.nbsim.admin("clock", advance=f"{minutes}m", offset=f"-{self.jumped}m")

    @property
    def ami(self):
        return self.client("ssm").get_parameter(Name=PYTORCH)["Parameter"]["Value"]


@pytest.fixture
def aws(nbsim):
    yield Aws(nbsim)
    judge = Judge()
    judge.log(nbsim.log)
    assert not judge.errors, "\n".join(judge.errors)


@pytest.fixture
def ec2(aws):
    return aws.client("ec2")


def launch(ec2, ami, **options):
    wanted = {"ImageId": ami, "InstanceType": "g4dn.xlarge", "MinCount": 1, "MaxCount": 1, **options}
    return ec2.run_instances(**wanted)["Instances"][0]["InstanceId"]


def instance(ec2, name):
    return ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]


def wait(ec2, waiter, name):
    ec2.get_waiter(waiter).wait(InstanceIds=[name], WaiterConfig=FAST)
    return instance(ec2, name)


def tags(**named):
    return [{"Key": key, "Value": value} for key, value in named.items()]


@contextlib.contextmanager
def refused(code, status=None, text=""):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    error = caught.value.response
    assert error["Error"]["Code"] == code, error["Error"]
    assert text in error["Error"]["Message"]
    if status:
        assert error["ResponseMetadata"]["HTTPStatusCode"] == status


def by_key(tag_list):
    return {tag["Key"]: tag["Value"] for tag in tag_list}


SPOT = {"MarketType": "spot",
        "SpotOptions": {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop", "MaxPrice": "0.60"}}


# --- instances


def test_a_launch_has_all_that_was_asked_for(aws, ec2):
    group = ec2.create_security_group(GroupName="nb", Description="ssh only")["GroupId"]
    ec2.import_key_pair(KeyName="nb-key", PublicKeyMaterial=ED25519.encode())
    subnet = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["us-west-2a"]}])["Subnets"][0]
    own = tags(**{"nbform:name": "demo box", "nbform:uid": "0a1b"})
    answer = ec2.run_instances(
        ImageId=aws.ami, InstanceType="g5.xlarge", MinCount=1, MaxCount=1, KeyName="nb-key", UserData="#!/bin/sh\n",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 100, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125,
                                                "Encrypted": True, "DeleteOnTermination": True}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 200, "VolumeType": "gp3", "DeleteOnTermination": False}}],
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet["SubnetId"], "AssociatePublicIpAddress": True,
                            "DeleteOnTermination": True, "Groups": [group]}],
        Placement={"AvailabilityZone": "us-west-2a"}, IamInstanceProfile={"Name": "nb-profile"},
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled",
                         "InstanceMetadataTags": "disabled"},
        InstanceMarketOptions=SPOT, InstanceInitiatedShutdownBehavior="stop", EbsOptimized=True,
        TagSpecifications=[{"ResourceType": kind, "Tags": own}
                           for kind in ("instance", "volume", "network-interface", "spot-instances-request")],
        ClientToken="nbform-0a1b-1")
    made = answer["Instances"][0]
    assert made["State"]["Name"] == "pending" and "PublicIpAddress" not in made
    assert answer["OwnerId"] == "123456789012"
    vm = wait(ec2, "instance_running", made["InstanceId"])
    assert by_key(vm["Tags"]) == by_key(own) and vm["ClientToken"] == "nbform-0a1b-1"
    assert vm["PublicIpAddress"] and vm["PublicDnsName"].startswith("ec2-")
    assert (vm["InstanceLifecycle"], vm["KeyName"], vm["EbsOptimized"]) == ("spot", "nb-key", True)
    assert "Platform" not in vm and vm["PlatformDetails"] == "Linux/UNIX"
    assert vm["SecurityGroups"] == [{"GroupId": group, "GroupName": "nb"}]
    assert vm["MetadataOptions"]["HttpTokens"] == "required" and vm["MetadataOptions"]["State"] == "applied"
    assert vm["IamInstanceProfile"]["Arn"].endswith(":instance-profile/nb-profile")
    disks = {d["DeviceName"]: d["Ebs"]["DeleteOnTermination"] for d in vm["BlockDeviceMappings"]}
    assert disks == {"/dev/sda1": True, "/dev/sdf": False}
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [vm["InstanceId"]]}])["Volumes"]
    assert sorted((v["Size"], v["Encrypted"], v["State"]) for v in volumes) == [(100, True, "in-use"),
                                                                               (200, False, "in-use")]
    assert all(by_key(v["Tags"]) == by_key(own) for v in volumes)
    request = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[vm["SpotInstanceRequestId"]])
    assert by_key(request["SpotInstanceRequests"][0]["Tags"]) == by_key(own)
    nic = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [vm["InstanceId"]]}])
    assert by_key(nic["NetworkInterfaces"][0]["TagSet"]) == by_key(own)
    data = ec2.describe_instance_attribute(InstanceId=vm["InstanceId"], Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(data) == b"#!/bin/sh\n"


def test_filters_and_pages(aws, ec2):
    ami = aws.ami
    names = {launch(ec2, ami, InstanceType="t3.medium", ClientToken=f"c-{n}",
                    TagSpecifications=[{"ResourceType": "instance", "Tags": tags(n=f"box-{n}", team="a" if n % 2 else "b")}])
             for n in range(7)}
    found = {i["InstanceId"] for page in ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
             for r in page["Reservations"] for i in r["Instances"]}
    assert found == names

    def count(*filters):
        answer = ec2.describe_instances(Filters=[{"Name": name, "Values": values} for name, values in filters])
        return sum(len(r["Instances"]) for r in answer["Reservations"])

    assert count(("tag:team", ["a"])) == 3
    assert count(("tag:team", ["a", "b"])) == 7
    assert count(("tag:team", ["A"])) == 0
    assert count(("tag:n", ["box-?"]), ("tag-key", ["team"])) == 7
    assert count(("client-token", ["c-1", "c-2"]), ("tag:team", ["a"])) == 1
    assert count(("instance-state-name", ["pending", "running"]), ("instance-type", ["t3.*"])) == 7
    with refused("InvalidParameterValue", 400, "The filter 'nope' is invalid"):
        count(("nope", ["x"]))
    with refused("InvalidParameterCombination"):
        ec2.describe_instances(InstanceIds=list(names), MaxResults=5)
    with refused("InvalidParameterValue"):
        ec2.describe_instances(MaxResults=4)
    with refused("InvalidNextToken"):
        ec2.describe_instances(NextToken="made-up", MaxResults=5)


def test_stop_change_type_start(aws, ec2):
    name = launch(ec2, aws.ami)
    before = wait(ec2, "instance_running", name)
    with refused("IncorrectInstanceState", 400):
        ec2.modify_instance_attribute(InstanceId=name, InstanceType={"Value": "g5.xlarge"})
    change = ec2.stop_instances(InstanceIds=[name])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    stopped = wait(ec2, "instance_stopped", name)
    assert "PublicIpAddress" not in stopped
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert stopped["StateTransitionReason"].startswith("User initiated (")
    again = ec2.stop_instances(InstanceIds=[name])["StoppingInstances"][0]
    assert (again["PreviousState"]["Name"], again["CurrentState"]["Name"]) == ("stopped", "stopped")
    ec2.modify_instance_attribute(InstanceId=name, InstanceType={"Value": "g5.xlarge"})
    ec2.modify_instance_attribute(InstanceId=name, UserData={"Value": b"#!/bin/sh\n"})
    with refused("InvalidInstanceAttributeValue"):
        ec2.modify_instance_attribute(InstanceId=name, InstanceType={"Value": "g5g.xlarge"})
    ec2.start_instances(InstanceIds=[name])
    after = wait(ec2, "instance_running", name)
    assert after["InstanceType"] == "g5.xlarge"
    assert after["PublicIpAddress"] != before["PublicIpAddress"]
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    ec2.reboot_instances(InstanceIds=[name])
    assert ec2.describe_instance_status(InstanceIds=[name])["InstanceStatuses"][0]["InstanceState"]["Name"] == "running"


def test_attributes_of_a_running_instance(aws, ec2):
    name = launch(ec2, aws.ami)
    wait(ec2, "instance_running", name)
    group = ec2.create_security_group(GroupName="other", Description="d")["GroupId"]
    nic = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[group])
    ec2.modify_instance_attribute(InstanceId=name, Groups=[group])
    assert [g["GroupId"] for g in instance(ec2, name)["SecurityGroups"]] == [group]
    ec2.modify_instance_attribute(InstanceId=name, BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {
        "DeleteOnTermination": False}}])
    assert instance(ec2, name)["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is False
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    with refused("OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[name])
    with refused("InvalidGroup.NotFound"):
        ec2.modify_instance_attribute(InstanceId=name, Groups=["sg-0123456789abcdef0"])
    with refused("InvalidParameterCombination"):
        ec2.modify_instance_attribute(InstanceId=name, Groups=[group], SourceDestCheck={"Value": True})
    options = ec2.modify_instance_metadata_options(InstanceId=name, HttpTokens="required", HttpPutResponseHopLimit=2)
    assert options["InstanceMetadataOptions"]["State"] == "pending"
    assert instance(ec2, name)["MetadataOptions"]["HttpTokens"] == "required"


def test_instance_profiles(aws, ec2):
    name = launch(ec2, aws.ami, IamInstanceProfile={"Name": "first"})
    wait(ec2, "instance_running", name)
    old = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [name]}])
    old = old["IamInstanceProfileAssociations"][0]
    ec2.replace_iam_instance_profile_association(AssociationId=old["AssociationId"], IamInstanceProfile={"Name": "second"})
    assert instance(ec2, name)["IamInstanceProfile"]["Arn"].endswith("/second")
    current = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"][0]
    ec2.disassociate_iam_instance_profile(AssociationId=current["AssociationId"])
    assert "IamInstanceProfile" not in instance(ec2, name)
    ec2.associate_iam_instance_profile(InstanceId=name, IamInstanceProfile={"Name": "third"})
    assert instance(ec2, name)["IamInstanceProfile"]["Arn"].endswith("/third")
    aws.nbsim.admin("profile", name="fresh")
    with refused("InvalidParameterValue", 400, "Invalid IAM Instance Profile"):
        launch(ec2, aws.ami, IamInstanceProfile={"Name": "fresh"})


def test_terminated_instances_are_shown_without_their_network(aws, ec2):
    name = launch(ec2, aws.ami, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {
        "VolumeSize": 10, "VolumeType": "gp3", "DeleteOnTermination": False}}])
    wait(ec2, "instance_running", name)
    ec2.terminate_instances(InstanceIds=[name])
    gone = wait(ec2, "instance_terminated", name)
    assert not {"VpcId", "SubnetId", "PublicIpAddress", "PrivateIpAddress"} & set(gone)
    assert gone["SecurityGroups"] == [] and gone["NetworkInterfaces"] == []
    volumes = ec2.describe_volumes()["Volumes"]
    assert [(v["Size"], v["State"]) for v in volumes] == [(10, "available")]
    ec2.terminate_instances(InstanceIds=[name])  # idempotent
    with refused("IncorrectInstanceState"):
        ec2.start_instances(InstanceIds=[name])
    aws.jump(61)
    with refused("InvalidInstanceID.NotFound", 400, name):
        ec2.describe_instances(InstanceIds=[name])


def test_client_tokens(aws, ec2):
    ami = aws.ami
    asked = {"ClientToken": "one", "Placement": {"AvailabilityZone": "us-west-2a"}}
    first = launch(ec2, ami, **asked)
    assert launch(ec2, ami, **asked) == first
    with refused("IdempotentParameterMismatch", 400):
        launch(ec2, ami, **{**asked, "InstanceType": "g5.xlarge"})
    assert launch(ec2, ami, **{**asked, "Placement": {"AvailabilityZone": "us-west-2b"}}) != first
    wait(ec2, "instance_running", first)
    ec2.terminate_instances(InstanceIds=[first])
    wait(ec2, "instance_terminated", first)
    aws.jump(23 * 60)
    assert launch(ec2, ami, **asked) == first  # a day after its end the token still stands for it
    aws.jump(2 * 60)
    assert launch(ec2, ami, **asked) != first


def test_client_tokens_of_volumes(ec2):
    asked = {"AvailabilityZone": "us-west-2a", "Size": 10, "VolumeType": "gp3", "ClientToken": "v"}
    assert ec2.create_volume(**asked)["VolumeId"] == ec2.create_volume(**asked)["VolumeId"]
    with refused("IdempotentParameterMismatch"):
        ec2.create_volume(**{**asked, "Size": 11})


def test_dry_run_and_permissions(aws, ec2):
    with refused("DryRunOperation", 412):
        launch(ec2, aws.ami, DryRun=True)
    assert ec2.describe_instances()["Reservations"] == []
    aws.nbsim.admin("deny", permission="ec2:RunInstances")
    with refused("UnauthorizedOperation", 403, "is not authorized to perform: ec2:RunInstances"):
        launch(ec2, aws.ami, DryRun=True)
    aws.nbsim.admin("deny", permission="")
    aws.nbsim.admin("deny", permission="ec2:CreateTags")
    with refused("UnauthorizedOperation"):
        launch(ec2, aws.ami, TagSpecifications=[{"ResourceType": "instance", "Tags": tags(a="b")}])


def test_launches_that_are_refused(aws, ec2):
    ami = aws.ami
    with refused("InvalidAMIID.NotFound"):
        launch(ec2, "ami-0123456789abcdef0")
    with refused("InvalidAMIID.Malformed"):
        launch(ec2, "ami-nonsense")
    with refused("InvalidKeyPair.NotFound"):
        launch(ec2, ami, KeyName="absent")
    with refused("Unsupported", 400, "us-west-2d"):
        launch(ec2, ami, Placement={"AvailabilityZone": "us-west-2d"})
    with refused("InvalidParameterValue", 400, "architecture"):
        launch(ec2, ami, InstanceType="g5g.xlarge")
    with refused("InvalidBlockDeviceMapping", 400, "expect size >= 75GB"):
        launch(ec2, ami, BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 30}}])
    with refused("InvalidParameterValue", 400, "16384"):
        launch(ec2, ami, UserData="x" * 16385)
    with refused("InvalidParameterCombination"):
        launch(ec2, ami, InstanceMarketOptions={"MarketType": "spot", "SpotOptions": {
            "SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "stop"}})
    with refused("SpotMaxPriceTooLow"):
        launch(ec2, ami, InstanceMarketOptions={"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.01"}})
    with refused("InvalidParameterValue", 400, "reserved"):
        launch(ec2, ami, TagSpecifications=[{"ResourceType": "instance", "Tags": tags(**{"aws:x": "y"})}])
    aws.nbsim.admin("quota", metric="L-DB2E81BA", limit=4, project="*")
    launch(ec2, ami)
    with refused("VcpuLimitExceeded", 400, "current vCPU limit of 4"):
        launch(ec2, ami)
    aws.nbsim.admin("stockout", zone="us-west-2a", machine="t3.*")
    with refused("InsufficientInstanceCapacity", 500, "us-west-2b"):
        launch(ec2, ami, InstanceType="t3.medium", Placement={"AvailabilityZone": "us-west-2a"})
    assert launch(ec2, ami, InstanceType="t3.medium")
    aws.nbsim.admin("spot_role", exists=False)
    with refused("AuthFailure.ServiceLinkedRoleCreationNotPermitted", 403):
        launch(ec2, ami, InstanceMarketOptions=SPOT)
    aws.nbsim.admin("network", region="us-west-2", default_vpc=False)
    with refused("VPCIdNotSpecified"):
        launch(ec2, ami, InstanceType="t3.medium")


# --- spot


def spot(ec2, ami):
    name = launch(ec2, ami, InstanceMarketOptions=SPOT)
    return name, wait(ec2, "instance_running", name)["SpotInstanceRequestId"]


def request(ec2, name):
    return ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[name])["SpotInstanceRequests"][0]


def until(what):
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=30)
    while not what():
        assert datetime.datetime.now() < deadline


def test_a_persistent_spot_instance_stops_and_starts(aws, ec2):
    name, sir = spot(ec2, aws.ami)
    assert (request(ec2, sir)["State"], request(ec2, sir)["Status"]["Code"]) == ("active", "fulfilled")
    assert request(ec2, sir)["SpotPrice"] == "0.600000"
    ec2.stop_instances(InstanceIds=[name])
    until(lambda: request(ec2, sir)["State"] == "disabled")
    assert request(ec2, sir)["Status"]["Code"] == "instance-stopped-by-user"
    with refused("UnsupportedOperation"):
        ec2.modify_instance_attribute(InstanceId=name, InstanceType={"Value": "g5.xlarge"})
    ec2.start_instances(InstanceIds=[name])
    wait(ec2, "instance_running", name)
    assert request(ec2, sir)["State"] == "active"


def test_only_ec2_restarts_what_it_stopped(aws, ec2):
    name, sir = spot(ec2, aws.ami)
    aws.nbsim.admin("preempt", name=name)
    assert request(ec2, sir)["Status"]["Code"] == "marked-for-stop"
    assert instance(ec2, name)["State"]["Name"] == "running"
    aws.jump(3)
    client = aws.client("ec2")
    assert request(client, sir)["State"] == "disabled"
    assert request(client, sir)["Status"]["Code"] == "instance-stopped-no-capacity"
    stopped = instance(client, name)
    assert (stopped["State"]["Name"], stopped["StateReason"]["Code"]) == ("stopped", "Server.SpotInstanceShutdown")
    with refused("IncorrectSpotRequestState"):
        client.start_instances(InstanceIds=[name])
    aws.nbsim.admin("resume", name=name)
    wait(client, "instance_running", name)
    assert request(client, sir)["State"] == "active"


def test_cancelling_a_disabled_request_terminates_the_instance(aws, ec2):
    name, sir = spot(ec2, aws.ami)
    ec2.stop_instances(InstanceIds=[name])
    until(lambda: request(ec2, sir)["State"] == "disabled")
    answer = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[sir])["CancelledSpotInstanceRequests"][0]
    assert answer["State"] == "cancelled"
    wait(ec2, "instance_terminated", name)


def test_cancelled_while_active_it_runs_on_and_can_only_be_terminated(aws, ec2):
    name, sir = spot(ec2, aws.ami)
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[sir])
    assert request(ec2, sir)["Status"]["Code"] == "request-canceled-and-instance-running"
    assert instance(ec2, name)["State"]["Name"] == "running"
    with refused("UnsupportedOperation"):
        ec2.stop_instances(InstanceIds=[name])
    ec2.terminate_instances(InstanceIds=[name])
    wait(ec2, "instance_terminated", name)
    assert len(list(ec2.describe_instances()["Reservations"])) == 1


def test_terminated_without_a_cancel_ec2_launches_another(aws, ec2):
    name, sir = spot(ec2, aws.ami)
    ec2.terminate_instances(InstanceIds=[name])
    until(lambda: request(ec2, sir)["State"] == "active" and request(ec2, sir)["InstanceId"] != name)
    assert wait(ec2, "instance_running", request(ec2, sir)["InstanceId"])["SpotInstanceRequestId"] == sir


def test_a_one_time_instance_cannot_stop(aws, ec2):
    name = launch(ec2, aws.ami, InstanceMarketOptions={"MarketType": "spot"})
    sir = wait(ec2, "instance_running", name)["SpotInstanceRequestId"]
    with refused("UnsupportedOperation", 400, "one-time"):
        ec2.stop_instances(InstanceIds=[name])
    aws.nbsim.admin("preempt", name=name)
    assert (request(ec2, sir)["State"], instance(ec2, name)["State"]["Name"]) == ("closed", "running")
    aws.jump(3)
    gone = instance(aws.client("ec2"), name)
    assert gone["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    prices = ec2.describe_spot_price_history(InstanceTypes=["g4dn.xlarge"], ProductDescriptions=["Linux/UNIX"])
    assert {p["AvailabilityZone"] for p in prices["SpotPriceHistory"]} == {"us-west-2a", "us-west-2b", "us-west-2c"}


# --- volumes


def test_volumes(aws, ec2):
    name = launch(ec2, aws.ami, Placement={"AvailabilityZone": "us-west-2a"})
    wait(ec2, "instance_running", name)
    data = ec2.create_volume(AvailabilityZone="us-west-2a", Size=50, VolumeType="gp3", Encrypted=True,
                             TagSpecifications=[{"ResourceType": "volume", "Tags": tags(part="data")}])
    assert (data["State"], data["Iops"], data["Throughput"]) == ("creating", 3000, 125)
    volume = data["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=FAST)
    elsewhere = ec2.create_volume(AvailabilityZone="us-west-2b", Size=1)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[elsewhere], WaiterConfig=FAST)
    with refused("InvalidVolume.ZoneMismatch"):
        ec2.attach_volume(VolumeId=elsewhere, InstanceId=name, Device="/dev/sdf")
    ec2.attach_volume(VolumeId=volume, InstanceId=name, Device="/dev/sdf")
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume], WaiterConfig=FAST)
    assert {d["DeviceName"] for d in instance(ec2, name)["BlockDeviceMappings"]} == {"/dev/sda1", "/dev/sdf"}
    with refused("VolumeInUse"):
        ec2.attach_volume(VolumeId=volume, InstanceId=name, Device="/dev/sdg")
    with refused("VolumeInUse"):
        ec2.delete_volume(VolumeId=volume)
    with refused("InvalidParameterValue", 400, "smaller"):
        ec2.modify_volume(VolumeId=volume, Size=40)
    change = ec2.modify_volume(VolumeId=volume, Size=80)["VolumeModification"]
    assert (change["ModificationState"], change["OriginalSize"], change["TargetSize"]) == ("modifying", 50, 80)

    def modification():
        return ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"][0]["ModificationState"]

    until(lambda: modification() == "completed")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 80
    for size in (81, 82, 83):
        ec2.modify_volume(VolumeId=volume, Size=size)
        until(lambda: modification() == "completed")
    with refused("VolumeModificationRateExceeded"):
        ec2.modify_volume(VolumeId=volume, Size=84)
    ec2.detach_volume(VolumeId=volume)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=FAST)
    with refused("IncorrectState"):
        ec2.detach_volume(VolumeId=volume)
    ec2.delete_volume(VolumeId=volume)
    ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume], WaiterConfig=FAST)
    with refused("InvalidVolume.NotFound"):
        ec2.describe_volumes(VolumeIds=[volume])
    assert ec2.create_volume(AvailabilityZone="us-west-2a", Size=10)["VolumeType"] == "gp2"  # EC2's own default


# --- security groups, keys, tags


def permission(cidr, port=22, **more):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr, **more}]}]


def test_security_groups_and_rules(aws, ec2):
    group = ec2.create_security_group(GroupName="nb-ssh", Description="ssh", TagSpecifications=[
        {"ResourceType": "security-group", "Tags": tags(own="yes")}])["GroupId"]
    with refused("InvalidGroup.Duplicate"):
        ec2.create_security_group(GroupName="NB-ssh", Description="ssh")
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission("203.0.113.7/24", Description="home"))
    rule = made["SecurityGroupRules"][0]
    assert rule["CidrIpv4"] == "203.0.113.0/24" and rule["Description"] == "home"
    with refused("InvalidPermission.Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission("203.0.113.9/24"))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::1/64"}],
         "UserIdGroupPairs": [{"GroupId": group}]}])
    shown = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert len(shown["IpPermissions"]) == 1  # of equal protocol and ports: merged
    assert shown["IpPermissions"][0]["Ipv6Ranges"] == [{"CidrIpv6": "2001:db8::/64"}]
    assert shown["IpPermissionsEgress"][0]["IpProtocol"] == "-1"
    by_cidr = ec2.describe_security_groups(Filters=[{"Name": "ip-permission.cidr", "Values": ["203.0.113.0/24"]}])
    assert [g["GroupId"] for g in by_cidr["SecurityGroups"]] == [group]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert len(rules) == 4 and sum(r["IsEgress"] for r in rules) == 1
    gone = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]] * 2)
    assert len(gone["RevokedSecurityGroupRules"]) == 1
    assert gone["RevokedSecurityGroupRules"][0]["CidrIpv4"] == "203.0.113.0/24"
    with refused("InvalidSecurityGroupRuleId.NotFound"):
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    with refused("InvalidPermission.NotFound"):
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permission("198.51.100.0/24"))
    with refused("InvalidParameterValue"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission("300.1.2.3/8"))
    six = next(r for r in rules if "CidrIpv6" in r)
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{
        "SecurityGroupRuleId": six["SecurityGroupRuleId"],
        "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}}])
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permission("0.0.0.0/0", 443))
    with refused("CannotDelete"):
        default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
        ec2.delete_security_group(GroupId=default)


def test_a_group_waits_for_its_interface(aws, ec2):
    group = ec2.create_security_group(GroupName="nb", Description="d")["GroupId"]
    name = launch(ec2, aws.ami, SecurityGroupIds=[group])
    wait(ec2, "instance_running", name)
    with refused("DependencyViolation", 400):
        ec2.delete_security_group(GroupId=group)
    ec2.terminate_instances(InstanceIds=[name])
    wait(ec2, "instance_terminated", name)
    until(lambda: not ec2.describe_network_interfaces()["NetworkInterfaces"])
    assert ec2.delete_security_group(GroupId=group)["Return"] is True
    with refused("InvalidGroup.NotFound"):
        ec2.describe_security_groups(GroupIds=[group])


def test_key_pairs(ec2):
    made = ec2.import_key_pair(KeyName="k", PublicKeyMaterial=ED25519.encode(), TagSpecifications=[
        {"ResourceType": "key-pair", "Tags": tags(a="b")}])
    blob = base64.b64decode(ED25519.split()[1])
    assert made["KeyFingerprint"] == base64.b64encode(hashlib.sha256(blob).digest()).decode()
    with refused("InvalidKeyPair.Duplicate"):
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=ED25519.encode())
    with refused("InvalidKey.Format"):
        ec2.import_key_pair(KeyName="l", PublicKeyMaterial=b"ecdsa-sha2-nistp256 AAAA x")
    shown = ec2.describe_key_pairs(KeyNames=["k"], IncludePublicKey=True)["KeyPairs"][0]
    assert (shown["KeyType"], shown["PublicKey"]) == ("ed25519", ED25519)
    assert "PublicKey" not in ec2.describe_key_pairs(Filters=[{"Name": "tag:a", "Values": ["b"]}])["KeyPairs"][0]
    with refused("InvalidKeyPair.NotFound"):
        ec2.describe_key_pairs(KeyNames=["absent"])
    assert ec2.delete_key_pair(KeyName="k")["Return"] is True
    assert ec2.delete_key_pair(KeyName="k")["Return"] is True
    assert ec2.describe_key_pairs()["KeyPairs"] == []


def test_tags(aws, ec2):
    name = launch(ec2, aws.ami)
    ec2.create_tags(Resources=[name], Tags=tags(a="1", b="2", c=""))
    ec2.create_tags(Resources=[name], Tags=tags(a="3"))
    ec2.delete_tags(Resources=[name], Tags=[{"Key": "b"}, {"Key": "a", "Value": "1"}])
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [name]}])["Tags"]
    assert {(t["ResourceType"], t["Key"], t["Value"]) for t in found} == {("instance", "a", "3"), ("instance", "c", "")}
    with refused("InvalidInstanceID.NotFound"):
        ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=tags(a="1"))
    with refused("InvalidID"):
        ec2.create_tags(Resources=["x-1"], Tags=tags(a="1"))
    with refused("InvalidInstanceID.Malformed"):
        ec2.describe_instances(InstanceIds=["i-xyz"])
    with refused("TagLimitExceeded"):
        ec2.create_tags(Resources=[name], Tags=tags(**{f"k{n}": "v" for n in range(49)}))


# --- what is on offer


def test_the_catalogue(ec2):
    images = ec2.describe_images(Owners=["amazon"], Filters=[
        {"Name": "name", "Values": ["Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *"]},
        {"Name": "state", "Values": ["available"]}])["Images"]
    assert len(images) == 2 and {i["OwnerId"] for i in images} == {"898082745236"}
    assert images[0]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] >= 35
    types = ec2.describe_instance_types(InstanceTypes=["g4dn.xlarge", "p3.2xlarge"])["InstanceTypes"]
    assert {t["InstanceType"]: t["GpuInfo"]["Gpus"][0]["Name"] for t in types} == {"g4dn.xlarge": "T4", "p3.2xlarge": "V100"}
    with refused("InvalidInstanceType"):
        ec2.describe_instance_types(InstanceTypes=["g99.xlarge"])
    all_types = [t for page in ec2.get_paginator("describe_instance_types").paginate() for t in page["InstanceTypes"]]
    assert len(all_types) > 40
    offers = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[
        {"Name": "instance-type", "Values": ["g4dn.xlarge"]}])["InstanceTypeOfferings"]
    assert {o["Location"] for o in offers} == {"us-west-2a", "us-west-2b", "us-west-2c"}
    assert ec2.describe_instance_type_offerings()["InstanceTypeOfferings"][0]["LocationType"] == "region"
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert len({z["ZoneId"] for z in zones}) == 4
    assert "af-south-1" not in {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
    statuses = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert statuses["af-south-1"] == "not-opted-in"
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    assert len(ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]) == 4
    routes = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["Routes"]
    assert any(r.get("GatewayId", "").startswith("igw-") for r in routes)
    assert ec2.describe_internet_gateways()["InternetGateways"][0]["Attachments"][0]["VpcId"] == vpc


def test_ssm_parameters_and_quotas(aws, ec2):
    ssm = aws.client("ssm")
    parameter = ssm.get_parameter(Name=PYTORCH)["Parameter"]
    image = ec2.describe_images(ImageIds=[parameter["Value"]])["Images"][0]
    assert image["Name"] == "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04) 20261001"
    assert ssm.get_parameter(Name=PYTORCH + ":1")["Parameter"]["Value"] != parameter["Value"]
    aws.nbsim.admin("ami", parameter=PYTORCH,
                    name="Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04) 20261120")
    assert ssm.get_parameter(Name=PYTORCH)["Parameter"]["Version"] == parameter["Version"] + 1
    with refused("ParameterNotFound", 400):
        ssm.get_parameter(Name="/aws/service/none")
    assert ssm.get_parameters(Names=[PYTORCH, "/x"])["InvalidParameters"] == ["/x"]
    quotas = aws.client("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-DB2E81BA")["Quota"]["Value"] == 768
    assert len(quotas.list_service_quotas(ServiceCode="ec2")["Quotas"]) == 7
    with refused("NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-0")


def test_console_output_comes_late_with_the_host_keys(aws, ec2):
    name = launch(ec2, aws.ami)
    wait(ec2, "instance_running", name)
    text = ""
    def arrived():
        nonlocal text
        text = ec2.get_console_output(InstanceId=name, Latest=True).get("Output", "")
        return text
    until(arrived)
    print_of = re.search(r"256 SHA256:(\S{43}) ", text)[1]
    key = re.search(r"ssh-ed25519 (\S+)", text)[1]
    assert base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=") == print_of


# --- access


def test_who_am_i_and_who_may_i_become(aws):
    sts = aws.client("sts")
    me = sts.get_caller_identity()
    assert (me["Account"], me["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/sandbox")
    role = sts.assume_role(RoleArn="arn:aws:iam::210987654321:role/nb", RoleSessionName="nbform-1", DurationSeconds=900)
    keys = role["Credentials"]
    other = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"],
             "aws_session_token": keys["SessionToken"]}
    lab = aws.client("sts", **other).get_caller_identity()
    assert lab["Account"] == "210987654321" and lab["Arn"].endswith(":assumed-role/nb/nbform-1")
    launch(aws.client("ec2", **other), aws.ami)
    assert aws.client("ec2").describe_instances()["Reservations"] == []  # another account's
    with refused("ValidationError"):
        sts.assume_role(RoleArn="arn:aws:iam::210987654321:role/nb", RoleSessionName="nb", DurationSeconds=10 ** 6)
    aws.nbsim.admin("token", expire_all=True)
    with refused("ExpiredToken", 403):
        aws.client("sts", **other).get_caller_identity()
    with refused("RequestExpired", 400):
        aws.client("ec2", **other).describe_instances()
    with refused("ExpiredTokenException", 400):
        aws.client("ssm", **other).get_parameter(Name=PYTORCH)


def test_web_identity(aws):
    def jwt(**claims):
        parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({"alg": "none"}, claims)]
        return ".".join([*parts, "c2ln"])

    sts = boto3.client("sts", region_name="us-west-2", endpoint_url=aws.nbsim.url, config=botocore.config.Config(
        signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))
    asked = {"RoleArn": "arn:aws:iam::123456789012:role/ci", "RoleSessionName": "ci"}
    assert sts.assume_role_with_web_identity(WebIdentityToken=jwt(sub="repo:x", exp=4102444800), **asked)["Credentials"]
    with refused("ExpiredTokenException", 400):
        sts.assume_role_with_web_identity(WebIdentityToken=jwt(exp=1000), **asked)
    with refused("InvalidIdentityToken", 400):
        sts.assume_role_with_web_identity(WebIdentityToken="no-jwt", **asked)


def test_signatures_are_judged_in_each_protocols_words(aws):
    own = aws.keys["aws_access_key_id"]
    wrong_secret = {"aws_access_key_id": own, "aws_secret_access_key": "wrong"}
    unknown = {"aws_access_key_id": "AKIAUNKNOWNUNKNOWN00", "aws_secret_access_key": "x"}
    calls = {"ec2": lambda c: c.describe_vpcs(), "sts": lambda c: c.get_caller_identity(),
             "ssm": lambda c: c.get_parameter(Name=PYTORCH)}
    expected = {("ec2", "wrong"): ("SignatureDoesNotMatch", 403), ("sts", "wrong"): ("SignatureDoesNotMatch", 403),
                ("ssm", "wrong"): ("InvalidSignatureException", 400), ("ec2", "unknown"): ("AuthFailure", 401),
                ("sts", "unknown"): ("InvalidClientTokenId", 403), ("ssm", "unknown"): ("UnrecognizedClientException", 400),
                ("ec2", "late"): ("RequestExpired", 400), ("sts", "late"): ("SignatureDoesNotMatch", 403),
                ("ssm", "late"): ("InvalidSignatureException", 400)}
    for (service, trouble), (code, status) in expected.items():
        keys = {"wrong": wrong_secret, "unknown": unknown, "late": aws.keys}[trouble]
        aws.nbsim.admin("clock", offset="10m" if trouble == "late" else "0s")
        with refused(code, status):
            calls[service](aws.client(service, **keys))
    aws.nbsim.admin("clock", offset="4m")
    assert aws.client("sts").get_caller_identity()
    aws.nbsim.admin("clock", offset="0s")
    with refused("AuthFailure", 401):
        aws.client("ec2", region="af-south-1").describe_vpcs()


def test_unsigned_and_unknown(aws):
    def post(form, **headers):
        data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(aws.nbsim.url + "/", data, headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        return caught.value.code, caught.value.read().decode()

    status, body = post({"Action": "DescribeVpcs", "Version": "2016-11-15"})
    assert status == 401 and "<Code>AuthFailure</Code>" in body
    status, body = post({"Action": "GetCallerIdentity", "Version": "2011-06-15"})
    assert status == 403 and "<Code>MissingAuthenticationToken</Code>" in body


def test_what_is_not_known_is_refused(start_nbsim):
    nbsim = start_nbsim("--auth", "off")

    def code(**form):
        data = urllib.parse.urlencode({"Version": "2016-11-15", **form}).encode()
        try:
            with urllib.request.urlopen(nbsim.url + "/", data) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return re.search("<Code>(.*)</Code>", error.read().decode())[1]

    def raw(text):
        try:
            with urllib.request.urlopen(nbsim.url + "/?" + text) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return re.search("<Code>(.*)</Code>", error.read().decode())[1]

    assert code(Action="DescribeVpcs") == 200
    assert raw("Action=DescribeVpcs&Version=2016-11-15") == 200
    assert code(Action="DescribeNothing") == "InvalidAction"
    assert code(Action="DescribeVpcs", Version="2010-01-01") == "NoSuchVersion"
    assert code(Action="DescribeVpcs", Nonsense="1") == "UnknownParameter"
    assert code(Action="DescribeVpcs", **{"Filter.1.Nome": "x"}) == "UnknownParameter"
    assert code(Action="DescribeVpcs", **{"Filter.a.Name": "x"}) == "UnknownParameter"
    assert code(Action="DescribeVpcs", MaxResults="many") == "InvalidParameterValue"
    assert code(Action="StartInstances") == "MissingParameter"


def test_instance_metadata_gives_credentials(aws, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.nbsim.url)
    from botocore.utils import InstanceMetadataFetcher

    found = InstanceMetadataFetcher(timeout=5, num_attempts=1, config={
        "ec2_metadata_service_endpoint": aws.nbsim.url}).retrieve_iam_role_credentials()
    keys = {"aws_access_key_id": found["access_key"], "aws_secret_access_key": found["secret_key"],
            "aws_session_token": found["token"]}
    assert ":assumed-role/nbsim-role/" in aws.client("sts", **keys).get_caller_identity()["Arn"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{aws.nbsim.url}/latest/meta-data/placement/region")


def test_no_two_answers_have_the_same_request_id(ec2):
    answers = [ec2.describe_vpcs()["ResponseMetadata"] for _ in range(3)]
    assert len({a["RequestId"] for a in answers}) == 3
    assert all(a["HTTPHeaders"]["date"] and a["HTTPHeaders"]["x-amzn-requestid"] == a["RequestId"] for a in answers)


def test_sso_gives_role_credentials(aws):
    sso = boto3.client("sso", region_name="us-west-2", endpoint_url=aws.nbsim.url, config=CONFIG)
    role = sso.get_role_credentials(roleName="nb", accountId="210987654321", accessToken="sandbox")["roleCredentials"]
    keys = {"aws_access_key_id": role["accessKeyId"], "aws_secret_access_key": role["secretAccessKey"],
            "aws_session_token": role["sessionToken"]}
    assert aws.client("sts", **keys).get_caller_identity()["Account"] == "210987654321"
    with refused("UnauthorizedException", 401):
        sso.get_role_credentials(roleName="nb", accountId="210987654321", accessToken="stale")
    tokens = boto3.client("sso-oidc", region_name="us-west-2", endpoint_url=aws.nbsim.url, config=CONFIG)
    fresh = tokens.create_token(clientId="c", clientSecret="s", grantType="refresh_token", refreshToken="r")
    assert sso.get_role_credentials(roleName="nb", accountId="210987654321", accessToken=fresh["accessToken"])


# --- what goes wrong on purpose


def test_faults(aws, ec2):
    ami = aws.ami
    aws.nbsim.admin("faults", list=[
        {"match": {"service": "ec2", "method": "DescribeVpcs"}, "do": {"error": {"code": "RequestLimitExceeded"}}},
        {"match": {"method": "DescribeSubnets"}, "do": {"status": 503, "body": "<html>502</html>"}},
        {"match": {"method": "RunInstances", "zone": "us-west-2b"}, "do": {"drop": "after"}},
        {"match": {"method": "RunInstances", "machine": "t3.*"}, "do": {"operation": {"code": "Server.InternalError"}}},
    ])
    with refused("RequestLimitExceeded", 503):
        ec2.describe_vpcs()
    assert ec2.describe_vpcs()["Vpcs"]
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.describe_subnets()
    asked = {"Placement": {"AvailabilityZone": "us-west-2b"}, "ClientToken": "lost"}
    with pytest.raises(botocore.exceptions.HTTPClientError):
        launch(ec2, ami, **asked)
    assert launch(ec2, ami, **asked) == instance(ec2, launch(ec2, ami, **asked))["InstanceId"]
    assert len(ec2.describe_instances()["Reservations"]) == 1
    doomed = launch(ec2, ami, InstanceType="t3.medium")
    gone = wait(ec2, "instance_terminated", doomed)
    assert gone["StateReason"]["Code"] == "Server.InternalError"


def test_new_ids_are_not_found_for_a_while(start_nbsim):
    nbsim = start_nbsim("--variant", "slow-visibility", "--op-times", "realistic")
    aws = Aws(nbsim)
    ec2 = aws.client("ec2")
    name = launch(ec2, aws.ami, ClientToken="t")
    with refused("InvalidInstanceID.NotFound"):
        instance(ec2, name)
    assert ec2.describe_instances(Filters=[{"Name": "client-token", "Values": ["t"]}])["Reservations"] == []
    assert launch(ec2, aws.ami, ClientToken="t") == name
    nbsim.admin("clock", advance="15s")  # well within what signatures allow
    assert instance(aws.client("ec2"), name)


def test_a_world_file_keeps_aws(start_nbsim, tmp_path):
    world = tmp_path / "world.json"
    first = start_nbsim("--world", world)
    aws = Aws(first)
    name = launch(aws.client("ec2"), aws.ami, ClientToken="t", InstanceMarketOptions=SPOT)
    wait(aws.client("ec2"), "instance_running", name)
    first.stop()
    second = Aws(start_nbsim("--world", world))
    assert instance(second.client("ec2"), name)["State"]["Name"] == "running"
    assert launch(second.client("ec2"), second.ami, ClientToken="t", InstanceMarketOptions=SPOT) == name


def test_every_operation_was_judged():
    """Last: whatever nbsim serves was asked for, and its answers were held against the models."""
    served = {f"{service}.{name}" for service, names in aws_api.OPERATIONS.items() for name in names.split()}
    assert served <= set(ANSWERS.answered)
