"""The user's own ssh and scp through nbform: nbsim is the cloud, a real sshd on loopback the machine, OpenSSH the client."""

import contextlib
import functools
import json
import os
import pty
import shutil
import signal
import subprocess
import threading
import unittest
import urllib.request

import pages
import ssh_machine
from connect_case import ConnectCase
from ssh_machine import USER, Sshd


class SshWays(ConnectCase):
    SSHD = ("Subsystem sftp internal-sftp",)
    LOGIN = "root" if os.getuid() == 0 else USER  # one that can run commands

    def setUp(self):
        super().setUp()
        for end in ("", ".pub"):
            shutil.copy(f"{self.key}{end}", self.home / f".ssh/id_ed25519{end}")
        self.write_stack()

    def other_machine(self):
        sshd = Sshd(*self.SSHD, authorized=[self.key], listen="0.0.0.0", user=self.LOGIN)
        self.addCleanup(sshd.remove)
        return sshd

    def write_stack(self, *names, network="{}", ssh=""):
        self.manifest("nbform: 1\nstack: {name: research, id: 3f9a1c2e}\nnotebooks:\n" + "".join(f"""  {name}:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    network: {network}
    access:
      ssh: {{{ssh}user: {self.LOGIN}, port: {self.sshd.port}, keys: [~/.ssh/id_ed25519.pub]}}
""" for name in names or ("train",)))

    def publish(self, keys=None, name="train"):
        for line in keys or self.sshd.host_keys():
            kind, blob = line.split()[:2]
            self.cloud.admin("guest", zone="us-central1-b", name=name, namespace="hostkeys", key=kind, value=blob)

    def made(self, *names):
        self.nbform("apply -y")
        for name in names or ("train",):
            self.publish(name=name)

    def configured(self, *flags):
        """What a user does once: writes the hosts, and the line that they are told to write."""
        done = self.nbform(" ".join(["connect --ssh-config", *flags]))
        include = next(line.strip() for line in done.stderr.splitlines() if line.strip().startswith("Include"))
        (self.home / ".ssh/config").write_text(include + "\n")
        return done

    def ssh(self, *words, program="ssh", exit=0, input=None):
        done = subprocess.run([program, "-F", self.home / ".ssh/config", "-o", "BatchMode=yes", *words], env=self.env,
                              input=input, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, exit, f"{program} {words}\n{done.stdout}\n{done.stderr}")
        return done

    def conf(self):
        return (self.home / ".ssh/nbform.d/research_3f9a1c2e.conf").read_text()

    def test_ssh_and_scp_know_the_notebook_as_a_host(self):
        self.made()
        self.assertEqual(self.configured().stdout, "nbform-train\n")
        self.assertEqual(self.ssh("nbform-train", "echo", "$((6 * 7))").stdout, "42\n")
        self.assertEqual(self.ssh("nbform-research-train", "cat; exit 3", exit=3, input="through\n").stdout, "through\n")
        big = os.urandom(3 << 20)
        (self.home / "here").write_bytes(big)
        there = self.sshd.place.path / "there"
        self.ssh("-q", self.home / "here", f"nbform-train:{there}", program="scp")
        self.assertEqual(there.read_bytes(), big)
        self.ssh("-q", f"nbform-train:{there}", self.home / "back", program="scp")
        self.assertEqual((self.home / "back").read_bytes(), big)

    def test_a_new_address_changes_nothing_and_a_stopped_machine_says_so(self):
        self.made()
        self.configured()
        before = self.address()
        self.nbform("stop train -y")
        done = self.ssh("nbform-train", "true", exit=255)
        self.assertIn("nbform start train", done.stderr)
        self.nbform("start train")
        self.assertNotEqual(self.address(), before)
        self.assertEqual(self.ssh("nbform-train", "echo here").stdout, "here\n")

    def test_another_host_key_is_refused_by_ssh(self):
        other = self.other_machine()
        self.nbform("apply -y")
        self.publish(other.host_keys())
        self.configured()
        done = self.ssh("nbform-train", "true", exit=255)
        self.assertIn("Host key verification failed", done.stderr)
        self.assertNotIn("Accepted publickey", self.sshd.log())

    def test_a_machine_that_was_replaced_is_not_taken_for_the_old_one(self):
        self.made()
        self.configured()
        self.nbform("destroy -y")
        self.made()
        done = self.ssh("nbform-train", "true", exit=255)
        self.assertIn("It is another machine now", done.stderr)
        self.nbform("connect --ssh-config train")
        self.assertEqual(self.ssh("nbform-train", "echo new").stdout, "new\n")

    def test_what_the_file_holds_and_who_may_read_it(self):
        self.write_stack("train", "eda")
        self.made("train", "eda")
        done = self.configured("eda")
        self.assertEqual(done.stdout, "nbform-eda\n")
        self.assertNotIn("Host nbform-train", self.conf())
        done = self.nbform("connect --ssh-config train")
        self.assertNotIn("Include", done.stderr)  # the line is there
        self.assertIn("Host nbform-train", self.conf())
        self.assertIn("Host nbform-eda", self.conf())
        path = self.home / ".ssh/nbform.d/research_3f9a1c2e.conf"
        self.assertEqual((path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777), (0o600, 0o700))
        self.write_stack("train")
        told = json.loads(self.nbform("connect --ssh-config --json").stdout)
        self.assertEqual([host["host"] for host in told["hosts"]], ["nbform-train"])
        self.assertEqual(told["file"], str(path))
        self.assertNotIn("Host nbform-eda", self.conf())

    def test_a_short_name_of_another_stack_stays_its_own(self):
        self.made()
        (self.home / ".ssh/nbform.d").mkdir()
        (self.home / ".ssh/nbform.d/other.conf").write_text("Host nbform-train nbform-other-train\n  User x\n")
        self.assertEqual(self.configured().stdout, "nbform-research-train\n")
        self.assertIn("\nHost nbform-research-train\n", self.conf())

    def test_a_directory_with_an_awkward_name(self):
        odd = self.home / "it's 100% $(touch evil) \"mine\""
        self.stack.rename(odd)
        self.stack = odd
        self.made()
        self.configured()
        self.assertEqual(self.ssh("nbform-train", "echo here").stdout, "here\n")
        self.assertEqual(list(self.home.rglob("evil")), [])

    def test_nothing_listens_and_nothing_is_made(self):
        done = self.nbform("connect --stdio train", exit=1)
        self.assertIn("nbform apply --target train", done.stderr)
        self.assertEqual(done.stdout, "")
        self.made()
        self.sshd.stop()
        done = self.nbform("connect --stdio train", exit=1)
        self.assertIn("Nothing listens for SSH", done.stderr)
        self.assertIn("Which notebook?", self.nbform("connect", exit=1).stderr)


    def test_variables_come_from_a_file_or_not_at_all(self):
        text = (self.stack / "main.nb.yaml").read_text()
        self.manifest("nbform: 1\nvariables: {zone: {}}\n" + text.removeprefix("nbform: 1\n").replace("us-central1-b", "${var.zone}"))
        self.env["NBFORM_VAR_zone"] = "us-central1-b"
        self.made()
        del self.env["NBFORM_VAR_zone"]
        done = self.nbform("connect --ssh-config --var zone=us-central1-b", exit=1)
        self.assertIn("--var-file FILE", done.stderr)
        self.assertEqual(self.nbform("ssh --var zone=us-central1-b train echo given").stdout, "given\n")
        (self.stack / "v.yaml").write_text("zone: us-central1-b\n")
        self.configured("--var-file", "v.yaml")
        self.assertEqual(self.ssh("nbform-train", "echo kept").stdout, "kept\n")

    def test_a_machine_without_a_public_address_is_reached_through_the_relay(self):
        self.write_stack(network="{public_ip: false}", ssh="allow_from: [10.8.0.0/16], ")
        self.made()
        self.configured()
        self.assertNotIn("HostName", self.conf())
        self.assertEqual(self.ssh("nbform-train", "echo by the relay").stdout, "by the relay\n")
        self.assertEqual(self.nbform("ssh train echo so does this; exit 4", exit=4).stdout, "so does this\n")
        big = os.urandom(1 << 20)
        (self.home / "here").write_bytes(big)
        there = self.sshd.place.path / "there"
        self.ssh("-q", self.home / "here", f"nbform-train:{there}", program="scp")
        self.assertEqual(there.read_bytes(), big)
        self.cloud.admin("deny", permission="iap.tunnelInstances.accessViaIAP")
        self.assertIn("iap.tunnelInstances.accessViaIAP", self.ssh("nbform-train", "true", exit=255).stderr)

    def test_nbform_ssh_is_ssh(self):
        self.made()
        self.assertEqual(self.nbform("ssh train echo $((6*7)) -n").stdout, "42 -n\n")
        self.assertEqual(self.nbform("ssh train exit 7", exit=7).stdout, "")
        said = self.home / "said"
        said.write_text("through\n")
        with said.open() as stdin:
            self.assertEqual(self.finish(self.start("ssh train cat", stdin=stdin)).stdout, "through\n")
        self.nbform("stop train -y")
        self.assertIn("nbform start train", self.nbform("ssh train", exit=1).stderr)
        self.assertIn("Did you mean train?", self.nbform("ssh trian", exit=1).stderr)

    def test_nbform_ssh_hands_over_the_terminal(self):
        self.made()
        master, slave = pty.openpty()
        process = self.start("ssh train", stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.addCleanup(os.close, master)
        os.write(master, b"test -t 0 && echo tty-$((40+2)); exit 5\n")
        seen = b""
        with contextlib.suppress(OSError):  # its end
            while b"tty-42" not in seen:
                seen += os.read(master, 4096)
        self.assertIn(b"tty-42", seen)
        self.assertEqual(process.wait(30), 5)

    def test_nbform_ssh_verifies_the_host_key(self):
        other = self.other_machine()
        self.nbform("apply -y")
        self.publish(other.host_keys())
        done = self.nbform("ssh train true", exit=255)
        self.assertIn("Host key verification failed", done.stderr)

    def test_logs_show_the_serial_port(self):
        self.nbform("apply -y")
        print_ = functools.partial(self.cloud.admin, "console", zone="us-central1-b", name="train")
        print_(text="first\r\n\x1b[1;31mred\x1b[0m\ttab \x1b]0;owned\x07bell\x08\nlogin: ")
        self.assertEqual(self.nbform("logs train").stdout, "first\nred     tab bell\\x08\nlogin: \n")
        self.assertEqual(self.nbform("logs train -n 1").stdout, "login: \n")
        self.assertEqual(json.loads(self.nbform("logs train --json -n 1").stdout), {"notebook": "train", "line": "login: "})
        process = self.start("logs train -f -n 1")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.assertEqual(process.stdout.readline(), "red     tab bell\\x08\n")
        print_(text="root\nsecond\n")
        self.assertEqual(process.stdout.readline(), "login: root\n")
        self.assertEqual(process.stdout.readline(), "second\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0)
        asked = [r["url"] for r in self.cloud.requests() if "/serialPort" in r["url"]]
        self.assertNotIn("start=0", asked[-1])  # what was read is not read again
        self.cloud.admin("deny", permission="compute.instances.getSerialPortOutput")
        self.assertIn("compute.instances.getSerialPortOutput", self.nbform("logs train", exit=1).stderr)

    def test_logs_show_the_console_of_an_instance(self):
        self.manifest("""nbform: 1
stack: {name: research, id: 3f9a1c2e}
clouds: {aws: {region: us-west-2}}
notebooks:
  dlami: {service: ec2, where: us-west-2a, machine: t3.medium}
""")
        self.nbform("apply -y")
        machine = json.loads(self.nbform("status --json").stdout)["notebooks"][0]["id"]
        self.cloud.admin("console", name=machine, text="kernel panic\n")
        self.cloud.admin("clock", advance="1m")
        self.assertIn("BEGIN SSH HOST KEY KEYS", self.nbform("logs dlami").stdout)
        self.assertEqual(self.nbform("logs dlami -n 1").stdout, "kernel panic\n")
        self.cloud.admin("deny", permission="ec2:GetConsoleOutput")
        self.assertIn("ec2:GetConsoleOutput", self.nbform("logs dlami", exit=1).stderr)

    def jupyter(self):
        port = pages.serve(self)
        text = (self.stack / "main.nb.yaml").read_text()
        self.manifest(text + f'      tunnel: "{ssh_machine.free_port()}:{port}"\n')

    def opened(self, command):
        """A connection that is open, and its URL."""
        process = self.start(command)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        threading.Thread(target=process.stderr.read, daemon=True).start()
        for line in process.stdout:
            if line.startswith("http://127.0.0.1:"):
                return process, line.strip()
        self.fail(f"{command}: no URL")

    def status(self):
        return json.loads(self.nbform("status --json").stdout)["notebooks"][0]

    def test_status_knows_the_open_connections(self):
        self.jupyter()
        self.made()
        process, url = self.opened("connect train --no-open")
        [tunnel] = self.status()["tunnels"]
        self.assertEqual((tunnel["url"], tunnel["process"]), (url, process.pid))
        self.assertIn(f"open at {url}", self.nbform("status").stdout)
        listed = self.home / "run/nbform"
        self.assertEqual(listed.stat().st_mode & 0o777, 0o700)
        self.assertEqual([path.stat().st_mode & 0o777 for path in listed.iterdir()], [0o600])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(list(listed.iterdir()), [])
        self.assertEqual(self.status()["tunnels"], [])

    def test_what_a_killed_connection_leaves_is_removed(self):
        self.jupyter()
        self.made()
        process, _ = self.opened("connect train --no-open")
        listed = self.home / "run/nbform"
        process.kill()
        process.wait()
        self.assertEqual(len(list(listed.iterdir())), 1)
        self.assertEqual(self.status()["tunnels"], [])
        self.assertEqual(list(listed.iterdir()), [])

    def test_apply_connects_once_all_is_applied(self):
        self.jupyter()
        self.nbform("apply -y")  # only so that its host keys can be published
        self.publish()
        self.nbform("stop train -y")
        self.nbform("start train")
        process, url = self.opened("apply -y --connect train")
        with urllib.request.urlopen(url + "api", timeout=20) as answer:
            self.assertIn("version", json.load(answer))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0)
        before = self.cloud.mutations()
        self.assertIn("Did you mean train?", self.nbform("apply -y --connect trian", exit=1).stderr)
        self.assertIn("--destroy", self.nbform("apply -y --destroy --connect train", exit=1).stderr)
        self.assertEqual(self.cloud.mutations(), before)


if __name__ == "__main__":
    unittest.main()
