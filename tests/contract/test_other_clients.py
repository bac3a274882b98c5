"""google-api-python-client and gcloud, each the way its users call it."""

import os
import shutil
import subprocess

import pytest
from google.oauth2 import credentials as oauth2
from googleapiclient import discovery as api
from googleapiclient import errors

from check_requests import main as check

ZONE = "us-central1-b"


def test_the_api_client_inserts_lists_and_deletes(nbsim):
    service = api.build("compute", "v1", credentials=oauth2.Credentials("sandbox"), static_discovery=True,
                        client_options={"api_endpoint": f"{nbsim.url}/compute/v1/"})
    place = {"project": "acme-ml", "zone": ZONE}
    body = {"name": "train", "machineType": f"zones/{ZONE}/machineTypes/e2-standard-2", "labels": {"team": "research"},
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "projects/deeplearning-platform-release/global/images/family/common-cpu"}}]}
    operation = service.instances().insert(**place, body=body).execute()
    assert service.zoneOperations().wait(**place, operation=operation["name"]).execute()["status"] == "DONE"
    found = service.instances().aggregatedList(project="acme-ml", filter="labels.team=research", fields="items/*/instances(name,status)").execute()
    assert found["items"][f"zones/{ZONE}"] == {"instances": [{"name": "train", "status": "RUNNING"}]}
    with pytest.raises(errors.HttpError) as wrong:
        service.instances().setLabels(**place, instance="train", body={"labels": {}, "labelFingerprint": "AAAAAAAAAAA="}).execute()
    assert wrong.value.status_code == 412 and wrong.value.error_details[0]["reason"] == "conditionNotMet"
    operation = service.instances().delete(**place, instance="train").execute()
    service.zoneOperations().wait(**place, operation=operation["name"]).execute()
    with pytest.raises(errors.HttpError) as gone:
        service.instances().get(**place, instance="train").execute()
    assert gone.value.status_code == 404
    assert check([nbsim.log]) == 0


# The commands of the first tutorial and of a notebook's whole life, as people type them.
COMMANDS = f"""
compute instances create notebook-vm-spot --image-family=common-cpu --image-project=deeplearning-platform-release --machine-type=e2-standard-2 --provisioning-model=SPOT --instance-termination-action=STOP --boot-disk-size=200GB --scopes=https://www.googleapis.com/auth/cloud-platform --shielded-secure-boot
compute instances create nb-gpu --image-family=pytorch-latest-gpu --image-project=deeplearning-platform-release --machine-type=n1-standard-8 --accelerator=type=nvidia-tesla-t4,count=1 --maintenance-policy=TERMINATE --boot-disk-size=200GB --boot-disk-type=pd-balanced --metadata=install-nvidia-driver=True --labels=team=research
compute instances create nb-max --image-family=common-cu129-ubuntu-2404-nvidia-580 --image-project=deeplearning-platform-release --machine-type=g2-standard-4 --provisioning-model=SPOT --max-run-duration=12h --instance-termination-action=STOP --no-address --tags=jupyter --service-account=nb@acme-ml.iam.gserviceaccount.com --scopes=cloud-platform
compute disks create nb-max-data --size=200GB --type=pd-balanced --labels=team=research
compute instances attach-disk nb-max --disk=nb-max-data --device-name=data
compute instances add-labels nb-max --labels=team=vision
compute instances add-metadata nb-max --metadata=idle-timeout-seconds=3600
compute instances add-tags nb-max --tags=extra
compute instances stop nb-max
compute instances set-machine-type nb-max --machine-type=g2-standard-8
compute instances set-scheduling nb-max --provisioning-model=STANDARD --clear-instance-termination-action
compute instances set-service-account nb-max --service-account=nb2@acme-ml.iam.gserviceaccount.com --scopes=cloud-platform
compute instances start nb-max
compute disks resize nb-max-data --size=300GB
compute instances update nb-max --deletion-protection
compute instances update nb-max --no-deletion-protection
compute instances detach-disk nb-max --disk=nb-max-data
compute instances delete nb-max --keep-disks=data
""".strip().splitlines()


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed here")
def test_gcloud_commands_do_what_they_say(nbsim, tmp_path):
    settings = {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud"), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
                "CLOUDSDK_COMPUTE_ZONE": ZONE}
    env = {**os.environ, **nbsim.env(), **settings}

    def gcloud(command):
        done = subprocess.run(["gcloud", *command.split()], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout

    for command in COMMANDS[:-1]:
        gcloud(command)
    assert gcloud("compute instances list --filter=labels.team=vision --format=value(name,status,machineType.basename())").split() == ["nb-max", "RUNNING", "g2-standard-8"]
    gcloud(COMMANDS[-1])
    assert gcloud("compute instances list --format=value(name)").split() == ["nb-gpu", "notebook-vm-spot"]
    assert gcloud("compute disks describe nb-max-data --format=value(sizeGb,users)").split() == ["300"]
    assert check([nbsim.log]) == 0
