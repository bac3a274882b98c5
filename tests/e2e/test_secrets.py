"""Seeded canaries in every secret that nbform is given: none of them, in any form, in anything that it leaves or shows."""

import base64
import json
import pathlib
import subprocess
import unittest
import urllib.parse

from figures import report
from harness import MANIFEST, EndToEnd

SECRET = MANIFEST.replace("notebooks:", "variables: {api: {secret: true}}\nnotebooks:") + '    metadata: {api: "${var.api}"}\n'
COMMANDS = ("validate", "plan", "plan --json", "plan --full --details", "apply -y --json --log-requests log.jsonl", "plan --json=plan.json",
            "status", "status --json", "show --expanded", "apply -y", "destroy -y --json=events.json --log-requests log.jsonl")


def canary(name):
    """Characters that every encoding writes differently."""
    return f"canary~{name}+/=%{name[::-1]}~9f3c"


def forms(secret):
    """The secret as it may appear: raw, escaped, and base64 at each of the three alignments."""
    raw = secret.encode()
    found = {raw, urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for codec in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            found.add(codec(b"\0" * shift + raw)[4 if shift else 0:-4])
    return found


class Secrets(EndToEnd):
    def setUp(self):
        super().setUp()
        self.left, self.runs = b"", 0
        self.tools = self.home / "bin"
        self.tools.mkdir()
        self.env["PATH"] = f"{self.tools}:/usr/bin:/bin"
        self.env["NBFORM_LOG"] = "requests"
        self.env["NBFORM_VAR_api"] = canary("variable")
        self.env["HTTPS_PROXY"] = f"http://user:{canary('proxy')}@127.0.0.1:1"
        self.manifest(SECRET)

    def keep(self, command, within=60):
        """Runs to the end, however it ends; keeps what it showed."""
        done = self.finish(self.start(command, text=False), within)
        self.left += done.stdout + done.stderr
        self.runs += 1
        return done

    def everything(self):
        """What was shown, and every file that was left."""
        skipped = {self.stack / "main.nb.yaml", self.stack / "values.yaml"}
        files = [path for path in self.stack.rglob("*") if path.is_file() and path not in skipped]
        argv = [path for path in self.tools.glob("*.argv")]
        return self.left + b"".join(path.read_bytes() for path in files + argv)

    def expect_none(self, name, secrets):
        text = self.everything()
        self.assertGreater(len(text), 1000, "something was shown")
        hits = [f"{secret} as {form}" for secret in secrets for form in forms(secret) if form in text]
        self.assertEqual(hits, [])
        report(f"secrets-{name}", [11], {"secrets": len(secrets), "forms of each": len(forms(secrets[0])), "runs": self.runs,
                                         "bytes searched": len(text), "found": len(hits)},
               "canaries in credentials, secret variables and the proxy's password", "sh tests/run.sh --suite e2e")

    def test_a_ready_token(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS")
        token = canary("token")
        cloud.admin("token", token=token)
        self.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = token
        for command in COMMANDS:
            self.assertEqual(self.keep(command).returncode, 0, command)
        self.manifest(SECRET.replace("service: gce", "service: gcee"))
        self.assertEqual(self.keep("validate").returncode, 1)
        self.manifest(SECRET)
        cloud.admin("faults", list=[{"match": {"method": "instances.insert"}, "times": 0, "do": {
            "operation": {"code": "INTERNAL_ERROR", "status": 500, "message": "It broke."}}}])
        self.assertNotEqual(self.keep("apply -y --log-requests log.jsonl").returncode, 0)
        sent = "".join(json.dumps(r["body"]) for r in cloud.requests() if r["body"])
        self.assertIn(canary("variable"), sent, "the cloud does get the value")
        self.expect_none("token", [token, canary("variable"), canary("proxy")])

    def test_a_key_file(self):
        self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        key = json.loads(pathlib.Path(self.env["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())["private_key"]
        for command in COMMANDS:
            self.assertEqual(self.keep(command).returncode, 0, command)
        lines = key.splitlines()[1:-1]
        self.expect_none("key-file", lines[:3] + lines[-2:] + [canary("variable"), canary("proxy")])

    def test_a_user_whose_login_is_refused(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        path = self.home / "adc.json"
        secrets = {"client_secret": canary("client"), "refresh_token": canary("refresh")}
        path.write_text(json.dumps({"type": "authorized_user", "client_id": "id", "token_uri": f"{cloud.url}/token", **secrets}))
        self.env["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
        for command in ("plan --log-requests log.jsonl", "apply -y --log-requests log.jsonl", "status", "destroy -y"):
            self.keep(command)
        self.assertTrue([r for r in cloud.requests() if r["url"] == "/token"], "the token was asked for")
        self.expect_none("user", [*secrets.values(), canary("variable"), canary("proxy")])

    def test_a_token_of_gcloud_and_a_variable_file(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS",
                             "GCE_METADATA_HOST")
        token, value = canary("gcloud"), canary("file")
        cloud.admin("token", token=token)
        gcloud = self.tools / "gcloud"
        gcloud.write_text(f"#!/bin/sh\necho \"$0 $*\" >> {self.tools}/gcloud.argv\necho '{token}'\n")
        gcloud.chmod(0o755)
        (self.stack / "values.yaml").write_text(f"api: {json.dumps(value)}\n")
        for command in ("plan --var-file values.yaml", "apply -y --var-file values.yaml --log-requests log.jsonl", "status"):
            self.assertEqual(self.keep(command).returncode, 0, command + self.left.decode())
        self.assertTrue((self.tools / "gcloud.argv").exists(), "gcloud was asked")
        self.expect_none("gcloud", [token, value, canary("proxy")])

    def test_a_proxy_that_is_not_there(self):
        self.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = canary("token")
        self.env["GOOGLE_CLOUD_PROJECT"] = "acme-ml"
        plan = self.start("plan --log-requests log.jsonl", text=False)
        end = self.stack / "log.jsonl"
        for _ in range(200):
            if end.exists() and end.read_bytes():
                break
            subprocess.run(["sleep", "0.05"], check=True)
        self.interrupt(plan)
        done = self.finish(plan)
        self.left, self.runs = self.left + done.stdout + done.stderr, 1
        self.assertEqual(done.returncode, 130, self.left.decode())
        self.keep("plan --help")
        self.expect_none("proxy", [canary("token"), canary("proxy"), canary("variable")])


if __name__ == "__main__":
    unittest.main()
