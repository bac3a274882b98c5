"""A user who connects to the VM "train": nbsim is the cloud, and a real sshd on this computer's loopback is the machine. What
is behind it, and what should come of it, the tests say."""

import contextlib
import json
import queue
import signal
import threading
import unittest
import urllib.request

import ssh_machine
from harness import EndToEnd
from ssh_machine import USER, Place, Sshd, keygen


def lines_of(stream, into):
    for line in stream:
        into.put(line.rstrip("\n"))
    into.put(None)


@unittest.skipIf(ssh_machine.missing(), ssh_machine.missing())
class ConnectCase(EndToEnd):
    SSHD = ()  # lines of its configuration
    LOGIN = USER

    def setUp(self):
        super().setUp()
        self.keys = Place()
        self.addCleanup(self.keys.remove)
        self.key = keygen(self.keys.path / "mine")
        self.sshd = Sshd(*self.SSHD, authorized=[self.key], listen="0.0.0.0", user=self.LOGIN)
        self.addCleanup(self.sshd.remove)
        self.cloud = self.connect(self.start_cloud())
        self.cloud.admin("loopback")

    def declare(self, tunnel):
        """`tunnel` as in the manifest."""
        self.manifest(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  train:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    disks: {{boot: 200GB}}
    access:
      ssh: {{user: {self.LOGIN}, port: {self.sshd.port}, keys: [~/.ssh/id_ed25519.pub]}}
      tunnel: "{tunnel}"
""")

    def publish(self, keys=None):
        """What the guest agent writes at its first boot."""
        for line in keys or self.sshd.host_keys():
            kind, blob = line.split()[:2]
            self.cloud.admin("guest", zone="us-central1-b", name="train", namespace="hostkeys", key=kind, value=blob)

    def made(self):
        self.nbform("apply -y")
        self.publish()

    def open(self, flags="", key=None):
        """A running connect; its lines of stderr and stdout arrive in queues."""
        process = self.start(f"connect train --no-open -i {key or self.key} {flags}")
        out, err = queue.Queue(), queue.Queue()
        readers = [threading.Thread(target=lines_of, args=pair, daemon=True)
                   for pair in ((process.stdout, out), (process.stderr, err))]
        for reader in readers:
            reader.start()
        self.addCleanup(self.close, process, readers)
        return process, out, err

    def close(self, process, readers):
        if process.poll() is None:
            process.kill()
        process.wait()
        for reader in readers:
            reader.join()
        process.stdout.close()
        process.stderr.close()

    def line(self, lines, words=""):
        """The next line that has the words."""
        seen = []
        with contextlib.suppress(queue.Empty):
            while (line := lines.get(timeout=60)) is not None:
                seen.append(line)
                if words in line:
                    return line
        self.fail(f"no line with '{words}':\n" + "\n".join(seen))

    def end(self, process, number=signal.SIGINT):
        process.send_signal(number)
        return process.wait(20)

    def address(self):
        vm = json.load(urllib.request.urlopen(f"{self.cloud.url}/_nbsim/world", timeout=10))["instances"][0]["wire"]
        return vm["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
