"""Ctrl-C, SIGTERM and SIGHUP at every request of an apply and at random times: how long it takes, with which exit code,
what the terminal looks like, and that the next run converges. The cloud holds the request that the signal meets."""

import concurrent.futures
import itertools
import random
import signal
import time
import unittest

from figures import report
from harness import MANIFEST, EndToEnd
from terminal import Terminal

WORKERS = 8
FIRST, SECOND = 5.0, 1.5  # seconds, as promised
SLACK = 0.5  # of a busy machine with WORKERS stacks at work
RESTART = MANIFEST.replace("e2-standard-2", "e2-standard-4").replace("team: research", "team: vision")


class Signals(EndToEnd):
    """Each run is a user of its own on a cloud of its own; only times are shared."""

    def user(self):
        one = Signals()
        one.setUp()
        self.addCleanup(one.doCleanups)
        cloud = one.connect(one.start_cloud())
        return one, cloud

    def signalled(self, scenario, when, signals, held=None):
        """One apply that is interrupted. (seconds to the end, or None where it was over before)"""
        user, cloud = self.user()
        try:
            if scenario == "restart":
                user.nbform("apply -y")
                user.manifest(RESTART)
            if held is not None:
                cloud.admin("faults", list=[{"match": {"service": "compute", "nth": held}, "do": {"delay": "60s"}}])
            apply = user.start("apply -y")
            if not self.reach(cloud, apply, when, held):
                user.finish(apply)
                return None
            at = user.interrupt(apply, signals[0])
            for again in signals[1:]:
                time.sleep(0.3)
                if apply.poll() is None:
                    at = user.interrupt(apply, again)
            done = user.finish(apply, timeout=30)
            took = time.monotonic() - at
            killed = {-int(number) for number in signals} if held is None else set()  # before it listened
            self.assertIn(done.returncode, {0, 130} | killed, f"{scenario}, {when}, {held}\n{done.stderr}")
            if held is not None:
                self.assertEqual(done.returncode, 130, done.stderr)
            self.converges(user, cloud)
            return took if done.returncode != 0 else None
        finally:
            user.doCleanups()

    def reach(self, cloud, apply, when, held):
        """Waits for the moment of the signal; False: the apply ended before it."""
        if held is None:
            time.sleep(when)
        while held is not None and apply.poll() is None and not cloud.struck():
            time.sleep(0.02)
        return apply.poll() is None

    def converges(self, user, cloud):
        cloud.admin("faults", clear=True)
        user.nbform("apply -y")
        before = cloud.mutations()
        user.nbform("apply -y --detailed-exitcode")
        self.assertEqual(cloud.mutations(), before)
        self.assertEqual((cloud.names("instances"), cloud.names("disks")), (["train"], ["train", "train-data"]))

    def all_of(self, runs):
        """Runs them side by side, until one says that there are no more requests; their times."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return [took for took in pool.map(lambda run: self.signalled(*run), runs) if took is not None]

    def requests_of(self, scenario):
        user, cloud = self.user()
        if scenario == "restart":
            user.nbform("apply -y")
            user.manifest(RESTART)
        seen = len(cloud.compute())
        user.nbform("apply -y")
        return len(cloud.compute()) - seen

    def test_at_every_request(self):
        figures, begun = {}, time.monotonic()
        for scenario in ("create", "restart"):
            ordinals = range(1, self.requests_of(scenario) + 1)
            for name, signals, limit in (("first", (signal.SIGINT,), FIRST), ("second", (signal.SIGINT,) * 2, SECOND)):
                times = self.all_of([(scenario, None, signals, n) for n in ordinals])
                self.assertGreater(len(times), len(ordinals) * 0.8)
                self.assertLessEqual(max(times), limit + SLACK)
                figures[f"{scenario}, {name} Ctrl-C"] = {"runs": len(times), "longest s": round(max(times), 2),
                                                        "median s": round(sorted(times)[len(times) // 2], 2)}
        figures["seconds in all"] = round(time.monotonic() - begun, 1)
        report("signals-every-request", [9], figures, "Ctrl-C while nbsim holds each request of a create and of a restart",
               "sh tests/run.sh --suite e2e")

    def test_at_random_times(self):
        chance = random.Random(9)
        kinds = itertools.cycle([(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT, signal.SIGTERM)])
        runs = [(("create", "restart")[n % 2], chance.uniform(0, 0.6), next(kinds)) for n in range(24)]
        times = self.all_of(runs)
        self.assertGreater(len(times), 3, "some signals came in time")
        self.assertLessEqual(max(times), FIRST + SLACK)
        report("signals-random", [9], {"runs": len(runs), "in time": len(times), "longest s": round(max(times), 2)},
               "SIGINT, SIGTERM, SIGHUP and pairs within the first 0.6 s of an apply", "sh tests/run.sh --suite e2e")

    def test_the_terminal_is_as_it_was(self):
        for request in (2, 6, 9):
            cloud = self.connect(self.start_cloud())
            cloud.admin("faults", list=[{"match": {"service": "compute", "nth": request}, "do": {"delay": "60s"}}])
            terminal = Terminal("apply -y", self.stack, self.env, 100)
            self.addCleanup(lambda t=terminal: t.process.poll() is None and t.process.kill())
            while not cloud.struck():
                terminal._read(0.05)
            terminal.press_interrupt()
            terminal.watch(0.5)
            if terminal.process.poll() is None:
                terminal.press_interrupt()
            self.assertEqual(terminal.finish(10), 130, terminal.text)
            self.assertEqual(terminal.settings_after, terminal.settings, "the terminal's own settings")
            self.assertEqual(terminal.text.count("\x1b[?25l"), terminal.text.count("\x1b[?25h"), "the cursor is shown")
            said = terminal.text.removesuffix("^C")  # the terminal's own echo, where the second came while nbform was ending
            self.assertTrue(said.endswith("\n"), terminal.text[-300:])
            terminal.screen()


if __name__ == "__main__":
    unittest.main()
