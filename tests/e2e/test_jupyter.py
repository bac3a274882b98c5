"""nbform connect in front of real Jupyter servers: the classic notebook and JupyterLab, through real sshds, seen by a real
browser. What Jupyter says of itself on the machine (port, base URL, token) is found through SSH."""

import contextlib
import json
import pathlib
import secrets
import signal
import threading
import time
import unittest
import urllib.request

import jupyter
import ssh_machine
from chromium import Chromium
from connect_case import ConnectCase
from jupyter import Client, Jupyter, execute, output
from ssh_machine import Place, keygen
from terminal import Terminal

OPENER = """#!/bin/sh
printf '%s\\n' "$@" >"$0.asked"
exec /usr/bin/python3 - "$1" "$0" <<'END'
import sys, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
try:
    urllib.request.build_opener(Stay).open(sys.argv[1], timeout=20)
except urllib.error.HTTPError as answer:
    open(sys.argv[2] + ".sent", "w").write(answer.headers["Location"] or "")
END
"""


# As Colab's front end: REST and a WebSocket, from a page of its origin.
COLAB = """(async () => {
  const made = await fetch("%(url)sapi/kernels?token=%(token)s", {method: "POST", credentials: "include", body: "{}"});
  const id = (await made.json()).id, session = crypto.randomUUID();
  const socket = new WebSocket("%(url)sapi/kernels/".replace("http", "ws") + id + "/channels?token=%(token)s&session_id=" + session);
  const header = {msg_id: "one", msg_type: "execute_request", session, username: "", version: "5.3"};
  const content = {code: "print(6 * 7)", silent: false, store_history: true, user_expressions: {}, allow_stdin: false};
  const cell = {header, parent_header: {}, metadata: {}, content, channel: "shell", buffers: []};
  socket.onopen = () => socket.send(JSON.stringify(cell));
  return await new Promise((done, failed) => {
    socket.onerror = () => failed("no WebSocket");
    socket.onmessage = event => {
      const message = JSON.parse(event.data);
      if (message.msg_type === "stream") done(message.content.text);
    };
  });
})()"""


class WithJupyter(ConnectCase):
    """One server for all tests of a class."""

    PROGRAM, APP, RUN_CELL, CODE_SHOWN = None, None, None, None
    MORE = {"allow_origin": "https://colab.research.google.com", "allow_credentials": True}
    LOGIN = jupyter.LOGIN

    @classmethod
    def setUpClass(cls):
        if reason := jupyter.missing(cls.PROGRAM) or jupyter.chromium_missing():
            raise unittest.SkipTest(reason)
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        cls.server = Jupyter(cls.place, cls.PROGRAM, cls.APP, **cls.MORE)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.SSHD = (*type(self).SSHD, f"SetEnv JUPYTER_RUNTIME_DIR={jupyter.runtime(self.place)}")
        super().setUp()
        self.declare(f"{ssh_machine.free_port()}:{self.server.port}")
        self.made()

    def connected(self, flags="--print", key=None):
        """The process, the URL as printed, and a client of Jupyter at its other end."""
        process, out, self.err = self.open(flags, key)
        printed = self.line(out, "http://127.0.0.1:")
        url = printed.split("?")[0]
        return process, printed, Client(url, self.server.token)


