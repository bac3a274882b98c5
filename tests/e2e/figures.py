"""Figures of a proof: printed, and left for the report where NBFORM_REPORT names a directory."""

import json
import os
import pathlib


def report(name, promises, figures, given, run):
    print(f"{name}: {json.dumps(figures)}", flush=True)
    if directory := os.environ.get("NBFORM_REPORT"):
        path = pathlib.Path(directory)
        path.mkdir(parents=True, exist_ok=True)
        body = {"name": name, "promise": promises, "figures": figures, "input": given, "run": run}
        (path / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")
