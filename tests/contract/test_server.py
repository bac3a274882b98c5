"""nbsim as a program: the network's misbehaviour, TLS, its own files, its flags."""

import http.client
import json
import shutil
import ssl
import subprocess
import time
import urllib.request

import pytest

from conftest import BIN

ZONE = "projects/acme-ml/zones/us-central1-a"
DISK = {"boot": True, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"}}
VM = {"name": "train", "machineType": "zones/us-central1-a/machineTypes/e2-standard-2", "disks": [DISK]}


def wait(nbsim, operation, zone=ZONE, late=False):
    """`late`: the operation may not be known yet."""
    for _ in range(200):
        status, answer = nbsim.raw("POST", f"{zone}/operations/{operation['name']}/wait")
        if late and status == 404:
            time.sleep(0.02)
            continue
        assert status == 200
        if answer["status"] == "DONE":
            return answer
    pytest.fail(f"{operation['name']} is never done")


def test_a_dropped_connection_has_no_answer_but_its_effect(nbsim):
    nbsim.admin("faults", list=[{"match": {"method": "instances.insert"}, "do": {"drop": "after"}}])
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        nbsim.raw("POST", f"{ZONE}/instances", VM)
    assert nbsim.raw("GET", f"{ZONE}/instances/train")[0] == 200


def test_a_cut_answer_ends_early(nbsim):
    nbsim.admin("faults", list=[{"do": {"cut": 20}}])
    with pytest.raises(http.client.IncompleteRead) as cut:
        nbsim.raw("GET", ZONE)
    assert len(cut.value.partial) == 20


def test_one_connection_serves_many_requests(nbsim):
    connection = http.client.HTTPConnection("127.0.0.1", nbsim.port)
    connection.connect()
    own_port = connection.sock.getsockname()[1]
    for _ in range(300):
        connection.request("GET", f"/compute/v1/{ZONE}", headers={"Authorization": "Bearer sandbox"})
        answer = connection.getresponse()
        assert answer.status == 200 and json.load(answer)["status"] == "UP"
    assert connection.sock.getsockname()[1] == own_port


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate and is not here")
def test_tls_with_a_certificate_of_ones_own(start_nbsim, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    nbsim = start_nbsim("--tls", cert, key)
    assert nbsim.url.startswith("https://")
    request = urllib.request.Request(f"{nbsim.url}/compute/v1/{ZONE}", headers={"Authorization": "Bearer sandbox"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(cert))) as answer:
        assert json.load(answer)["name"] == "us-central1-a"
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(request)


def test_a_world_file_outlives_the_server(start_nbsim, tmp_path):
    world = tmp_path / "world.json"
    first = start_nbsim("--world", world)
    wait(first, first.raw("POST", f"{ZONE}/instances", VM)[1])
    first.stop()
    second = start_nbsim("--world", world)
    status, vm = second.raw("GET", f"{ZONE}/instances/train")
    assert (status, vm["status"]) == (200, "RUNNING")


def test_the_clock_can_be_moved(nbsim):
    operation = nbsim.raw("POST", f"{ZONE}/instances", VM)[1]
    wait(nbsim, operation)
    nbsim.admin("clock", advance="61m")
    assert nbsim.raw("GET", f"{ZONE}/operations/{operation['name']}")[0] == 404
    assert nbsim.raw("GET", f"{ZONE}/instances/train")[0] == 200


@pytest.mark.parametrize("flags,status", [([], 403), (["--variant", "rate-limit-429"], 429)])
def test_a_rate_limit_holds_until_the_minute_is_over(start_nbsim, flags, status):
    nbsim = start_nbsim(*flags)
    nbsim.admin("rate", limit=3)
    answers = [nbsim.raw("GET", ZONE) for _ in range(7)]
    refused = [body for code, body in answers if code == status]
    assert refused and refused[0]["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    nbsim.admin("clock", advance="60s")
    assert nbsim.raw("GET", ZONE)[0] == 200


@pytest.mark.parametrize("flags", [["--port", "99999"], ["--variant", "no-such"], ["--op-times", "slow"], ["--colour"], ["--faults", "/nonexistent"], ["env"]])
def test_a_wrong_command_line_is_refused(flags):
    done = subprocess.run([BIN / "nbsim", *flags], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and done.stderr.startswith("nbsim: ") and done.stdout == ""


def variants():
    out = subprocess.run([BIN / "nbsim", "--list-variants"], check=True, capture_output=True, text=True).stdout
    return [line.split()[0] for line in out.splitlines()]


@pytest.mark.parametrize("variant", variants())
def test_a_vm_lives_and_dies_under_every_variant(start_nbsim, variant):
    nbsim = start_nbsim("--variant", variant)
    spot = {**VM, "scheduling": {"provisioningModel": "SPOT", "onHostMaintenance": "TERMINATE", "automaticRestart": False}}
    late = variant == "late-operations"
    assert "error" not in wait(nbsim, nbsim.raw("POST", f"{ZONE}/instances", spot)[1], late=late)
    nbsim.admin("clock", advance="10s")
    assert nbsim.raw("GET", f"{ZONE}/instances/train")[1]["status"] == "RUNNING"
    nbsim.admin("preempt", zone="us-central1-a", name="train")
    nbsim.admin("clock", advance="1m")
    stopped = "STOPPED" if variant == "reads-stopped" else "TERMINATED"
    assert nbsim.raw("GET", f"{ZONE}/instances/train")[1]["status"] == stopped
    assert "error" not in wait(nbsim, nbsim.raw("DELETE", f"{ZONE}/instances/train")[1], late=late)
    assert nbsim.raw("GET", f"{ZONE}/instances/train")[0] == 404


def test_a_port_that_is_taken_is_refused(nbsim):
    second = subprocess.run([BIN / "nbsim", "--port", str(nbsim.port)], capture_output=True, text=True, timeout=10)
    assert second.returncode == 1 and f"Port {nbsim.port} of 127.0.0.1 is taken." in second.stderr
