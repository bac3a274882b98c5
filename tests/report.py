#!/usr/bin/env python3
"""What a run of the tests found, in one JSON file, and docs/promises.md written from it.

    report.py merge --figures DIR --results JUNIT --build DIR FILE
    report.py docs FILE
    report.py failures JUNIT...

`merge` takes every figure that a test left in DIR (NBFORM_REPORT) and the counts of each suite. `docs` rewrites the table
of figures in docs/promises.md. `failures` repeats what failed, for the end of a long log. Knows no figure by name.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs/promises.md"
BEGIN, END = "<!-- figures: written by tests/report.py docs -->", "<!-- end of figures -->"


def output(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def named(path, key):
    lines = (line for line in pathlib.Path(path).read_text().splitlines() if line.startswith(key))
    return next(lines, ":unknown").split(":", 1)[1].strip()


def machine():
    return {"cpu": named("/proc/cpuinfo", "model name"), "cores": len(os.sched_getaffinity(0)),
            "memory": named("/proc/meminfo", "MemTotal"), "kernel": platform.release()}


def labels_of(build):
    """Test name -> suite, as ctest knows them."""
    shown = json.loads(subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True,
                                      text=True).stdout)
    for test in shown["tests"]:
        labels = next((p["value"] for p in test.get("properties", []) if p["name"] == "LABELS"), [])
        yield test["name"], labels[0] if labels else "other"


def suites(build, results):
    """Suite -> tests, failed, skipped, seconds; nothing where ctest ran none."""
    if not pathlib.Path(results).exists():
        return {}
    labels, out = dict(labels_of(build)), {}
    for case in xml.parse(results).getroot().iter("testcase"):
        suite = out.setdefault(labels.get(case.get("name"), "other"), {"tests": 0, "failed": 0, "skipped": 0, "seconds": 0.0})
        suite["tests"] += 1
        suite["failed"] += case.get("status") == "fail"
        suite["skipped"] += case.get("status") in ("notrun", "disabled")
        suite["seconds"] = round(suite["seconds"] + float(case.get("time", 0)), 1)
    return out


def add_counts(into, more):
    for key, value in more.items():
        if isinstance(value, dict):
            add_counts(into.setdefault(key, {}), value)
        else:
            into[key] = into.get(key, 0) + value


def merge(options):
    figures = {}
    for path in sorted(pathlib.Path(options.figures).glob("*.json")):
        body = json.loads(path.read_text())
        name, shard = body.pop("name"), body.pop("shard", None)
        if shard and name in figures:  # parts of one proof: they count together
            add_counts(figures[name]["figures"], body["figures"])
        else:
            figures[name] = body
    report = {"commit": output("git", "describe", "--always", "--dirty"),
              "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": machine(),
              "suites": suites(options.build, options.results), "figures": figures}
    pathlib.Path(options.file).write_text(json.dumps(report, indent=1) + "\n")
    print(f"{options.file}: {len(figures)} sets of figures, {sum(s['tests'] for s in report['suites'].values())} tests")


def flat(value, prefix=""):
    """{"a": {"b": 1}} as "a.b", 1."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from flat(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item


def number(value):
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(report):
    here = report["machine"]
    yield f"Commit {report['commit']}, {report['date'][:10]}, on {here['cpu']}, {here['cores']} cores, {here['memory']}."
    yield ""
    yield "| suite | tests | failed | seconds |"
    yield "|---|---|---|---|"
    for name, suite in report["suites"].items():
        yield f"| {name} | {suite['tests']} | {suite['failed']} | {suite['seconds']} |"
    for name, body in report["figures"].items():
        promises = ", ".join(map(str, body["promise"]))
        yield ""
        yield f"**{name}**{f' (promise {promises})' if promises else ''}: {body['input']}. `{body['run']}`"
        yield ""
        yield "| figure | |"
        yield "|---|---|"
        for key, value in flat(body["figures"]):
            yield f"| {key.replace('|', '/')} | {number(value)} |"


def brief(figures):
    """The first of them, for a cell."""
    shown = [f"{key} {number(value)}" for key, value in flat(figures) if not isinstance(value, (str, list))]
    return ", ".join(shown[:4])


def with_figures(row, report):
    """A row of the table of promises with its last cell anew."""
    cells = row.split(" | ")
    if not cells[0].removeprefix("| ").isdigit():
        return row
    n = int(cells[0].removeprefix("| "))
    found = [f"{name}: {brief(body['figures'])}" for name, body in report["figures"].items() if n in body["promise"]]
    return " | ".join(cells[:3]) + " | " + "; ".join(found).replace("|", "/") + " |"


def docs(options):
    report = json.loads(pathlib.Path(options.file).read_text())
    before, rest = DOCS.read_text().split(BEGIN)
    before = "\n".join(with_figures(row, report) for row in before.split("\n"))
    after = rest.split(END)[1]
    body = "\n".join(table(report))
    DOCS.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}")


def failures(options):
    """Each failed test with the end of what it printed, then all their names in one line: a log is often read from its end."""
    names = []
    for path in filter(pathlib.Path.exists, map(pathlib.Path, options.files)):
        for case in xml.parse(path).getroot().iter("testcase"):
            if case.get("status") != "fail":
                continue
            names.append(case.get("name"))
            printed = (case.findtext("system-out") or "").rstrip().splitlines()
            print(f"-- {path.parent.name}: {names[-1]}, after {case.get('time')} s:", *printed[-12:], sep="\n   ")
    print("Failed: " + " ".join(names) if names else "No test failed.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    merging = verbs.add_parser("merge")
    merging.add_argument("--figures", required=True)
    merging.add_argument("--results", required=True)
    merging.add_argument("--build", required=True)
    merging.set_defaults(run=merge)
    writing = verbs.add_parser("docs")
    writing.set_defaults(run=docs)
    for verb in (merging, writing):
        verb.add_argument("file")
    repeating = verbs.add_parser("failures")
    repeating.add_argument("files", nargs="+")
    repeating.set_defaults(run=failures)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
