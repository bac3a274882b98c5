"""Who signs in without a key in the manifest: nbsim is the cloud, a real sshd on loopback the machine, and a thread here its
guest agent, which lets in whom the metadata, or OS Login, names."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import threading
import time
import unittest
import urllib.request

import pages
import ssh_machine
from connect_case import ConnectCase
from harness import KEY
from ssh_machine import USER, keygen

LINE = re.compile(r'(\S+?):(ssh-\S+ \S+) google-ssh \{"userName":"nbform-connect","expireOn":"(\S+)"\}$')


class GuestAgent:
    """Writes the machine's authorized_keys from the simulated cloud, five times a second."""

    def __init__(self, cloud, path, login):
        self.cloud, self.path, self.login = cloud, path, login
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.2):
            with contextlib.suppress(OSError, IndexError, KeyError):
                fresh = self.path.with_suffix(".new")  # sshd never sees half of it
                fresh.write_text("".join(key + "\n" for key in self.keys()))
                fresh.replace(self.path)

    def keys(self):
        world = json.load(urllib.request.urlopen(f"{self.cloud.url}/_nbsim/world", timeout=10))
        items = {i["key"]: i["value"] for i in world["instances"][0]["wire"]["metadata"].get("items", [])}
        project = world["logins"]["project_metadata"].get("acme-ml", {})
        if items.get("enable-oslogin", project.get("enable-oslogin")) == "TRUE":
            return [key["key"] for held in world["logins"]["keys"].values() for key in held.values()]
        mine = (line.split(":", 1)[1] for line in items.get("ssh-keys", "").split("\n") if line.startswith(self.login + ":"))
        return [key for key in mine if not re.search(r'"expireOn":"20[01]', key)]

    def stop(self):
        self.over.set()
        self.thread.join()


