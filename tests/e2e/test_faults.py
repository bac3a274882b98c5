"""What a person sees of a cloud that fails: the exit code and the words, for a fault that passes and for one that lasts."""

import unittest

from figures import report
from harness import EndToEnd


def refusal(status, reason, message):
    return {"error": {"status": status, "code": reason, "message": message}}


# name: (what the cloud does at the insert, exit code where it lasts, words on the screen). Time is real: lasting faults that
# are retried for minutes are in the unit tests, where it is not.
PASSING = {
    "429, Retry-After in seconds": {"status": 429, "headers": {"Retry-After": "1"}},
    "429, Retry-After as a date": {"status": 429, "headers": {"Retry-After": "Sat, 21 Nov 2026 00:00:00 GMT"}},
    "403 rateLimitExceeded": refusal(403, "rateLimitExceeded", "Quota exceeded for quota metric."),
    "500": {"status": 500},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"status": 503},
    "504": {"status": 504},
    "503, and it took effect": {"status": 503, "effect": True},
    "no answer, not sent on": {"drop": "before"},
    "no answer, though it took effect": {"drop": "after"},
    "half an answer": {"cut": 40},
    "no JSON": {"body": "<html>"},
    "a token that is over": {"expire_token": True},
    "slow": {"delay": "2s"},
}
LASTING = {
    "403 forbidden": (refusal(403, "forbidden", "Required 'compute.instances.create' permission."), 1, "compute.instances.create"),
    "400 invalid": (refusal(400, "invalid", "Invalid value for field 'resource.machineType'."), 1, "resource.machineType"),
    "403 quota": (refusal(403, "quotaExceeded", "Quota 'GPUS_ALL_REGIONS' exceeded. Limit: 0.0 globally."), 1, "GPUS_ALL_REGIONS"),
    "stock-out": ({"operation": {"code": "ZONE_RESOURCE_POOL_EXHAUSTED", "message": "No room."}}, 7, "no capacity"),
    "operation fails": ({"operation": {"code": "INTERNAL_ERROR", "status": 500, "message": "It broke."}}, 1, "It broke."),
}


class Faults(EndToEnd):
    def test_a_fault_that_passes_is_got_over(self):
        elsewhere = ("503", "no answer, though it took effect", "a token that is over")
        for method in ("instances.insert", "instances.aggregatedList", "instances.delete"):
            for name in PASSING if method == "instances.insert" else elsewhere:
                do = PASSING[name]
                with self.subTest(f"{name} at {method}"):
                    cloud = self.connect(self.start_cloud(), "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
                    cloud.admin("faults", list=[{"match": {"method": method}, "do": do}])
                    self.nbform("apply -y")
                    self.assertEqual(cloud.names("instances"), ["train"])
                    self.nbform("destroy -y")
                    self.assertTrue(cloud.struck(), "the fault struck")
                    self.assertEqual(cloud.names("instances"), [])
                    sent = [m for m in cloud.mutations() if "POST" in m and m.endswith("/instances")]
                    self.assertLessEqual(len(sent), 2)
                    cloud.stop()
        report("faults-passing", [8], {"faults": len(PASSING), "runs": len(PASSING) + 2 * len(elsewhere), "failed applies": 0},
               "one fault at the insert, the list or the delete of an apply and a destroy", "sh tests/run.sh --suite e2e")

    def test_a_fault_that_lasts_says_what_it_is(self):
        for name, (do, code, words) in LASTING.items():
            with self.subTest(name):
                cloud = self.connect(self.start_cloud())
                cloud.admin("faults", list=[{"match": {"method": "instances.insert"}, "do": do, "times": 0}])
                done = self.nbform("apply -y", exit=code)
                self.assertIn(words, done.stdout + done.stderr)
                self.assertEqual(cloud.names("instances"), [])
                cloud.admin("faults", clear=True)
                self.nbform("apply -y")
                self.expect_settled(cloud)
                cloud.stop()

    def test_a_server_that_is_not_there_is_named_while_it_is_waited_for(self):
        self.env.update(GOOGLE_OAUTH_ACCESS_TOKEN="token", GOOGLE_CLOUD_PROJECT="acme-ml",
                        CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE="http://127.0.0.1:1/")
        done = self.nbform("plan", exit=1)
        self.assertEqual(done.stderr.count("waiting for http://127.0.0.1:1"), 1, done.stderr)
        self.assertIn("No connection", done.stderr)

    def test_output_that_is_lost_is_no_success(self):
        self.connect(self.start_cloud())
        with open("/dev/full", "w") as full:
            done = self.finish(self.start("plan", stdout=full))
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
