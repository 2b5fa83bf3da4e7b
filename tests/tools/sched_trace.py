# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What ftrace saw of some processes' waits for a CPU: from sched_wakeup, or from being preempted, to sched_switch. Another
source than the kernel's account (schedstat) and than programs: the events' own time stamps. (The 6.18 of the machine that
this was written on shows no switches from the idle task.)"""

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from harness import VM
from machine import PREFIX

EVENTS = ("sched_wakeup", "sched_wakeup_new", "sched_switch")
LINE = re.compile(r" (?P<s>\d+)\.(?P<us>\d{6}): (?P<event>\w+): (?P<text>.*)")
WOKEN = re.compile(r" pid=(\d+) prio=")
SWITCH = re.compile(r" prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) ==> .* next_pid=(\d+) next_prio=")
MOUNT = "[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing || exit; echo mounted; read end"


class SchedTrace:
    """Traces the threads of the process, and those that they start, in a trace of its own; once it is left, `waits`
    are those of each thread, in ns."""

    def __init__(self, pid):
        self.pid = pid
        self.waits = {}

    def __enter__(self):
        # tracefs in a mount namespace of its own, seen from here by /proc
        self.keeper = subprocess.Popen(["unshare", "-m", "sh", "-c", MOUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not self.keeper.stdout.readline():
            self.close()
            pytest.skip("no tracefs")
        self.place = Path(f"/proc/{self.keeper.pid}/root/sys/kernel/tracing/instances/{PREFIX}")
        self.place.mkdir()
        threads = [int(path.name) for path in Path(f"/proc/{self.pid}/task").iterdir()]
        self.write("tracing_on", 0)
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", 8192)
        self.write("set_event_pid", " ".join(map(str, threads)))
        self.write("options/event-fork", 1)
        for event in EVENTS:
            self.write(f"events/sched/{event}/enable", 1)
        self.write("tracing_on", 1)
        return self

    def write(self, name, value):
        (self.place / name).write_text(str(value))

    def __exit__(self, kind, value, trace):
        try:
            self.write("tracing_on", 0)
            known = {int(pid) for pid in (self.place / "set_event_pid").read_text().split()}
            lines = (self.place / "trace").read_text(errors="replace").splitlines()
            lost = [path for path in self.place.glob("per_cpu/cpu*/stats") if "overrun: 0\n" not in path.read_text()]
        finally:
            for event in EVENTS:
                self.write(f"events/sched/{event}/enable", 0)
            self.place.rmdir()
            self.close()
        assert not lost, f"the trace was overrun: {lost}"
        self.waits = waits(lines, known)

    def close(self):
        self.keeper.communicate()


def waits(lines, known):
    """The waits in a trace, of known threads and of those that were woken for the first time in it."""
    since, running, found_waits = {}, set(), defaultdict(list)
    for found in filter(None, map(LINE.search, lines)):
        now = int(found["s"]) * 1_000_000_000 + int(found["us"]) * 1000
        if found["event"] != "sched_switch":
            pid = int(WOKEN.search(found["text"])[1])
            known |= {pid} if found["event"] == "sched_wakeup_new" else set()
            if pid in known and pid not in running:
                since.setdefault(pid, now)
            continue
        prev, state, following = SWITCH.search(found["text"]).groups()
        prev, following = int(prev), int(following)
        running.discard(prev)
        if prev in known and state.startswith("R"):
            since[prev] = now
        if following in known:
            running.add(following)
            if following in since:
                found_waits[following].append(now - since.pop(following))
    return found_waits
