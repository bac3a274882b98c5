"""A command that goes on while the test looks at what it has said so far."""

import contextlib
import queue
import signal
import threading

from harness import EndToEnd


def lines_of(stream, into):
    for line in stream:
        into.put(line.rstrip("\n"))
    into.put(None)


class Conversation(EndToEnd):
    def talk(self, command):
        """A running command; its lines of stdout and stderr arrive in queues."""
        process = self.start(command)
        out, err = queue.Queue(), queue.Queue()
        readers = [threading.Thread(target=lines_of, args=pair, daemon=True)
                   for pair in ((process.stdout, out), (process.stderr, err))]
        for reader in readers:
            reader.start()
        self.addCleanup(self.close, process, readers)
        return process, out, err

    def close(self, process, readers):
        if process.poll() is None:
            process.kill()
        process.wait()
        for reader in readers:
            reader.join()
        process.stdout.close()
        process.stderr.close()

    def line(self, lines, words=""):
        """The next line that has the words."""
        seen = []
        with contextlib.suppress(queue.Empty):
            while (line := lines.get(timeout=60)) is not None:
                seen.append(line)
                if words in line:
                    return line
        self.fail(f"no line with '{words}':\n" + "\n".join(seen))

    def end(self, process, number=signal.SIGINT):
        process.send_signal(number)
        return process.wait(20)
