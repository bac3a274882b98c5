"""nbform over HTTP against moto's server, somebody else's idea of EC2, SSM and STS, and the same against nbsim: plan, apply,
an empty plan, edits, destroy.

moto is not AWS. DIFFERENCES says where it differs in what nbform relies on, and what is done about it here; the product
knows nothing of moto. What the simulator must not copy from it stands in docs/simulator.md.
"""

import datetime
import fnmatch
import json
import logging
import os
import subprocess

import boto3
import pytest

import aws_messages
from conftest import BIN

ACCOUNT, REGION = "123456789012", "us-west-2"
AMI = "ami-0123456789abcdef0"
DLAMI = "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04/latest/ami-id"
IMAGE = {"ami_id": AMI, "name": "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04) 20261001",
         "owner_id": "898082745236", "owner_alias": "amazon", "image_location": "amazon/dlami", "public": True,
         "state": "available", "architecture": "x86_64", "virtualization_type": "hvm", "hypervisor": "xen",
         "root_device_type": "ebs", "root_device_name": "/dev/sda1", "sriov": "simple", "image_type": "machine",
         "platform": None, "description": "DLAMI"}
KEY_ID, SECRET = "AKIANBFORMSANDBOX001", "nbform/sandbox+secret/known/to/everyone1"  # nbsim's; moto takes any
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Qb3Hn1cFzVbM0mH3mYh8cQ0w4wWQ5m0dOqJcD0F2a me@example\n"


# --- where moto differs


def knows_the_filters():
    import moto.ec2.utils as utils
    known = utils.instance_value_in_filter_values
    utils.filter_dict_attribute_mapping.update({"client-token": "client_token", "instance-lifecycle": "lifecycle"})
    utils.instance_value_in_filter_values = lambda value, wanted: known(value, wanted) or (
        isinstance(value, str) and any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted))


def shows_the_groups_of_the_first_interface():
    from moto.ec2.models.instances import Instance
    Instance.security_groups = property(
        lambda vm: vm.__dict__.get("groups") or [g for nic in vm.__dict__.get("nics", {}).values() for g in nic._group_set],
        lambda vm, groups: vm.__dict__.__setitem__("groups", groups))


def holds_the_public_parameter():
    """It refuses to let anybody put one below /aws/."""
    from moto.ssm.models import Parameter, ssm_backends
    made = Parameter(ACCOUNT, DLAMI, AMI, "String", None, None, None, datetime.datetime(2026, 10, 1), 1, "text")
    ssm_backends[ACCOUNT][REGION]._parameters[DLAMI].append(made)


def deletes_keys_by_id():
    from moto.ec2.responses.key_pairs import KeyPairs
    by_name = KeyPairs.delete_key_pair

    def delete(self):
        wanted = self._get_param("KeyPairId")
        for key in [key for key in self.ec2_backend.key_pairs.values() if key.id == wanted]:
            self.ec2_backend.delete_key_pair(key.key_name)
        return by_name(self)

    KeyPairs.delete_key_pair = delete


def opens_the_default_network():
    from moto.ec2.models import ec2_backends
    ec2 = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.get_default_vpc()
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    main = ec2.describe_route_tables(filters={"vpc-id": vpc.id, "association.main": "true"})[0]
    ec2.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)


def knows_quotas():
    """Of EC2 it has none, and answers 500; AWS says NoSuchResourceException of one that there is not."""
    from moto.servicequotas.exceptions import NoSuchResource
    from moto.servicequotas.models import ServiceQuotasBackend

    def get(self, service_code, quota_code):
        raise NoSuchResource

    ServiceQuotasBackend.get_service_quota = get


DIFFERENCES = {
    "its default network has no internet gateway": opens_the_default_network,
    "GetServiceQuota knows no quota of EC2": knows_quotas,
    "DescribeInstances has no filters client-token and instance-lifecycle, and answers 500": knows_the_filters,
    "an instance launched with NetworkInterface.1.SecurityGroupId shows no groups of its own":
        shows_the_groups_of_the_first_interface,
    "DeleteKeyPair does nothing about KeyPairId": deletes_keys_by_id,
    "it has no public parameter for a Deep Learning AMI": holds_the_public_parameter,
}


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    images = tmp_path_factory.mktemp("moto") / "amis.json"
    images.write_text(json.dumps([IMAGE]))
    os.environ["MOTO_AMIS_PATH"] = str(images)  # read when moto is imported
    from moto.server import ThreadedMotoServer
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    for correct in DIFFERENCES.values():
        correct()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


