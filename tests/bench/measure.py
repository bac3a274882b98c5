"""What a benchmark measures, says and writes: wall, CPU and memory of a command; the machine; the rival. Knows no scenario.

NBFORM_BENCH=short asks for the small sizes, with which only counts mean something. Nothing here passes or fails on a time.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
SHORT = os.environ.get("NBFORM_BENCH") == "short"

# Measured in November 2026 on a machine with 2 cores against a local endpoint that answers at once (or after 50 ms where
# that is said): OpenTofu 1.12 with Google's provider of August 2026, VMs with one boot disk each.
RIVAL = {
    "plan_1": {"wall_s": 0.86, "cpu_s": 0.97, "peak_mib": 171},
    "plan_1000_at_50_ms": {"wall_s": 21.0, "cpu_s": 30.0, "peak_mib": 286, "calls": 2000},
    "create_200": {"wall_s": 70.0},
}


class Run(NamedTuple):
    """One run of a command: seconds, seconds of user and system, MiB at most."""
    wall: float
    cpu: float
    peak_mib: float


def run(command, times=1, **options):
    """Runs a command to its end, again and again; each must succeed. The runs, and the stdout of the last."""
    with tempfile.TemporaryDirectory(prefix="nbform-bench-") as directory:
        out, err = pathlib.Path(directory, "out"), pathlib.Path(directory, "err")
        launcher = [sys.executable, "-I", "-S", str(pathlib.Path(__file__).with_name("once.py")), str(times), out, err]
        lines = subprocess.run([*launcher, *command], check=True, capture_output=True, text=True, **options).stdout
        runs = [json.loads(line) for line in lines.splitlines()]
        if any(r["exit"] != 0 for r in runs):
            sys.exit(f"{' '.join(map(str, command))} failed:\n{out.read_text()[-2000:]}{err.read_text()[-2000:]}")
        return [Run(r["wall"], r["cpu"], r["peak_kib"] / 1024) for r in runs], out.read_text()


def median(runs, what):
    return statistics.median(getattr(r, what) for r in runs)


def summary(runs):
    """Medians, and the least CPU: what other work on the machine disturbed least."""
    return {"runs": len(runs), "wall_s": round(median(runs, "wall"), 4), "cpu_s": round(median(runs, "cpu"), 4),
            "least_cpu_s": round(min(r.cpu for r in runs), 4), "peak_mib": round(max(r.peak_mib for r in runs), 1)}


def first(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "unknown"


def machine():
    return {"cpu": first("/proc/cpuinfo", "model name"), "cores": len(os.sched_getaffinity(0)),
            "memory": first("/proc/meminfo", "MemTotal"), "kernel": platform.release(),
            "load": os.getloadavg()[0]}


def commit():
    out = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return out.stdout.strip() if out.returncode == 0 else "unknown"


def rows(value, prefix=""):
    for key, item in value.items():
        if isinstance(item, dict):
            yield from rows(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item


class Report:
    """The figures of one benchmark, its goals, and the counts that must hold."""

    def __init__(self, name, input, run):
        self.name, self.input, self.run = name, input, run
        self.figures, self.goals, self.broken = {}, {}, []

    def goal(self, text, met):
        """A goal of time or memory: said, never judged."""
        self.goals[text] = "met" if met else "MISSED"

    def check(self, text, holds):
        """A count: the same on every machine, so that a wrong one is an error."""
        self.goals[text] = "holds" if holds else "BROKEN"
        if not holds:
            self.broken.append(text)

    def end(self):
        """Prints, writes the JSON file where NBFORM_REPORT names a directory; the exit code."""
        here = machine()
        print(f"{self.name}: {self.input}")
        print(f"  {here['cpu']}, {here['cores']} cores, load {here['load']:.1f}, commit {commit()}")
        for key, value in [*rows(self.figures), *self.goals.items()]:
            print(f"  {key:<66} {value}")
        if directory := os.environ.get("NBFORM_REPORT"):
            pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
            body = {"name": self.name, "promise": [], "figures": {**self.figures, "goals": self.goals},
                    "input": self.input, "run": self.run, "machine": here, "commit": commit()}
            (pathlib.Path(directory) / f"{self.name}.json").write_text(json.dumps(body, indent=1) + "\n")
        return 1 if self.broken else 0
