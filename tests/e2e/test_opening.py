"""`allow_from: me`: nbform opens the firewall for the caller while it is connected, and closes it again. nbsim is the cloud, a
real sshd on loopback the machine; nbsim tells the caller's address."""

import json
import os
import shutil
import signal
import time
import unittest

import pages
import ssh_machine
from connect_case import ConnectCase
from ssh_machine import USER

ADDRESS = "203.0.113.99/32"
ME = "allow_from: [me], "


def members(value):
    """Every object in it."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(item)


class Opening(ConnectCase):
    SSHD = ("Subsystem sftp internal-sftp",)
    LOGIN = "root" if os.getuid() == 0 else USER  # one that can run commands

    def setUp(self):
        super().setUp()
        self.jupyter = pages.serve(self)
        self.let_me_in()

    def let_me_in(self, ssh=ME, network="{}", names=("train",)):
        self.manifest("nbform: 1\nstack: {name: research, id: 3f9a1c2e}\nnotebooks:\n" + "".join(f"""  {name}:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    network: {network}
    access:
      ssh: {{{ssh}user: {self.LOGIN}, port: {self.sshd.port}, keys: [~/.ssh/id_ed25519.pub]}}
      tunnel: "{ssh_machine.free_port()}:{self.jupyter}"
""" for name in names))

    def openings(self):
        """Who is let in to what, by rules of connects."""
        rules = [item["wire"] for item in self.cloud._open("world")["firewalls"]]
        return sorted((rule["description"].split("/")[1], *rule["sourceRanges"], *rule["allowed"][0]["ports"])
                      for rule in rules if "-firewall-me-" in rule["name"])

    def openings_of_group(self):
        """The same of EC2's security groups, as texts."""
        rules = [item for item in members(self.cloud._open("world")["aws"]) if "securityGroupRuleId" in item]
        return [f"{rule['ipProtocol']} {rule['toPort']} {rule['cidrIpv4']}" for rule in rules
                if rule.get("description", "").startswith("nbform connect")]

    def connected(self, name="train"):
        process, out, err = self.talk(f"connect {name} --no-open -i {self.key}")
        url = self.line(out, "http://127.0.0.1:")
        return process, url, err

    def refused(self, name="train"):
        return self.nbform(f"connect {name} --no-open -i {self.key}", exit=1).stderr

    def test_it_is_open_while_connected_and_no_plan_minds(self):
        self.made()
        process, url, err = self.connected()
        self.line(err, f"{ADDRESS} is let in while this runs")
        self.assertEqual(self.openings(), [("train", ADDRESS, str(self.sshd.port))])
        self.assertEqual(self.get(url), "/tree")
        self.expect_settled(self.cloud)
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.openings(), [])

    def test_what_a_killed_run_left_is_closed_by_the_next_one_of_whatever_notebook(self):
        self.let_me_in(names=("train", "eda"))
        self.nbform("apply -y")
        for name in ("train", "eda"):
            for key in self.sshd.host_keys():
                kind, blob = key.split()[:2]
                self.cloud.admin("guest", zone="us-central1-b", name=name, namespace="hostkeys", key=kind, value=blob)
        process, _, _ = self.connected()
        self.end(process, signal.SIGKILL)
        self.assertEqual([name for name, *_ in self.openings()], ["train"])
        process, _, _ = self.connected("eda")
        self.assertEqual([name for name, *_ in self.openings()], ["eda"])
        self.end(process, signal.SIGKILL)
        process, _, _ = self.connected("eda")
        self.assertEqual([name for name, *_ in self.openings()], ["eda"])
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.openings(), [])

    def test_two_connections_share_it(self):
        self.made()
        first, _, _ = self.connected()
        self.let_me_in()  # another local port
        second, url, _ = self.connected()
        self.assertEqual(len(self.openings()), 1)
        self.assertEqual(self.end(first), 0)
        self.assertEqual(len(self.openings()), 1)
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(second), 0)
        self.assertEqual(self.openings(), [])

    def test_ctrl_c_before_jupyter_answers_closes_it_too(self):
        self.made()
        self.sshd.stop()
        process, _, err = self.open()
        self.line(err, "is let in while this runs")
        self.assertEqual(self.end(process), 130)
        self.assertEqual(self.openings(), [])

    def test_ctrl_c_while_it_is_being_opened_closes_it_once_it_is(self):
        self.made()
        self.cloud.admin("faults", list=[{"match": {"method": "firewalls.insert"}, "do": {"delay": "2s"}}])
        for command in (f"connect train --no-open -i {self.key}", "connect --stdio train"):
            before = self.inserts()
            process, _, err = self.talk(command)
            ssh_machine.until(lambda: self.inserts() > before, "a rule on its way")
            time.sleep(0.5)
            self.assertEqual(self.end(process), 130)
            time.sleep(2.5)
            self.assertEqual(self.openings(), [], command)
            self.cloud.admin("faults", list=[{"match": {"method": "firewalls.insert"}, "do": {"delay": "2s"}}])

    def inserts(self):
        return len([d for d in self.cloud.compute() if "firewalls" in d["path"] and d["method"] == "POST"])

    def test_what_is_missing_is_said(self):
        self.let_me_in(ssh="")
        self.made()
        self.let_me_in()
        self.assertIn("nbform apply", self.refused())  # the VM has no tag yet
        self.nbform("apply -y")
        self.cloud.admin("deny", permission="compute.firewalls.create")
        said = self.refused()
        self.assertIn("The firewall may not be opened", said)
        self.assertIn("compute.firewalls.list, .create and .delete", said)
        self.env["NBFORM_CHECKIP_URL"] = f"{self.cloud.url}/_nbsim/nothing"
        self.assertIn("access: {ssh: {allow_from: [ADDRESS/32]}}", self.refused())

    def test_without_a_public_address_it_is_the_relay_that_is_let_in(self):
        self.let_me_in(network="{public_ip: false}")
        self.made()
        process, url, err = self.connected()
        self.line(err, "35.235.240.0/20 is let in while this runs")
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.openings(), [])

    def test_ssh_and_scp_open_it_too(self):
        for end in ("", ".pub"):
            shutil.copy(f"{self.key}{end}", self.home / f".ssh/id_ed25519{end}")
        self.made()
        running = self.start("ssh train sleep 4; echo done")
        ssh_machine.until(lambda: self.openings() == [("train", ADDRESS, str(self.sshd.port))], "an open firewall")
        self.assertEqual(self.finish(running).stdout, "done\n")
        ssh_machine.until(lambda: not self.openings(), "a closed firewall")

    def test_on_ec2_it_is_open_while_connected_where_nobody_else_is_let_in(self):
        self.manifest(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
clouds: {{aws: {{region: us-west-2}}}}
notebooks:
  dlami:
    service: ec2
    where: us-west-2a
    machine: t3.medium
    access:
      ssh: {{user: {self.LOGIN}, port: {self.sshd.port}}}
      tunnel: "{ssh_machine.free_port()}:{self.jupyter}"
""")
        self.nbform("apply -y")
        shown = [line.split()[:2] for line in self.sshd.host_keys()]
        text = "\n".join(["-----BEGIN SSH HOST KEY KEYS-----", *map(" ".join, shown), "-----END SSH HOST KEY KEYS-----", ""])
        self.cloud.admin("console", text=text,
                         name=json.loads(self.nbform("status --json").stdout)["notebooks"][0]["id"])
        self.cloud.admin("clock", advance="1m")
        process, url, err = self.connected("dlami")
        self.line(err, f"{ADDRESS} is let in while this runs")
        self.assertEqual(self.openings_of_group(), [f"tcp {self.sshd.port} {ADDRESS}"])
        self.assertEqual(self.get(url), "/tree")
        self.nbform("plan --detailed-exitcode")
        self.end(process, signal.SIGKILL)
        self.assertEqual(len(self.openings_of_group()), 1)
        process, _, _ = self.connected("dlami")
        self.assertEqual(len(self.openings_of_group()), 1)
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.openings_of_group(), [])
        self.cloud.admin("deny", permission="ec2:DescribeVolumes")
        said = self.nbform("plan", exit=1).stderr
        self.assertIn("ec2:DescribeVolumes", said)  # a refused list names what is denied


if __name__ == "__main__":
    unittest.main()
