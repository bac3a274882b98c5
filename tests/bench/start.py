#!/usr/bin/env python3
"""How long nbform takes to start: `nbform version`, which does nothing else, and `nbform validate` of a small stack."""

import sys

import measure
from cloud import BIN, Site
from measure import SHORT


def libraries():
    """Shared libraries that the dynamic linker loads before main."""
    _, listed = measure.run(["/usr/bin/ldd", str(BIN / "nbform")])
    return sum("=>" in line for line in listed.splitlines())


def main():
    times = 20 if SHORT else 300
    report = measure.Report("bench_start", f"{times} runs each", "sh tests/run.sh --suite bench")
    site = Site(1)
    try:
        for words in (["version"], ["validate"]):
            runs, _ = site.nbform(*words, times=times)
            report.figures[words[0]] = {**measure.summary(runs), "least_wall_s": round(min(r.wall for r in runs), 4)}
        empty, _ = measure.run(["/bin/true"], times)
    finally:
        site.remove()
    report.figures["empty_program"] = measure.summary(empty)
    report.figures["libraries_at_start"] = libraries()
    report.goal("version: wall <= 5 ms (median)", report.figures["version"]["wall_s"] <= 0.005)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
