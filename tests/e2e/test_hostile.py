"""Hostile files and hostile servers against the real program: refused with a place and a remedy, in bounded memory; and
nothing that the cloud says steers a terminal."""

import gzip
import http.server
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from figures import report
from harness import BIN, MANIFEST, EndToEnd
from terminal import Terminal

HEAD = "nbform: 1\nstack: demo\n"
NOTEBOOK = HEAD + "notebooks:\n  nb:\n    service: gce\n    where: us-central1-a\n"
MIB = 1 << 20


def deep(levels):
    return "".join(" " * level + "a:\n" for level in range(levels))


def bomb():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 9)]
    return "\n".join(lines) + "\n"


# name: (bytes of main.nb.yaml, what the message says)
FILES = {
    "alias bomb": (bomb(), "anchor"),
    "2 MiB": ("# comment\n" * (2 * MIB // 10), "1 MiB"),
    "64 MiB scalar": ("a: " + "x" * (64 * MIB), "1 MiB"),
    "scalar of 1 MiB": (HEAD + "a: " + "x" * (MIB - 100), "64 KiB"),
    "NUL": (HEAD + "a: \0b\n", ""),
    "bad UTF-8": (HEAD.encode() + b"a: \xff\xfe\n", "UTF-8"),
    "duplicate keys": (HEAD + "stack: again\n", "twice"),
    "tabs": (HEAD + "notebooks:\n\tnb: {}\n", "tab"),
    "500 levels": (deep(500), ""),
    "1 MiB of brackets": ("[" * (MIB - 1), ""),
    "unquoted variable in a flow map": (NOTEBOOK + "    labels: {a: ${x}}\n", ""),
    "a value that starts with *": (NOTEBOOK.replace("us-central1-a", "*-a"), "quot"),
    "an escape": (HEAD + "a: \x1b[2J\n", ""),
    "out of the repository": (HEAD + "include: [../../../../etc/passwd]\n", ""),
}


ONCE = pathlib.Path(__file__).parents[1] / "bench/once.py"


def measured(command, cwd, env):
    """(exit code, output, seconds of CPU, peak KiB)"""
    with tempfile.NamedTemporaryFile() as out:
        pathlib.Path(out.name).chmod(0o666)
        launcher = [sys.executable, "-I", "-S", ONCE, "1", out.name, out.name, BIN / "nbform", *command.split()]
        used = json.loads(subprocess.run(launcher, cwd=cwd, env=env, check=True, capture_output=True).stdout)
        return used["exit"], out.read().decode(errors="replace"), used["cpu"], used["peak_kib"]


class HostileFiles(EndToEnd):
    def test_the_corpus(self):
        self.stack.joinpath("main.nb.yaml").write_text(NOTEBOOK)
        _, _, base_cpu, base_kib = measured("version", self.stack, self.env)
        figures = {}
        for name, (text, said) in FILES.items():
            (self.stack / "main.nb.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
            with self.subTest(name):
                code, shown, cpu, kib = measured("validate", self.stack, self.env)
                self.assertEqual(code, 1, shown)
                self.assertRegex(shown, r"main\.nb\.yaml:\d+:\d+: error: |error: Unreadable file\n +`main\.nb\.yaml` has")
                self.assertIn(said.lower(), shown.lower())
                self.assertNotIn("\x1b", shown)
                self.assertLess(len(shown), 10_000)
                self.assertLess(kib - base_kib, 32 * 1024, "memory beyond that of `nbform version`")
                figures[name] = {"CPU ms": round((cpu - base_cpu) * 1000), "MiB": round((kib - base_kib) / 1024, 1)}
        worst = {key: max(f[key] for f in figures.values()) for key in ("CPU ms", "MiB")}
        report("hostile-files", [13], {"files": len(figures), "worst": worst, **figures},
               "nbform validate, beyond what nbform version takes", "sh tests/run.sh --suite e2e")

    def expect_refused(self, *words, user=None):
        done = self.finish(self.start("validate", user=user))
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_what_is_no_file(self):
        main = self.stack / "main.nb.yaml"
        main.unlink()
        self.expect_refused("nb.yaml", "nbform init")
        main.mkdir()
        self.expect_refused("main.nb.yaml")
        main.rmdir()
        for target in ("main.nb.yaml", "/dev/zero", "/etc/passwd", "nowhere"):
            with self.subTest(target):
                main.symlink_to(target)
                self.expect_refused("main.nb.yaml")
                main.unlink()
        os.mkfifo(main)
        self.expect_refused("main.nb.yaml")
        main.unlink()
        main.write_text("")
        self.expect_refused("main.nb.yaml")

    def test_an_unreadable_file(self):
        main = self.stack / "main.nb.yaml"
        main.chmod(0)
        self.home.chmod(0o755)
        self.expect_refused("main.nb.yaml", "may not be read", user=65534 if os.geteuid() == 0 else None)

    def test_crlf_is_fine(self):
        self.manifest(MANIFEST.replace("\n", "\r\n"))
        self.nbform("validate")

    def test_what_is_planted_for_the_sandbox(self):
        work, victim = self.stack / ".nbform", self.home / "victim"
        victim.write_text("mine")
        self.nbform("apply -y --sandbox")
        self.assertEqual([oct(p.stat().st_mode & 0o777) for p in (work, work / "sandbox.json")], ["0o700", "0o600"])
        whole = (work / "sandbox.json").read_bytes()
        (work / "sandbox.json").write_bytes(whole[:len(whole) // 2])
        code, shown, _, _ = measured("plan --sandbox", self.stack, self.env)
        self.assertEqual(code, 1)
        self.assertIn("sandbox.json", shown)
        self.assertIn("nbform sandbox reset", shown)
        (work / "sandbox.json").unlink()
        (work / "sandbox.json").symlink_to(victim)
        measured("apply -y --sandbox", self.stack, self.env)
        self.assertEqual(victim.read_text(), "mine", "nothing is written through a symlink")

    def test_a_full_disk_leaves_the_old_sandbox(self):
        self.nbform("apply -y --sandbox")
        file = self.stack / ".nbform/sandbox.json"
        before = file.read_bytes()
        self.manifest(MANIFEST + MANIFEST.split("notebooks:\n")[1].replace("train", "zeta"))
        for limit in (0, 1000, len(before) // 2, len(before) - 1):
            with self.subTest(limit):
                refuse = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                done = self.finish(self.start("apply -y --sandbox", preexec_fn=refuse))
                self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertEqual(file.read_bytes(), before)
                self.assertEqual([p.name for p in file.parent.iterdir() if p.name.startswith("sandbox.json")], ["sandbox.json"])


EVIL = "e\x1b[2J\x1b]0;owned\x07\x9b1m\u202e\r\n\x08"


def owned(name):
    labels = {"nbform-stack": "research_3f9a1c2e", "nbform-notebook": name, "nbform-part": "instance"}
    return {"id": "7", "name": name, "zone": "zones/us-central1-b", "status": "RUNNING", "machineType": EVIL, "labels": {**labels, "x": EVIL},
            "metadata": {"items": [{"key": EVIL, "value": EVIL}]}, "networkInterfaces": [{"network": EVIL, "accessConfigs": [{"natIP": EVIL}]}]}


class HostileCloud(EndToEnd):
    def list_says(self, cloud, *machines):
        body = json.dumps({"items": {"zones/us-central1-b": {"instances": machines}}})
        cloud.admin("faults", clear=True)
        cloud.admin("faults", list=[{"match": {"method": "instances.aggregatedList"}, "do": {"body": body}, "times": 0}])

    def expect_tame(self, shown):
        bad = [c for c in shown if (c < " " and c != "\n") or c in "\x7f\x9b\u202e"]
        self.assertEqual(bad, [], shown)

    def test_escapes_in_what_is_live(self):
        cloud = self.connect(self.start_cloud())
        self.nbform("apply -y")
        machines = [owned("train"), owned(EVIL), {**owned("other"), "zone": EVIL}]
        screens = 0
        for machine in machines:
            self.list_says(cloud, machine)
            for command in ("plan", "plan --full --details", "plan --json", "status", "status --json", "destroy", "plan --destroy --json",
                            "apply -y --json", "plan --prune"):
                done = self.finish(self.start(command))
                self.expect_tame(done.stdout + done.stderr)
                if "--json" in command and done.stdout:
                    [json.loads(line) for line in ([done.stdout] if command != "apply -y --json" else done.stdout.splitlines())]
                screens += 1
            for command in ("plan --details", "status"):
                terminal = Terminal(command, self.stack, self.env, 100)
                terminal.finish()
                self.assertNotIn("\x1b]", terminal.text)
                terminal.screen()
                screens += 1
        report("hostile-escapes", [14], {"screens": screens, "control characters that came through": 0},
               "escapes in names, zones, labels, metadata and addresses of machines, on every screen and in --json",
               "sh tests/run.sh --suite e2e")

    def test_escapes_in_refusals(self):
        cloud = self.connect(self.start_cloud())
        body = json.dumps({"error": {"code": 403, "message": EVIL, "errors": [{"reason": EVIL, "message": EVIL}]}})
        for call in ("instances.aggregatedList", "instances.insert", "zones.list"):
            cloud.admin("faults", clear=True)
            cloud.admin("faults", list=[{"match": {"method": call}, "do": {"status": 403, "body": body}, "times": 0}])
            for command in ("plan", "apply -y", "apply -y --json"):
                done = self.finish(self.start(command))
                self.expect_tame(done.stdout + done.stderr)


ZIP_BOMB = gzip.compress(b" " * (64 * MIB), 1) * 4


class BadServer(http.server.ThreadingHTTPServer):
    """Answers every list with one kind of mischief."""

    daemon_threads = True

    def handle_error(self, *_):
        """The other side hung up, as it should."""

    token = 0

    def __init__(self, mischief):
        self.mischief = mischief
        super().__init__(("127.0.0.1", 0), BadHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class BadHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            getattr(self, self.server.mischief)()
        except OSError:
            pass

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def endless_body(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b'{"items":{' + b" " * 65536)

    def endless_headers(self):
        self.send_response(200)
        while True:
            self.wfile.write(b"X: " + b"x" * 8000 + b"\r\n")

    def zip_bomb(self):
        self.answer(ZIP_BOMB, Content_Encoding="gzip")

    def dense(self):
        self.answer(b'{"items":[' + b"1," * (4 * MIB - 100) + b"1]}")

    def lists_of_lists(self):
        self.answer(b'{"items":[' + b"[[]]," * (MIB + MIB // 2) + b"1]}")

    def long_text(self):
        self.answer(b'{"items":"' + b"\\u00e9" * (MIB + MIB // 4) + b'"}')

    def huge_refusal(self):
        self.answer(b'{"error":{"code":403,"errors":[' + b"{}," * (2 * MIB) + b"{}]}}", 403)

    def page_circle(self):
        self.server.token += 1
        self.answer(json.dumps({"items": {}, "nextPageToken": "AB"[self.server.token % 2] * 100}).encode())

    def redirect(self):
        self.answer(b"", 302, Location="http://127.0.0.1:1/")


class HostileServer(EndToEnd):
    def test_every_mischief_is_bounded(self):
        cloud = self.connect(self.start_cloud())
        code, shown, _, base = measured("plan", self.stack, self.env)
        self.assertEqual(code, 0, shown)
        self.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "token"
        figures = {"a plan in peace": {"MiB": round(base / 1024, 1)}}
        for mischief in ("endless_body", "endless_headers", "zip_bomb", "dense", "lists_of_lists", "long_text", "huge_refusal",
                         "page_circle", "redirect"):
            server = BadServer(mischief)
            for name in ("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT"):
                self.env[name] = f"http://127.0.0.1:{server.server_port}/compute/v1/"
            begun = time.monotonic()
            with self.subTest(mischief):
                code, shown, _, kib = measured("plan", self.stack, self.env)
                self.assertEqual(code, 1, shown)
                self.assertIn("error: ", shown)
                self.assertLess(len(shown), 20_000)
                self.assertLess(kib - base, 64 * 1024, "memory beyond that of a plan in peace")
                figures[mischief] = {"MiB more": round((kib - base) / 1024, 1), "s": round(time.monotonic() - begun, 2)}
            server.shutdown()
            server.server_close()
        report("hostile-servers", [14], {"worst MiB more": max(f.get("MiB more", 0) for f in figures.values()), **figures},
               "nbform plan against a server on loopback that misbehaves in every list", "sh tests/run.sh --suite e2e")


if __name__ == "__main__":
    unittest.main()
