# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""opensnoop's options: filters and columns."""

import contextlib
import os

import pytest

from harness import Tool, Workload, run_tool
from machine import OWN_COMM, OWN_UID
from snoop import FAILING, N, O_LARGEFILE, comparable, open_rows, watch_opens
from suite import HEADERS


def has(*wanted):
    """Whether flags have one of the wanted: (flags, access mode or None)."""
    return lambda flags: any(flags & bits == bits and mode in (None, flags & os.O_ACCMODE) for bits, mode in wanted)


FLAG_FILTERS = {                # -f: which opens it must show
    ("O_RDONLY",): has((0, os.O_RDONLY)),
    ("O_WRONLY",): has((0, os.O_WRONLY)),
    ("O_WRONLY|O_TRUNC",): has((os.O_TRUNC, os.O_WRONLY)),
    ("O_RDONLY|O_CREAT",): has((os.O_CREAT, os.O_RDONLY)),
    ("O_NONBLOCK|O_CLOEXEC",): has((os.O_NONBLOCK | os.O_CLOEXEC, None)),
    ("O_TMPFILE",): has((os.O_TMPFILE, None)),
    ("O_SYNC",): has((os.O_SYNC, None)),
    ("O_APPEND", "O_CREAT"): has((os.O_APPEND, None), (os.O_CREAT, None)),
    ("O_RDONLY", "O_RDWR|O_TRUNC"): has((0, os.O_RDONLY), (os.O_TRUNC, os.O_RDWR)),
    ("O_EXCL",) * 7 + ("O_APPEND",): has((os.O_APPEND, None)),      # as many as there may be
}


@pytest.mark.parametrize("option", ["-p", "--tid", "-t", "--uid", "-u", "--comm", "-n", "--cgroup"])
def test_filter(option, open_place, cgroup, other_cgroup):
    """Each filter shows one of two workloads, all of it and nothing else."""
    match = {"-p": lambda w: w.pid, "--tid": lambda w: w.pid, "-t": lambda w: w.pid, "--uid": lambda w: OWN_UID,
             "-u": lambda w: OWN_UID, "--comm": lambda w: OWN_COMM, "-n": lambda w: OWN_COMM[1:-1],
             "--cgroup": lambda w: cgroup.path}[option]
    own = {"uid": OWN_UID} if option in ("--uid", "-u") else {"comm": OWN_COMM} if option in ("--comm", "-n") else {}
    with Workload("opens", "open", N, 0, open_place, cgroup=cgroup, directory=open_place, **own) as work, \
            Workload("opens", "open", 7, 0, open_place, cgroup=other_cgroup) as other:
        with Tool("opensnoop", option, match(work), "--json") as tool:
            other.run()
            done = work.run()
    assert [(row["pid"], row["path"]) for row in tool.json] == [(work.pid, line["path"]) for line in done]
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


def test_several_pids(open_place, cgroup):
    """-p takes a list."""
    with contextlib.ExitStack() as stack:
        works = [stack.enter_context(Workload("opens", "open", 3, 0, open_place, cgroup=cgroup)) for _ in range(3)]
        with Tool("opensnoop", "-p", f"{works[0].pid},{works[2].pid}", "--json") as tool:
            for work in works:
                work.run()
    assert [row["pid"] for row in tool.json] == [works[0].pid] * 3 + [works[2].pid] * 3


def test_filter_by_a_thread(open_place, cgroup):
    """--tid of the leader does not show what another thread of the process does."""
    with Workload("opens", "open", N, 0, open_place, "thread", cgroup=cgroup) as work:
        with Tool("opensnoop", "--tid", work.pid, "--json") as by_tid, \
                Tool("opensnoop", "-p", work.pid, "--json") as by_pid:
            work.run()
    assert len(by_pid.json) >= N
    assert [row for row in by_tid.json if str(open_place) in row["path"]] == []


