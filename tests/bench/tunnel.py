#!/usr/bin/env python3
"""The tunnel against `ssh -L`: the same sshd, the same server behind it, in turns. Figures, not verdicts.
The ratios are of the best rounds, which other work on the machine disturbed least.

    python3 -B tests/bench/tunnel.py

What limits the library's throughput is the library: 1.10 enciphers 16 bytes a call and has no AEAD cipher. A profile of a
push of 512 MiB, by shared object: libcrypto 70 % (AES a block at a time and what leads there about 40, SHA-256 26), kernel
17 %, libssh2 9 %, libc 3 %, our own code 0.5 %. Version 1.11 brings AES-GCM by whole packets, which is preferred where it is
there.
"""

import os
import pathlib
import statistics
import subprocess

import measure

import figures
import ssh_machine as m

ROUNDS = 3 if measure.SHORT else 7
BYTES = (32 if measure.SHORT else 512) << 20
PINGS = 500 if measure.SHORT else 4000
DIALS = 50 if measure.SHORT else 400


def load(*words):
    done = subprocess.run([m.BIN / "tunnel_load", *map(str, words)], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self):
        self.home = m.Place()
        self.key = m.keygen(self.home.path / "id_ed25519")
        self.sshd = m.Sshd(authorized=[self.key])
        self.server = subprocess.Popen([m.BIN / "tunnel_load", "serve"], stdout=subprocess.PIPE, text=True)
        self.behind = int(self.server.stdout.readline())
        self.ways = {"ssh": self.by_ssh(), "library": self.by_probe("library"), "program": self.by_probe("program")}

    def by_ssh(self):
        port = m.free_port()
        known = self.home.path / "known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{self.sshd.port} {key}\n" for key in self.sshd.host_keys()))
        ssh = subprocess.Popen(["ssh", "-F", "none", "-N", "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
                                "-i", self.key, "-p", str(self.sshd.port), "-l", m.USER,
                                "-L", f"127.0.0.1:{port}:127.0.0.1:{self.behind}", "127.0.0.1"])
        m.until(lambda: self.answers(port), "ssh -L")
        return port, ssh

    def by_probe(self, via):
        address = self.home.path / "address"
        address.write_text(f"127.0.0.1 {self.sshd.port}")
        trust = [word for line in self.sshd.host_keys() for word in ("--trust", line)]
        probe = m.Probe("--address", address, "--user", m.USER, "--key", self.key, *trust, "--any", self.behind, "--via", via)
        [port] = probe.ports()
        probe.wait("connected")
        return port, probe.process

    def answers(self, port):
        try:
            return bool(load("ping", port, 1, 1))
        except subprocess.CalledProcessError:
            return False

    def throughput(self, what, connections):
        rates, costs = {}, {}
        for _ in range(ROUNDS):
            for name, (port, process) in self.ways.items():
                before = cpu_of(process.pid)
                [seconds] = load(what, port, connections, BYTES // connections)
                rates.setdefault(name, []).append(BYTES / seconds / 1e6)
                costs.setdefault(name, []).append((cpu_of(process.pid) - before) / (BYTES / 1e9))
        return {name: {"mb_per_s": round(statistics.median(rates[name])), "best_mb_per_s": round(max(rates[name])),
                       "client_cpu_s_per_gb": round(statistics.median(costs[name]), 2)} for name in rates}

    def latency(self, what, count):
        found = {}
        for _ in range(ROUNDS):
            for name, (port, _) in self.ways.items():
                found.setdefault(name, []).append(load(what, port, count, 200))
        return {name: {"median_us": round(statistics.median(t[0] for t in times)), "best_median_us": round(min(t[0] for t in times)),
                       "p99_us": round(statistics.median(t[1] for t in times))} for name, times in found.items()}

    def end(self):
        for _, process in self.ways.values():
            process.terminate()
            process.wait()
        self.server.kill()
        self.server.wait()
        self.sshd.remove()
        self.home.remove()


def ratio(figures_of, key, more_is_better):
    ours, theirs = figures_of["library"][key], figures_of["ssh"][key]
    return round(ours / theirs if more_is_better else theirs / ours, 2)


def main():
    if lacks := m.missing():
        print(f"SKIP: {lacks}")
        return
    bench = Bench()
    try:
        out = {}
        for what, connections in (("pull", 1), ("pull", 16), ("push", 1), ("push", 16)):
            found = bench.throughput(what, connections)
            out[f"{what}_{connections}"] = {**found, "library_vs_ssh": ratio(found, "best_mb_per_s", True)}
        for what, count in (("ping", PINGS), ("dial", DIALS)):
            found = bench.latency(what, count)
            out[what] = {**found, "library_vs_ssh": ratio(found, "best_median_us", False)}
    finally:
        bench.end()
    for name, row in out.items():
        print(f"{name:8}", row)
    figures.report("tunnel", [], {**out, "machine": measure.machine(), "commit": measure.commit()},
                   f"{BYTES >> 20} MiB in {ROUNDS} rounds, {PINGS} requests and {DIALS} connections of 200 bytes",
                   "python3 -B tests/bench/tunnel.py")


if __name__ == "__main__":
    main()
