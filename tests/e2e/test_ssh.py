"""The tunnel against a real OpenSSH sshd on loopback: what a user of `connect` would notice of it."""

import contextlib
import os
import pathlib
import signal
import socket
import struct
import threading
import time
import unittest

import ssh_machine as m


def dial(port, timeout=m.PATIENCE):
    return socket.create_connection(("127.0.0.1", port), timeout)


class WithMachine(unittest.TestCase):
    """A home with an ed25519 key, and machines that take it."""

    @classmethod
    def setUpClass(cls):
        if lacks := m.missing():
            raise unittest.SkipTest(lacks)

    def setUp(self):
        self.home = m.Place()
        self.addCleanup(self.home.remove)
        self.key = m.keygen(self.home.path / "id_ed25519")
        self.address = self.home.path / "address"

    def machine(self, *lines, **options):
        sshd = m.Sshd(*lines, **{"authorized": [self.key], **options})
        self.addCleanup(sshd.remove)
        return sshd

    def server(self, serve):
        server = m.Server(serve)
        self.addCleanup(server.close)
        return server

    def probe(self, sshd, *flags, user=m.USER, keys=None, trust=True, env=None):
        if sshd:
            self.address.write_text(f"127.0.0.1 {sshd.port}")
        given = ["--address", self.address, "--user", user]
        for key in [self.key] if keys is None else keys:
            given += ["--key", key]
        for line in sshd.host_keys() if sshd and trust else []:
            given += ["--trust", line]
        probe = m.Probe(*given, *flags, env=env)
        self.addCleanup(probe.stop)
        return probe

    def connected(self, sshd, *servers, flags=(), **options):
        """A tunnel to servers, and its local ports."""
        probe = self.probe(sshd, *[f for s in servers for f in ("--any", s.port)], *flags, **options)
        ports = probe.ports()
        probe.wait("connected")
        return probe, ports


class Carrying(WithMachine):
    def test_a_connection_goes_through_a_verified_machine(self):
        sshd = self.machine()
        probe, [port] = self.connected(sshd, self.server(m.echo))
        self.assertEqual([e["event"] for e in probe.seen], ["listening", "connecting", "verify", "connected"])
        self.assertEqual(probe.seen[2]["type"], "ssh-ed25519")
        with dial(port) as s:
            s.sendall(b"hello")
            self.assertEqual(m.receive(s, 5), b"hello")
        self.assertEqual(probe.stop(), 0)


if __name__ == "__main__":
    unittest.main()
