"""google-api-python-client, the way its users call it. gcloud: test_gcloud.py."""

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
