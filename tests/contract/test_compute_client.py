"""Google's own google-cloud-compute client drives nbsim: what it accepts and raises is what the cloud's API is."""

import uuid

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.cloud import compute_v1 as compute
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account

from discovery import Discovery

PROJECT, ZONE = "acme-ml", "us-central1-a"
FAMILY = "projects/deeplearning-platform-release/global/images/family/common-cu129-ubuntu-2404-nvidia-580"


class Clients:
    def __init__(self, nbsim):
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        key = service_account.Credentials.from_service_account_file(nbsim.env()["GOOGLE_APPLICATION_CREDENTIALS"], scopes=scopes)
        key.refresh(Request())
        # The bare token: with the key itself the library asks Google's own host for allowed locations, beside each call.
        token = oauth2.Credentials(key.token)
        options = ClientOptions(api_endpoint=nbsim.url)
        kinds = {"instances": compute.InstancesClient, "disks": compute.DisksClient, "images": compute.ImagesClient,
                 "operations": compute.ZoneOperationsClient, "zones": compute.ZonesClient,
                 "firewalls": compute.FirewallsClient, "global_operations": compute.GlobalOperationsClient,
                 "all_operations": compute.GlobalOperationsClient, "regions": compute.RegionsClient}
        for name, kind in kinds.items():
            setattr(self, name, kind(credentials=token, client_options=options))
        # The clients poll operations through clients of their own, which know no other endpoint than Google's.
        for client in (self.instances, self.disks):
            client.transport._extended_operations_services["zone_operations"] = self.operations
        self.firewalls.transport._extended_operations_services["global_operations"] = self.global_operations


@pytest.fixture
def cloud(nbsim):
    return Clients(nbsim)


def notebook(name, labels=None, data=False):
    disks = [compute.AttachedDisk(boot=True, auto_delete=True, device_name="boot", initialize_params=compute.AttachedDiskInitializeParams(
        source_image=FAMILY, disk_size_gb=100, disk_type=f"zones/{ZONE}/diskTypes/pd-balanced", labels={"part": "boot"}))]
    if data:
        disks.append(compute.AttachedDisk(auto_delete=False, device_name="data", initialize_params=compute.AttachedDiskInitializeParams(
            disk_name=f"{name}-data", disk_size_gb=200, disk_type=f"zones/{ZONE}/diskTypes/pd-balanced", labels={"part": "data"})))
    return compute.Instance(name=name, machine_type=f"zones/{ZONE}/machineTypes/e2-standard-2", labels=labels or {}, disks=disks,
                            network_interfaces=[compute.NetworkInterface(network="global/networks/default")])


def insert(cloud, *args, **kwargs):
    cloud.instances.insert(project=PROJECT, zone=ZONE, instance_resource=notebook(*args, **kwargs)).result(timeout=30)


def get(cloud, name):
    return cloud.instances.get(project=PROJECT, zone=ZONE, instance=name)


def set_labels(cloud, name, labels, fingerprint):
    body = compute.InstancesSetLabelsRequest(labels=labels, label_fingerprint=fingerprint)
    return cloud.instances.set_labels(project=PROJECT, zone=ZONE, instance=name, instances_set_labels_request_resource=body)


def test_insert_makes_the_vm_and_its_labelled_disks(cloud):
    insert(cloud, "train", {"team": "research"}, data=True)
    vm = get(cloud, "train")
    assert vm.status == "RUNNING"
    assert dict(vm.labels) == {"team": "research"}
    assert [d.device_name for d in vm.disks] == ["boot", "data"]
    disk = cloud.disks.get(project=PROJECT, zone=ZONE, disk="train-data")
    assert dict(disk.labels) == {"part": "data"}
    assert disk.size_gb == 200
    assert list(disk.users) == [vm.self_link]


def test_aggregated_list_filters_and_pages(cloud):
    for i in range(5):
        insert(cloud, f"nb-{i}", {"team": "research" if i < 3 else "vision"})
    request = compute.AggregatedListInstancesRequest(project=PROJECT, filter='labels.team="research"', max_results=2)
    pages = list(cloud.instances.aggregated_list(request=request).pages)
    names = [vm.name for page in pages for scope in page.items.values() for vm in scope.instances]
    assert names == ["nb-0", "nb-1", "nb-2"]
    assert len(pages) == 2
    assert pages[0].items["zones/us-west1-a"].warning.code == "NO_RESULTS_ON_PAGE"


