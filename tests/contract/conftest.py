"""Starts nbsim from the directory NBFORM_BIN; without it the tests fail rather than pass unseen. Whatever it answered in
a test is held against the published messages when the test is over."""

import json
import os
import pathlib
import subprocess
import urllib.request

import pytest

from check_requests import Judge, report

BIN = pathlib.Path(os.environ.get("NBFORM_BIN", pathlib.Path(__file__).parents[2] / "build/bin")).resolve()


class Nbsim:
    def __init__(self, directory, *flags):
        self.log = directory / "requests.jsonl"
        command = [BIN / "nbsim", "--port", "0", "--op-times", "instant", "--log", self.log, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http"), "nbsim did not start"
        self.port = int(self.url.rsplit(":", 1)[1])
        self.directory = directory

    def admin(self, what, **members):
        request = urllib.request.Request(f"{self.url}/_nbsim/{what}", json.dumps(members).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["result"]

    def events(self):
        with urllib.request.urlopen(f"{self.url}/_nbsim/events") as answer:
            return json.load(answer)

    def env(self):
        """What `nbsim env` prints, as a dict."""
        out = subprocess.run(
            [BIN / "nbsim", "env", "--port", str(self.port), "--dir", self.directory],
            check=True, capture_output=True, text=True,
        ).stdout
        pairs = (line.removeprefix("export ").split("=", 1) for line in out.splitlines())
        return {name: value.strip("'") for name, value in pairs}

    def raw(self, method, path, body=None, token="sandbox"):
        """(status, body) of one plain exchange."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/compute/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


ANSWERS = Judge(requests=False)  # of all tests; many of them ask what no client should


@pytest.fixture
def start_nbsim(tmp_path):
    running = []

    def start(*flags):
        directory = tmp_path / str(len(running))
        directory.mkdir()
        running.append(Nbsim(directory, *flags))
        return running[-1]

    yield start
    known = len(ANSWERS.errors)
    for nbsim in running:
        nbsim.stop()
        ANSWERS.log(nbsim.log)
    assert not ANSWERS.errors[known:], "\n".join(ANSWERS.errors[known:])


def pytest_terminal_summary(terminalreporter):
    if not ANSWERS.answered:
        return
    terminalreporter.write_line(ANSWERS.words())
    report("contract-answers", ANSWERS, "what the contract tests asked of nbsim", "sh tests/run.sh --suite contract")


@pytest.fixture
def nbsim(start_nbsim):
    return start_nbsim()
