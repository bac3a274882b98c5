"""What a person at a terminal sees: the question, the live region, colours, widths."""

import re
import time
import unittest

from harness import MANIFEST, EndToEnd
from terminal import Terminal

RED = re.compile(r"\x1b\[(\d+;)*31m")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


class AtATerminal(EndToEnd):
    def open(self, command, columns=100):
        terminal = Terminal(command, self.stack, self.env, columns)
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        return terminal

    def test_the_question_and_the_live_region(self):
        cloud = self.connect(self.start_cloud())
        second = MANIFEST.split("notebooks:\n")[1].replace("train", "zeta")
        self.manifest(MANIFEST + second)
        terminal = self.open("apply").expect("Type yes")
        self.assertEqual(cloud.mutations(), [], "nothing is sent before the answer")
        terminal.type("yes")
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertRegex(terminal.text, r"\x1b\[\d+A", "lines are painted again")
        self.assertRegex(terminal.text, COLOUR)
        live = [line for line in terminal.screen().lines() if re.match(r"✓ (train|zeta) ", line)]
        self.assertEqual(len(live), 2, "one line for each notebook is left:\n" + "\n".join(terminal.screen().lines()))

    def test_no(self):
        cloud = self.connect(self.start_cloud())
        terminal = self.open("apply").expect("Type yes")
        terminal.type("no")
        self.assertNotEqual(terminal.finish(), 0)
        self.assertEqual(cloud.mutations(), [])

    def test_ctrl_c_at_the_question(self):
        cloud = self.connect(self.start_cloud())
        terminal = self.open("apply").expect("Type yes")
        terminal.press_interrupt()
        self.assertEqual(terminal.finish(10), 130, terminal.text)
        self.assertEqual(cloud.mutations(), [])

    def test_ctrl_c_while_applying(self):
        cloud = self.connect(self.start_cloud(times="realistic"))
        terminal = self.open("apply -y")
        cloud.wait_for("POST /instances?")
        at = time.monotonic()
        terminal.press_interrupt()
        self.assertEqual(terminal.finish(10), 130)
        self.assertLessEqual(time.monotonic() - at, 5.5)
        self.assertIn("nterrupted", terminal.text)

    def test_data_loss_wants_the_name(self):
        cloud = self.connect(self.start_cloud())
        self.nbform("apply -y")
        self.manifest(MANIFEST.replace("common-cu129-ubuntu-2404-nvidia-580", "pytorch-2-9-cu129-ubuntu-2404-nvidia-580"))
        before = cloud.mutations()
        terminal = self.open("apply").expect("Type the notebook's name")
        terminal.type("yes")
        self.assertEqual(terminal.finish(), 8, terminal.text)
        self.assertEqual(cloud.mutations(), before)
        terminal = self.open("apply").expect("Type the notebook's name")
        terminal.type("train")
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertRegex(terminal.text, RED, "lost data is red")

    def test_red_is_for_lost_data_only(self):
        self.connect(self.start_cloud())
        terminal = self.open("apply -y")
        self.assertEqual(terminal.finish(), 0)
        self.assertNotRegex(terminal.text, RED)

    def test_no_colour_is_asked_for(self):
        self.connect(self.start_cloud())
        self.env["NO_COLOR"] = "1"
        terminal = self.open("plan")
        self.assertEqual(terminal.finish(), 0)
        self.assertNotRegex(terminal.text, COLOUR)
        del self.env["NO_COLOR"]
        terminal = self.open("plan --no-color")
        self.assertEqual(terminal.finish(), 0)
        self.assertNotRegex(terminal.text, COLOUR)

    def test_a_pipe_gets_neither_colours_nor_a_live_region(self):
        self.connect(self.start_cloud())
        done = self.nbform("apply -y")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.env["CLICOLOR_FORCE"] = "1"
        self.assertRegex(self.nbform("plan").stdout + self.nbform("status").stdout, COLOUR)

    def test_a_narrow_terminal(self):
        self.connect(self.start_cloud())
        for columns in (60, 40):
            terminal = self.open("plan", columns)
            self.assertEqual(terminal.finish(), 0)
            broken = [row for row in terminal.screen().overflowed if " " in row.strip()]
            self.assertEqual(broken, [], f"only what has no blanks runs over the edge of {columns} columns")
        terminal = self.open("apply -y", 40)
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(len([line for line in terminal.screen().lines() if line.startswith("✓ ")]), 1)

    def test_the_window_changes_its_size_meanwhile(self):
        cloud = self.connect(self.start_cloud(times="realistic"))
        second = MANIFEST.split("notebooks:\n")[1].replace("train", "zeta-with-a-name-of-some-length")
        self.manifest(MANIFEST + second)
        terminal = self.open("apply -y")
        cloud.wait_for("POST /instances?")
        for columns in (50, 30, 120, 20, 80):
            terminal.expect("creating").watch(1.5)
            terminal.resize(columns)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        shown = [line for line in terminal.screen().lines() if re.match(r"[✓…·] ", line)]
        self.assertEqual([line[0] for line in shown], ["✓", "✓"], "no line is left of an earlier painting:\n" + "\n".join(terminal.screen().lines()))

    def test_the_cloud_cannot_steer_the_terminal(self):
        cloud = self.connect(self.start_cloud())
        evil = "gone\x1b[2J\x1b]0;owned\x07"
        cloud.admin("faults", list=[{"match": {"method": "instances.insert"}, "times": 0,
                                     "do": {"operation": {"code": "SOME_CODE", "message": evil, "status": 400}}}])
        terminal = self.open("apply -y")
        self.assertEqual(terminal.finish(), 1, terminal.text)
        self.assertIn("gone", terminal.text)
        self.assertNotIn("\x1b]0;", terminal.text)
        self.assertNotIn("\x1b[2J", terminal.text)
        terminal.screen()


if __name__ == "__main__":
    unittest.main()