class Proofs:
    """What holds for every server."""

    def test_a_browser_opens_the_printed_url_and_runs_a_cell(self):
        notebook = {"cells": [{"cell_type": "code", "metadata": {}, "source": [], "outputs": [], "execution_count": None,
                               "id": "one"}],
                    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
                    "nbformat": 4, "nbformat_minor": 5}
        (self.server.root / "cell.ipynb").write_text(json.dumps(notebook))
        process, printed, client = self.connected()
        browser = Chromium()
        self.addCleanup(browser.close)
        browser.open(printed)
        browser.wait_for(self.SIGNED_IN)
        browser.open(client.url + self.PAGE)
        browser.wait_for(self.KERNEL_READY)
        browser.wait_for(self.FOCUS)
        browser.type("print(6 * 7)")
        for _ in range(5):  # Lab runs nothing while its kernel is only about to be connected
            browser.wait_for(self.FOCUS)
            browser.press_shift_enter()
            with contextlib.suppress(AssertionError):
                browser.wait_for(self.OUTPUT, 5)
                break
        self.assertEqual(browser.wait_for(self.OUTPUT).strip(), "42")
        self.assertEqual(self.end(process), 0)

    def test_the_whole_api_goes_through(self):
        process, _, client = self.connected()
        for path in ("api", "api/status", "api/kernels", "api/kernelspecs", "api/sessions", "api/contents?content=0"):
            self.assertEqual(client.call("GET", path)[0], 200, path)
        status, headers, kernel = client.call("POST", "api/kernels", {"name": "python3"})
        self.assertEqual(status, 201)
        self.assertTrue(headers["Location"].endswith(kernel["id"]))
        session = secrets.token_hex(16)
        channels = client.channels(kernel["id"], session)
        self.assertEqual(output(channels, execute(channels, "print(6 * 7)", session)), "42\n")
        sleeping = execute(channels, "import time; time.sleep(2); print('woke')", session)
        state = lambda: client.call("GET", f"api/kernels/{kernel['id']}")[2]["execution_state"]  # noqa: E731
        ssh_machine.until(lambda: state() == "busy", "a busy kernel")
        self.assertEqual(output(channels, sleeping), "woke\n")
        ssh_machine.until(lambda: state() == "idle", "an idle kernel")  # its REST side hears of it a moment later
        channels.close()
        ssh_machine.until(lambda: client.call("GET", f"api/kernels/{kernel['id']}")[2]["connections"] == 0, "no connections")
        self.assertEqual(client.call("POST", f"api/kernels/{kernel['id']}/interrupt")[0], 204)
        self.assertEqual(client.call("DELETE", f"api/kernels/{kernel['id']}")[0], 204)
        self.assertEqual(self.end(process), 0)

    def test_a_kernel_outlives_a_cut(self):
        process, _, client = self.connected()
        kernel = client.call("POST", "api/kernels", {"name": "python3"})[2]["id"]
        session = secrets.token_hex(16)
        channels = client.channels(kernel, session)
        output(channels, execute(channels, "x = 42", session))
        late = execute(channels, "import time; time.sleep(3); print('late', x)", session)
        time.sleep(1)
        self.sshd.signal_sessions(signal.SIGKILL)
        self.line(self.err, "connection lost")
        self.line(self.err, "connected again")
        channels = client.channels(kernel, session)
        self.assertEqual(output(channels, late), "late 42\n")
        client.call("DELETE", f"api/kernels/{kernel}")
        self.assertEqual(self.end(process), 0)

    def test_a_page_of_colab_s_origin_runs_a_kernel(self):
        process, out, err = self.open("--colab")
        self.line(err, "its pages may call Jupyter, with credentials")
        url, token = self.line(out, "http://localhost:").split("?token=")
        self.assertEqual(token, self.server.token)
        browser = Chromium()
        self.addCleanup(browser.close)
        browser.open_as("https://colab.research.google.com/drive/1", "<title>not the real one</title>")
        browser.wait_for("document.title === 'not the real one'")
        self.assertEqual(browser.value(COLAB % {"url": url, "token": token}), "42\n")
        self.assertEqual(self.end(process), 0)

    def test_the_token_shows_only_where_asked(self):
        process, printed, _ = self.connected("")
        self.assertNotIn("token", printed)
        self.line(self.err, "Jupyter asks for a token. --print shows it.")
        self.assertEqual(self.end(process), 0)
        process, out, _ = self.open("--json")
        self.assertNotIn(self.server.token, self.line(out, "url"))
        self.assertEqual(self.end(process), 0)
        process, printed, _ = self.connected()
        self.assertIn(f"?token={self.server.token}", printed)
        self.assertEqual(self.end(process), 0)


