"""A simulated cloud that already has N notebooks, and the manifest that declares them. Knows no measuring.

nbform itself creates them, in the sandbox: the same simulator, in virtual time. Of GCE it creates one, and the others are
copies of it under other names and ids, so that ten thousand stand within seconds. EC2's parts name each other by ids: there
it creates them all.
"""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import measure  # noqa: F401  (finds the harness)
from harness import BIN, KEY, Nbsim

HEAD = "nbform: 1\nstack: {name: research, id: 3f9a1c2e}\n"
GCE = """clouds: {gcp: {project: acme-ml}}
notebooks:
  nb:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    image: {family: common-cu129-ubuntu-2404-nvidia-580, project: deeplearning-platform-release}
    disks: {boot: 200GB}
    labels: {team: research}
"""
EC2 = """notebooks:
  nb:
    service: ec2
    where: us-west-2a
    machine: t3.medium
    image: {ssm: /aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04/latest/ami-id}
    disks: {boot: {size: 200GB, type: gp3}}
    labels: {team: research}
    access: {ssh: {keys: [~/.ssh/id_ed25519.pub], allow_from: [203.0.113.7/32]}}
"""
MODEL = "nb-n00000"


class Site:
    """A user with a stack directory of N notebooks and a home of their own."""

    def __init__(self, notebooks, notebook=GCE):
        self.notebooks, self.notebook = notebooks, notebook
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="nbform-bench-"))
        self.stack = self.home / "stack"
        self.stack.mkdir()
        (self.home / ".ssh").mkdir()
        (self.home / ".ssh/id_ed25519.pub").write_text(KEY)
        self.declare(notebooks)
        self.env = {"HOME": str(self.home), "PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C.UTF-8"}

    def declare(self, notebooks):
        keys = "".join(f"      n{i:05}: {{}}\n" for i in range(notebooks))
        (self.stack / "main.nb.yaml").write_text(HEAD + self.notebook + "    each:\n" + keys)

    def nbform(self, *words, times=1):
        """Runs, and the stdout of the last."""
        return measure.run([BIN / "nbform", *words], times, cwd=self.stack, env=self.env)

    @contextlib.contextmanager
    def cloud(self, *flags):
        """A running nbsim that the site's environment points at, with the credentials of a service-account key."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.home))
        log = directory / "requests.jsonl"
        cloud = Nbsim(directory, log, "--quotas", "off", *flags)
        self.env.update({k: v for k, v in cloud.env().items() if k != "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"})
        try:
            yield cloud
        finally:
            cloud.stop()

    def seed(self):
        """The file of a world in which all declared notebooks run as declared."""
        copied = self.notebook is GCE
        if copied:
            self.declare(1)
        self.nbform("sandbox", "quota", "*", "100000")
        self.nbform("apply", "-y", "--sandbox")
        world = json.loads((self.stack / ".nbform/sandbox.json").read_text())
        self.declare(self.notebooks)
        for kind in ("instances", "disks") if copied else ():
            world[kind] = list(copies(world[kind][0], self.notebooks))
        world.update(operations=[], agenda=[], diary=[])
        path = self.home / "world.json"
        path.write_text(json.dumps(world))
        return path

    def remove(self):
        shutil.rmtree(self.home, True)


def copies(model, count):
    text, id = json.dumps(model), model["wire"]["id"]
    for i in range(count):
        yield json.loads(text.replace(MODEL, f"nb-n{i:05}").replace(id, str(int(id) + i)))
