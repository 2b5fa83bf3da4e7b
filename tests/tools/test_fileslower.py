# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""fileslower: every way in which files are read and written, by every rung; how slow that was; what is no file; filters."""

import contextlib
import errno
import functools
import os
import re
import signal

import pytest

from filesystems import fuse
from harness import HEAD_KEYS, OK, VM, Script, Tool, Workload
from machine import call, need
from snoop import LOSS_ALLOWED
from suite import HEADERS

N = 23
MS = 1_000_000
LATE_MS = 15                    # more than the tool's default
RUNGS = {"fentry": "gaps", "kprobe": "gaps,fentry,fexit", "tp_btf": "fentry,fexit,kprobe,kretprobe",
         "raw_tp": "fentry,fexit,kprobe,kretprobe,tp_btf"}
CALLS = ("tp_btf", "raw_tp")
BUT_RAW = [rung for rung in RUNGS if rung != "raw_tp"]  # which only reads arguments another way: test_every_way
READS = ("read", "readv", "preadv2", "preadv", "pread", "end", "bad")
WRITES = ("write", "writev", "pwritev2", "pwritev", "pwrite", "append", "appendat")
MOVES = ("sendfile", "copy", "splice")
AIO = ("aio", "aiowrite")
URING = ("uring", "uringwrite", "uringhere", "uringbad")
OTHERS = ("pipe", "socket", "eventfd", "zero", "dir")
COUNTED = tuple(kind for kind in (*READS, *WRITES, "sendfile", "copy", *OTHERS) if kind not in ("bad", "dir"))
LETTERS = {"read": "R", "write": "W"}
KEYS = HEAD_KEYS | {"comm", "operation", "bytes", "latency_ns", "filesystem", "device", "path", "offset", "errno"}
MANY = 4_000 if VM else 10_000
DEEP = 12                       # directories with names of 250 bytes: the rings hold some 5000 events with such a path


@contextlib.contextmanager
def workloads(place, cgroup, kinds, *more, number=N):
    """{kind: a prepared rws}, each in a directory of its own."""
    with contextlib.ExitStack() as stack:
        made = {}
        for kind in kinds:
            home = place / "rws" / kind     # the file system is that of other files of tests, too
            home.mkdir(parents=True, exist_ok=True)
            made[kind] = stack.enter_context(Workload("rws", kind, number, home, *more, cgroup=cgroup))
        yield made


@functools.cache
def first_rung(avoid):
    """The rung that the tool takes here."""
    with Tool("fileslower", "--comm", "nobody", avoid=avoid) as tool:
        pass
    return tool.rung("reads and writes", "fentry/vfs_read")


@pytest.fixture(name="avoid")
def fixture_avoid(rung):
    """What leaves the tool with the test's rung, if this kernel has it."""
    used = first_rung(RUNGS[rung])
    need(used == rung, f"{rung} is not granted here, but {used}")
    return RUNGS[rung]


def rows_of(tool, work):
    """The tool's rows of this workload, without its looks at /proc."""
    return [row for row in tool.json if row["pid"] == work.pid and row["path"] != f"/proc/{work.pid}/io"]


def fact(line):
    """What a row must say of what rws has done."""
    name = re.sub("^socket:", "unix:", line["name"])
    return (LETTERS_BACK[line["op"]], line["bytes"], line["offset"] if line["offset"] >= 0 else None, line["errno"],
            name, line["tid"], "rws")


LETTERS_BACK = {letter: name for name, letter in LETTERS.items()}


def said(row):
    """The same of a row."""
    return tuple(row[key] for key in ("operation", "bytes", "offset", "errno", "path", "tid", "comm"))


def check_rows(rows, done, lost=0):
    """Each read and write has its row, which says the same, and no longer than the program itself saw."""
    wanted = [fact(line) for line in done]
    if lost and len(rows) < len(wanted):
        assert len(wanted) - len(rows) <= lost and set(map(said, rows)) <= set(wanted)
        return
    assert [said(row) for row in rows] == wanted
    assert all(0 < row["latency_ns"] <= line["ns"] for row, line in zip(rows, done))


def lost_of(tool, number):
    """Nothing of `number` was lost, but on a kernel that preempts tasks inside a program: there a few may be, and are
    counted; with them, runs for what others read and wrote, or called. Returns how many may be missing."""
    assert tool.status == OK, tool.said
    allowed = int(LOSS_ALLOWED * number) if VM and VM.startswith("7") else 0
    lost, missed = tool.summary["lost"], tool.summary["missed_runs"]
    assert lost <= allowed and (allowed or not missed), tool.said
    return min(lost + missed, allowed)


