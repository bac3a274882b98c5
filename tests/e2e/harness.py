"""Real binaries over loopback: nbsim as the cloud, nbform as a user runs it. Knows no expectation.

NBFORM_BIN names the directory of the binaries; NBFORM_REQUESTS, where there is one, the directory for nbsim's logs,
which tests/contract/check_requests.py judges afterwards.
"""

import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.request

BIN = pathlib.Path(os.environ.get("NBFORM_BIN", pathlib.Path(__file__).parents[2] / "build/bin")).resolve()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGUyZS1rZXktZTJlLWtleS1lMmUta2V5LWUyZS1r me@laptop\n"
MANIFEST = """nbform: 1
stack: {name: research, id: 3f9a1c2e}
notebooks:
  train:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    image: {family: common-cu129-ubuntu-2404-nvidia-580, project: deeplearning-platform-release}
    disks: {boot: 200GB, data: 200GB}
    labels: {team: research}
"""


class Nbsim:
    """A running simulator; ends with `stop`."""

    def __init__(self, directory, log, *flags):
        self.directory, self.log = directory, log
        self.tls = list(flags[flags.index("--tls"):][:3]) if "--tls" in flags else []
        self.process = subprocess.Popen([BIN / "nbsim", "--port", "0", "--log", log, *flags], stdout=subprocess.PIPE,
                                        text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http"), "nbsim did not start"
        self.port = int(self.url.rsplit(":", 1)[1])

    def env(self):
        """What `nbsim env` exports."""
        out = subprocess.run([BIN / "nbsim", "env", "--port", str(self.port), "--dir", self.directory, *self.tls],
                             stdout=subprocess.PIPE, text=True)
        assert out.returncode == 0, "nbsim env failed"
        pairs = (line.removeprefix("export ").split("=", 1) for line in out.stdout.splitlines())
        return {name: value.strip("'") for name, value in pairs}

    def _open(self, what, data=None):
        unverified = ssl._create_unverified_context() if self.tls else None
        with urllib.request.urlopen(f"{self.url}/_nbsim/{what}", data, context=unverified, timeout=10) as answer:
            return json.load(answer)

    def admin(self, what, **members):
        return self._open(what, json.dumps(members).encode())["result"]

    def names(self, kind):
        return sorted(item["key"]["name"] for item in self._open("world")[kind])

    def requests(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def compute(self):
        """The requests to Compute that have arrived, also those that are still unanswered."""
        arrived = [event["detail"] for event in self._open("events") if event["kind"] == "request"]
        return [detail for detail in arrived if detail["path"].startswith("/compute/")]

    def struck(self):
        """Whether a fault has met a request."""
        return any(detail.get("fault") for detail in self.compute())

    def mutations(self):
        """METHOD path-after-the-project of what changed the cloud, in order."""
        return [f"{r['method']} {r['url'].split('?')[0].split('/projects/')[-1].split('/', 1)[1]}" for r in self.requests()
                if r["method"] != "GET" and "/compute/v1/" in r["url"] and not r["url"].split("?")[0].endswith("/wait")]

    def wait_for(self, words, seconds=20):
        """Until a logged request has all the words in its method and URL."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for r in self.requests():
                if all(w in f"{r['method']} {r['url']}" for w in words.split()):
                    return r
            time.sleep(0.02)
        raise AssertionError(f"no request with '{words}' within {seconds} s: {self.mutations()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # it holds a request
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def session_members(session):
    """The processes of a session that still live: what a command left behind."""
    left = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[3] == str(session) and fields[0] != "Z":
            left.append(int(entry.name))
    return left


class EndToEnd(unittest.TestCase):
    """One user with one stack directory and a home of their own."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="nbform-e2e-"))
        self.addCleanup(shutil.rmtree, self.home, True)
        (self.home / ".ssh").mkdir()
        (self.home / "run").mkdir(0o700)
        (self.home / ".ssh/id_ed25519.pub").write_text(KEY)
        self.stack = self.home / "stack"
        self.stack.mkdir()
        self.env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8", "TERM": "xterm",
                    "GCE_METADATA_HOST": "127.0.0.1:1", "XDG_RUNTIME_DIR": str(self.home / "run")}
        self.manifest(MANIFEST)

    def manifest(self, text):
        (self.stack / "main.nb.yaml").write_text(text)

    def start_cloud(self, *flags, times="fast"):
        logs = pathlib.Path(os.environ.get("NBFORM_REQUESTS", self.home))
        logs.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(".jsonl", f"e2e-{self.id()}-", logs)
        os.close(handle)
        log = pathlib.Path(name)
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.home))
        cloud = Nbsim(directory, log, "--op-times", times, *flags)
        self.addCleanup(cloud.stop)
        return cloud

    def connect(self, cloud, *without):
        """Points the user's environment at a cloud, as `eval "$(nbsim env)"` does."""
        self.env.update({k: v for k, v in cloud.env().items() if k not in without})
        return cloud

    def start(self, command, **options):
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen([BIN / "nbform", *command.split()], cwd=self.stack, env=self.env, start_new_session=True, **given)

    def finish(self, process, timeout=60):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"still running after {timeout} s:\n{out}\n{err}")
        self.assertEqual(session_members(process.pid), [], "processes were left behind")
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def nbform(self, command, exit=0):
        """Runs to the end and expects an exit code."""
        done = self.finish(self.start(command))
        self.assertEqual(done.returncode, exit, f"nbform {command}\n{done.stdout}\n{done.stderr}")
        return done

    def expect_settled(self, cloud):
        """The second plan is empty and sends nothing."""
        before = cloud.mutations()
        self.nbform("plan --detailed-exitcode")
        self.nbform("apply -y --detailed-exitcode")
        self.assertEqual(cloud.mutations(), before)

    def interrupt(self, process, number=signal.SIGINT):
        process.send_signal(number)
        return time.monotonic()
