"""Ctrl-C and kill -9 in the middle of an apply: quick, named, and the next run converges."""

import signal
import time
import unittest

from harness import MANIFEST, EndToEnd


class Interrupted(EndToEnd):
    def expect_one_of_each(self, cloud):
        self.nbform("apply -y")
        self.expect_settled(cloud)
        self.assertEqual(cloud.names("instances"), ["train"])
        self.assertEqual(cloud.names("disks"), ["train", "train-data"])

    def test_one_signal(self):
        cloud = self.connect(self.start_cloud(times="realistic"))
        apply = self.start("apply -y")
        cloud.wait_for("POST /instances?")
        at = self.interrupt(apply)
        done = self.finish(apply, timeout=15)
        self.assertLessEqual(time.monotonic() - at, 5.5)
        self.assertEqual(done.returncode, 130, done.stderr)
        self.assertIn("train", done.stderr, "what is still going on is named")
        self.expect_one_of_each(cloud)

    def test_two_signals(self):
        cloud = self.connect(self.start_cloud(times="realistic"))
        apply = self.start("apply -y")
        cloud.wait_for("POST /instances?")
        self.interrupt(apply)
        time.sleep(0.4)
        self.assertIsNone(apply.poll(), "the first signal waits for what is in flight")
        at = self.interrupt(apply)
        done = self.finish(apply, timeout=10)
        self.assertLessEqual(time.monotonic() - at, 1.5)
        self.assertEqual(done.returncode, 130, done.stderr)
        self.expect_one_of_each(cloud)

    def test_no_mutation_after_the_signal(self):
        cloud = self.connect(self.start_cloud(times="realistic"))
        self.manifest(MANIFEST + MANIFEST.split("notebooks:\n")[1].replace("train", "zeta"))
        apply = self.start("apply -y --parallelism 1")
        cloud.wait_for("POST /instances?")
        self.interrupt(apply)
        self.assertEqual(self.finish(apply, timeout=15).returncode, 130)
        self.assertEqual(cloud.mutations(), ["POST zones/us-central1-b/instances"])

    def test_a_plan_stops_at_once(self):
        cloud = self.connect(self.start_cloud("--latency", "3000"))
        plan = self.start("plan")
        time.sleep(0.7)
        at = self.interrupt(plan)
        done = self.finish(plan, timeout=10)
        self.assertLessEqual(time.monotonic() - at, 1.5)
        self.assertEqual(done.returncode, 130)
        self.assertEqual(cloud.mutations(), [])

    def kill_when(self, cloud, words):
        apply = self.start("apply -y")
        cloud.wait_for(words)
        apply.send_signal(signal.SIGKILL)
        self.finish(apply)

    def test_killed_while_creating(self):
        cloud = self.connect(self.start_cloud())
        self.kill_when(cloud, "POST /instances?")
        self.expect_one_of_each(cloud)

    def test_killed_while_restarting(self):
        cloud = self.connect(self.start_cloud())
        self.nbform("apply -y")
        self.manifest(MANIFEST.replace("e2-standard-2", "e2-standard-4"))
        self.kill_when(cloud, "POST /stop")
        self.expect_one_of_each(cloud)
        status = self.nbform("status").stdout
        self.assertIn("running", status.lower(), "what a change stopped is started again")
        self.assertIn("POST zones/us-central1-b/instances/train/setMachineType", cloud.mutations())

    def test_killed_while_destroying(self):
        cloud = self.connect(self.start_cloud())
        self.nbform("apply -y")
        destroy = self.start("destroy -y")
        cloud.wait_for("DELETE /instances/train")
        destroy.send_signal(signal.SIGKILL)
        self.finish(destroy)
        self.nbform("destroy -y")
        self.assertEqual((cloud.names("instances"), cloud.names("disks")), ([], ["train-data"]))


if __name__ == "__main__":
    unittest.main()
