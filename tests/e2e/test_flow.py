"""The whole life of a notebook over HTTP and HTTPS, with the service-account key of `nbsim env`."""

import subprocess
import unittest

from harness import MANIFEST, EndToEnd


class Life(EndToEnd):
    def live(self, cloud):
        plan = self.nbform("plan --detailed-exitcode", exit=2)
        self.assertIn("train", plan.stdout)
        self.assertIn(cloud.url, plan.stdout, "an endpoint that is not the cloud's own stands in the header")
        self.assertEqual(cloud.mutations(), [])
        self.nbform("apply -y")
        self.assertEqual(cloud.mutations(), ["POST zones/us-central1-b/instances"])
        self.assertEqual(cloud.names("disks"), ["train", "train-data"])
        self.expect_settled(cloud)

        self.manifest(MANIFEST.replace("team: research", "team: vision").replace("e2-standard-2", "e2-standard-4"))
        self.assertIn("restart", self.nbform("plan").stdout)
        self.nbform("apply -y --verify")
        verbs = [m.rsplit("/", 1)[1] for m in cloud.mutations()[1:]]
        self.assertEqual([v for v in verbs if v != "setLabels"], ["stop", "setMachineType", "start"])
        self.expect_settled(cloud)

        self.nbform("destroy -y")
        self.assertEqual(cloud.names("instances"), [])
        self.assertEqual(cloud.names("disks"), ["train-data"], "a data disk outlives its notebook")
        self.nbform("destroy --kept train-data -y", exit=8)
        self.nbform("destroy --kept train-data -y --allow-data-loss train")
        self.assertEqual(cloud.names("disks"), [])

    def test_over_http(self):
        cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
        self.live(cloud)
        self.assertFalse([r for r in cloud.requests() if r["url"] == "/token"], "the service account signs for itself")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.home, check=True, capture_output=True)

    def make_authority(self, name):
        """A certificate authority of our own and a certificate of 127.0.0.1 by it."""
        ca, leaf = self.home / f"{name}-ca", self.home / name
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", f"{leaf}.key", "-out", f"{leaf}.csr")
        (self.home / "san").write_text("subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", f"{leaf}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
                     "-days", 2, "-extfile", "san", "-out", f"{leaf}.pem")
        return f"{ca}.pem", f"{leaf}.pem", f"{leaf}.key"

    def test_over_https(self):
        authority, certificate, key = self.make_authority("ours")
        other, _, _ = self.make_authority("theirs")
        cloud = self.connect(self.start_cloud("--tls", certificate, key))
        self.assertTrue(cloud.url.startswith("https://"))
        refused = self.nbform("plan", exit=1)
        self.assertIn("certificate", (refused.stdout + refused.stderr).lower())
        self.env["SSL_CERT_FILE"] = other
        self.nbform("plan", exit=1)
        self.assertEqual([r for r in cloud.requests() if "/_nbsim/" not in r["url"]], [],
                         "nothing is sent to whom we don't believe")
        self.env["SSL_CERT_FILE"] = authority
        self.live(cloud)

    def test_a_fleet(self):
        cloud = self.connect(self.start_cloud("--quotas", "off"))
        names = "".join(f"      n{i}: {{}}\n" for i in range(40))
        self.manifest(MANIFEST.replace("    service: gce", f"    each:\n{names}    service: gce"))
        self.nbform("apply -y")
        self.assertEqual(len(cloud.names("instances")), 40)
        before = len(cloud.requests())
        self.nbform("plan --detailed-exitcode")
        self.assertLessEqual(len(cloud.requests()) - before, 8, "a plan takes as many calls for 40 notebooks as for one")


if __name__ == "__main__":
    unittest.main()