@pytest.mark.parametrize("args", [("--comm", "no-such-comm"), ("--uid", str(OWN_UID)), ("--cgroup", "CGROUP")])
def test_filter_that_matches_nothing(args, open_place, cgroup, other_cgroup):
    """Nothing but the header."""
    args = [other_cgroup.path if arg == "CGROUP" else arg for arg in args]
    with Workload("opens", "mix", N, FAILING, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", *args) as tool:
            work.run()
    assert tool.status == 0
    assert [line.split() for line in tool.lines] == [HEADERS["opensnoop"]]


def test_cgroup_below(open_place, cgroup):
    """--cgroup means the cgroup and those below it."""
    below = cgroup.path / "below"
    below.mkdir()
    try:
        with Workload("opens", "open", N, 0, open_place, cgroup=cgroup) as work:
            (below / "cgroup.procs").write_text(str(work.pid))
            with Tool("opensnoop", "--cgroup", cgroup.path, "--json") as tool:
                work.run()
    finally:
        below.rmdir()
    assert len(tool.json) == N


def test_only_failed(open_place, cgroup):
    """-x shows the failing opens and no other."""
    tool, done = watch_opens(["-x", "--json"], ["mix", N, FAILING, open_place], cgroup)
    assert comparable(tool.json) == open_rows(done[-FAILING:])


@pytest.mark.parametrize("filters", FLAG_FILTERS, ids=" ".join)
def test_flag_filter(filters, open_place, cgroup):
    """-f shows opens with all of the flags of one filter, where an access mode is a number, and not bits."""
    options = [word for text in filters for word in ("-f", text)]
    with Workload("openflags", open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, *options, "--json") as tool:
            done = work.run()
    wanted = [line["flags"] for line in done if FLAG_FILTERS[filters](line["flags"])]
    assert 0 < len(wanted) < len(done)
    assert [row["flags"] & ~O_LARGEFILE for row in tool.json] == wanted


def test_flag_filter_and_failed(open_place, cgroup):
    """-f and -x: both must hold."""
    tool, done = watch_opens(["-x", "-f", "O_APPEND", "--json"], ["mix", N, FAILING, open_place], cgroup)
    wanted = [line for line in done if line["errno"] and line["flags"] & os.O_APPEND]
    assert wanted and comparable(tool.json) == open_rows(wanted)


def test_columns(open_place, cgroup):
    """-T, -U and -e add columns; the values are right."""
    tool, done = watch_opens(["-T", "-U", "-e"], ["open", 3, 0, open_place], cgroup)
    assert {"UID", "FLAGS", *HEADERS["opensnoop"]} < set(tool.header), tool.header
    assert tool.header[0].startswith("TIME") and tool.header[-1] == "PATH"
    times = [float(row[tool.header[0]]) for row in tool.rows]
    assert times == sorted(times)
    assert {row["UID"] for row in tool.rows} == {"0"}
    assert {int(row["FLAGS"], 8) & ~O_LARGEFILE for row in tool.rows} == {done[0]["flags"]}


def test_column_of_threads(open_place, cgroup):
    """With -t the thread stands in the place of the process, as in BCC; its rows are all that show."""
    with Workload("opens", "open", N, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "-t", work.pid) as text, Tool("opensnoop", "-t", work.pid, "--json") as json:
            done = work.run()
    assert text.header == ["TID", *HEADERS["opensnoop"][1:]]
    assert [(row["TID"], row["PATH"]) for row in text.rows] == [(str(work.pid), line["path"]) for line in done]
    assert comparable(json.json) == open_rows(done)


def test_wall_clock(open_place, cgroup):
    """--time puts the time of day before the row."""
    tool, _ = watch_opens(["--time"], ["open", 3, 0, open_place], cgroup)
    assert tool.header[0] == "TIME"
    assert all(":" in row["TIME"] and "." in row["TIME"] for row in tool.rows) and len(tool.rows) == 3


def test_bcc_duration(cgroup):
    """-d SEC ends the tool, as in BCC."""
    done = run_tool("opensnoop", "-d", "1", "--cgroup", cgroup.path)
    assert (done.returncode, done.stdout.split()) == (0, HEADERS["opensnoop"])