def test_labels_are_set_by_fingerprint(cloud):
    insert(cloud, "train", {"team": "research"})
    stale = get(cloud, "train").label_fingerprint
    set_labels(cloud, "train", {"team": "vision"}, stale).result(timeout=30)
    assert dict(get(cloud, "train").labels) == {"team": "vision"}
    with pytest.raises(exceptions.PreconditionFailed):
        set_labels(cloud, "train", {"team": "research"}, stale)
    assert dict(get(cloud, "train").labels) == {"team": "vision"}


def test_a_machine_type_changes_only_while_stopped(cloud):
    insert(cloud, "train")
    body = compute.InstancesSetMachineTypeRequest(machine_type=f"zones/{ZONE}/machineTypes/e2-standard-4")
    change = dict(project=PROJECT, zone=ZONE, instance="train", instances_set_machine_type_request_resource=body)
    running = cloud.instances.set_machine_type(**change)
    with pytest.raises(exceptions.BadRequest, match="is not ready"):
        running.result(timeout=30)
    cloud.instances.stop(project=PROJECT, zone=ZONE, instance="train").result(timeout=30)
    assert get(cloud, "train").status == "TERMINATED"
    cloud.instances.set_machine_type(**change).result(timeout=30)
    cloud.instances.start(project=PROJECT, zone=ZONE, instance="train").result(timeout=30)
    vm = get(cloud, "train")
    assert (vm.status, vm.machine_type.rsplit("/", 1)[1]) == ("RUNNING", "e2-standard-4")


def test_delete_keeps_the_disk_that_is_not_auto_deleted(cloud):
    insert(cloud, "train", data=True)
    cloud.instances.delete(project=PROJECT, zone=ZONE, instance="train").result(timeout=30)
    with pytest.raises(exceptions.NotFound, match=f"The resource 'projects/{PROJECT}/zones/{ZONE}/instances/train' was not found"):
        get(cloud, "train")
    assert [d.name for d in cloud.disks.list(project=PROJECT, zone=ZONE)] == ["train-data"]


def test_wait_answers_with_the_finished_operation(start_nbsim):
    cloud = Clients(start_nbsim("--op-times", "fast"))
    started = cloud.instances.insert(project=PROJECT, zone=ZONE, instance_resource=notebook("train"))
    done = cloud.operations.wait(project=PROJECT, zone=ZONE, operation=started.name)
    assert done.status == compute.Operation.Status.DONE
    assert get(cloud, "train").status == "RUNNING"


def test_a_taken_name_is_a_conflict(cloud):
    insert(cloud, "train")
    with pytest.raises(exceptions.Conflict, match="already exists"):
        cloud.instances.insert(project=PROJECT, zone=ZONE, instance_resource=notebook("train"))


def test_a_request_id_is_done_once(cloud, nbsim):
    request = compute.InsertInstanceRequest(project=PROJECT, zone=ZONE, instance_resource=notebook("train"), request_id=str(uuid.uuid4()))
    first, second = cloud.instances.insert(request=request), cloud.instances.insert(request=request)
    assert first.name == second.name
    first.result(timeout=30)
    assert sum(e["kind"] == "insert" and e["resource"] == "instances/train" for e in nbsim.events()) == 1
    request.instance_resource = notebook("other")
    with pytest.raises(exceptions.BadRequest, match="requestId"):
        cloud.instances.insert(request=request)


def test_a_stockout_is_an_operation_error_with_a_hint(cloud, nbsim):
    nbsim.admin("stockout", zone=ZONE, zones_available=["us-central1-f"])
    operation = cloud.instances.insert(project=PROJECT, zone=ZONE, instance_resource=notebook("train"))
    with pytest.raises(exceptions.ServiceUnavailable):
        operation.result(timeout=30)
    item = cloud.operations.get(project=PROJECT, zone=ZONE, operation=operation.name).error.errors[0]
    assert item.code == "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"
    assert item.error_details[0].error_info.metadatas["zonesAvailable"] == "us-central1-f"
    with pytest.raises(exceptions.NotFound):
        get(cloud, "train")
    assert list(cloud.disks.list(project=PROJECT, zone=ZONE)) == []


