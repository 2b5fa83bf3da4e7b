# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""One process that is measured: its start, its end, and what the kernel says of it under /proc."""

import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

# What a tool that has started sleeps in (x86-64): poll, nanosleep, pause, rt_sigtimedwait, clock_nanosleep,
# epoll_wait, epoll_pwait, ppoll, read.
WAITS = {7, 35, 34, 128, 230, 232, 281, 271, 0}
RINGS = ("anon_inode:bpf-map", "anon_inode:[perf_event]")


class Refused(Exception):
    """A program that does not run here; the text says why."""


class Process:
    """A tool, from its start."""

    def __init__(self, argv, stdout, stderr_path):
        self.name = os.path.basename(argv[0])
        self.stderr_path = Path(stderr_path)
        with open(stderr_path, "wb") as stderr:
            self.started = time.monotonic()
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=stdout,
                                            stderr=stderr)
        self.pid = self.process.pid
        self.proc = Path(f"/proc/{self.pid}")

    def wait_ready(self, timeout=20, programs=True):
        """Waits until it sleeps with its programs in the kernel; returns the seconds since its start."""
        deadline = self.started + timeout
        calm = 0
        while calm < 3:
            if self.ended():
                raise Refused(self.last_words())
            if time.monotonic() > deadline:
                raise Refused("does not get ready")
            seen = time.monotonic()
            calm = calm + 1 if self.sleeps() and (not programs or self.fdinfo("prog_id")) else 0
            if calm == 1:
                ready = seen
            time.sleep(0.001)
        return ready - self.started

    def ended(self):
        return self.process.poll() is not None

    def sleeps(self):
        """Whether it waits for something to do: it stands in one of WAITS."""
        try:
            word = (self.proc / "syscall").read_text().split()[0]
        except OSError:
            return False
        return word.isdigit() and int(word) in WAITS

    def last_words(self):
        lines = self.stderr_path.read_text(errors="replace").strip().splitlines()
        return lines[-1][:120] if lines else "ends at once"

    def stop(self, timeout=20):
        """SIGINT, as Ctrl-C sends it; returns the seconds until it is gone."""
        if self.ended():
            return 0.0
        fd = os.pidfd_open(self.pid)
        try:
            start = time.monotonic()
            self.process.send_signal(signal.SIGINT)
            gone = select.select([fd], [], [], timeout)[0]
            seconds = time.monotonic() - start
        finally:
            os.close(fd)
        if not gone:
            self.process.kill()
        self.process.wait()
        return seconds

    # What the kernel says

    def cpu_ns(self):
        """CPU time of all its threads so far."""
        return sum(int(path.read_text().split()[0]) for path in self.proc.glob("task/*/schedstat"))

    def memory(self):
        """Bytes: as the kernel counts them (a ring mapped twice counts twice), and without the rings' mappings."""
        status = (self.proc / "status").read_text()
        result = {key: int(re.search(rf"^{key}:\s*(\d+) kB", status, re.M).group(1)) << 10
                  for key in ("VmRSS", "VmHWM", "RssAnon", "RssFile", "RssShmem")}
        rings, mapped, ours = 0, 0, False
        for line in (self.proc / "smaps").read_text().splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                ours = words[-1] in RINGS
            elif ours and words[0] == "Rss:":
                rings += int(words[1]) << 10
            elif ours and words[0] == "Size:":
                mapped += int(words[1]) << 10
        result.update(rings=rings, rings_mapped=mapped, without_rings=result["VmRSS"] - rings)
        return result

    def fdinfo(self, key):
        """{id: fields} of its open programs (key prog_id) or maps (map_id)."""
        found = {}
        try:
            paths = list((self.proc / "fdinfo").iterdir())
        except OSError:
            return found
        for path in paths:
            try:
                fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
            except OSError:
                continue
            if key in fields and ("prog_type" in fields or "map_type" in fields):
                found[int(fields[key])] = {name: value.strip() for name, value in fields.items()}
        return found

    def map_bytes(self):
        """Kernel memory: its maps, and the perf buffers, which are no maps."""
        maps = sum(int(fields["memlock"]) for fields in self.fdinfo("map_id").values())
        perf, ours = 0, False
        for line in (self.proc / "smaps").read_text().splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                ours = words[-1] == RINGS[1]
            elif ours and words[0] == "Size:":
                perf += int(words[1]) << 10
        return maps + perf

    def program_ns(self):
        """Run time and runs of its programs, where the kernel counts them."""
        programs = self.fdinfo("prog_id").values()
        return (sum(int(p.get("run_time_ns", 0)) for p in programs), sum(int(p.get("run_cnt", 0)) for p in programs))
