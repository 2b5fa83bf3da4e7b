# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""biolatency against the kernel's own counters of a disk that nobody else uses."""

import contextlib
import re
import signal
import time

import pytest

import machine
from harness import RFC3339, VM, Tool, Workload, patience, run_tool

N = 23
MS = 1_000_000
FAR = 4096                      # blocks away, so that the requests of two workloads are never merged
BUCKET_ERROR = 0.05             # of the log-linear buckets
NO_STAMPS = re.compile(r"^biolatency: .*(does not|no time) stamp", re.M)     # how stderr tells of the fallback
TIMED_BY = {True: "kernel", False: "probe"}         # what the summary says, by whether the kernel stamps
PERCENTILES = ("p50_ns", "p90_ns", "p99_ns", "p999_ns")
TEXT_ROW = re.compile(r"^\s*(\d+) -> (\d+)\s*: (\d+)\s+\|[* ]*\|$", re.M)
TEXT_LINE = re.compile(r"^.*\bavg\b.*\bp50\b.*\bp90\b.*\bp99\b.*\bmax\b", re.M)


def histograms(tool):
    """The histogram objects that counted something."""
    return [h for h in tool.json if h["count"]]


def total(tool):
    """How many I/Os all histograms count."""
    return sum(h["count"] for h in tool.json)


def check_histogram(h):
    """What must hold within one histogram object."""
    buckets = h["buckets"]
    assert sum(b["count"] for b in buckets) == h["count"]
    assert all(0 <= b["from_ns"] < b["to_ns"] for b in buckets)
    assert all(a["to_ns"] <= b["from_ns"] for a, b in zip(buckets, buckets[1:]))
    used = [b for b in buckets if b["count"]]
    assert used[0]["from_ns"] <= h["min_ns"] <= used[0]["to_ns"]
    assert used[-1]["from_ns"] <= h["max_ns"] <= used[-1]["to_ns"]
    assert h["min_ns"] * h["count"] <= h["sum_ns"] <= h["max_ns"] * h["count"]
    ordered = [h["min_ns"], *(h[p] for p in PERCENTILES), h["max_ns"]]
    assert ordered == sorted(ordered), ordered
    assert RFC3339.fullmatch(h["time"])


def in_text(tool):
    """The sum of the counts in text histograms."""
    return sum(int(row[2]) for row in TEXT_ROW.findall(tool.out))


@contextlib.contextmanager
def working(kind, disk, n=N, first=0, **kwargs):
    """A waiting `diskio` on the disk, from its block `first` on."""
    with Workload("diskio", kind, n, disk.path, first, **kwargs) as work:
        yield work


@pytest.mark.parametrize("kind", ["write", "read"])
def test_exact_count(kind, disk):
    """23 direct I/Os: 23 in the histogram, as many as the kernel counted, and no slower than the caller saw."""
    with working(kind, disk) as work:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--json") as tool:
            done = work.run()[-1]
        grown = disk.grown(before)
    assert (done["done"], done["errno"]) == (N, 0)
    assert grown == {"reads": 0, "writes": 0, "discards": 0, "flushes": 0, kind + "s": N}
    [h] = histograms(tool)
    check_histogram(h)
    assert h["count"] == N
    assert 0 < h["sum_ns"] <= done["sum_ns"]
    assert h["max_ns"] <= done["max_ns"]
    assert (tool.status, tool.summary["lost"]) == (0, 0)


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("throttled", [True, False])
def test_agrees_with_the_kernel(throttled, queued, disk):
    """Reads, writes, discards and flushes, with write-back throttling and without: the stat file's total."""
    with disk.set("wbt_lat_usec", "2000" if throttled else "0"), working("mix", disk) as work:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--json", *(["-Q"] if queued else [])) as tool:
            lines = work.run()
        grown = disk.grown(before)
    done = {line["kind"]: line["done"] for line in lines}
    assert done["write"] == done["read"] == done["dsync"] == N
    assert sum(grown.values()) > 3 * N and (grown["flushes"] or not done["flush"])
    assert total(tool) == sum(grown.values()), grown
    for h in histograms(tool):
        check_histogram(h)
        # a flush is two requests at a time: the one asked for, and the flush proper
        assert h["sum_ns"] <= 2 * sum(line["sum_ns"] for line in lines)


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


