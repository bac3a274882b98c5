"""nbform connect as a user runs it: nbsim is the cloud, a real sshd on this computer's loopback is the machine, and a small
server of HTTP stands for Jupyter."""

import json
import signal
import unittest

import pages
import ssh_machine
from connect_case import ConnectCase
from pages import VERSION
from ssh_machine import USER, Sshd, keygen
from terminal import Terminal


class Connect(ConnectCase):
    def setUp(self):
        super().setUp()
        self.jupyter = pages.serve(self)
        self.behind(self.jupyter)

    def behind(self, port):
        self.declare(f"{ssh_machine.free_port()}:{port}")

    def test_from_a_manifest_to_jupyter(self):
        self.made()
        process, out, err = self.open()
        for words in ("gce us-central1-b", "running", "guest attributes", f"{USER}@{self.address()}", f"version {VERSION}"):
            self.line(err, words)
        url = self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.get(url), "/tree")
        self.line(err, "Ctrl-C ends the connection.")
        self.assertEqual(self.end(process), 0)
        with self.assertRaises(OSError):
            self.get(url)

    def test_one_known_key_is_enough(self):
        """The machine has keys of two sorts, and the library prefers the one that nobody published."""
        self.nbform("apply -y")
        self.publish([line for line in self.sshd.host_keys() if line.startswith("ssh-ed25519")])
        process, out, _ = self.open()
        self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.end(process), 0)

    def test_a_new_address_only_interrupts(self):
        self.made()
        process, out, err = self.open()
        url = self.line(out, "http://127.0.0.1:")
        before = self.address()
        self.nbform("stop train -y")
        self.sshd.signal_sessions(signal.SIGKILL)
        self.line(err, "connection lost")
        self.line(err, "waiting for the machine: stopped")
        self.nbform("start train")
        self.line(err, "connected again")
        self.assertNotEqual(self.address(), before)
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(process), 0)

    def test_another_host_key_ends_it(self):
        other = Sshd(authorized=[self.key])
        self.addCleanup(other.remove)
        self.nbform("apply -y")
        self.publish(other.host_keys())
        done = self.nbform(f"connect train --no-open -i {self.key}", exit=1)
        self.assertIn("It is not the machine that answers", done.stderr)
        self.assertEqual(done.stderr.count("SHA256:"), 3, done.stderr)
        self.assertNotIn("Accepted publickey", self.sshd.log())

    def test_on_ec2_the_console_tells_the_host_key(self):
        """The sshd is not the instance, whose simulated console shows another key."""
        self.manifest(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
clouds: {{aws: {{region: us-west-2}}}}
notebooks:
  dlami:
    service: ec2
    where: us-west-2a
    machine: t3.medium
    access: {{ssh: {{port: {self.sshd.port}}}}}
""")
        self.nbform("apply -y")
        done = self.nbform(f"connect dlami --no-open -i {self.key}", exit=1)
        self.assertIn("console output", done.stderr)
        self.assertIn("It is not the machine that answers", done.stderr)
        self.assertIn("remove the lines of\n    ec2/i-", done.stderr)
        self.assertNotIn("Accepted publickey", self.sshd.log())

    def test_a_key_that_nobody_shows_is_trusted_only_when_told(self):
        self.nbform("apply -y")
        self.cloud.admin("deny", permission="compute.instances.getGuestAttributes")
        self.cloud.admin("deny", permission="compute.instances.getSerialPortOutput")
        done = self.nbform(f"connect train --no-open -i {self.key}", exit=1)
        self.assertIn("compute.instances.getGuestAttributes", done.stderr)
        self.assertIn("--accept-new-host-key", done.stderr)
        process, out, err = self.open("--accept-new-host-key")
        self.line(err, "accepted: ")
        self.line(out, "http://")
        self.assertEqual(self.end(process), 0)
        process, out, err = self.open()
        self.line(err, "verified before")
        self.assertEqual(self.end(process), 130)

    def test_a_boot_that_has_not_written_the_keys_yet_is_waited_for(self):
        known = self.sshd.place.path / "authorized_keys"
        line = known.read_text()
        known.write_text("")
        self.made()
        process, _, err = self.open()
        self.line(err, "the machine knows none of the keys yet")
        known.write_text(line)
        self.line(err, f"version {VERSION}")
        self.assertEqual(self.end(process), 0)

    def test_a_refused_key_says_what_was_tried(self):
        self.cloud.admin("clock", offset="-5m")  # the machine started that long ago
        self.made()
        stranger = keygen(self.keys.path / "stranger")
        done = self.nbform(f"connect train --no-open -i {stranger}", exit=1)
        self.assertIn("stranger", done.stderr)
        self.assertIn("keys: [KEY.pub]", done.stderr)

    def test_jupyter_that_comes_late_is_waited_for(self):
        late = ssh_machine.free_port()
        self.behind(late)
        self.made()
        process, out, err = self.open()
        self.line(err, f"nothing answers on port {late} yet")
        pages.serve(self, late)
        self.line(err, f"version {VERSION}")
        self.assertEqual(self.end(process), 0)

    def test_what_is_not_there_or_off_says_the_next_command(self):
        done = self.nbform("connect train", exit=1)
        self.assertIn("nbform apply --target train", done.stderr)
        self.made()
        self.nbform("stop train -y")
        done = self.nbform("connect train", exit=1)
        self.assertIn("nbform connect train --start", done.stderr)
        process, _, err = self.open("--start -y")
        self.line(err, "Ctrl-C ends the connection.")
        self.assertEqual(self.end(process), 0)
        done = self.nbform("connect trian", exit=1)
        self.assertIn("Did you mean train?", done.stderr)

    def test_json_and_further_ports(self):
        self.made()
        process, out, _ = self.open(f"--json -L {ssh_machine.free_port()}:127.0.0.1:{self.jupyter}")
        told = json.loads(self.line(out))
        self.assertEqual((told["notebook"], len(told["ports"])), ("train", 2))
        self.assertEqual(self.get(f"http://127.0.0.1:{told['ports'][1]}/"), "/tree")
        self.assertEqual(self.end(process), 0)

    def at_terminal(self, flags):
        terminal = Terminal(f"connect train --no-open {flags}", self.stack, self.env)
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        return terminal

    def test_a_passphrase_is_asked_until_it_is_right_and_never_shown(self):
        key = keygen(self.keys.path / "locked", passphrase="open sesame")
        self.sshd.authorize(key)
        self.made()
        terminal = self.at_terminal(f"-i {key}").expect("Passphrase of")
        terminal.type("close sesame")
        terminal.expect("That is not it. Passphrase of").type("open sesame")
        terminal.expect("Ctrl-C ends the connection.").press_interrupt()
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertNotIn("sesame", terminal.text)

    def test_what_is_not_there_is_made_after_a_yes_only(self):
        terminal = self.at_terminal("").expect("Create it? [y/N]")
        terminal.type("n")
        self.assertEqual(terminal.finish(), 1, terminal.text)
        self.assertEqual(self.cloud.names("instances"), [])
        terminal = self.at_terminal(f"-i {self.key}").expect("Create it? [y/N]")
        terminal.type("y")
        terminal.expect("Type yes").type("yes")
        terminal.expect("not written yet", 60)
        self.publish()
        terminal.expect("Ctrl-C ends the connection.").press_interrupt()
        self.assertEqual(terminal.finish(), 0, terminal.text)

    def test_y_makes_it_and_connects(self):
        process, out, err = self.talk(f"connect train --no-open -y -i {self.key}")
        self.line(err, "not written yet")
        self.publish()
        self.line(out, "Done in")
        self.assertEqual(self.get(self.line(out, "http://127.0.0.1:")), "/tree")
        self.assertEqual(self.end(process), 0)


if __name__ == "__main__":
    unittest.main()
