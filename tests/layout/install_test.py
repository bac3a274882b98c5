#!/usr/bin/env python3
"""`cmake --install` leaves a program that works from where it was put: the binaries, the links and the schemas."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile


def problems(prefix):
    for name in ("nbform", "nbsim", "nbplan", "nbapply"):
        program = prefix / "bin" / name
        if not program.exists():
            yield f"bin/{name} is missing"
        elif subprocess.run([program, "--help"], capture_output=True).returncode != 0:
            yield f"bin/{name} --help fails"
    for name in ("nbplan", "nbapply"):
        link = prefix / "bin" / name
        if link.is_symlink() and str(link.readlink()) != "nbform":
            yield f"bin/{name} leads to {link.readlink()}: not movable"
    schema = prefix / "share/nbform/schemas/notebook.schema.json"
    if not schema.is_file():
        yield f"{schema.relative_to(prefix)} is missing"
    else:
        json.loads(schema.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        prefix = pathlib.Path(directory) / "usr"
        install = [given.cmake, "--install", given.build, "--prefix", prefix]
        done = subprocess.run(install, capture_output=True, text=True)
        found = [done.stdout + done.stderr] if done.returncode else list(problems(prefix))
    print("\n".join(found) or "installed, and it runs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