def finished(works):
    """What the workloads have done, {kind: (lines, counts)}."""
    done = {}
    for kind, work in works.items():
        if not work.unavailable:
            *lines, counts = work.run()
            done[kind] = lines, counts
    return done


@pytest.mark.parametrize("rung", RUNGS)
def test_every_way(rung, avoid, ext4, cgroup):
    """23 of each way to read or write a file: direction, bytes, place, error, whole path, and a time within what the
    program saw; one row each, of what moves bytes between two files one for each; none for a mapping."""
    kinds = (*READS, *WRITES, *MOVES, *AIO, *URING, "mapped")
    with workloads(ext4, cgroup, kinds) as works:
        with Tool("fileslower", "0", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = finished(works)
    lost = lost_of(tool, len(kinds) * N)
    for kind, (lines, _) in done.items():
        rows = rows_of(tool, works[kind])
        assert [bool(row.get("async")) for row in rows] == [kind in AIO + URING] * len(rows), kind
        assert [bool(row.get("move")) for row in rows] == [kind in MOVES] * len(rows), kind
        assert len(lines) == (0 if kind == "mapped" else 2 * N if kind in MOVES else N)
        if rung in CALLS and kind == "appendat":        # the call does not say where
            lines = [{**line, "offset": -1} for line in lines]
        if kind == "uringbad" and VM == "5.10":         # refused before it is submitted
            assert not rows
        elif rung in CALLS and kind in AIO:
            assert not rows and "tracing without io_submit(2)" in tool.err
        else:
            check_rows(rows, lines, lost)
    assert {row["filesystem"] for kind in done for row in rows_of(tool, works[kind])} == {"ext4"}
    assert {(row["device"], row["uid"]) for kind in done for row in rows_of(tool, works[kind])} == \
        {("{}:{}".format(*divide(os.stat(ext4).st_dev)), 0)}


def divide(device):
    """Major and minor number."""
    return os.major(device), os.minor(device)


def test_requests_of_one_number(ext4, cgroup):
    """Two requests by io_uring at a time, with the same number: a row each; on 5.10 they are counted as lost."""
    with workloads(ext4, cgroup, ["uringtwins"]) as works:
        with Tool("fileslower", "0", "--cgroup", cgroup.path, "--json") as tool:
            done = finished(works)
    need(done, "no io_uring here")
    rows = rows_of(tool, works["uringtwins"])
    if VM == "5.10":
        assert not rows and tool.summary["lost"] == 2 * N
    else:
        check_rows(rows, done["uringtwins"][0], lost_of(tool, 2 * N))


@pytest.mark.parametrize("rung", BUT_RAW)
@pytest.mark.parametrize("kind", ["fuse", "fusewrite"])
def test_slow_file_system(kind, avoid, place, cgroup):
    """Of 46 reads or writes 23 are answered late by the file system, by a known time: those show by default, and take no
    less, nor more than the program itself saw."""
    source = place / "source"
    source.write_bytes(bytes(4096 * 2 * N))
    with fuse(place, source, LATE_MS) as (directory, _):
        with Workload("rws", kind, 2 * N, directory, cgroup=cgroup) as work:
            with Tool("fileslower", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
                *done, _ = work.run()
    slow = [line for line in done if line["ns"] >= 10 * MS]
    rows = rows_of(tool, work)
    lost = lost_of(tool, N)
    late = {(line["bytes"], line["offset"]) for line in done[1::2]}
    assert len(late) == N <= len(slow)
    assert all(row["latency_ns"] >= (LATE_MS if (row["bytes"], row["offset"]) in late else 10) * MS for row in rows)
    # what lies just below the least time, or what emulation has held up between the two looks at the clock
    border = sum(line["ns"] < 11 * MS or (line["bytes"], line["offset"]) not in late for line in slow)
    assert N - lost <= len(rows) <= len(slow) and len(slow) - len(rows) <= border + lost
    assert {row["filesystem"] for row in rows} == {"fuse"} and {row["path"] for row in rows} == {f"{directory}/x"}
    by_place = {(line["bytes"], line["offset"]): line["ns"] for line in done}
    assert all(row["latency_ns"] <= by_place[row["bytes"], row["offset"]] for row in rows)


@pytest.mark.parametrize("rung", BUT_RAW)
def test_what_is_no_file(avoid, ext4, cgroup):
    """Pipes, sockets, devices, directories and what has no type at all show with -a, by what they are; without, not."""
    with workloads(ext4, cgroup, OTHERS) as works:
        scope = "0", "--cgroup", cgroup.path, "--json"
        with Tool("fileslower", "-a", *scope, avoid=avoid) as tool, \
                Tool("fileslower", *scope, avoid=avoid) as files:
            done = finished(works)
    lost = lost_of(tool, 2 * len(OTHERS) * N)
    for kind, (lines, _) in done.items():
        assert len(lines) == (N if kind == "dir" else 2 * N)
        names = {line["name"] for line in lines}
        check_rows([row for row in rows_of(tool, works[kind]) if row["path"].replace("unix:", "socket:") in names],
                   lines, lost)
        assert not rows_of(files, works[kind]), kind


@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_slow_pipe(avoid, ext4, cgroup):
    """23 of 46 reads of a pipe wait for who writes to it: they show with -a, for as long as the program saw."""
    with workloads(ext4, cgroup, ["nap"], LATE_MS, number=2 * N) as works:
        scope = "--cgroup", cgroup.path, "--json"
        with Tool("fileslower", "-a", *scope, avoid=avoid) as tool, Tool("fileslower", *scope) as files:
            (done, _), = finished(works).values()
    rows = [row for row in rows_of(tool, works["nap"]) if row["tid"] == works["nap"].pid]
    late = [line for line in done if line["ns"] >= 10 * MS]
    assert len(late) >= N and not files.json
    lost = lost_of(tool, 2 * N)
    if not VM:                  # in emulation a thread may be held up between two looks at the clock
        check_rows(rows, late, lost)
    shown = {row["bytes"] for row in rows}
    assert len({line["bytes"] for line in done[1::2]} - shown) <= lost
    assert shown <= {line["bytes"] for line in late} and {row["path"] for row in rows} == {done[0]["name"]}


@pytest.mark.parametrize("rung", BUT_RAW)
def test_agrees_with_the_kernel(avoid, ext4, cgroup):
    """As many reads and writes, and as many bytes, as the kernel has counted for each process (/proc/PID/io)."""
    with workloads(ext4, cgroup, COUNTED) as works:
        with Tool("fileslower", "-a", "0", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = finished(works)
    if lost_of(tool, len(COUNTED) * 2 * N):
        return                  # it is counted; the rows that there are, are held to what was done elsewhere
    for kind, (_, counts) in done.items():
        rows = [row for row in tool.json if row["pid"] == works[kind].pid]
        first, last = (i for i, row in enumerate(rows) if row["path"] == f"/proc/{works[kind].pid}/io")
        between = rows[first:last]
        reads = [row["bytes"] for row in between if row["operation"] == "read"]
        writes = [row["bytes"] for row in between if row["operation"] == "write"]
        assert {"syscr": len(reads), "syscw": len(writes), "rchar": sum(reads), "wchar": sum(writes)} == counts, kind
        assert counts["syscr"] + counts["syscw"] > N


@pytest.mark.parametrize("rung", BUT_RAW)
def test_one_row_through_layers(avoid, ext4, place, cgroup):
    """What goes through an overlayfs is one read, of the file that was opened."""
    for name in ("lower", "upper", "work"):
        (ext4 / name).mkdir(exist_ok=True)
    top = place / "top"
    top.mkdir()
    call("mount", "-t", "overlay", "overlay", "-o",
         f"lowerdir={ext4}/lower,upperdir={ext4}/upper,workdir={ext4}/work", top)
    try:
        with workloads(top, cgroup, ["pread", "pwritev", "copy", "sendfile"]) as works:
            with Tool("fileslower", "0", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
                done = finished(works)
    finally:
        call("umount", top)
    lost = lost_of(tool, 6 * N)
    for kind, (lines, _) in done.items():
        rows = rows_of(tool, works[kind])
        assert {row["filesystem"] for row in rows} == {"overlay"}
        check_rows(rows, lines, lost)


@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_filters(avoid, ext4, cgroup, other_cgroup):
    """-p, --tid, --comm, --uid and --cgroup judge who reads; and so they do who has asked for it by io_uring."""
    with workloads(ext4, cgroup, ("pread", "uring")) as works:
        one, two = works["pread"], works["uring"]
        both = N if two.unavailable else 2 * N
        wanted = {("-p", one.pid): N, ("--tid", two.pid): both - N, ("-p", f"{one.pid},{two.pid}"): both,
                  ("-p", os.getpid()): 0, ("--comm", "rws"): both, ("--comm", "rw"): 0, ("--uid", 65534): 0,
                  ("--cgroup", other_cgroup.path): 0}
        with contextlib.ExitStack() as stack:
            tools = {args: stack.enter_context(Tool("fileslower", "0", "--json", *args, avoid=avoid,
                                                    *(() if "--cgroup" in args else ("--cgroup", cgroup.path))))
                     for args in wanted}
            finished(works)
    for args, tool in tools.items():
        seen = len([row for row in tool.json if not row["path"].startswith("/proc/")])
        assert wanted[args] - lost_of(tool, both) <= seen <= wanted[args], args


@pytest.mark.parametrize("rung", ["kprobe", "tp_btf"])
def test_threshold(avoid, ext4, cgroup):
    """Below the threshold nothing shows."""
    with workloads(ext4, cgroup, ("pread", "pwrite", "copy", "uring", "aio")) as works:
        with Tool("fileslower", "60000", "-a", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            finished(works)
    lost_of(tool, 6 * N)
    assert (tool.json, tool.summary["events"]) == ([], 0)


def test_interrupted(cgroup):
    """A read that a signal ends is one row, with EINTR; when it begins anew, that is another one."""
    code = """
        import signal
        ends = os.pipe()
        def write(*unused):
            os.write(ends[1], b"late")
        signal.signal(signal.SIGALRM, write)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        os.read(ends[0], 100)
        """
    with Script(code, cgroup=cgroup) as work:
        with Tool("fileslower", "-a", "0", "--cgroup", cgroup.path, "--json") as tool:
            work.run()
    rows = [row for row in rows_of(tool, work) if row["path"].startswith("pipe:") and row["operation"] == "read"][-2:]
    assert [(row["errno"], row.get("error"), row["bytes"]) for row in rows] == \
        [(errno.EINTR, "EINTR", 0), (0, None, len("late"))]
    assert rows[0]["latency_ns"] >= 40 * MS > rows[1]["latency_ns"]


def test_text(ext4, cgroup):
    """BCC's columns, and the same in each as in JSON."""
    with workloads(ext4, cgroup, ("pread", "write", "copy", "pipe")) as works:
        with Tool("fileslower", "-a", "0", "--cgroup", cgroup.path) as text, \
                Tool("fileslower", "-a", "0", "--cgroup", cgroup.path, "--json") as tool:
            finished(works)
    assert text.header == HEADERS["fileslower"]
    assert {frozenset(row) - {"error", "move"} for row in tool.json} == {frozenset(KEYS)}
    assert len(text.rows) > 4 * N or lost_of(tool, 6 * N)
    if not VM:
        assert [(row["COMM"], int(row["TID"]), row["D"], int(row["BYTES"]), row["FILENAME"]) for row in text.rows] == \
            [(row["comm"], row["tid"], LETTERS[row["operation"]], row["bytes"], row["path"]) for row in tool.json]
    assert all(re.fullmatch(r"-?\d+\.\d{9}", row["TIME(s)"]) and re.fullmatch(r"\d+\.\d\d", row["LAT(ms)"])
               for row in text.rows)


def test_shown_and_lost(ext4, cgroup):
    """Held up while more is read and written than its memory holds: each is shown, or counted as lost."""
    deep = ext4.joinpath(*DEEP * ["d" * 250])
    deep.mkdir(parents=True)
    with Workload("filerw", MANY, deep / "storm", cgroup=cgroup) as work:
        with Tool("fileslower", "0", "--cgroup", cgroup.path, "--json") as tool:
            tool.process.send_signal(signal.SIGSTOP)
            done = work.run(120)[-1]["done"]
            tool.process.send_signal(signal.SIGCONT)
    assert done == MANY and tool.summary["lost"] > 0
    rows = [row for row in tool.json if row["path"] == str(deep / "storm")]
    others = len(tool.json) - len(rows)
    known = len(tool.json) + tool.summary["lost"]
    assert known - others <= 2 * MANY + others and 2 * MANY <= known + tool.summary["missed_runs"], tool.summary
    assert tool.lost == tool.summary["lost"], tool.said
