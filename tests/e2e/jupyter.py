"""Real Jupyter servers "on the machine": the classic notebook of Debian, and JupyterLab on Jupyter Server 2. They run as
whoever runs the tests. Knows no expectation."""

import json
import os
import pathlib
import secrets
import pwd
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import websocket

from ssh_machine import free_port, until

LOGIN = pwd.getpwuid(os.getuid()).pw_name
CLASSIC = "/usr/bin/jupyter-notebook"
LAB = pathlib.Path(sys.executable).parent / "jupyter-lab"  # of the venv that the tests run in


class Jupyter:
    """One server; `more` are settings of its application class."""

    def __init__(self, place, program, app, port=None, token=None, **more):
        self.place, self.port = place, port or free_port()
        self.token = secrets.token_hex(24) if token is None else token
        self.root = place.path / "files"
        self.root.mkdir(exist_ok=True)
        settings = {"port": self.port, "port_retries": 0, "token": self.token, "ip": "127.0.0.1", "open_browser": False,
                    "allow_root": True, **more}
        settings["notebook_dir" if app == "NotebookApp" else "root_dir"] = str(self.root)
        (place.path / "config").mkdir(exist_ok=True)
        config = place.path / "config/config.json"  # not the command line, where everybody reads it
        config.write_text(json.dumps({app: settings}))
        d = place.path
        env = {"HOME": str(d), "PATH": "/usr/bin:/bin", "JUPYTER_RUNTIME_DIR": str(runtime(place)), "LC_ALL": "C.UTF-8",
               "JUPYTER_CONFIG_DIR": str(d / "config"), "JUPYTER_DATA_DIR": str(d / "data"), "IPYTHONDIR": str(d / "ipython")}
        with (d / "jupyter.log").open("w") as log:
            self.process = subprocess.Popen([program, f"--config={config}"], cwd=self.root, env=env, stdout=log, stderr=log,
                                            start_new_session=True)
        self.base = settings.get("base_url", "/")
        until(self.answers, "Jupyter", 90)

    def answers(self):
        assert self.process.poll() is None, (self.place.path / "jupyter.log").read_text()
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.base}api", timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):  # the kernels too
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass


def runtime(place):
    return place.path / "runtime"


class Client:
    """Jupyter's REST and kernel protocol, as notebook front ends speak them. `url` ends with a slash."""

    def __init__(self, url, token):
        self.url, self.headers = url, {"Authorization": f"token {token}"} if token else {}

    def call(self, method, path, body=None, **headers):
        """(status, headers, decoded body)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {**self.headers, "Content-Type": "application/json", **headers},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text[:1] in (b"{", b"[") else text
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read()

    def channels(self, kernel, session, **options):
        url = self.url.replace("http://", "ws://") + f"api/kernels/{kernel}/channels?session_id={session}"
        return websocket.create_connection(url, header=[f"{k}: {v}" for k, v in self.headers.items()], timeout=60, **options)


def execute(channels, code, session):
    """Sends a cell; its message id."""
    header = {"msg_id": secrets.token_hex(16), "username": "test", "session": session, "msg_type": "execute_request",
              "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    channels.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell",
                              "buffers": []}))
    return header["msg_id"]


def output(channels, of):
    """What a cell printed, once it is idle again."""
    text = ""
    while True:
        message = json.loads(channels.recv())
        if message["parent_header"].get("msg_id") != of:
            continue
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return text


def missing(program):
    return None if os.access(program, os.X_OK) else f"no {program}: sh tests/run.sh installs it"


def chromium_missing():
    return None if shutil.which("chromium") else "no chromium: sh examples/packages.sh test"