class Stack:
    def __init__(self, home, url):
        self.home, self.url, self.log = home, url, home / "requests.jsonl"
        (home / "keys").mkdir()
        (home / "keys/me.pub").write_text(KEY)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": url, "AWS_REGION": REGION,
                    "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        self.ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=url, aws_access_key_id=KEY_ID,
                                aws_secret_access_key=SECRET)

    def declare(self, machine="g4dn.xlarge", boot="100GB", cidrs="[203.0.113.7/32]", labels="{team: research}"):
        (self.home / "research.nb.yaml").write_text(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  dlami:
    service: ec2
    where: us-west-2a
    machine: {machine}
    image: {{ssm: {DLAMI}}}
    disks: {{boot: {{size: {boot}, type: gp3}}, data: {{size: 200GB, type: gp3, mount: /data}}}}
    labels: {labels}
    access: {{tunnel: "9999:8888", ssh: {{keys: [keys/me.pub], allow_from: {cidrs}}}}}
""")

    def nbform(self, *words, status=0):
        command = [BIN / "nbform", *words, "-C", self.home, "--log-requests", self.log]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def apply_to_the_end(self):
        self.nbform("apply", "-y")
        assert "No changes." in self.nbform("plan")

    def instances(self):
        found = self.ec2.describe_instances()["Reservations"]
        return [vm for r in found for vm in r["Instances"] if vm["State"]["Name"] != "terminated"]

    def requests_that_do_not_fit(self):
        records = map(json.loads, self.log.read_text().splitlines())
        return [error for r in records for error in aws_messages.check_request(r, aws_messages.operation(r)[2])]


@pytest.fixture(params=["moto", "nbsim"])
def stack(request, tmp_path):
    if request.param == "moto":
        return Stack(tmp_path, request.getfixturevalue("moto"))
    return Stack(tmp_path, request.getfixturevalue("start_nbsim")("--op-times", "fast").url)


def test_the_life_of_a_notebook(stack):
    stack.declare()
    assert "1 create" in stack.nbform("plan")
    stack.apply_to_the_end()
    vm, = stack.instances()
    assert (vm["InstanceType"], vm["State"]["Name"]) == ("g4dn.xlarge", "running")
    assert stack.ec2.describe_images(ImageIds=[vm["ImageId"]])["Images"][0]["Name"] == IMAGE["name"]
    assert {v["Size"] for v in stack.ec2.describe_volumes()["Volumes"]} == {100, 200}
    group, = vm["SecurityGroups"]

    stack.declare(cidrs="[203.0.113.7/32, 198.51.100.0/24]", labels="{team: vision}", boot="120GB")
    stack.apply_to_the_end()
    assert stack.instances()[0]["InstanceId"] == vm["InstanceId"]
    rules = stack.ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]["IpPermissions"]
    assert sorted(r["CidrIp"] for r in rules[0]["IpRanges"]) == ["198.51.100.0/24", "203.0.113.7/32"]
    assert {v["Size"] for v in stack.ec2.describe_volumes()["Volumes"]} == {120, 200}

    stack.declare(machine="g5.xlarge", cidrs="[198.51.100.0/24]", labels="{team: vision}", boot="120GB")
    stack.apply_to_the_end()
    after, = stack.instances()
    assert (after["InstanceId"], after["InstanceType"]) == (vm["InstanceId"], "g5.xlarge")

    stack.nbform("destroy", "-y")
    assert stack.instances() == []
    left = stack.ec2.describe_security_groups()["SecurityGroups"]
    assert [g["GroupName"] for g in left] == ["default"] and stack.ec2.describe_key_pairs()["KeyPairs"] == []

    assert stack.requests_that_do_not_fit() == []
