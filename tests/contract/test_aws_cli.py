"""The real `aws` runs what every EC2 notebook tutorial runs, against nbsim, by the lines that `nbsim env` prints."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

AWS = pathlib.Path(sys.executable).with_name("aws")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Qb3Hn1cFzVbM0mH3mYh8cQ0w4wWQ5m0dOqJcD0F2a me@example"
DLAMI = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"


@pytest.fixture
def aws(nbsim, tmp_path):
    assert AWS.exists(), "awscli is not in the venv"
    env = {**os.environ, **nbsim.env(), "HOME": str(tmp_path), "AWS_PAGER": ""}

    def run(*words, fails=""):
        result = subprocess.run([AWS, *words, "--output", "json"], env=env, capture_output=True, text=True, timeout=60)
        if fails:
            assert fails in result.stderr
            return None
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) if result.stdout.strip() else None

    return run


def test_the_tutorial(aws, tmp_path):
    (tmp_path / "me.pub").write_text(KEY)
    aws("ec2", "import-key-pair", "--key-name", "me", "--public-key-material", f"fileb://{tmp_path}/me.pub")
    group = aws("ec2", "create-security-group", "--group-name", "ssh-only", "--description", "ssh only")["GroupId"]
    aws("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22",
        "--cidr", "203.0.113.7/32")
    ami = aws("ssm", "get-parameter", "--name", DLAMI)["Parameter"]["Value"]
    made = aws("ec2", "run-instances", "--image-id", ami, "--instance-type", "g4dn.xlarge", "--key-name", "me",
               "--security-group-ids", group, "--count", "1", "--user-data", "#!/bin/sh",
               "--block-device-mappings", '[{"DeviceName":"/dev/sda1","Ebs":{"VolumeSize":100,"VolumeType":"gp3"}}]',
               "--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=dlami}]")
    vm = made["Instances"][0]["InstanceId"]

    def state():
        found = aws("ec2", "describe-instances", "--filters", "Name=tag:Name,Values=dlami")
        return found["Reservations"][0]["Instances"][0]

    def until(name):
        for _ in range(20):
            if (shown := state())["State"]["Name"] == name:
                return shown
            time.sleep(0.2)
        raise AssertionError(f"never {name}: {shown['State']}")

    assert until("running")["PublicIpAddress"]
    aws("ec2", "stop-instances", "--instance-ids", vm)
    until("stopped")
    aws("ec2", "start-instances", "--instance-ids", vm)
    until("running")
    aws("ec2", "delete-security-group", "--group-id", group, fails="DependencyViolation")
    aws("ec2", "terminate-instances", "--instance-ids", vm)
    until("terminated")
    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