def test_claims_no_missing_stamps(disk):
    """Without write-back throttling the queue may go on to keep statistics: then the stamps are there."""
    with disk.set("wbt_lat_usec", "0"), working("write", disk) as work:
        if not disk.keeps_statistics():
            pytest.skip("vm-ok: the queue keeps no statistics, or there is no debugfs to tell")
        with Tool("biolatency", "-d", disk.name, "--json") as tool:
            work.run()
    assert total(tool) == N
    assert not NO_STAMPS.search(tool.err), tool.said


@pytest.mark.parametrize("queued", [False, True])
def test_stamps_that_end(queued, disk):
    """A queue's settings change in the middle: what could not be timed is counted, and the rest is true."""
    with working("write", disk) as first, working("write", disk, 31) as second, working("write", disk, 7) as third:
        with Tool("biolatency", "-d", disk.name, "--json", *(["-Q"] if queued else [])) as tool:
            done = first.run()
            with disk.unstamped() if queued else disk.set("wbt_lat_usec", "0"):
                done += second.run()
                time.sleep(patience(0.3))
                done += third.run()
    assert total(tool) + tool.summary["untimed"] == N + 31 + 7
    assert tool.summary["untimed"] <= 31
    assert sum(h["sum_ns"] for h in tool.json) <= sum(line["sum_ns"] for line in done)


def test_text_says_the_same(disk):
    """BCC's look, with the same counts as JSON, and a line of percentiles."""
    with working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name) as text, Tool("biolatency", "-m", "-d", disk.name) as ms, \
                Tool("biolatency", "-d", disk.name, "--json") as json:
            work.run()
    assert total(json) == in_text(text) == in_text(ms) == N
    assert re.search(r"^ *usecs +: count +distribution$", text.out, re.M), text.out
    assert re.search(r"^ *msecs +: count +distribution$", ms.out, re.M), ms.out
    assert TEXT_LINE.search(text.out), text.out
    for low, high, _ in TEXT_ROW.findall(text.out):
        assert int(low) in (0, 1) or int(high) == 2 * int(low) - 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("json", [False, True])
def test_prints_at_a_signal(number, json, disk):
    """What was gathered is printed, and the status is 0."""
    with working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name, *(["--json"] if json else [])) as tool:
            work.run()
            assert not TEXT_ROW.search(tool.out) and "buckets" not in tool.out
            assert tool.stop(number) == 0
    assert (total(tool) if json else in_text(tool)) == N


def test_intervals(disk):
    """INTERVAL and COUNT: that many reports, which end the tool; each counts its own interval only."""
    with working("write", disk, 5) as first, working("write", disk, 7) as second:
        with Tool("biolatency", "-d", disk.name, "--json", 2 if VM else 1, 3) as tool:
            first.run()
            counted = wait_for_report(tool)
            second.run()
            assert tool.wait(15) == 0
    assert counted == 5
    assert total(tool) == 12


def wait_for_report(tool):
    """Waits for the first report that counts something, and returns its count."""
    deadline = time.monotonic() + patience(5)
    while time.monotonic() < deadline:
        found = re.findall(r'"count": ?(\d+),"sum_ns"', tool.out)
        if found and int(found[0]):
            return int(found[0])
        time.sleep(0.01)
    raise AssertionError(tool.out)


def test_interval_text(disk):
    """`biolatency -T 1 2` prints the time of day before each of its reports."""
    done = run_tool("biolatency", "-T", "-d", disk.name, "1", "2", seconds=10)
    assert done.returncode == 0
    assert len(re.findall(r"^\d\d:\d\d:\d\d", done.stdout, re.M)) == 2