def test_quota_is_enforced_and_named(cloud, nbsim):
    nbsim.admin("quota", region="us-central1", metric="CPUS", limit=3)
    insert(cloud, "first")
    operation = cloud.instances.insert(project=PROJECT, zone=ZONE, instance_resource=notebook("second"))
    with pytest.raises(exceptions.Forbidden, match="Quota 'CPUS' exceeded"):
        operation.result(timeout=30)
    quotas = {q.metric: (q.usage, q.limit) for q in cloud.regions.get(project=PROJECT, region="us-central1").quotas}
    assert quotas["CPUS"] == (2.0, 3.0)


def test_an_unknown_token_is_refused(nbsim):
    status, body = nbsim.raw("GET", f"projects/{PROJECT}/zones/{ZONE}", token="stolen")
    assert (status, body["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_key_that_signed_nothing_gets_no_token(nbsim):
    env = nbsim.env()
    key = service_account.Credentials.from_service_account_file(env["GOOGLE_APPLICATION_CREDENTIALS"], scopes=["https://www.googleapis.com/auth/compute"])
    stranger = key.with_claims({"iss": "other@acme-ml.iam.gserviceaccount.com"})
    with pytest.raises(RefreshError, match="account not found"):
        stranger.refresh(Request())


def test_a_firewall_rule_lives_and_changes(cloud):
    rule = compute.Firewall(name="mine", description="nbform:demo/train/firewall", network="global/networks/default", source_ranges=["203.0.113.7/32"],
                            target_tags=["nbform-x"], allowed=[compute.Allowed(I_p_protocol="tcp", ports=["22"])])
    cloud.firewalls.insert(project=PROJECT, firewall_resource=rule).result(timeout=30)
    with pytest.raises(exceptions.Conflict):
        cloud.firewalls.insert(project=PROJECT, firewall_resource=rule)
    cloud.firewalls.patch(project=PROJECT, firewall="mine", firewall_resource=compute.Firewall(source_ranges=["198.51.100.0/24"])).result(timeout=30)
    made = cloud.firewalls.get(project=PROJECT, firewall="mine")
    assert (list(made.source_ranges), list(made.target_tags), made.priority) == (["198.51.100.0/24"], ["nbform-x"], 1000)
    with pytest.raises(exceptions.BadRequest, match="IPV4 CIDR"):
        cloud.firewalls.patch(project=PROJECT, firewall="mine", firewall_resource=compute.Firewall(source_ranges=["198.51.100.1/24"]))
    assert {item.name for item in cloud.firewalls.list(project=PROJECT)} >= {"mine", "default-allow-ssh"}
    cloud.firewalls.delete(project=PROJECT, firewall="mine").result(timeout=30)
    with pytest.raises(exceptions.NotFound):
        cloud.firewalls.get(project=PROJECT, firewall="mine")


def test_every_answer_fits_its_published_message(nbsim, cloud):
    """insert, lists, reads and failures, against the response schemas of the discovery document."""
    nbsim.admin("quota", region="us-central1", metric="NVIDIA_T4_GPUS", limit=0)
    insert(cloud, "train", {"team": "research"}, data=True)
    discovery, checked = Discovery(), 0
    base = f"projects/{PROJECT}"
    paths = [base, f"{base}/zones", f"{base}/zones/{ZONE}", f"{base}/regions", f"{base}/regions/us-central1", f"{base}/aggregated/instances",
             f"{base}/aggregated/disks", f"{base}/aggregated/operations", f"{base}/zones/{ZONE}/instances", f"{base}/zones/{ZONE}/instances/train",
             f"{base}/zones/{ZONE}/disks/train-data", f"{base}/zones/{ZONE}/operations", f"{base}/zones/{ZONE}/machineTypes",
             f"{base}/aggregated/acceleratorTypes", f"{base}/zones/{ZONE}/diskTypes", f"{base}/global/networks", f"{base}/global/firewalls",
             f"{base}/global/firewalls/default-allow-ssh", f"{base}/regions/us-central1/subnetworks",
             "projects/deeplearning-platform-release/global/images", f"projects/deeplearning-platform-release/zones/{ZONE}/imageFamilyViews/common-cpu",
             "projects/deeplearning-platform-release/global/images/family/common-cpu", f"{base}/zones/{ZONE}/instances/train/serialPort"]
    for path in paths:
        status, body = nbsim.raw("GET", path)
        assert status == 200, path
        message = discovery.method("GET", path)["response"]
        assert discovery.check_value(body, message, path) == []
        checked += 1
    assert checked == len(paths)
