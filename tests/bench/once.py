"""Runs a command N times and says what each run cost: JSON lines of wall and cpu in seconds, peak in KiB, and exit code.

    python3 -I -S once.py N STDOUT STDERR COMMAND...

A small process of its own, as Linux counts what a parent had before exec into the peak memory of its child.
"""

import json
import os
import sys
import time

times, out, err, *command = sys.argv[1:]
for _ in range(int(times)):
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, out, new, 0o600),
             (os.POSIX_SPAWN_OPEN, 2, err, new, 0o600)]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss,
                      "exit": os.waitstatus_to_exitcode(status)}))
