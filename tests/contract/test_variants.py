"""nbform against every answer that the cloud may give where nobody outside Google can say (nbsim --list-variants).

One notebook's whole life in the sandbox, its simulated cloud switched: create past a zone without capacity, a plan that
is empty, edits live and with a restart, a preemption, the switch from Spot to on demand, destroy. Every variant alone,
then combinations drawn by seed. All requests and answers are held against the published API as well.
"""

import random

import pytest

from lives import Life, known_variants, report

IMAGE = "{family: common-cu129-ubuntu-2404-nvidia-580, project: deeplearning-platform-release}"
COMBINATIONS = 60
ALIKE = [{"disk-name-attaches", "disk-name-in-use"}, {"links-as-paths", "links-of-another-host"}]  # one excludes the other
LIVED = []  # the variants of each life that went well


def combinations():
    """Two to eight variants each; the same ones in every run."""
    for seed in range(COMBINATIONS):
        drawn = random.Random(seed)
        chosen = set(drawn.sample(known_variants(ec2=False), drawn.randint(2, 8)))
        yield sorted(v for v in chosen if not any(v == max(pair) and pair <= chosen for pair in ALIKE))


def manifest(machine="e2-standard-2", spot="spot", labels="{team: research}", power="", tags="[]"):
    return f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  train:
    service: gce
    where: [us-central1-b, us-central1-f]
    machine: {machine}
    image: {IMAGE}
    disks: {{boot: 200GB, data: 200GB}}
    spot: {{market: {spot}, restart: true}}
    labels: {labels}
    network: {{tags: {tags}}}
    {power}
  gpu:
    service: gce
    where: us-central1-a
    gpu: l4
    image: {IMAGE}
    disks: {{boot: 200GB}}
"""


class GceLife(Life):
    def names(self, shelf):
        return sorted(item["key"]["name"] for item in self.world()[shelf])

    def instance(self, name):
        return next(item["wire"] for item in self.world()["instances"] if item["key"]["name"] == name)


def switch_to_on_demand(life, refused):
    """A restart; where the cloud refuses, the notebook is left running as it was, and a replace is offered and does it."""
    life.declare(manifest("e2-standard-4", "on-demand", "{team: vision}"))
    if refused:
        done = life.run("apply -y")
        assert done.returncode == 6 and "--replace train" in done.stdout + done.stderr, done.stdout + done.stderr
        life.nbform("sandbox clock +1m")  # past STAGING
        assert life.instance("train")["status"] == "RUNNING"
        life.nbform("apply -y --replace train --allow-data-loss train")
        assert life.run("plan --detailed-exitcode").returncode == 0
    else:
        life.settle("the switch to on demand")
    assert life.instance("train")["scheduling"]["provisioningModel"] == "STANDARD"


def live(life, variants):
    life.nbform("sandbox stockout us-central1-b --hint us-central1-f")
    life.settle("create")
    assert life.names("instances") == ["gpu", "train"]
    assert life.names("disks") == ["gpu", "train", "train-data"], "a failed attempt left something"
    life.declare(manifest(labels="{team: vision}", tags="[jupyter]"))
    life.settle("live edits")
    life.declare(manifest("e2-standard-4", labels="{team: vision}", power="power: {max_uptime: 12h}"))
    life.settle("edits that restart")
    life.nbform("sandbox clock +1m")
    life.nbform("sandbox preempt train")
    life.nbform("sandbox clock +5m")
    life.settle("a preemption")
    life.nbform("sandbox clock +1m")  # past STAGING
    forgotten = {"no-preempted-record", "short-memory"} & set(variants)  # then nothing is started by itself
    assert life.instance("train")["status"] == ("TERMINATED" if forgotten else "RUNNING")
    life.nbform("start train -y" if forgotten else "plan")
    life.nbform("sandbox clock +1m")
    switch_to_on_demand(life, "spot-switch-refused" in variants)
    life.nbform("destroy -y")
    assert (life.names("instances"), life.names("disks")) == ([], ["train-data"])
    life.nbform("destroy -y --kept train --allow-data-loss train")
    assert life.names("disks") == []


@pytest.mark.parametrize("variants", [[]] + [[v] for v in known_variants(ec2=False)] + list(combinations()), ids="+".join)
def test_a_notebook_lives_whatever_the_cloud_answers(tmp_path, variants):
    life = GceLife(tmp_path, manifest(), variants)
    live(life, variants)
    life.judge()
    LIVED.append(variants)


def test_every_variant_was_lived(capsys):
    alone = sum(len(v) == 1 for v in LIVED)
    figures = {"variants": len(known_variants(ec2=False)), "lives_with_one": alone, "lives_with_combinations": sum(len(v) > 1 for v in LIVED)}
    with capsys.disabled():
        print(f"\n{alone} of {figures['variants']} variants lived alone, {figures['lives_with_combinations']} combinations of {COMBINATIONS}")
    report("contract-variants", figures, "create past a stock-out, live edits, restart, preemption, Spot to on demand, destroy")
    assert alone == figures["variants"] and figures["lives_with_combinations"] == COMBINATIONS
