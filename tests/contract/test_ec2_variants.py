"""nbform against every answer that EC2 may give where nobody outside AWS can say, as test_variants.py does for GCE.

Two notebooks' whole life in the sandbox: create past a zone without capacity, edits live and with a restart, stop and
start, an interruption that only EC2 ends, destroy; after each step the plan is empty.
"""

import json
import random

import pytest

from lives import Life, known_variants, report

COMBINATIONS = 6
LIVED = []  # the variants of each life that went well


def manifest(machine="t3.medium", labels="{team: research}", cidrs="[203.0.113.7/32]", boot="100GB"):
    return f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  train:
    service: ec2
    where: [us-west-2a, us-west-2b]
    machine: {machine}
    disks: {{boot: {{size: {boot}, type: gp3}}, data: 200GB}}
    labels: {labels}
    access: {{ssh: {{keys: [me.pub], allow_from: {cidrs}}}}}
  cheap:
    service: ec2
    where: us-west-2a
    gpu: t4
    spot: {{market: spot, restart: true}}
"""


class Ec2Life(Life):
    def things(self, shelf):
        return [item["wire"] for item in self.world()["aws"]["shelves"].get(shelf, [])]

    def instance(self, name):
        """Of a notebook, the living one; {} where there is none."""
        alive = [vm for vm in self.things("instances") if vm["instanceState"]["name"] not in ("terminated", "shutting-down")]
        named, = [vm for vm in alive if {"key": "nbform:notebook", "value": name} in vm["tagSet"]] or [{}]
        return named

    def state(self, name):
        return self.instance(name)["instanceState"]["name"]


def live(life):
    life.nbform("sandbox stockout us-west-2a --machine t3.*")
    life.settle("create")
    first = life.instance("train")
    assert first["placement"]["availabilityZone"] == "us-west-2b"
    assert len(life.things("instances")) == 2 and len(life.things("volumes")) == 3, "a failed attempt left something"
    changed = {"labels": "{team: vision}", "cidrs": "[203.0.113.7/32, 198.51.100.0/24]", "boot": "120GB"}
    life.declare(manifest(**changed))
    life.settle("live edits")
    life.declare(manifest("t3.xlarge", **changed))
    life.settle("an edit that restarts")
    assert (life.instance("train")["instanceId"], life.instance("train")["instanceType"]) == (first["instanceId"], "t3.xlarge")
    life.nbform("stop train -y")
    life.nbform("sandbox clock +1m")
    assert life.state("train") == "stopped"
    life.nbform("start train -y")
    life.settle("stop and start")
    life.nbform("sandbox stockout us-west-2a --machine spot:*")
    life.nbform("sandbox preempt cheap")
    life.nbform("sandbox clock +5m")
    life.nbform("plan")
    life.nbform("apply -y")
    assert life.state("cheap") == "stopped", "what EC2 stopped for capacity only EC2 starts"
    life.nbform("sandbox stockout us-west-2a --end")
    life.nbform("sandbox clock +2m")
    assert life.state("cheap") == "running"
    life.settle("an interruption")
    life.nbform("destroy -y")
    assert (life.instance("train"), life.instance("cheap")) == ({}, {})
    assert [v["size"] for v in life.things("volumes")] == [200]
    assert [g["groupName"] for g in life.things("security-groups")] == ["default"] and life.things("key-pairs") == []
    life.nbform("destroy -y --kept train --allow-data-loss train")
    life.nbform("sandbox clock +1m")
    assert life.things("volumes") == []


def combinations():
    """Two to five variants each; the same ones in every run."""
    for seed in range(COMBINATIONS):
        drawn = random.Random(seed)
        yield sorted(drawn.sample(known_variants(ec2=True), drawn.randint(2, 5)))


@pytest.mark.parametrize("variants", [[]] + [[v] for v in known_variants(ec2=True)] + list(combinations()), ids="+".join)
def test_notebooks_live_whatever_ec2_answers(tmp_path, variants):
    life = Ec2Life(tmp_path, manifest(), variants)
    live(life)
    life.judge()
    LIVED.append(variants)


MUTATIONS = """
ImportKeyPair CreateSecurityGroup AuthorizeSecurityGroupIngress RunInstances CreateVolume AttachVolume CreateTags ModifyVolume
ModifyInstanceAttribute StopInstances StartInstances CancelSpotInstanceRequests TerminateInstances DeleteVolume DeleteKeyPair
DeleteSecurityGroup
""".split()


@pytest.mark.parametrize("when", ["before", "after"])
def test_notebooks_live_though_each_mutation_is_once_cut_off(tmp_path, when):
    """Before it takes effect, or after: the answer is lost. Nothing is made twice, nothing is left."""
    life = Ec2Life(tmp_path, manifest(), [])
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"match": {"service": "ec2", "method": name}, "do": {"drop": when}} for name in MUTATIONS]))
    life.nbform(f"sandbox fault {faults}")
    live(life)
    struck = {entry["fault"]["match"]["method"] for entry in life.world()["trouble"]["faults"] if entry["done"]}
    assert struck == set(MUTATIONS)


def test_every_variant_was_lived(capsys):
    alone = sum(len(v) == 1 for v in LIVED)
    figures = {"variants": len(known_variants(ec2=True)), "lives_with_one": alone,
               "lives_with_combinations": sum(len(v) > 1 for v in LIVED)}
    with capsys.disabled():
        print(f"\n{alone} of {figures['variants']} variants of EC2 lived alone, {figures['lives_with_combinations']} combinations of {COMBINATIONS}")
    report("contract-ec2-variants", figures, "create past a stock-out, live edits, restart, stop and start, interruption, destroy")
    assert alone == figures["variants"] and figures["lives_with_combinations"] == COMBINATIONS
