# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a kernel does not show the tools' programs: they take the way that shows most, and what may be missing is counted."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from harness import OK, VM, Tool, Workload
from machine import need
from snoop import N

BLOCKED = 50
WRITES = 5                      # of each writer
THREADS = 8
MANY = 4000 if VM else 100_000
PREEMPT = Path("/sys/kernel/debug/sched/preempt")
BY_KRETPROBES = "gaps,fentry,fexit,fprobe"
OPEN = ("open", "fexit/do_sys_openat2")
READ = ("reads", "fentry/ext4_file_read_iter")


def preempts():
    """Whether this kernel preempts tasks inside it."""
    if "PREEMPT" not in os.uname().version:
        return False
    need(PREEMPT.exists(), "this kernel does not tell how it preempts")
    return "(full)" in PREEMPT.read_text(encoding="ascii") or "(lazy)" in PREEMPT.read_text(encoding="ascii")


@contextlib.contextmanager
def blocked_opens(fifo):
    """Threads that wait in an open of a FIFO, until somebody opens its other end."""
    os.mkfifo(fifo)
    threads = [threading.Thread(target=lambda: os.close(os.open(fifo, os.O_RDONLY)), daemon=True)
               for _ in range(BLOCKED)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        fd = os.open(fifo, os.O_RDWR)
        for thread in threads:
            thread.join(20)
        os.close(fd)
    assert not any(thread.is_alive() for thread in threads)


def test_what_sees_all_is_taken(cgroup):
    """A kernel that preempts leaves out runs of fexit programs, and none of kprobes."""
    with Tool("opensnoop", "--cgroup", cgroup.path) as tool:
        pass
    first = tool.rung(*OPEN)
    need(first in ("fexit", "kprobe"), f"neither is granted here, but {first}")
    assert first == ("kprobe" if preempts() else "fexit"), tool.said


def test_blocked_opens(place, open_place, cgroup):
    """Opens that wait for long, of whoever, don't hide those of others: where no fexit program is granted, either."""
    with Workload("opens", "mix", N, 5, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--json", "-p", f"{work.pid},{os.getpid()}", avoid="fexit") as tool:
            with blocked_opens(place / "fifo"):
                done = work.run()
    rows = [row for row in tool.json if row["pid"] == work.pid]
    assert [row["errno"] for row in rows] == [line["errno"] for line in done] and len(rows) == N, tool.said
    assert sum(row["path"] == str(place / "fifo") for row in tool.json) >= BLOCKED
    assert tool.summary["lost"] == 0, tool.said


def test_runs_that_are_left_out(open_place, cgroup):
    """By programs that a kernel leaves out: so many runs, which are no events that were lost; said once a second."""
    (open_place / "target").touch()
    with Workload("openfast", MANY // THREADS, THREADS, open_place / "target", cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json", avoid="gaps") as tool:
            done = work.run(120)[-1]
    assert (done["done"], tool.summary["events"]) == (MANY, len(tool.json))
    known = len(tool.json) + tool.summary["lost"]
    assert known <= MANY <= known + tool.summary["missed_runs"], tool.summary
    assert tool.missed_runs == tool.summary["missed_runs"], tool.said
    assert tool.lost == tool.summary["lost"], tool.said


@contextlib.contextmanager
def writers(number, place, cgroup):
    """Processes that write a file each, to be run at the same time."""
    with contextlib.ExitStack() as stack:
        made = []
        for i in range(number):
            (place / str(i)).mkdir()
            made.append(stack.enter_context(Workload("fileops", "append", WRITES, place / str(i), cgroup=cgroup)))
        yield made


@pytest.mark.skipif((VM or "").startswith("6"), reason="vm-ok: as on 7.3; to detach kprobes takes its time")
def test_returns_that_are_not_reported(ext4, cgroup):
    """By kretprobes the kernel follows so many calls at a time: of writers that all wait for the disk, each write, and the
    sync that is part of it, is shown or lost, also of those that have ended."""
    root = ext4 / "returns"
    root.mkdir()
    number = max(10, 2 * os.cpu_count()) + 2
    with writers(number, root, cgroup) as works:
        with Tool("ext4slower", "0", "--cgroup", cgroup.path, "--json", avoid=BY_KRETPROBES) as tool:
            for work in works:
                work.start()
            done = [line for work in works for line in work.finish()]
    need(tool.rung(*READ) == "kprobe", "no kprobes here")
    assert tool.status == OK and len(done) == number * WRITES
    assert tool.summary["lost"] > 0, "no return was one too many"
    known = len(tool.json) + tool.summary["lost"]
    assert known <= 2 * len(done) <= known + tool.summary["missed_runs"], tool.summary
    assert tool.lost == tool.summary["lost"], tool.said
