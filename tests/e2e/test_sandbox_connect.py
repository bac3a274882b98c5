"""nbform connect in the sandbox: the machine is simulated, and a real Jupyter of this computer stands for its own."""

import json
import pathlib
import secrets
import socket
import subprocess
import unittest
import urllib.request

import jupyter
import ssh_machine
from conversation import Conversation
from jupyter import Client, execute, output

MANIFEST = """nbform: 1
stack: {{name: research}}
notebooks:
  eda:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    access: {{tunnel: "{port}"}}
"""


def processes_below(directory):
    """Those that have it in their command line."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in words:
            found.append(words)
    return found


class SandboxConnect(Conversation):
    def setUp(self):
        super().setUp()
        self.port = ssh_machine.free_port()
        self.manifest(MANIFEST.format(port=self.port))

    def open(self, flags=""):
        return self.talk(f"connect eda --sandbox --no-open {flags}")

    def refused(self, flags):
        done = self.finish(self.start(f"connect eda --sandbox --no-open {flags}"))
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_outside_of_it_a_missing_project_is_said(self):
        for command in ("connect eda", "ssh eda", "logs eda", "connect --ssh-config"):
            self.assertIn("No project is known", self.nbform(command, exit=1).stderr, command)

    @unittest.skipIf(jupyter.missing(jupyter.CLASSIC), jupyter.missing(jupyter.CLASSIC))
    def test_from_a_manifest_to_a_cell(self):
        process, out, err = self.open("-y --print")
        self.line(err, "simulated, and running")
        self.line(err, "of this computer")
        url, _, token = self.line(out, "http://127.0.0.1:").partition("?token=")
        self.assertEqual(url, f"http://127.0.0.1:{self.port}/")
        self.line(err, "Ctrl-C ends the connection.")
        client, session = Client(url, token), secrets.token_hex(16)
        _, _, kernel = client.call("POST", "api/kernels", {"name": "python3"})
        channels = client.channels(kernel["id"], session)
        self.assertEqual(output(channels, execute(channels, "print(6 * 7)", session)), "42\n")
        channels.close()
        self.assertEqual(Client(url, "another").call("GET", "api/status")[0], 403)
        self.assertEqual(len([p for p in processes_below(self.stack) if "ipykernel" in p]), 1)
        self.assertFalse([p for p in processes_below(token)])
        self.assertIn(f"open at {url}", self.nbform("status --sandbox").stdout)
        self.assertEqual(self.end(process), 0)
        self.line(err, "Jupyter is closed")
        ssh_machine.until(lambda: not processes_below(self.stack / ".nbform"), "no process left")
        self.assertNotIn("open at", self.nbform("status --sandbox").stdout)

    @unittest.skipIf(jupyter.missing(jupyter.CLASSIC), jupyter.missing(jupyter.CLASSIC))
    def test_files_stay_and_colab_may_call(self):
        process, out, _ = self.open("-y --colab")
        url, _, token = self.line(out, "http://localhost:").partition("?token=")
        Client(url, token).call("PUT", "api/contents/note.txt", {"type": "file", "format": "text", "content": "kept"})
        question = urllib.request.Request(url + "api/contents", headers={"Origin": "https://colab.research.google.com",
                                                                        "Authorization": f"token {token}"})
        with urllib.request.urlopen(question, timeout=20) as answer:
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://colab.research.google.com")
            self.assertEqual(answer.headers["Access-Control-Allow-Credentials"], "true")
        self.end(process)
        process, out, _ = self.open("--json --print")
        told = json.loads(self.line(out))
        url, _, token = told["url"].partition("?token=")
        self.assertEqual(told["ports"], [self.port])
        self.assertEqual(Client(url, token).call("GET", "api/contents/note.txt")[2]["content"], "kept")
        self.assertEqual(self.end(process), 0)

    @unittest.skipIf(jupyter.missing(jupyter.CLASSIC), jupyter.missing(jupyter.CLASSIC))
    def test_jupyter_that_dies_ends_the_command(self):
        process, out, err = self.open("-y")
        self.line(out, "http://127.0.0.1:")
        subprocess.run(["pkill", "-KILL", "-f", f"{self.stack}/.nbform/jupyter/eda/config"], check=True)
        self.assertEqual(process.wait(20), 1)
        self.line(err, "error: Jupyter ended")

    def test_what_keeps_it_from_opening(self):
        self.assertIn("does not exist yet", self.refused(""))
        self.nbform("apply -y --sandbox")
        self.assertIn("-L leads nowhere", self.refused("-L 6006:localhost:6006"))
        self.nbform("stop eda -y --sandbox")
        self.assertIn("nbform start eda", self.refused(""))
        self.nbform("start eda -y --sandbox")
        self.env["PATH"] = str(self.stack)
        self.assertIn("There is no Jupyter on this computer", self.refused(""))

    def test_ssh_says_that_nobody_answers(self):
        for command in ("ssh --sandbox eda", "connect --sandbox --ssh-config"):
            done = self.finish(self.start(command))
            self.assertEqual(done.returncode, 1, command)
            self.assertIn("There is no SSH in the sandbox", done.stderr)

    def test_a_taken_port_that_is_fixed_is_an_error(self):
        self.manifest(MANIFEST.format(port=f"{self.port}:8888"))
        self.nbform("apply -y --sandbox")
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertIn(str(self.port), self.refused(""))


if __name__ == "__main__":
    unittest.main()