class ClassicNotebook(WithJupyter, Proofs):
    PROGRAM, APP = jupyter.CLASSIC, "NotebookApp"
    SIGNED_IN = "document.title.startsWith('Home Page') && document.querySelector('#notebook_list .item_name') !== null"
    PAGE = "notebooks/cell.ipynb"
    KERNEL_READY = "Jupyter.notebook.kernel.is_connected() && Jupyter.notebook.get_cells().length > 0"
    FOCUS = "Jupyter.notebook.get_cell(0).focus_editor() === undefined && document.activeElement.tagName === 'TEXTAREA'"
    OUTPUT = "document.querySelector('.output_text, .output_stream').innerText"

    def test_the_browser_is_given_the_token_by_nobody_s_arguments(self):
        opener = self.home / "bin/xdg-open"
        opener.parent.mkdir()
        opener.write_text(OPENER)
        opener.chmod(0o755)
        self.env["PATH"] = f"{opener.parent}:{self.env['PATH']}"
        terminal = Terminal(f"connect train -i {self.key}", self.stack, self.env)
        terminal.expect("which the browser is given")
        sent = pathlib.Path(f"{opener}.sent")
        ssh_machine.until(lambda: sent.exists() and sent.read_text(), "a visit")
        self.assertTrue(sent.read_text().endswith(f"/?token={self.server.token}"), sent.read_text())
        asked = pathlib.Path(f"{opener}.asked").read_text().strip()
        self.assertNotIn(self.server.token, asked)
        with self.assertRaises(OSError):  # a second visitor
            urllib.request.urlopen(asked, timeout=2)
        terminal.press_interrupt()
        self.assertEqual(terminal.finish(), 0)
        self.assertNotIn(self.server.token, terminal.text)

    def test_an_rsa_key_finds_it_too(self):
        """Through the system's ssh, where the library can't sign."""
        rsa = keygen(self.keys.path / "rsa", "rsa", "-b", "2048")
        with (self.sshd.place.path / "authorized_keys").open("a") as known:
            known.write(pathlib.Path(f"{rsa}.pub").read_text())
        process, printed, client = self.connected(key=rsa)
        self.assertIn(f"?token={self.server.token}", printed)
        self.assertEqual(client.call("GET", "api/status")[0], 200)
        self.assertEqual(self.end(process), 0)


class Lab(WithJupyter, Proofs):
    """Through a server that renews its keys all the time."""

    PROGRAM, APP = jupyter.LAB, "ServerApp"
    SSHD = ("RekeyLimit 4M",)
    SIGNED_IN = "document.querySelector('.jp-DirListing, .jp-Launcher') !== null"
    PAGE = "lab"
    KERNEL_READY = "(e => e && (e.click(), true))(document.querySelector('.jp-LauncherCard[data-category=\"Notebook\"]'))"
    FOCUS = ("(e => { e.focus(); return document.activeElement === e && "
             "[...document.querySelectorAll('.jp-Notebook-ExecutionIndicator')].some(e => e.dataset.status === 'idle') })"
             "(document.querySelector('.jp-Notebook .cm-content'))")
    OUTPUT = "document.querySelector('.jp-OutputArea-output').innerText"


class Elsewhere(WithJupyter):
    """Neither where the image has it, nor at the root of its address."""

    PROGRAM, APP = jupyter.LAB, "ServerApp"
    MORE = {"base_url": "/user/me/"}  # and nobody from elsewhere may call it

    def test_it_is_found_by_what_it_says_of_itself(self):
        for key in (self.key, keygen(self.keys.path / "rsa", "rsa", "-b", "2048")):
            self.declare(ssh_machine.free_port())  # the local port alone
            with (self.sshd.place.path / "authorized_keys").open("a") as known:
                known.write(pathlib.Path(f"{key}.pub").read_text())
            process, printed, client = self.connected(key=key)
            self.assertIn(f"/user/me/?token={self.server.token}", printed)
            self.assertEqual(client.call("GET", "api/status")[0], 200)
            self.assertEqual(self.end(process), 0)

    def test_a_jupyter_that_lets_nobody_else_in_is_nothing_for_colab(self):
        done = self.nbform(f"connect train --no-open --colab -i {self.key}", exit=1)
        self.assertIn("Jupyter does not let Colab in", done.stderr)
        self.assertIn('c.ServerApp.allow_origin = "https://colab.research.google.com"', done.stderr)
        self.assertNotIn(self.server.token, done.stdout + done.stderr)

    def test_what_cannot_be_read_is_said(self):
        """The login is another user's, or Jupyter keeps its files elsewhere."""
        for file in jupyter.runtime(self.place).glob("jpserver-*"):
            file.rename(file.with_suffix(".away"))
            self.addCleanup(file.with_suffix(".away").rename, file)
        self.declare(f"{ssh_machine.free_port()}:{self.server.port}")
        process, _, err = self.open()
        self.line(err, "is not Jupyter (status 404)")
        self.assertEqual(self.end(process), 130)


if __name__ == "__main__":
    unittest.main()
