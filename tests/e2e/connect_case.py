"""A user who connects to the VM "train": nbsim is the cloud, and a real sshd on this computer's loopback is the machine. What
is behind it, and what should come of it, the tests say."""

import json
import unittest
import urllib.request

import ssh_machine
from conversation import Conversation
from ssh_machine import USER, Place, Sshd, keygen


@unittest.skipIf(ssh_machine.missing(), ssh_machine.missing())
class ConnectCase(Conversation):
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

    def declare(self, tunnel, network="{}", ssh="", sshd=None):
        """As in the manifest; `ssh` are more members of access.ssh, each with a comma."""
        self.manifest(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  train:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    disks: {{boot: 200GB}}
    network: {network}
    access:
      ssh: {{{ssh}user: {self.LOGIN}, port: {(sshd or self.sshd).port}, keys: [~/.ssh/id_ed25519.pub]}}
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
        return self.talk(f"connect train --no-open -i {key or self.key} {flags}")

    def get(self, url):
        """The path that the server of pages.py was asked for, through a tunnel."""
        with urllib.request.urlopen(url + "tree", timeout=20) as answer:
            return json.load(answer)["path"]

    def address(self):
        vm = json.load(urllib.request.urlopen(f"{self.cloud.url}/_nbsim/world", timeout=10))["instances"][0]["wire"]
        return vm["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
