"""nbform against every answer that the cloud may give where nobody outside Google can say (nbsim --list-variants).

One notebook's whole life in the sandbox, its simulated cloud switched: create past a zone without capacity, a plan that
is empty, edits live and with a restart, a preemption, the switch from Spot to on demand, destroy. Every variant alone,
then combinations drawn by seed. All requests and answers are held against the published API as well.
"""

import json
import os
import pathlib
import random
import shlex
import subprocess

import pytest

from check_requests import Judge
from conftest import BIN

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZhcmlhbnQta2V5LXZhcmlhbnQta2V5LXZhcmlhbnQta2V5 me@laptop\n"
IMAGE = "{family: common-cu129-ubuntu-2404-nvidia-580, project: deeplearning-platform-release}"
COMBINATIONS = 60
ALIKE = [{"disk-name-attaches", "disk-name-in-use"}, {"links-as-paths", "links-of-another-host"}]  # one excludes the other
LIVED = []  # the variants of each life that went well


def known_variants():
    """Those that a notebook in GCE can meet."""
    out = subprocess.run([BIN / "nbsim", "--list-variants"], check=True, capture_output=True, text=True).stdout
    named = [line.split(maxsplit=1) for line in out.splitlines()]
    return [name for name, meaning in named if not meaning.startswith("EC2:")]


def combinations():
    """Two to eight variants each; the same ones in every run."""
    for seed in range(COMBINATIONS):
        drawn = random.Random(seed)
        chosen = set(drawn.sample(known_variants(), drawn.randint(2, 8)))
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


class Life:
    """A stack in a directory of its own, and the simulated cloud of its sandbox."""

    def __init__(self, home, variants):
        self.home, self.stack, self.log = home, home / "stack", home / "requests.jsonl"
        (home / ".ssh").mkdir()
        (home / ".ssh/id_ed25519.pub").write_text(KEY)
        self.stack.mkdir()
        self.declare(manifest())
        self.nbform("sandbox show")
        world = self.world()
        world["options"]["variants"] = variants
        (self.stack / ".nbform/sandbox.json").write_text(json.dumps(world))

    def declare(self, text):
        (self.stack / "main.nb.yaml").write_text(text)

    def world(self):
        return json.loads((self.stack / ".nbform/sandbox.json").read_text())

    def names(self, shelf):
        return sorted(item["key"]["name"] for item in self.world()[shelf])

    def instance(self, name):
        return next(item["wire"] for item in self.world()["instances"] if item["key"]["name"] == name)

    def run(self, command):
        arguments = shlex.split(command)
        if arguments[0] != "sandbox":
            arguments += ["--sandbox", "--log-requests", str(self.log)]
        env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        return subprocess.run([BIN / "nbform", *arguments], cwd=self.stack, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)

    def nbform(self, command, exit=0):
        done = self.run(command)
        assert done.returncode == exit, f"nbform {command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def settle(self, what):
        """Plan, apply, and a plan that is empty."""
        self.nbform("plan")
        self.nbform("apply -y")
        assert self.run("plan --detailed-exitcode").returncode == 0, f"after {what}:\n{self.nbform('plan')}"


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


@pytest.mark.parametrize("variants", [[]] + [[v] for v in known_variants()] + list(combinations()), ids="+".join)
def test_a_notebook_lives_whatever_the_cloud_answers(tmp_path, variants):
    life = Life(tmp_path, variants)
    live(life, variants)
    judge = Judge()
    judge.log(life.log)
    assert judge.errors == []
    LIVED.append(variants)


def test_every_variant_was_lived(capsys):
    alone = sum(len(v) == 1 for v in LIVED)
    figures = {"variants": len(known_variants()), "lives_with_one": alone, "lives_with_combinations": sum(len(v) > 1 for v in LIVED)}
    with capsys.disabled():
        print(f"\n{alone} of {figures['variants']} variants lived alone, {figures['lives_with_combinations']} combinations of {COMBINATIONS}")
    if directory := os.environ.get("NBFORM_REPORT"):
        entry = {"name": "contract-variants", "promise": [10], "figures": figures,
                 "input": "create past a stock-out, live edits, restart, preemption, Spot to on demand, destroy",
                 "run": "sh tests/run.sh --suite contract"}
        pathlib.Path(directory, "contract-variants.json").write_text(json.dumps(entry, indent=1) + "\n")
    assert alone == figures["variants"] and figures["lives_with_combinations"] == COMBINATIONS