class Keys(ConnectCase):
    LOGIN = "root" if os.getuid() == 0 else USER  # one that can run commands

    def setUp(self):
        super().setUp()
        self.jupyter = pages.serve(self)
        agent = GuestAgent(self.cloud, self.sshd.place.path / "authorized_keys", self.LOGIN)
        self.addCleanup(agent.stop)
        self.write_stack()

    def write_stack(self, ssh=""):
        self.manifest(f"""nbform: 1
stack: {{name: research, id: 3f9a1c2e}}
notebooks:
  train:
    service: gce
    where: us-central1-b
    machine: e2-standard-2
    access:
      ssh: {{user: {self.LOGIN}, port: {self.sshd.port}{ssh}}}
      tunnel: "{ssh_machine.free_port()}:{self.jupyter}"
""")

    def open_plain(self):
        """A running connect that was told of no key."""
        return self.talk("connect train --no-open")

    def made_by_somebody_else(self):
        """The key at home when it was made has no private half here."""
        self.made()
        (self.home / ".ssh/id_ed25519.pub").unlink()

    def has_key(self, kind="ed25519"):
        for end in ("", ".pub"):
            shutil.copy(f"{self.key}{end}", self.home / f".ssh/id_{kind}{end}")
        return " ".join((self.home / f".ssh/id_{kind}.pub").read_text().split()[:2])

    def metadata(self):
        world = json.load(urllib.request.urlopen(f"{self.cloud.url}/_nbsim/world", timeout=10))
        return {i["key"]: i["value"] for i in world["instances"][0]["wire"]["metadata"].get("items", [])}

    def lines(self):
        return self.metadata()["ssh-keys"].split("\n")

    def write_metadata(self, **changes):
        """As gcloud would, beside nbform."""
        items = {**self.metadata(), **{key.replace("_", "-"): value for key, value in changes.items()}}
        url = f"{self.cloud.url}/compute/v1/projects/acme-ml/zones/us-central1-b/instances/train"
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
        vm = json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10))
        body = {"fingerprint": vm["metadata"]["fingerprint"], "items": [{"key": k, "value": v} for k, v in items.items()]}
        urllib.request.urlopen(urllib.request.Request(url + "/setMetadata", json.dumps(body).encode(), headers), timeout=10)
        ssh_machine.until(lambda: self.metadata() == items, "the metadata")

    def imports(self):
        return [r for r in self.cloud.requests() if ":importSshPublicKey" in r["url"]]

    def test_connect_lets_its_key_in_and_no_plan_sees_it(self):
        self.made_by_somebody_else()
        key = self.has_key()
        before = self.lines()
        process, out, err = self.open_plain()
        said = self.line(err, "  key ")
        self.assertRegex(said, r"~/\.ssh/id_ed25519 until \d\d-\d\d \d\d:\d\d UTC, metadata  ")
        self.line(err, f"{self.LOGIN}@{self.address()}")
        self.assertEqual(self.get(self.line(out, "http://127.0.0.1:")), "/tree")
        self.assertEqual(self.end(process), 0)
        *rest, ours = self.lines()
        self.assertEqual(rest, before)
        user, written, until = LINE.match(ours).groups()
        self.assertEqual((user, written), (self.LOGIN, key))
        left = time.mktime(time.strptime(until, "%Y-%m-%dT%H:%M:%S+0000")) - time.mktime(time.gmtime())
        self.assertTrue(23 * 3600 < left <= 24 * 3600, until)
        self.expect_settled(self.cloud)
        # A second time there is nothing to write.
        writes = self.cloud.mutations()
        process, out, err = self.open_plain()
        self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.cloud.mutations(), writes)

    def test_an_apply_that_asks_meanwhile_goes_on(self):
        self.made_by_somebody_else()
        self.has_key()
        text = (self.stack / "main.nb.yaml").read_text()
        self.manifest(text.replace("    access:", "    labels: {team: research}\n    metadata: {flavour: mild}\n    access:"))
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        applying = self.start("apply", stdin=slave)
        os.close(slave)
        asked = ""
        while "Type yes: " not in asked:
            asked += applying.stderr.read(1)
        self.nbform("ssh train true")
        lines = self.lines()
        self.assertRegex(lines[-1], LINE)
        os.write(master, b"yes\n")
        self.assertEqual(self.finish(applying).returncode, 0)
        self.assertEqual((self.lines(), self.metadata()["flavour"]), (lines, "mild"))
        self.expect_settled(self.cloud)

    def test_what_is_over_goes_and_what_others_wrote_stays(self):
        self.made_by_somebody_else()
        key = self.has_key()
        over = 'ana:ssh-ed25519 AAAAC3old google-ssh {"userName":"nbform-connect","expireOn":"2020-01-01T00:00:00+0000"}'
        others = ["bob:ssh-rsa AAAAB3 bob@laptop  ", "", "\t odd : line",
                  'eve:ssh-ed25519 AAAAC3eve google-ssh {"userName":"eve@x.y","expireOn":"2020-01-01T00:00:00+0000"}']
        managed = self.lines()
        self.write_metadata(ssh_keys="\n".join([others[0], over, *others[1:], *managed]))
        self.assertEqual(self.nbform("ssh train echo in").stdout, "in\n")
        *rest, ours = self.lines()
        self.assertEqual(rest, others + managed)
        self.assertIn(key, ours)

    def test_a_key_that_is_there_is_used(self):
        key = self.has_key()
        self.made()
        before = self.cloud.mutations()
        self.assertEqual(self.nbform("ssh train echo in").stdout, "in\n")
        self.assertEqual(self.cloud.mutations(), before)
        self.assertEqual(self.lines(), [f"{self.LOGIN}:{key} nbform:research_3f9a1c2e"])

    def test_who_has_no_key_gets_one(self):
        self.made_by_somebody_else()
        done = self.nbform("ssh train echo in")
        self.assertEqual(done.stdout, "in\n")
        own = self.home / ".local/state/nbform/id_ed25519"
        self.assertIn(f"There was no SSH key: nbform made one, {own}.", done.stderr)
        self.assertEqual((own.stat().st_mode & 0o777, own.parent.stat().st_mode & 0o777), (0o600, 0o700))
        half = subprocess.run(["ssh-keygen", "-y", "-f", own], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(own.with_suffix(".pub").read_text().split(), half)
        self.assertIn(" ".join(half[:2]), self.lines()[-1])
        text = own.read_text()
        process, out, err = self.open_plain()  # libssh2 reads it too
        self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(own.read_text(), text)

    def test_another_writer_is_read_again(self):
        self.made_by_somebody_else()
        self.has_key()
        self.cloud.admin("faults", list=[{"match": {"method": "instances.setMetadata"}, "do": {"status": 412, "error": {
            "code": "conditionNotMet", "message": "Supplied fingerprint does not match current metadata fingerprint."}}}])
        self.assertEqual(self.nbform("ssh train echo in").stdout, "in\n")
        self.assertEqual(len([m for m in self.cloud.mutations() if m.endswith("setMetadata")]), 2)

    def test_a_missing_permission_is_named(self):
        self.made_by_somebody_else()
        self.has_key()
        before = self.metadata()
        self.cloud.admin("deny", permission="compute.instances.setMetadata")
        done = self.nbform("connect train --no-open", exit=1)
        self.assertIn("You may not let your key in through the VM's metadata", done.stderr)
        self.assertIn("compute.instances.setMetadata", done.stderr)
        self.assertIn("iam.serviceAccounts.actAs", done.stderr)
        self.assertEqual(self.metadata(), before)

    def test_a_manifest_that_names_keys_is_left_alone(self):
        self.write_stack(ssh=', keys: ["' + KEY.strip() + '"]')
        self.made()
        self.has_key()
        before = self.cloud.mutations()
        self.assertIn("Permission denied (publickey)", self.nbform("ssh train true", exit=255).stderr)
        self.assertEqual(self.cloud.mutations(), before)

    def test_a_key_of_the_agent_is_let_in(self):
        self.made_by_somebody_else()
        started = subprocess.run(["ssh-agent", "-s", "-a", self.home / "agent"], capture_output=True, text=True, check=True)
        pid = re.search(r"SSH_AGENT_PID=(\d+)", started.stdout)[1]
        self.addCleanup(os.kill, int(pid), 15)
        self.env["SSH_AUTH_SOCK"] = str(self.home / "agent")
        subprocess.run(["ssh-add", "-q", self.key], env=self.env, check=True)
        process, out, err = self.open_plain()
        self.assertIn("mine (agent)", self.line(err, "  key "))
        self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.end(process), 0)
        self.assertFalse((self.home / ".local/state/nbform").exists())

    def test_ssh_through_its_configuration(self):
        """What --ssh-config writes is let in when ssh comes."""
        self.made_by_somebody_else()
        before = self.cloud.mutations()
        done = self.nbform("connect --ssh-config")
        self.assertIn("There was no SSH key: nbform made one", done.stderr)
        self.assertEqual(self.cloud.mutations(), before)
        conf = self.home / ".ssh/nbform.d/research_3f9a1c2e.conf"
        self.assertIn(f"IdentityFile {self.home}/.local/state/nbform/id_ed25519", conf.read_text())
        done = subprocess.run(["ssh", "-F", conf, "-o", "BatchMode=yes", "nbform-train", "echo in"], env=self.env,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "in\n", done.stderr)
        self.assertIn("UTC, metadata", done.stderr)

    def test_a_named_key_is_the_one_that_is_let_in_when_ssh_comes(self):
        self.made_by_somebody_else()
        self.has_key()  # another one, at home
        named = keygen(self.home / "named")
        self.nbform(f"connect --ssh-config -i {named}")
        conf = self.home / ".ssh/nbform.d/research_3f9a1c2e.conf"
        done = subprocess.run(["ssh", "-F", conf, "-o", "BatchMode=yes", "nbform-train", "echo in"], env=self.env,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "in\n", done.stderr)
        blob = named.with_suffix(".pub").read_text().split()[1]
        self.assertEqual([blob in line for line in self.lines() if "nbform-connect" in line], [True])

    def test_os_login_names_who_signs_in(self):
        self.manifest((self.stack / "main.nb.yaml").read_text().replace(f"user: {self.LOGIN}", "user: ana"))
        self.made_by_somebody_else()
        key = self.has_key()
        self.cloud.admin("project", key="enable-oslogin", value="TRUE")
        self.cloud.admin("posix", email=self.account(), username=self.LOGIN)
        metadata = self.metadata()
        process, out, err = self.open_plain()
        self.line(err, "UTC, OS Login")
        self.line(err, f"OS Login rules the names: {self.LOGIN} signs in, not ana as access.ssh.user has it.")
        self.line(err, f"{self.LOGIN}@{self.address()}")
        self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.metadata(), metadata)
        [asked] = self.imports()
        self.assertIn("projectId=acme-ml", asked["url"])
        self.assertEqual(self.logins()[self.account()].popitem()[1]["key"], key)
        self.expect_settled(self.cloud)
        self.nbform("connect --ssh-config")
        self.assertIn(f"  User {self.LOGIN}\n", (self.home / ".ssh/nbform.d/research_3f9a1c2e.conf").read_text())

    def account(self):
        request = urllib.request.Request(f"{self.cloud.url}/oauth2/v3/userinfo", headers={"Authorization": "Bearer sandbox"})
        return json.load(urllib.request.urlopen(request, timeout=10))["email"]

    def logins(self):
        return json.load(urllib.request.urlopen(f"{self.cloud.url}/_nbsim/world", timeout=10))["logins"]["keys"]

    def test_what_os_login_wants_is_named(self):
        self.made_by_somebody_else()
        self.has_key()
        self.write_metadata(enable_oslogin="TRUE")
        self.cloud.admin("deny", permission="compute.instances.osLogin")
        done = self.nbform("ssh train true", exit=1)
        self.assertIn("roles/compute.osLogin", done.stderr)
        self.assertIn("roles/iam.serviceAccountUser", done.stderr)
        self.cloud.admin("deny", permission="")
        self.write_metadata(enable_oslogin_2fa="TRUE")
        done = self.nbform("connect train --no-open", exit=1)
        self.assertIn("enable-oslogin-2fa", done.stderr)
        self.assertEqual(self.logins(), {})

    def test_a_key_goes_to_no_live_service_beside_a_simulated_machine(self):
        self.made_by_somebody_else()
        self.has_key()
        self.cloud.admin("project", key="enable-oslogin", value="TRUE")
        del self.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_OSLOGIN"]
        done = self.nbform("ssh train true", exit=1)
        self.assertIn("oslogin at https://oslogin.googleapis.com/v1/", done.stderr)


if __name__ == "__main__":
    unittest.main()
