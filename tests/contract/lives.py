"""A notebook's life in the sandbox, its simulated cloud switched to what else the cloud may do (nbsim --list-variants)."""

import json
import os
import pathlib
import shlex
import subprocess

from check_requests import Judge
from conftest import BIN

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Qb3Hn1cFzVbM0mH3mYh8cQ0w4wWQ5m0dOqJcD0F2a me@laptop\n"


def known_variants(ec2):
    """Those that a notebook in EC2, or in GCE, can meet."""
    out = subprocess.run([BIN / "nbsim", "--list-variants"], check=True, capture_output=True, text=True).stdout
    named = [line.split(maxsplit=1) for line in out.splitlines()]
    return [name for name, meaning in named if ("EC2" in meaning if ec2 else not meaning.startswith("EC2:"))]


class Life:
    """A stack in a directory of its own, and the simulated cloud of its sandbox."""

    def __init__(self, home, manifest, variants):
        self.home, self.stack, self.log = home, home / "stack", home / "requests.jsonl"
        (home / ".ssh").mkdir()
        (home / ".ssh/id_ed25519.pub").write_text(KEY)
        self.stack.mkdir()
        (self.stack / "me.pub").write_text(KEY)
        self.declare(manifest)
        self.nbform("sandbox show")
        world = self.world()
        world["options"]["variants"] = variants
        (self.stack / ".nbform/sandbox.json").write_text(json.dumps(world))

    def declare(self, text):
        (self.stack / "main.nb.yaml").write_text(text)

    def world(self):
        return json.loads((self.stack / ".nbform/sandbox.json").read_text())

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

    def judge(self):
        """Every request and answer is of the published API."""
        judge = Judge()
        judge.log(self.log)
        assert judge.errors == []


def report(name, figures, what):
    """One JSON file among the figures of a run, where the environment asks for it."""
    if directory := os.environ.get("NBFORM_REPORT"):
        entry = {"name": name, "promise": [10], "figures": figures, "input": what, "run": "sh tests/run.sh --suite contract"}
        pathlib.Path(directory, f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n")
