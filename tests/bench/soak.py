#!/usr/bin/env python3
"""Ten minutes of a notebook's life behind nbform connect: a real Jupyter behind a real sshd, a cell each half second over a
kernel's WebSocket, and the SSH session killed every 20 s. Then a minute in which nothing happens. By hand, as it takes eleven
minutes; with another Python than that of build/venv it lacks its client.

    build/venv/bin/python -B tests/bench/soak.py [SECONDS]
"""

import os
import pathlib
import secrets
import signal
import sys
import time
import unittest

import measure  # noqa: F401  (finds the modules of the e2e tests)

import figures
import jupyter
import ssh_machine
import websocket
from connect_case import ConnectCase
from jupyter import Client, Jupyter, execute, output
from ssh_machine import Place

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
CUT_EVERY, CELL_EVERY, IDLE = 20, 0.5, 60
BROKEN = (OSError, websocket.WebSocketException)


def used(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    memory = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "MiB": round(memory, 1), "cpu": cpu}


class Soak(ConnectCase):
    LOGIN = jupyter.LOGIN

    def runTest(self):
        place = Place()
        self.addCleanup(place.remove)
        server = Jupyter(place, jupyter.CLASSIC, "NotebookApp")
        self.addCleanup(server.stop)
        self.declare(f"{ssh_machine.free_port()}:{server.port}")
        self.made()
        process, out, _ = self.open()
        self.client = Client(self.line(out, "http://"), server.token)
        self.kernel = self.client.call("POST", "api/kernels", {"name": "python3"})[2]["id"]
        self.session = secrets.token_hex(16)
        self.reconnections = 0
        self.channels = self.client.channels(self.kernel, self.session)
        output(self.channels, execute(self.channels, "n = 0", self.session))
        before = used(process.pid)
        cells, cuts = self.live()
        after = used(process.pid)
        idle = used(process.pid)["cpu"]
        time.sleep(IDLE)
        idle = (used(process.pid)["cpu"] - idle) / IDLE
        self.assertEqual(self.cell("print(n)"), cells, "cells that ran twice or never, or another kernel")
        self.assertEqual(self.end(process), 0)
        made = {"cells": cells, "cuts": cuts, "reconnections": self.reconnections, "idle CPU %": round(idle * 100, 2),
                "before": before, "after": after, "CPU s": round(after["cpu"] - before["cpu"], 2)}
        print(made)
        figures.report("soak", [15], made, f"{SECONDS} s, a cut every {CUT_EVERY} s", "build/venv/bin/python -B tests/bench/soak.py")
        self.assertLessEqual(after["descriptors"], before["descriptors"])
        self.assertLess(idle, 0.01)
        self.assertGreaterEqual(self.reconnections, cuts)

    def live(self):
        """Cells that were answered, and cuts."""
        cells = cuts = 0
        begun = last_cut = time.monotonic()
        while time.monotonic() - begun < SECONDS:
            if time.monotonic() - last_cut > CUT_EVERY:
                last_cut = time.monotonic()
                self.sshd.signal_sessions(signal.SIGKILL)
                cuts += 1
            cells += 1
            self.assertEqual(self.cell(f"n = {cells}; print(n)"), cells)
            time.sleep(CELL_EVERY)
        return cells, cuts

    def cell(self, code):
        """What a cell that may run twice prints, however often the connection breaks meanwhile."""
        end = time.monotonic() + 60
        while True:
            try:
                return int(output(self.channels, execute(self.channels, code, self.session)))
            except BROKEN:
                self.assertLess(time.monotonic(), end, "no way back within a minute")
                self.again()

    def again(self):
        self.reconnections += 1
        self.channels.close()
        end = time.monotonic() + 60
        while True:
            try:
                self.channels = self.client.channels(self.kernel, self.session)
                return
            except BROKEN:
                self.assertLess(time.monotonic(), end, "no way back within a minute")
                time.sleep(0.1)


if __name__ == "__main__":
    result = unittest.TextTestRunner().run(Soak())
    sys.exit(not result.wasSuccessful())
