#!/usr/bin/env python3
"""Runs the fuzz targets for so many seconds each, from the corpus beside this file, and says how to repeat what they find.

    run.py [--build build-fuzz] [--seconds 60] [--jobs 2] [TARGET...]
    run.py --keep [TARGET...]

What a run adds to the corpus stays in the build directory, where the next run begins with it. `--keep` takes of that into
the corpus here what reaches more code: for after a long run.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ("manifest", "answers", "aws", "keys", "relay")
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-detect_leaks=1"]
KEPT_LENGTH = 4096  # bytes of an input that is kept in git


def environment():
    """Stack traces with names, where a symbolizer is at hand under any version."""
    names = ("llvm-symbolizer", "llvm-symbolizer-16", "llvm-symbolizer-14")
    found = next(filter(None, map(shutil.which, names)), None)
    return {**os.environ, **({"ASAN_SYMBOLIZER_PATH": found} if found else {})}


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def corpus_of(target):
    """Files and KiB of what is in git."""
    files = list((HERE / "corpus" / target).iterdir())
    return {"corpus files": len(files), "corpus KiB": round(sum(f.stat().st_size for f in files) / 1024)}


def figures_of(target, said, found):
    return {"executions": last_number(r"stat::number_of_executed_units:\s+(\d+)", said),
            "edges covered": last_number(r"cov: (\d+)", said), "inputs that reach more": last_number(r"corp: (\d+)", said),
            **corpus_of(target), "peak MiB": last_number(r"stat::peak_rss_mb:\s+(\d+)", said), "found": found}


def fuzz(target, options):
    """One target to the end of its time. Its figures, and whether it found nothing."""
    program, work, finds = (options.build / part for part in (f"bin/fuzz_{target}", f"corpus/{target}", f"finds/{target}"))
    work.mkdir(parents=True, exist_ok=True)
    finds.mkdir(parents=True, exist_ok=True)
    before = set(finds.iterdir())
    done = subprocess.run([program, f"-max_total_time={options.seconds}", f"-seed={options.seed}", *LIMITS, "-print_final_stats=1", f"-artifact_prefix={finds}/",
                           f"-dict={HERE / 'words.dict'}", work, HERE / "corpus" / target],
                          capture_output=True, text=True, errors="replace", env=environment())
    found = sorted(set(finds.iterdir()) - before)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("#")]
        print(f"{target}: ended with {done.returncode}\n" + "\n".join(lines)[-6000:])
    for file in found:
        print(f"{target}: repeat with\n    {program} {file}")
    return figures_of(target, done.stderr, len(found)), done.returncode == 0


def keep(target, options):
    """Adds to the corpus in git the smallest set of short inputs that reaches what it does not."""
    program, here = options.build / f"bin/fuzz_{target}", HERE / "corpus" / target
    with tempfile.TemporaryDirectory() as merged:
        for file in here.iterdir():
            shutil.copy(file, merged)
        before = set(os.listdir(merged))
        subprocess.run([program, "-set_cover_merge=1", "-use_counters=0", f"-max_len={KEPT_LENGTH}", "-timeout=10", merged, options.build / "corpus" / target],
                       check=True, capture_output=True)
        for name in set(os.listdir(merged)) - before:
            text = (pathlib.Path(merged) / name).read_bytes()
            (here / f"found-{hashlib.sha256(text).hexdigest()[:12]}").write_bytes(text)
    print(f"{target}: {corpus_of(target)}")


def report(figures, seconds):
    for target, of in figures.items():
        print(f"fuzz {target}: " + ", ".join(f"{value} {name}" for name, value in of.items()))
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
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("targets", nargs="*", default=TARGETS)
    options = parser.parse_args()
    if options.keep:
        for target in options.targets:
            keep(target, options)
        return 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = dict(zip(options.targets, pool.map(lambda target: fuzz(target, options), options.targets)))
    report({target: figures for target, (figures, _) in results.items()}, options.seconds)
    return 0 if all(fine for _, fine in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
