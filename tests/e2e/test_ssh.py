"""The tunnel against a real OpenSSH sshd on loopback: what a user of `connect` would notice of it."""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import figures
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
        self.addCleanup(self.end, probe)
        return probe

    def end(self, probe):
        """Whatever happened, it ends in order: 0 when told to, 1 when it failed."""
        killed = probe.process.poll() == -signal.SIGKILL
        self.assertIn(probe.stop(), (-signal.SIGKILL,) if killed else (0, 1))  # a sanitizer would say 99

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

    def ask(self, port, count):
        """What a source sends, hashed."""
        with dial(port) as s:
            s.sendall(struct.pack(">Q", count))
            return hashlib.sha256(m.receive(s, count)).hexdigest()

    def give(self, port, data):
        with dial(port) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return s.recv(100).decode()

    def test_each_direction_ends_by_itself(self):
        probe, [sink] = self.connected(self.machine(), self.server(m.sink))
        data = os.urandom(3_000_000)
        self.assertEqual(self.give(sink, data), f"{len(data)} {hashlib.sha256(data).hexdigest()}")
        m.until(lambda: probe.descriptors() < 12, "the connection's descriptor is closed")

    def test_a_client_that_goes_away_takes_its_far_side_with_it(self):
        gone = threading.Event()

        def wait_for_end(connection):
            connection.recv(1)
            gone.set()

        _, [port] = self.connected(self.machine(), self.server(wait_for_end))
        dial(port).close()
        self.assertTrue(gone.wait(m.PATIENCE))

    def test_a_server_that_resets_or_ends_at_once_is_seen_so(self):
        _, [port] = self.connected(self.machine(), self.server(lambda connection: connection.sendall(b"bye")))
        with dial(port) as s:
            self.assertEqual(s.recv(10), b"bye")
            self.assertEqual(s.recv(10), b"")

    def test_many_at_once_through_a_server_that_renews_its_keys(self):
        """Downloads, uploads and echoes side by side, all bytes right, while sshd rekeys every 4 MiB."""
        sshd = self.machine("RekeyLimit 4M", "LogLevel DEBUG1")
        probe, [echo, source, sink] = self.connected(sshd, self.server(m.echo), self.server(m.source), self.server(m.sink),
                                                     flags=["--keep-alive", 500])
        block = bytes(range(256)) * 256
        size = 24 << 20
        whole = hashlib.sha256(block * (size // len(block))).hexdigest()
        data = os.urandom(16 << 20)

        def mirror():
            with dial(echo) as s:
                for n in (1, 1000, 70_000, 1_000_000) * 5:
                    s.sendall(data[:n])
                    if m.receive(s, n) != data[:n]:
                        return "another echo"
            return "right"

        jobs = [lambda: self.ask(source, size), lambda: self.give(sink, data), mirror] * 3
        expected = [whole, f"{len(data)} {hashlib.sha256(data).hexdigest()}", "right"] * 3
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            self.assertEqual([f.result() for f in [pool.submit(job) for job in jobs]], expected)
        self.assertGreater(sshd.log().count("SSH2_MSG_NEWKEYS sent"), 10)
        self.assertEqual([e["event"] for e in probe.seen], ["listening", "connecting", "verify", "connected"])

    def test_two_hundred_connections_at_once(self):
        probe, [port] = self.connected(self.machine(), self.server(m.echo))
        sockets = [dial(port) for _ in range(200)]
        for i, s in enumerate(sockets):
            s.sendall(struct.pack(">Q", i))
        self.assertEqual([struct.unpack(">Q", m.receive(s, 8))[0] for s in sockets], list(range(200)))
        for s in sockets:
            s.close()
        m.until(lambda: probe.descriptors() < 12, "all are closed again")

    def test_sixteen_slow_readers_cost_bounded_memory_and_hold_nobody_up(self):
        probe, [source, echo] = self.connected(self.machine(), self.server(m.source), self.server(m.echo))
        before = probe.memory()
        slow = [dial(source) for _ in range(16)]
        for s in slow:
            s.sendall(struct.pack(">Q", 1 << 30))
        peak, end = 0, time.monotonic() + 4
        while time.monotonic() < end:  # it takes in what it may, and then no more
            peak = max(peak, probe.memory())
            time.sleep(0.02)
        with dial(echo) as s:
            s.sendall(b"still here")
            self.assertEqual(m.receive(s, 10), b"still here")
        for s in slow:
            m.receive(s, 1 << 20)
        peak = max(peak, probe.memory())
        figures.report("tunnel_memory", [], {"slow_readers": 16, "before_kib": before, "peak_kib": peak}, "16 readers of 1 GiB each",
                       "python3 -B -m unittest test_ssh in tests/e2e")
        if probe.sanitized():
            print("memory is not judged: under AddressSanitizer")
        else:
            self.assertLess(peak - before, 64 << 10)
        for s in slow:
            s.close()

    def test_an_upload_that_nobody_reads_is_held_back(self):
        stuck = threading.Event()
        self.addCleanup(stuck.set)
        probe, [port] = self.connected(self.machine(), self.server(lambda _: stuck.wait(m.PATIENCE)))
        before = probe.memory()
        with dial(port) as s:
            s.settimeout(2)
            sent = 0
            with self.assertRaises(TimeoutError):
                while True:
                    sent += s.send(b"x" * (1 << 20))
            self.assertLess(sent, 64 << 20)
            self.assertLess(probe.memory() - before, (64 if probe.sanitized() else 16) << 10)

    def test_an_idle_tunnel_costs_no_time(self):
        probe, ports = self.connected(self.machine(), self.server(m.echo))
        with dial(ports[0]) as s:
            s.sendall(b"1")
            m.receive(s, 1)
            before = probe.cpu()
            time.sleep(3)
            self.assertLess(probe.cpu() - before, 0.1)


class Coming_back(WithMachine):
    def test_many_cuts_leave_no_descriptor_behind(self):
        sshd = self.machine()
        probe, [port] = self.connected(sshd, self.server(m.echo))
        before = probe.descriptors()
        for _ in range(4):
            with contextlib.ExitStack() as open_ones:
                for s in [open_ones.enter_context(dial(port)) for _ in range(10)]:
                    s.sendall(b"x")
                sshd.signal_sessions(signal.SIGKILL)
                probe.wait("lost")
                probe.wait("connected")
        m.until(lambda: probe.descriptors() <= before, "as many descriptors as at first")

    def test_a_killed_session_comes_back_and_new_connections_wait_for_it(self):
        sshd = self.machine()
        probe, [port] = self.connected(sshd, self.server(m.echo))
        cut = dial(port)
        cut.sendall(b"1")
        m.receive(cut, 1)
        sshd.signal_sessions(signal.SIGKILL)
        probe.wait("lost")
        with dial(port) as s:  # during the pause
            s.sendall(b"2")
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(cut.recv(1), b"")
            probe.wait("connected")
            self.assertEqual(m.receive(s, 1), b"2")
        cut.close()

    def test_a_machine_that_falls_silent_is_given_up(self):
        for via, pulse, says in (("library", 300, "Nothing was heard"), ("program", 1000, "not responding")):
            with self.subTest(via):
                sshd = self.machine()
                probe, _ = self.connected(sshd, self.server(m.echo), flags=["--keep-alive", pulse, "--via", via])
                sshd.signal_sessions(signal.SIGSTOP)
                lost = probe.wait("lost")
                self.assertEqual(lost["problem"], "connection lost")
                self.assertIn(says, lost["detail"])
                probe.wait("connected")

    def test_a_machine_with_a_new_address_is_found_again(self):
        first = self.machine()
        probe, [port] = self.connected(first, self.server(m.echo))
        second = self.machine(keys_of=first)
        self.address.write_text(f"127.0.0.1 {second.port}")
        first.stop()
        probe.wait("lost")
        self.assertEqual(probe.wait("connected")["text"], f"127.0.0.1:{second.port}")
        with dial(port) as s:
            s.sendall(b"x")
            self.assertEqual(m.receive(s, 1), b"x")

    def test_another_machine_at_the_address_is_not_trusted(self):
        first = self.machine()
        probe, [port] = self.connected(first, self.server(m.echo))
        second = self.machine()
        self.address.write_text(f"127.0.0.1 {second.port}")
        first.stop()
        failed = probe.wait("failed")
        self.assertEqual(failed["problem"], "host key refused")
        self.assertNotIn("Accepted", second.log())
        self.assertEqual(probe.process.wait(m.PATIENCE), 1)

    def test_a_machine_that_is_away_for_a_while_is_tried_again(self):
        sshd = self.machine()
        probe, [port] = self.connected(sshd, self.server(m.echo), flags=["--hold", 1000])
        sshd.stop()
        waiting = [probe.wait("waiting") for _ in range(2)]
        self.assertEqual(waiting[1]["problem"], "refused")
        self.assertGreater(waiting[1]["pause_ms"], waiting[0]["pause_ms"])
        with dial(port) as s:  # it waits for a second only
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(s.recv(1), b"")
        sshd.start()
        probe.wait("connected")


class Agent:
    """An ssh-agent that holds keys."""

    def __init__(self, directory, *keys):
        self.socket = directory / "agent"
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", self.socket], stdout=subprocess.DEVNULL)
        cannot_connect = 2
        m.until(lambda: self.add("-l").returncode != cannot_connect, "the agent")
        for key in keys:
            self.add("-q", key).check_returncode()

    def add(self, *words):
        return subprocess.run(["ssh-add", *words], env={**os.environ, "SSH_AUTH_SOCK": str(self.socket)}, capture_output=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Over_a_stream(WithMachine):
    """A connected stream of the caller's instead of an address, as through a relay."""

    def test_the_tunnel_rides_on_it_and_asks_for_another_when_it_breaks(self):
        for via in ("library", "program"):
            with self.subTest(via):
                sshd = self.machine()
                probe, [port] = self.connected(sshd, self.server(m.echo), flags=["--stream", "yes", "--via", via])
                sshd.signal_sessions(signal.SIGKILL)
                probe.wait("lost")
                self.assertEqual(probe.wait("connected")["text"], "127.0.0.1 by relay")
                with dial(port) as s:
                    s.sendall(b"hello")
                    self.assertEqual(m.receive(s, 5), b"hello")


class Signing_in(WithMachine):
    def agent(self, *keys):
        agent = Agent(self.home.path, *keys)
        self.addCleanup(agent.stop)
        return agent

    def expect_echo(self, sshd, **options):
        probe, [port] = self.connected(sshd, self.server(m.echo), **options)
        with dial(port) as s:
            s.sendall(b"hello")
            self.assertEqual(m.receive(s, 5), b"hello")
        return probe

    def test_an_ecdsa_key(self):
        key = m.keygen(self.home.path / "ecdsa", "ecdsa")
        self.expect_echo(self.machine(authorized=[key]), keys=[key])

    def test_an_encrypted_key_asks_for_its_passphrase_until_it_is_right(self):
        key = m.keygen(self.home.path / "hidden", passphrase="open sesame")
        probe = self.expect_echo(self.machine(authorized=[key]), keys=[key],
                                 flags=["--passphrase", "wrong", "--passphrase", "open sesame"])
        self.assertEqual([e["attempt"] for e in probe.seen if e["event"] == "passphrase"], [1, 2])

    def test_the_agents_keys_are_used_where_no_file_is_named(self):
        others = [m.keygen(self.home.path / name) for name in ("one", "two")]
        agent = self.agent(*others, self.key)
        self.expect_echo(self.machine(), keys=[], flags=["--agent", agent.socket])

    def test_an_encrypted_key_that_the_agent_holds_asks_nothing(self):
        key = m.keygen(self.home.path / "hidden", passphrase="")
        agent = self.agent(key)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", key], check=True, capture_output=True)
        probe = self.expect_echo(self.machine(authorized=[key]), keys=[key], flags=["--agent", agent.socket])
        self.assertNotIn("passphrase", [e["event"] for e in probe.seen])

    def test_a_stranger_is_told_what_the_server_would_take_and_what_was_offered(self):
        stranger = m.keygen(self.home.path / "stranger")
        probe = self.probe(self.machine(), keys=[stranger])
        failed = probe.wait("failed")
        self.assertEqual((failed["problem"], failed["methods"], failed["tried"]),
                         ("sign-in refused", ["publickey"], [str(stranger)]))
        self.assertIn(m.USER, failed["detail"])

    def test_too_many_keys_are_a_refusal_too(self):
        keys = [m.keygen(self.home.path / f"key{i}") for i in range(5)]
        failed = self.probe(self.machine("MaxAuthTries 2"), keys=keys).wait("failed")
        self.assertEqual(failed["problem"], "sign-in refused")

    def test_no_key_at_all_is_said(self):
        failed = self.probe(self.machine(), keys=[self.home.path / "missing"]).wait("failed")
        self.assertEqual(failed["problem"], "key unusable")
        self.assertIn("missing", failed["detail"])


class Failing(WithMachine):
    def turned_away(self, *lines, **options):
        probe, [port] = self.connected(self.machine(*lines), self.server(m.echo), **options)
        for _ in range(2):  # and the tunnel stays
            with dial(port) as s, contextlib.suppress(ConnectionResetError):
                self.assertEqual(s.recv(1), b"")
            away = probe.wait("turned_away")
        return away["problem"]

    def test_a_server_that_forbids_forwarding_is_named(self):
        for line in ("PermitOpen none", "AllowTcpForwarding no", "DisableForwarding yes"):
            with self.subTest(line):
                self.assertEqual(self.turned_away(line), "forwarding forbidden")

    def test_a_port_where_nothing_listens_is_told_apart(self):
        probe = self.probe(self.machine(), "--any", m.free_port())
        [port] = probe.ports()
        probe.wait("connected")
        with dial(port) as s, contextlib.suppress(ConnectionResetError):
            self.assertEqual(s.recv(1), b"")
        self.assertEqual(probe.wait("turned_away")["problem"], "nothing listens there")

    def test_a_server_without_sessions_still_forwards(self):
        sshd = self.machine("MaxSessions 0")
        probe, [port] = self.connected(sshd, self.server(m.echo))
        with dial(port) as s:
            s.sendall(b"hello")
            self.assertEqual(m.receive(s, 5), b"hello")
        sshd.signal_sessions(signal.SIGKILL)
        probe.wait("lost")

    def test_an_unknown_host_key_stops_before_anything_secret_is_sent(self):
        sshd = self.machine()
        failed = self.probe(sshd, trust=False).wait("failed")
        self.assertEqual(failed["problem"], "host key refused")
        shown = subprocess.run(["ssh-keygen", "-lf", sshd.place.path / "host_ed25519.pub"], capture_output=True, text=True)
        self.assertIn(failed["fingerprint"], shown.stdout)
        self.assertNotIn("publickey", sshd.log())

    def test_only_the_types_of_known_keys_are_asked_for(self):
        probe, _ = self.connected(self.machine(), self.server(m.echo), flags=["--host-key-type", "ecdsa-sha2-nistp256"])
        self.assertEqual(probe.seen[2]["type"], "ecdsa-sha2-nistp256")

    def address_only(self, port, *flags):
        self.address.write_text(f"127.0.0.1 {port}")
        return self.probe(None, *flags)

    def test_nobody_there_is_refused_at_once_or_after_patience(self):
        port = m.free_port()
        self.assertEqual(self.address_only(port).wait("failed")["problem"], "refused")
        patient = self.address_only(port, "--patience", 1500)
        patient.wait("waiting")
        self.assertEqual(patient.wait("failed")["problem"], "refused")

    def test_a_server_that_says_nothing_is_timed_out(self):
        silent = self.server(lambda connection: time.sleep(m.PATIENCE))
        self.assertEqual(self.address_only(silent.port, "--handshake", 500).wait("failed")["problem"], "timed out")

    def test_a_server_that_speaks_something_else_or_hangs_up_is_told_apart(self):
        web = self.server(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
        self.assertEqual(self.address_only(web.port).wait("failed")["problem"], "not SSH")
        shy = self.server(lambda c: None)
        self.assertEqual(self.address_only(shy.port).wait("failed")["problem"], "connection lost")

    def test_a_taken_port_is_an_error_where_it_is_fixed_and_the_next_one_else(self):
        taken = self.server(m.echo)
        failed = self.probe(self.machine(), "--forward", f"{taken.port}:8888").wait("failed")
        self.assertEqual(failed["problem"], "exists")
        self.assertIn(str(taken.port), failed["hint"])
        near, _ = self.connected(self.machine(), flags=["--near", f"{taken.port}:8888"]), None
        [port] = near[1]
        self.assertGreater(port, taken.port)
        self.assertLess(port, taken.port + 20)

    def test_only_this_computer_is_let_in(self):
        _, [port] = self.connected(self.machine(), self.server(m.echo))
        listeners = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True)
        if listeners.returncode != 0:
            self.skipTest("no ss on this machine")
        at = [line.split()[3] for line in listeners.stdout.splitlines()]
        self.assertTrue(at)
        self.assertLessEqual(set(at), {f"127.0.0.1:{port}", f"[::1]:{port}"})


class By_the_systems_ssh(WithMachine):
    """Where the library cannot, the user's own ssh carries the tunnel: the same screens, the same errors."""

    def rsa(self, name="rsa", passphrase=""):
        return m.keygen(self.home.path / name, "rsa", "-b", "2048", "-m", "PEM", passphrase=passphrase)

    def expect_echo(self, sshd, **options):
        probe, [port, sink] = self.connected(sshd, self.server(m.echo), self.server(m.sink), **options)
        with dial(port) as s:
            s.sendall(b"hello")
            self.assertEqual(m.receive(s, 5), b"hello")
        with dial(sink) as s:
            data = os.urandom(1 << 20)
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(s.recv(200).decode(), f"{len(data)} {hashlib.sha256(data).hexdigest()}")
        return probe, port

    def test_an_rsa_key(self):
        key = self.rsa()
        probe, _ = self.expect_echo(self.machine(authorized=[key]), keys=[key])
        self.assertEqual([e["event"] for e in probe.seen],
                         ["listening", "connecting", "verify", "via_program", "connecting", "connected"])
        self.assertEqual(probe.seen[3]["problem"], "needs the system's ssh")
        children = pathlib.Path(f"/proc/{probe.process.pid}/task/{probe.process.pid}/children").read_text().split()
        self.assertEqual(len(children), 1)
        self.assertEqual(probe.stop(), 0)
        m.until(lambda: not os.path.exists(f"/proc/{children[0]}"), "ssh ends with the tunnel")

    def test_an_encrypted_rsa_key_asks_for_its_passphrase(self):
        key = self.rsa(passphrase="open sesame")
        probe, _ = self.expect_echo(self.machine(authorized=[key]), keys=[key],
                                    flags=["--passphrase", "wrong", "--passphrase", "open sesame"])
        self.assertEqual([e["attempt"] for e in probe.seen if e["event"] == "passphrase"], [1, 2])

    def test_a_machine_with_an_rsa_host_key_only(self):
        probe, _ = self.expect_echo(self.machine(host=["rsa"]))
        self.assertEqual([e["type"] for e in probe.seen if e["event"] == "verify"], ["ssh-rsa"])

    def test_an_rsa_host_key_that_is_not_trusted_stops_it(self):
        sshd = self.machine(host=["rsa"])
        failed = self.probe(sshd, trust=False).wait("failed")
        self.assertEqual(failed["problem"], "host key refused")
        self.assertNotIn("Accepted", sshd.log())

    def test_a_key_that_is_not_taken(self):
        key = self.rsa()
        failed = self.probe(self.machine(), keys=[key]).wait("failed")
        self.assertEqual((failed["problem"], failed["methods"]), ("sign-in refused", ["publickey"]))

    def test_no_ssh_program_is_said(self):
        key = self.rsa()
        nowhere = self.home.path / "bin"
        nowhere.mkdir()
        (nowhere / "env").symlink_to("/usr/bin/env")
        failed = self.probe(self.machine(authorized=[key]), keys=[key], env={"PATH": str(nowhere)}).wait("failed")
        self.assertEqual(failed["problem"], "needs the system's ssh")

    def test_forwarding_that_is_forbidden(self):
        probe, [port] = self.connected(self.machine("PermitOpen none"), self.server(m.echo), flags=["--via", "program"])
        with dial(port) as s, contextlib.suppress(ConnectionResetError):
            self.assertEqual(s.recv(1), b"")
        self.assertEqual(probe.wait("turned_away")["problem"], "forwarding forbidden")

    def test_it_comes_back_and_leaves_nothing_behind(self):
        sshd = self.machine()
        probe, [port] = self.connected(sshd, self.server(m.echo), flags=["--via", "program"],
                                       env={"XDG_RUNTIME_DIR": str(self.home.path)})
        sshd.signal_sessions(signal.SIGKILL)
        probe.wait("lost")
        probe.wait("connected")
        sockets = [dial(port) for _ in range(200)]
        for i, s in enumerate(sockets):
            s.sendall(struct.pack(">Q", i))
        self.assertEqual([struct.unpack(">Q", m.receive(s, 8))[0] for s in sockets], list(range(200)))
        for s in sockets:
            s.close()
        self.assertEqual(len(list(self.home.path.glob("nbform-*"))), 1)
        self.assertEqual(probe.stop(), 0)
        self.assertEqual(list(self.home.path.glob("nbform-*")), [])

    def test_killed_outright_it_leaves_no_ssh_behind(self):
        sshd = self.machine()
        probe, _ = self.connected(sshd, self.server(m.echo), flags=["--via", "program"])
        [child] = pathlib.Path(f"/proc/{probe.process.pid}/task/{probe.process.pid}/children").read_text().split()
        probe.process.kill()

        def is_over():  # gone, or a zombie that waits for its new parent
            with contextlib.suppress(OSError):
                return ") Z" in pathlib.Path(f"/proc/{child}/stat").read_text()
            return True

        m.until(is_over, "ssh ends by itself")


if __name__ == "__main__":
    unittest.main()