def test_by_disk(disk, second_disk):
    """-D: one histogram for each disk, named."""
    with working("write", disk) as work, working("write", second_disk, 31) as other:
        before = second_disk.stat()
        with Tool("biolatency", "-D", "--json") as tool, Tool("biolatency", "-D", "-d", disk.name) as text:
            work.run()
            other.run()
        grown = second_disk.grown(before)
    ours = {h["disk"]: h["count"] for h in histograms(tool) if h["disk"] in (disk.name, second_disk.name)}
    assert ours == {disk.name: N, second_disk.name: sum(grown.values())} and grown["writes"] >= 31
    assert in_text(text) == N and disk.name in text.out


def test_by_flags(disk):
    """-F: one histogram for each kind of request, which add up to the kernel's total."""
    with working("mix", disk) as work:
        before = disk.stat()
        with Tool("biolatency", "-F", "-d", disk.name, "--json") as tool, \
                Tool("biolatency", "-F", "-d", disk.name) as text:
            work.run()
        grown = disk.grown(before)
    found = histograms(tool)
    assert len({str(h["flags"]) for h in found}) == len(found) >= 4
    assert sum(h["count"] for h in found) == sum(grown.values()) == in_text(text)
    reads = [h["count"] for h in found if "read" in str(h["flags"]).lower() and "ahead" not in str(h["flags"]).lower()]
    assert sum(reads) == grown["reads"] == N
    assert "flags" in text.out.lower() and "Write" in text.out


def test_extension(disk):
    """-e: the total time as well, which is the average times the count."""
    with working("write", disk) as work:
        with Tool("biolatency", "-e", "-d", disk.name) as tool, Tool("biolatency", "-d", disk.name) as without:
            work.run()
    average, whole = map(float, re.search(r"\bavg ([\d.]+)\b.*\btotal ([\d.]+)\b", tool.out).groups())
    assert whole == pytest.approx(average * N, rel=0.02)
    assert "total" not in without.out and in_text(without) == N


def test_by_submitter(disk, cgroup, other_cgroup):
    """--cgroup and -p are judged by who submitted, not by who is on the CPU at completion."""
    with working("write", disk, cgroup=cgroup) as work, working("write", disk, 31, FAR, cgroup=other_cgroup) as other:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--cgroup", cgroup.path, "--json") as by_cgroup, \
                Tool("biolatency", "-d", disk.name, "-p", other.pid, "--json") as by_pid, \
                Tool("biolatency", "-d", disk.name, "--comm", "diskio", "--json") as by_comm:
            other.start()
            work.run()
            other.finish()
        grown = disk.grown(before)
    assert grown["writes"] == N + 31, "the requests were merged"
    assert total(by_cgroup) == N
    assert total(by_pid) == 31
    assert total(by_comm) == 54


@pytest.mark.parametrize("args", [["--cgroup", "CGROUP"], ["--comm", "no-such-comm"], ["-d", "OTHER"]])
def test_filter_that_matches_nothing(args, disk, second_disk, other_cgroup):
    """No histogram at all."""
    args = [{"CGROUP": str(other_cgroup.path), "OTHER": second_disk.name}.get(arg, arg) for arg in args]
    with working("write", disk) as work:
        with Tool("biolatency", *args) as text, Tool("biolatency", *args, "--json") as json:
            work.run()
    assert histograms(json) == [] and json.status == 0
    assert in_text(text) == 0 and text.status == 0


def test_known_delay():
    """On a disk that takes 50 ms for everything the percentiles say so, within the bucket's error and emulation's."""
    delay, slack = 50 * MS, 15 * MS
    with machine.null_disk(delay) as disk, working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name, "--json") as device, \
                Tool("biolatency", "-Q", "-d", disk.name, "--json") as queued:
            done = work.run()[-1]
    assert done["done"] == N
    for tool in (device, queued):
        [h] = histograms(tool)
        check_histogram(h)
        assert h["count"] == N
        assert delay <= h["min_ns"]
        assert delay * (1 - BUCKET_ERROR) <= h["p50_ns"] <= (delay + slack) * (1 + BUCKET_ERROR)
        assert h["sum_ns"] <= done["sum_ns"]
    assert histograms(device)[0]["sum_ns"] <= histograms(queued)[0]["sum_ns"]
