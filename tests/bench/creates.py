#!/usr/bin/env python3
"""200 notebooks created at once: how near the run comes to what the cloud's own operations allow.

The bound is computed here, from nothing but the operations' times in the simulator: the longest chain when each of P slots
takes the next operation as soon as it is free. In the sandbox time is virtual and the ratio exact, so that it is judged.
"""

import datetime
import heapq
import json
import sys
import urllib.request

import measure
from cloud import Site
from measure import RIVAL, SHORT

NOTEBOOKS = 200
SLOTS = 16  # nbform's own default of --parallelism
EVERY_NTH_HAS_A_GPU = 7  # a GPU takes longer: unequal operations


def declare(site):
    site.declare(NOTEBOOKS)
    path = site.stack / "main.nb.yaml"
    text = path.read_text()
    for i in range(0, NOTEBOOKS, EVERY_NTH_HAS_A_GPU):
        text = text.replace(f"n{i:05}: {{}}", f"n{i:05}: {{machine: n1-standard-4, gpu: t4}}")
    path.write_text(text)


def seconds_between(began, ended):
    read = datetime.datetime.fromisoformat
    return (read(ended) - read(began)).total_seconds()


def insert_times(world):
    """Seconds of each VM's insert operation, by the name of the VM."""
    inserts = (o["wire"] for o in world["operations"] if o["wire"]["operationType"] == "insert")
    return {w["targetLink"].rsplit("/", 1)[1]: seconds_between(w["insertTime"], w["endTime"]) for w in inserts}


def longest_chain(times, slots):
    """When the last of them ends, if each slot takes the next one, in order, as soon as it is free."""
    free = [0.0] * slots
    for seconds in times:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


def against_bound(report, name, makespan, times):
    in_order = [times[key] for key in sorted(times)]
    bound = longest_chain(in_order, SLOTS)
    report.figures[name] = {"operations": len(times), "slots": SLOTS, "makespan_s": round(makespan, 2),
                            "bound_s": round(bound, 2), "least_possible_s": round(sum(in_order) / SLOTS, 2),
                            "makespan_over_bound": round(makespan / bound, 4)}
    return makespan / bound


def in_sandbox(report):
    """Virtual time: from the plan that was shown to the end of the run, the reading back of each VM included."""
    site = Site(NOTEBOOKS)
    declare(site)
    try:
        site.nbform("sandbox", "quota", "*", "100000")
        _, out = site.nbform("apply", "-y", "--sandbox", "--json")
        events = [json.loads(line) for line in out.splitlines()]
        world = json.loads((site.stack / ".nbform/sandbox.json").read_text())
    finally:
        site.remove()
    times = insert_times(world)
    ratio = against_bound(report, "sandbox", seconds_between(events[0]["time"], events[-1]["time"]), times)
    report.check(f"all {NOTEBOOKS} created, one insert each", len(times) == NOTEBOOKS == len(world["instances"]))
    report.check("virtual makespan <= 1.05 x bound", ratio <= 1.05)


def over_http(report):
    """Real time: operations a twentieth as long as the cloud's."""
    site = Site(NOTEBOOKS)
    declare(site)
    try:
        with site.cloud("--op-times", "fast") as cloud:
            [made], _ = site.nbform("apply", "-y")
            with urllib.request.urlopen(f"{cloud.url}/_nbsim/world") as answer:
                times = insert_times(json.load(answer))
    finally:
        site.remove()
    against_bound(report, "http_fast", made.wall, times)
    report.figures["http_fast"]["cpu_s"] = round(made.cpu, 3)


def at_once(report):
    """VMs that are ready at once: what the rival was measured with."""
    site = Site(NOTEBOOKS)
    try:
        runs = []
        for _ in range(1 if SHORT else 3):
            with site.cloud("--op-times", "instant") as cloud:
                runs += site.nbform("apply", "-y")[0]
                requests = len(cloud.requests())
    finally:
        site.remove()
    report.figures["http_instant"] = {**measure.summary(runs), "calls": requests}
    report.figures["rival"] = RIVAL["create_200"]
    faster = RIVAL["create_200"]["wall_s"] / measure.median(runs, "wall")
    report.figures["times_better_than_rival"] = {"create_200_wall": round(faster, 1)}


def main():
    report = measure.Report("bench_creates", f"apply of {NOTEBOOKS} creates, every {EVERY_NTH_HAS_A_GPU}th with a GPU, "
                            f"--parallelism {SLOTS}; in the sandbox (virtual time), and against nbsim over loopback HTTP",
                            "sh tests/run.sh --suite bench")
    in_sandbox(report)
    if not SHORT:
        over_http(report)
    at_once(report)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
