# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""biolatency against the kernel's own counters of a disk that nobody else uses."""

import re
import signal
import time
from pathlib import Path

import pytest

import machine
from filesystems import delayed
from harness import USAGE, VM, Tool, one_line, patience, run_tool
from histograms import (BUCKET_ERROR, FAR, MS, N, TEXT_ROW, agrees, check_histogram, histograms, in_text, total,
                        working)
from machine import OWN_COMM

COUNTS_PASSTHROUGH = ("5.10",)  # kernels whose stat file has passthrough commands as reads; later ones only when asked
TEXT_LINE = re.compile(r"^.*\bavg\b.*\bp50\b.*\bp90\b.*\bp99\b.*\bmax\b", re.M)
TEXT_TOTAL = re.compile(r"\bavg ([\d.]+)\b.*\btotal ([\d.]+)\b.*\bcount (\d+)$", re.M | re.S)


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
    counts = [(h["flags"], h["count"]) for h in found]
    assert agrees(tool, total(tool), sum(grown.values())), (grown, counts, tool.summary, tool.said)
    assert agrees(text, in_text(text), sum(grown.values())), (grown, text.out, text.said)
    reads = [h["count"] for h in found if "read" in str(h["flags"]).lower() and "ahead" not in str(h["flags"]).lower()]
    assert grown["reads"] == N and agrees(tool, sum(reads), N), (counts, tool.said)
    assert "flags" in text.out.lower() and "Write" in text.out


@pytest.mark.parametrize("args", [["--cgroup", "CGROUP"], ["--comm", "no-such-comm"], ["-d", "OTHER"]])
def test_filter_that_matches_nothing(args, disk, second_disk, other_cgroup):
    """No histogram at all."""
    args = [{"CGROUP": str(other_cgroup.path), "OTHER": second_disk.name}.get(arg, arg) for arg in args]
    with working("write", disk) as work:
        with Tool("biolatency", *args) as text, Tool("biolatency", *args, "--json") as json:
            work.run()
    assert histograms(json) == [] and json.status == 0
    assert in_text(text) == 0 and text.status == 0


def test_extension(disk):
    """-e: the total time and the count as well; the total is the average times the count."""
    with working("write", disk) as work:
        with Tool("biolatency", "-e", "-d", disk.name) as tool, Tool("biolatency", "-d", disk.name) as without, \
                Tool("biolatency", "-e", "-d", disk.name, "--json") as json:
            work.run()
    average, whole, count = map(float, TEXT_TOTAL.search(tool.out).groups())
    assert count == total(json) == N
    assert whole == pytest.approx(average * N, rel=0.02)
    assert not re.search("total|count [0-9]", without.out) and in_text(without) == N


def test_by_submitter(disk, place, cgroup, other_cgroup):
    """--cgroup, -p and --comm are judged by who submitted, not by who is on the CPU at completion."""
    with working("write", disk, cgroup=cgroup, comm=OWN_COMM, directory=place) as work, \
            working("write", disk, 31, FAR, cgroup=other_cgroup) as other:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--cgroup", cgroup.path, "--json") as by_cgroup, \
                Tool("biolatency", "-d", disk.name, "-p", other.pid, "--json") as by_pid, \
                Tool("biolatency", "-d", disk.name, "--comm", OWN_COMM, "--json") as by_comm:
            other.start()
            work.run()
            other.finish()
        grown = disk.grown(before)
    assert grown["writes"] == N + 31, "the requests were merged"
    assert total(by_cgroup) == total(by_comm) == N
    assert total(by_pid) == 31


@pytest.mark.parametrize("command", ["inquiry", "ready"])
def test_passthrough(command, disk):
    """SCSI commands from user space are no block I/O: not in the histogram, and said."""
    machine.need_scsi_debug()       # a loop device takes no SCSI commands
    with working(command, disk) as scsi, working("write", disk, 31) as work:
        before = disk.stat()
        with Tool("biolatency", "-d", disk.name, "--json") as json, Tool("biolatency", "-d", disk.name) as text:
            commands = scsi.run()[-1]
            work.run()
        grown = disk.grown(before)
    assert (commands["done"], commands["errno"]) == (N, 0)
    assert total(json) == in_text(text) == 31
    assert sum(grown.values()) == 31 + (N if VM in COUNTS_PASSTHROUGH else 0)
    assert (json.summary["passthrough"], json.summary["untimed"], json.summary["lost"]) == (N, 0, 0)
    assert re.search(rf"^biolatency: {N} commands .* left out$", text.err, re.M), text.said


def check_delay(disk, delay, avoid=""):
    """On a disk that takes `delay` for everything the figures say so, within the bucket's error and emulation's."""
    slack = 15 * MS
    with working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name, "--json", avoid=avoid) as device, \
                Tool("biolatency", "-Q", "-d", disk.name, "--json", avoid=avoid) as queued:
            done = work.run()[-1]
    assert done["done"] == N
    for tool in (device, queued):
        [h] = histograms(tool)
        check_histogram(h)
        assert h["count"] == N
        assert delay <= h["min_ns"] <= done["min_ns"]
        assert delay <= h["max_ns"] <= done["max_ns"]
        assert h["sum_ns"] <= done["sum_ns"]
        assert tool.summary["timed_by"] == ("probe" if avoid else "kernel")
        assert delay * (1 - BUCKET_ERROR) <= h["p50_ns"] <= (delay + slack) * (1 + BUCKET_ERROR)
    assert histograms(device)[0]["sum_ns"] <= histograms(queued)[0]["sum_ns"]


def test_made_of_others(disk):
    """-d with a disk that has no requests of its own says which disks below it have them."""
    machine.need(VM, "device mapper is used in VMs only")
    with delayed(disk.path) as upper:
        said = run_tool("biolatency", "-d", upper, 1, 1).stderr
    assert re.search(rf"dm-\d+ has no requests of its own: look at what it is made of: {disk.name}$", said, re.M)
    assert "made of" not in run_tool("biolatency", "-d", disk.name, 1, 1).stderr


def test_without_a_queue():
    """-d with a disk in memory, which has no requests at all."""
    name = "ram0" if VM else "zram0"
    if VM:
        machine.call("modprobe", "brd")
    machine.need(Path("/sys/block", name).exists(), "no zram here")
    assert f"{name} has no requests:" in run_tool("biolatency", "-d", name, 1, 1).stderr


def test_path_of_nvme():
    """A hidden path of NVMe's multipath can't be chosen, and that is said by the name of its disk."""
    said = run_tool("biolatency", "-d", "nvme7c1n2", 1, 1)
    assert said.returncode == USAGE and "path to nvme7n2" in one_line(said.stderr)


def test_known_delay():
    """null_blk, 50 ms."""
    with machine.null_disk(50 * MS) as disk:
        check_delay(disk, 50 * MS)


@pytest.mark.parametrize("avoid", ["", "stamps"])
def test_known_delay_of_scsi(avoid, disk):
    """scsi_debug, 20 ms, by the kernel's time stamps and by probes."""
    machine.need_scsi_debug()
    with machine.scsi_delay(20 * MS):
        check_delay(disk, 20 * MS, avoid)
