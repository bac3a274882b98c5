"""Who nbform says it is, where it sends that, and what it never shows."""

import json
import pathlib
import subprocess
import unittest

from harness import EndToEnd

CANARY = "canary-ya29-0c5f1d"


class Credentials(EndToEnd):
    def test_no_credentials_says_which_command_to_run(self):
        cloud = self.start_cloud()
        self.connect(cloud, "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "GCE_METADATA_HOST")
        done = self.nbform("plan", exit=1)
        self.assertIn("gcloud auth application-default login", done.stderr)
        self.assertEqual(cloud.requests(), [])

    def test_a_key_that_the_cloud_does_not_know(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        path = pathlib.Path(self.env["GOOGLE_APPLICATION_CREDENTIALS"])
        key = json.loads(path.read_text())
        key["private_key"] = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
        path.write_text(json.dumps(key))
        done = self.nbform("plan", exit=1)
        self.assertIn("invalid_grant", done.stderr)
        self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", done.stderr, "where the key came from is named")
        self.assertNotIn(key["private_key"].splitlines()[1], done.stdout + done.stderr)
        self.assertEqual({r["status"] for r in cloud.requests() if "/compute/" in r["url"]}, {401})

    def test_a_key_file_that_is_no_key(self):
        path = self.home / "key.json"
        path.write_text('{"type": "service_account", "private_key": "' + CANARY + '"')
        self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        self.env["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
        done = self.nbform("plan", exit=1)
        self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", done.stderr)
        self.assertNotIn(CANARY, done.stdout + done.stderr)

    def test_an_expired_token_is_renewed_once(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        cloud.admin("faults", list=[{"match": {"method": "instances.insert"}, "do": {"expire_token": True}}])
        self.nbform("apply -y")
        self.assertEqual(cloud.names("instances"), ["train"])
        tokens = [r for r in cloud.requests() if r["url"] == "/token"]
        self.assertEqual(len(tokens), 1, "after the one that it had signed itself")

    def test_a_ready_token_that_is_over_says_so(self):
        cloud = self.connect(self.start_cloud())
        self.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = CANARY
        done = self.nbform("plan", exit=1)
        self.assertIn("GOOGLE_OAUTH_ACCESS_TOKEN", done.stderr)
        self.assertNotIn(CANARY, done.stdout + done.stderr)
        self.assertEqual(cloud.mutations(), [])

    def test_plain_http_to_another_host_is_refused(self):
        self.connect(self.start_cloud())
        for name in ("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT"):
            self.env[name] = "http://192.0.2.1/compute/v1/"
        done = self.nbform("plan", exit=1)
        self.assertIn("https", done.stderr)
        self.assertIn("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", done.stderr, "the variable that says so is named")

    def test_secrets_are_shown_nowhere(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        key = json.loads(pathlib.Path(self.env["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())["private_key"]
        self.env["NBFORM_VAR_api"] = CANARY
        self.manifest((self.stack / "main.nb.yaml").read_text().replace("notebooks:", "variables: {api: {secret: true}}\nnotebooks:")
                      + "    metadata: {api: \"${var.api}\"}\n")
        self.env["NBFORM_LOG"] = "requests"
        shown = ""
        for command in ("plan", "plan --json", "plan --full --details", "apply -y --log-requests log.jsonl", "status --json",
                        "show --expanded", "destroy -y"):
            done = self.finish(self.start(command))
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
            shown += done.stdout + done.stderr
        sent = "".join(json.dumps(r["body"]) for r in cloud.requests() if r["body"])
        self.assertIn(CANARY, sent, "the cloud does get the value")
        for path in self.stack.rglob("*"):
            if path.is_file() and path.name != "main.nb.yaml":
                shown += path.read_text()
        self.assertIn("/instances", shown, "requests are logged")
        for secret in (CANARY, key.splitlines()[1], key.splitlines()[5], "assertion=ey", "Bearer ya29"):
            self.assertNotIn(secret, shown)


if __name__ == "__main__":
    unittest.main()
