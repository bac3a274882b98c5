"""A pseudo terminal with a screen: what a person sees after all the escape codes. Knows only the few that nbform writes,
and fails on any other."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import BIN

ESCAPE = re.compile(r"\x1b\[(\??)(\d*)(?:;\d+)*([A-Za-z])")


class Screen:
    def __init__(self, columns):
        self.columns, self.rows, self.row, self.column = columns, [[]], 0, 0
        self.overflowed = []  # rows that ran over the right edge
        self.goes_on = set()  # rows that continue the one above

    def put(self, char):
        if self.column == self.columns:
            self.overflowed.append("".join(self.rows[self.row]))
            self.down()
            self.column = 0
            self.goes_on.add(self.row)
        line = self.rows[self.row]
        line += " " * (self.column - len(line))
        line[self.column:self.column + 1] = [char]
        self.column += 1

    def resize(self, columns):
        """As terminals of today do it: what ran over the edge is laid out anew, and the cursor stays with its text."""
        whole, cursor = [], (0, 0)
        for number, row in enumerate(self.rows):
            if number in self.goes_on:
                whole[-1] += row
            else:
                whole.append(list(row))
            if number == self.row:
                cursor = (len(whole) - 1, len(whole[-1]) - len(row) + self.column)
        self.rows, self.goes_on, self.columns = [], set(), columns
        for number, line in enumerate(whole):
            if number == cursor[0]:
                self.row, self.column = len(self.rows) + cursor[1] // columns, cursor[1] % columns
            for at in range(0, max(1, len(line)), columns):
                if at:
                    self.goes_on.add(len(self.rows))
                self.rows.append(line[at:at + columns])

    def down(self):
        self.row += 1
        while len(self.rows) <= self.row:
            self.rows.append([])

    def control(self, private, number, letter):
        count = int(number or "1")
        if letter == "A":
            self.row = max(0, self.row - count)
        elif letter == "J":
            self.rows[self.row] = self.rows[self.row][:self.column]
            del self.rows[self.row + 1:]
            self.goes_on = {row for row in self.goes_on if row <= self.row}
        elif letter == "K":
            self.rows[self.row] = self.rows[self.row][:self.column]
        elif letter != "m" and not (private and letter in "hl"):
            raise AssertionError(f"an escape that no terminal test knows: {private}{number}{letter}")

    def feed(self, text):
        at = 0
        while at < len(text):
            if found := ESCAPE.match(text, at):
                self.control(*found.groups())
                at = found.end()
                continue
            char = text[at]
            at += 1
            if char == "\n":
                self.down()
            elif char == "\r":
                self.column = 0
            elif char >= " ":
                self.put(char)
            else:
                raise AssertionError(f"a control character reached the terminal: {char!r}")
        return self

    def lines(self):
        return ["".join(row).rstrip() for row in self.rows]


class Terminal:
    """nbform with its three streams on a terminal of so many columns."""

    def __init__(self, command, cwd, env, columns=100):
        self.text, self.widths = "", []
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen([BIN / "nbform", *command.split()], cwd=cwd, env=env, stdin=slave, stdout=slave,
                                        stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.settings = termios.tcgetattr(slave)
        os.close(slave)

    def resize(self, columns):
        """What was printed so far is on the old width."""
        while self.widths and select.select([self.master], [], [], 0)[0] and self._read(0):
            pass
        self.widths.append((len(self.text), columns))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, words, seconds=20):
        end = time.monotonic() + seconds
        while words not in ESCAPE.sub("", self.text):
            assert time.monotonic() < end, f"'{words}' did not appear:\n{self.text}"
            assert self._read(0.2) or words in ESCAPE.sub("", self.text), f"ended without '{words}':\n{self.text}"
        return self

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.1):
            pass

    def type(self, line):
        os.write(self.master, (line + "\n").encode())

    def press_interrupt(self):
        os.write(self.master, b"\x03")

    def finish(self, seconds=60):
        end = time.monotonic() + seconds
        while self._read(0.2) and time.monotonic() < end:
            if self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                break
        try:
            return self.process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"still running:\n{self.text}")
        finally:
            self.settings_after = termios.tcgetattr(self.master)
            os.close(self.master)

    def screen(self):
        screen, ends = None, [at for at, _ in self.widths[1:]] + [len(self.text)]
        for (begin, columns), end in zip(self.widths, ends):
            if screen is None:
                screen = Screen(columns)
            else:
                screen.resize(columns)
            screen.feed(self.text[begin:end])
        return screen
