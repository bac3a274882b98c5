"""check_requests.py finds what is wrong, and passes what google's clients sent."""

import json
import pathlib
import subprocess
import sys

import jsonschema
import pytest
import yaml

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
