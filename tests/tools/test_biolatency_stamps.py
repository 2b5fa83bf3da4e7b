# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""biolatency where the kernel does not write down when a request began: then its own probes time it.

There is no way to have a real queue without the stamp of the issue: QUEUE_FLAG_STATS stays set once write-back
throttling has set it. BORESCOPE_AVOID=stamps makes biolatency believe that it is not there.
"""

import contextlib
import re
import time

import pytest

from harness import VM, Tool, patience
from histograms import FAR, N, check_histogram, histograms, in_text, total, working

NO_STAMPS = re.compile(r"^biolatency: .*does not stamp", re.M)      # how stderr tells of the fallback
TIMED_BY = {True: "kernel", False: "probe"}         # what the summary says, by whether the kernel stamps
QUEUED = pytest.mark.parametrize("queued", [[], ["-Q"]], ids=["issued", "queued"])


def check_fallback(tool):
    """The fallback was taken, all the time; and said. Returns how many requests were told as lost: none, but on a kernel
    that preempts inside the kernel, where a run of a program may be left out (see snoop.LOSS_ALLOWED)."""
    assert NO_STAMPS.search(tool.err), tool.said
    assert (tool.summary["timed_by"], tool.summary["untimed"]) == ("probe", 0)
    lost = tool.summary["lost"] + tool.summary["missed_runs"]
    assert lost <= (3 if VM and VM.startswith("7") else 0), tool.said
    return lost


@QUEUED
def test_fallback_agrees_with_the_kernel(queued, disk):
    """Timed by probes: reads, writes, discards and flushes are the stat file's total, and their times are true."""
    with working("mix", disk) as work:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--json", *queued, avoid="stamps") as tool, \
                Tool("biolatency", "-d", disk.name, *queued, avoid="stamps") as text:
            lines = work.run()
        grown = disk.grown(before)
    assert sum(grown.values()) > 3 * N
    assert total(tool) == in_text(text) == sum(grown.values()), grown
    check_fallback(tool)
    [h] = histograms(tool)
    check_histogram(h)
    # a flush is two requests at a time: the one asked for, and the flush proper
    assert h["sum_ns"] <= 2 * sum(line["sum_ns"] for line in lines)


@QUEUED
def test_fallback_times_what_the_kernel_times(queued, disk):
    """The same 23 writes, timed by the kernel's stamps and by probes: both count all, neither more than the caller."""
    args = ["-d", disk.name, "--json", *queued]
    with working("write", disk) as work:
        with Tool("biolatency", *args, avoid="stamps") as probed, Tool("biolatency", *args) as stamped:
            done = work.run()[-1]
    check_fallback(probed)
    assert stamped.summary["timed_by"] == "kernel" and not NO_STAMPS.search(stamped.err), stamped.said
    for tool in (probed, stamped):
        [h] = histograms(tool)
        assert h["count"] == N
        assert 0 < h["sum_ns"] <= done["sum_ns"]
        assert h["min_ns"] <= done["min_ns"] and h["max_ns"] <= done["max_ns"]


@QUEUED
def test_fallback_by_submitter(queued, disk, cgroup, other_cgroup):
    """Timed by probes, --cgroup and -p are still judged by who submitted."""
    args = ["-d", disk.name, "--json", *queued]
    with working("write", disk, cgroup=cgroup) as work, working("write", disk, 31, FAR, cgroup=other_cgroup) as other:
        before = disk.stat()
        with Tool("biolatency", "--cgroup", cgroup.path, *args, avoid="stamps") as by_cgroup, \
                Tool("biolatency", "-p", other.pid, *args, avoid="stamps") as by_pid:
            other.start()
            done = work.run()[-1]
            others = other.finish()[-1]
        grown = disk.grown(before)
    assert grown["writes"] == N + 31, "the requests were merged"
    for tool, expected in ((by_cgroup, done), (by_pid, others)):
        lost = check_fallback(tool)
        [h] = histograms(tool)
        check_histogram(h)
        assert expected["done"] - lost <= h["count"] <= expected["done"]
        assert h["sum_ns"] <= expected["sum_ns"] and h["max_ns"] <= expected["max_ns"]


@pytest.mark.parametrize("filtered", [False, True])
@QUEUED
def test_fallback_by_disk(queued, filtered, disk, second_disk, cgroup):
    """Timed by probes, -D and -d keep disks apart."""
    args = ["-D", "--json", *queued, *(["--cgroup", cgroup.path] if filtered else [])]
    with working("write", disk, cgroup=cgroup) as work, working("write", second_disk, 31, cgroup=cgroup) as other:
        with Tool("biolatency", *args, avoid="stamps") as tool, \
                Tool("biolatency", *args, "-d", disk.name, avoid="stamps") as one:
            work.run()
            other.run()
    ours = {h["disk"]: h["count"] for h in histograms(tool) if h["disk"] in (disk.name, second_disk.name)}
    assert ours[disk.name] == N and ours[second_disk.name] >= 31
    assert {h["disk"]: h["count"] for h in histograms(one)} == {disk.name: N}


@pytest.mark.parametrize("stamped", [True, False])
def test_without_the_kernels_stamps(stamped, disk):
    """-Q where the kernel does not stamp: exact and true all the same, and said on stderr and in the summary."""
    with contextlib.nullcontext() if stamped else disk.unstamped(), working("write", disk) as work:
        with Tool("biolatency", "-Q", "-d", disk.name, "--json") as tool:
            done = work.run()[-1]
    [h] = histograms(tool)
    check_histogram(h)
    assert h["count"] == done["done"] == N
    assert h["sum_ns"] <= done["sum_ns"], "longer than the caller waited: not this request's stamp"
    assert bool(NO_STAMPS.search(tool.err)) != stamped, tool.said
    assert tool.summary["timed_by"] == TIMED_BY[stamped]


@QUEUED
def test_throttling_that_ends(queued, disk):
    """Write-back throttling is switched off in the middle: the kernel goes on to stamp, and nothing else is claimed."""
    with working("write", disk) as first, working("write", disk, 31) as second:
        with Tool("biolatency", "-d", disk.name, "--json", *queued) as tool:
            done = first.run()
            with disk.set("wbt_lat_usec", "0"):
                done += second.run()
    assert total(tool) == N + 31
    assert sum(h["sum_ns"] for h in tool.json) <= sum(line["sum_ns"] for line in done)
    assert (tool.summary["timed_by"], tool.summary["untimed"]) == ("kernel", 0)
    assert not NO_STAMPS.search(tool.err), tool.said


def test_stamps_that_end(disk):
    """-Q, and the stamps end in the middle: what could not be timed is counted, and the rest is true."""
    with working("write", disk) as first, working("write", disk, 31) as second, working("write", disk, 7) as third:
        with Tool("biolatency", "-d", disk.name, "--json", "-Q") as tool:
            done = first.run()
            with disk.unstamped():
                done += second.run()
                time.sleep(patience(0.3))
                done += third.run()
    assert total(tool) + tool.summary["untimed"] == N + 31 + 7
    assert 0 < tool.summary["untimed"] <= 31
    assert sum(h["sum_ns"] for h in tool.json) <= sum(line["sum_ns"] for line in done)
    assert tool.summary["timed_by"] == "probe" and NO_STAMPS.search(tool.err), tool.said
