#!/usr/bin/env python3
"""A plan that finds nothing to do, for 1, 1,000 and 10,000 notebooks, against nbsim over loopback HTTP.

Calls and sequential round trips are counted from nbsim's own log; goals of time are said, not judged.
"""

import datetime
import sys

import measure
from cloud import EC2, Site
from measure import RIVAL, SHORT

PAGE = 500  # the most that Compute Engine gives on one page
LISTS = 2  # that grow with the notebooks: VMs and disks; a third, of operations, has one page
FACTS = 2  # the image family and the zones
DELAY_MS = 50
LONG_DELAY_MS = 2000  # longer than nbsim, one thread, takes to write all that EC2's lists hold


def most_calls(notebooks):
    """Token and lists of no growth (4 at most), pages, and one call for each distinct fact."""
    return 4 + LISTS * -(-notebooks // PAGE) + FACTS


def round_trips(requests, seconds):
    """The most exchanges of which each began after the one before had ended: dependent ones are among them."""
    longest, free_from = 0, datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
    for began in sorted(datetime.datetime.fromisoformat(r["time"]) for r in requests):
        if began >= free_from:
            longest, free_from = longest + 1, began + datetime.timedelta(seconds=seconds)
    return longest


def plan(site, cloud, times):
    """Runs of `nbform plan`, which finds every notebook as declared, and the requests of one run."""
    runs, out = site.nbform("plan", times=times)
    noun = "notebook is" if site.notebooks == 1 else "notebooks are"
    assert f"No changes. {site.notebooks} {noun} as declared." in out, out[-2000:]
    requests = cloud.requests()
    return runs, requests[-(len(requests) // times):]


def measure_size(report, notebooks, times):
    site = Site(notebooks)
    try:
        world = site.seed()
        with site.cloud("--world", world) as cloud:
            runs, requests = plan(site, cloud, times)
        name = f"plan_{notebooks}"
        report.figures[name] = {**measure.summary(runs), "calls": len(requests)}
        report.check(f"{notebooks}: calls <= {most_calls(notebooks)}", len(requests) <= most_calls(notebooks))
        if notebooks == 1000:
            measure_delay(report, site, world)
        return report.figures[name]
    finally:
        site.remove()


def measure_delay(report, site, world):
    """With a delay added to each call: what a distant cloud costs. Once with a service-account key, whose token takes a round
    trip of its own, and once with a ready token, as CI jobs have it."""
    for name, environment in (("plan_1000_at_50_ms", {}), ("plan_1000_at_50_ms_ready_token", {"GOOGLE_OAUTH_ACCESS_TOKEN": "sandbox"})):
        with site.cloud("--world", world, "--latency", str(DELAY_MS)) as cloud:
            site.env.update(environment)
            runs, requests = plan(site, cloud, 1 if SHORT else 5)
        trips = round_trips(requests, DELAY_MS / 1000)
        report.figures[name] = {**measure.summary(runs), "calls": len(requests), "round_trips": trips}
        report.check(f"{name}: sequential round trips <= 5", trips <= 5)


def measure_ec2(report, notebooks, times):
    """The same of EC2: machine, security group and key pair each, read with a constant number of calls and their pages."""
    site = Site(notebooks, EC2)
    try:
        world = site.seed()
        with site.cloud("--world", world, "--latency", str(DELAY_MS)) as cloud:
            delayed, _ = plan(site, cloud, 1)
        with site.cloud("--world", world, "--latency", str(LONG_DELAY_MS)) as cloud:
            trips = round_trips(plan(site, cloud, 1)[1], LONG_DELAY_MS / 1000)
        with site.cloud("--world", world) as cloud:
            runs, requests = plan(site, cloud, times)
    finally:
        site.remove()
    name = f"ec2_plan_{notebooks}"
    report.figures[name] = {**measure.summary(runs), "calls": len(requests), "round_trips": trips,
                            "wall_s_at_50_ms": round(delayed[0].wall, 3)}
    if f"plan_{notebooks}" in report.figures:
        ratio = report.figures[name]["cpu_s"] / report.figures[f"plan_{notebooks}"]["cpu_s"]
        report.figures[name]["cpu_over_gce"] = round(ratio, 2)
        report.goal(f"EC2, {notebooks}: CPU <= 1.5 times that of GCE", ratio <= 1.5)


def compare(report):
    """Beside the rival."""
    theirs, one = RIVAL["plan_1000_at_50_ms"], report.figures["plan_1"]
    report.figures["rival"] = {"plan_1": RIVAL["plan_1"], "plan_1000_at_50_ms": theirs}
    better = {"plan_1_wall": RIVAL["plan_1"]["wall_s"] / one["wall_s"], "plan_1_cpu": RIVAL["plan_1"]["cpu_s"] / one["cpu_s"]}
    for name in ("plan_1000_at_50_ms", "plan_1000_at_50_ms_ready_token"):
        ours = report.figures[name]
        for what, key in (("wall", "wall_s"), ("cpu", "cpu_s"), ("memory", "peak_mib"), ("calls", "calls")):
            better[f"{name}_{what}"] = theirs[key] / ours[key]
        report.goal(f"{name}: >= 100 times faster than the rival", better[f"{name}_wall"] >= 100)
        report.goal(f"{name}: >= 150 times less CPU than the rival", better[f"{name}_cpu"] >= 150)
    report.figures["times_better_than_rival"] = {key: round(value, 1) for key, value in better.items()}


def main():
    sizes = {1: 5, 1000: 2} if SHORT else {1: 25, 1000: 11, 10000: 5}
    report = measure.Report("bench_plan", f"no-op plan of {', '.join(f'{n:,}' for n in sizes)} notebooks, each a VM with a "
                            "boot disk, against nbsim over loopback HTTP with a service-account key",
                            "sh tests/run.sh --suite bench")
    results = {n: measure_size(report, n, times) for n, times in sizes.items()}
    measure_ec2(report, 100 if SHORT else 1000, 2 if SHORT else 11)
    compare(report)
    report.goal("1: CPU <= 20 ms", results[1]["cpu_s"] <= 0.020)
    if 10000 in results:
        ratio = results[10000]["cpu_s"] / results[1000]["cpu_s"]
        report.figures["cpu_10000_over_1000"] = round(ratio, 2)
        report.goal("10000: CPU <= 1.0 s", results[10000]["cpu_s"] <= 1.0)
        report.goal("10000: peak memory <= 150 MB", results[10000]["peak_mib"] * 2**20 <= 150e6)
        report.goal("10000 over 1000: CPU <= 10.5 times", ratio <= 10.5)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
