#!/usr/bin/env python3
"""Runs the fuzz targets for so many seconds each, from the corpus beside this file, and says how to repeat what they find.

    run.py [--build build-fuzz] [--seconds 60] [--jobs 2] [TARGET...]

What a run adds to the corpus stays in the build directory, where the next run begins with it.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ("manifest", "answers", "aws", "keys")


def fuzz(target, options):
    """One target to the end of its time. Its figures, and the files of what it found."""
    program, work, finds = (options.build / part for part in (f"bin/fuzz_{target}", f"corpus/{target}", f"finds/{target}"))
    work.mkdir(parents=True, exist_ok=True)
    finds.mkdir(parents=True, exist_ok=True)
    before = set(finds.iterdir())
    command = [program, f"-max_total_time={options.seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=65536",
               "-print_final_stats=1", f"-artifact_prefix={finds}/", f"-dict={HERE / 'words.dict'}", work,
               HERE / "corpus" / target]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    coverage = re.findall(r"cov: (\d+)", done.stderr)
    found = sorted(set(finds.iterdir()) - before)
    figures = {"executions": int(stats.get("number_of_executed_units", 0)), "edges covered": int(coverage[-1]) if coverage else 0,
               "peak MiB": int(stats.get("peak_rss_mb", 0)), "found": len(found)}
    if done.returncode != 0:
        print(f"{target}: ended with {done.returncode}\n{done.stderr[-6000:]}")
    for file in found:
        print(f"{target}: repeat with\n    {program} {file}")
    return figures, done.returncode == 0


def report(figures, seconds):
    print(f"fuzz: {json.dumps(figures)}")
    if directory := os.environ.get("NBFORM_REPORT"):
        body = {"name": "fuzz", "promise": [13, 14], "figures": figures, "run": "sh tests/run.sh --suite fuzz",
                "input": f"libFuzzer with ASan and UBSan, {seconds} s a target, from tests/fuzz/corpus"}
        path = pathlib.Path(directory)
        path.mkdir(parents=True, exist_ok=True)
        (path / "fuzz.json").write_text(json.dumps(body, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build-fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("targets", nargs="*", default=TARGETS)
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = dict(zip(options.targets, pool.map(lambda target: fuzz(target, options), options.targets)))
    report({target: figures for target, (figures, _) in results.items()}, options.seconds)
    return 0 if all(fine for _, fine in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
