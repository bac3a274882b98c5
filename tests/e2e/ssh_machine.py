"""A "machine" on loopback for tests of the tunnel: a real sshd, unprivileged, with keys and a configuration of its own;
servers behind it; and the tunnel itself as a running program. Knows no expectation.

As root, sshd runs as nobody: it may then log in nobody only, and needs no privilege separation and no /run/sshd. But nobody
has no shell: where commands are to run, root logs in.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import pwd
import queue
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

BIN = pathlib.Path(os.environ.get("NBFORM_BIN", pathlib.Path(__file__).parents[2] / "build/bin")).resolve()
SSHD = "/usr/sbin/sshd"
USER = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
PAM = "yes" if os.getuid() == 0 else "no"  # without PAM, sshd takes the account nobody for locked
PATIENCE = 60  # seconds: for a loaded machine


def missing():
    """What this machine lacks, if anything."""
    for program in (SSHD, shutil.which("ssh-keygen"), shutil.which("ssh"), shutil.which("ssh-agent")):
        if not program or not os.access(program, os.X_OK):
            return "no OpenSSH server and client: sh examples/packages.sh test"
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def keygen(path, kind="ed25519", *flags, passphrase=""):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", path, *flags], check=True)
    return path


class Place:
    """A directory that sshd, as whoever it runs, can read."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="nbf-ssh-"))

    def hand_over(self):
        if os.getuid() == 0:
            owner = pwd.getpwnam(USER)
            for path in [self.path, *self.path.rglob("*")]:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Sshd:
    """One sshd. `lines` go into its configuration; `host` are the types of its host keys; `user` logs in."""

    def __init__(self, *lines, host=("ed25519", "ecdsa"), authorized=(), port=None, keys_of=None, listen="127.0.0.1",
                 user=USER):
        self.place, self.user = Place(), user
        if user == "root":
            lines = (*lines, "PermitRootLogin prohibit-password")
            os.makedirs("/run/sshd", 0o755, exist_ok=True)
        d = self.place.path
        self.port = port or free_port()
        for kind in host:
            if keys_of:  # the same machine at another port
                for end in ("", ".pub"):
                    shutil.copy(keys_of.place.path / f"host_{kind}{end}", d / f"host_{kind}{end}")
            else:
                keygen(d / f"host_{kind}", kind)
        self.host = host
        (d / "authorized_keys").write_text("".join(pathlib.Path(f"{k}.pub").read_text() for k in authorized))
        config = [*lines, f"Port {self.port}",  # of what is said twice, sshd takes the first
                  f"ListenAddress {listen}", *(f"HostKey {d}/host_{kind}" for kind in host),
                  f"PidFile {d}/pid", f"AuthorizedKeysFile {d}/authorized_keys", "StrictModes no", f"UsePAM {PAM}",
                  "PasswordAuthentication no", "KbdInteractiveAuthentication no", "LogLevel VERBOSE", "MaxStartups 100"]
        (d / "config").write_text("\n".join(config) + "\n")
        self.place.hand_over()
        self.process = None
        self.start()

    def start(self):
        d = self.place.path
        other = os.getuid() == 0 and self.user != "root"
        as_user = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if other else {}
        self.process = subprocess.Popen([SSHD, "-D", "-E", d / "log", "-f", d / "config"], cwd="/", stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)
        until(self.greets, f"sshd on port {self.port}: {self.log()}")

    def authorize(self, key):
        with (self.place.path / "authorized_keys").open("a") as file:
            file.write(pathlib.Path(f"{key}.pub").read_text())

    def greets(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as s:
            return s.recv(8).startswith(b"SSH-")
        return False

    def log(self):
        with contextlib.suppress(OSError):
            return (self.place.path / "log").read_text()
        return ""

    def host_keys(self):
        return [(self.place.path / f"host_{kind}.pub").read_text().strip() for kind in self.host]

    def sessions(self):
        """The processes that serve a connection, deepest first."""
        children, todo = [], [self.process.pid]
        while todo:
            with contextlib.suppress(OSError):
                for task in pathlib.Path(f"/proc/{todo[0]}/task").iterdir():
                    found = [int(p) for p in (task / "children").read_text().split()]
                    children += found
                    todo += found
            todo.pop(0)
        return children[::-1]

    def settled(self):
        """Whether every sign-in has the process that will serve it: the client may know of its success before."""
        log = self.log()
        if self.user == "root":  # served by the process that let it in
            return True
        return log.count("User child is on pid") >= log.count("Accepted publickey for")

    def signal_sessions(self, number):
        until(self.settled, "a process for each session")
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self):
        if self.process and self.process.poll() is None:
            for pid in [*self.sessions(), self.process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def remove(self):
        self.stop()
        self.place.remove()


class Server:
    """A TCP server on loopback; `serve(socket)` runs in a thread for each connection."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        self.listener.close()


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def source(connection):
    """Answers a length with that many bytes, a pattern."""
    left = struct.unpack(">Q", receive(connection, 8))[0]
    block = bytes(range(256)) * 256
    while left > 0:
        left -= connection.send(block[:min(left, len(block))])


def sink(connection):
    """Reads to the end, then says how many bytes and their hash: nothing comes without half-close."""
    total, digest = 0, hashlib.sha256()
    while data := connection.recv(1 << 16):
        total += len(data)
        digest.update(data)
    connection.sendall(f"{total} {digest.hexdigest()}".encode())


def receive(connection, count):
    parts = []
    while count > 0:
        part = connection.recv(min(count, 1 << 16))
        if not part:
            raise ConnectionError(f"ended {count} bytes too early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Probe:
    """The tunnel as a program; its events arrive in order."""

    def __init__(self, *flags, env=None):
        self.process = subprocess.Popen([BIN / "ssh_probe", *map(str, flags)], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})}, start_new_session=True)
        self.events, self.seen = queue.Queue(), []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def wait(self, name, seconds=PATIENCE):
        """The next event of that name; those before it are passed over."""
        end = time.monotonic() + seconds
        while True:
            try:
                event = self.events.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"no event '{name}' within {seconds} s; seen: {self.seen}") from None
            if event is None:
                self.events.put(None)
                raise AssertionError(f"the tunnel ended without '{name}'; seen: {self.seen}")
            self.seen.append(event)
            if event["event"] == name:
                return event

    def ports(self):
        return self.wait("listening")["ports"]

    def memory(self):
        """Resident, KiB."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4

    def sanitized(self):
        return "libasan" in pathlib.Path(f"/proc/{self.process.pid}/maps").read_text()

    def cpu(self):
        """Seconds so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Its exit code after SIGTERM; one that has failed ends by itself."""
        if not any(event["event"] == "failed" for event in self.seen):
            self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        return code
