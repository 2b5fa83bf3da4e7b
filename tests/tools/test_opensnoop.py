# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""opensnoop against workloads that print what it must report."""

import contextlib
import errno
import os
import threading

import pytest

from harness import CONTROL, HEAD_KEYS, HEADERS, VM, Tool, Workload, assert_sorted_times, complaints, patience, run_tool

N, FAILING = 23, 5
UID = 54321                     # nobody else's on the machine
O_LARGEFILE = 0o100000          # the kernel adds it to open, openat and creat of 64-bit programs
CALLS = ("open", "openat", "openat2", "creat")
PLACES = ("cwd", "dirfd", "dotdot", "symlink", "root", "chroot", "chroot-cwd", "mount", "mounts", "bind", "pivot",
          "deep")
URING = "io_uring open"         # the probe that sees opens by io_uring, where it is granted
MANY = 50_000 if VM else 1_000_000
LOSS_ALLOWED = 0.02 if VM else 0    # emulation has one thread for all CPUs: nothing there is "otherwise idle"


def watched(tool_args, workload_args, cgroup, **kwargs):
    """Runs `opens` under opensnoop in a cgroup of its own; returns the ended tool and what `opens` printed."""
    with Workload("opens", *workload_args, cgroup=cgroup, **kwargs) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, *tool_args) as tool:
            done = work.run()
    assert tool.status == 0, tool.said
    return tool, done


def as_reported(done, **same):
    """The JSON rows that opensnoop must print for what the workload says it did."""
    rows = []
    for line in done:
        row = {key: line[key] for key in ("pid", "tid", "fd", "errno", "path", "flags")}
        if line["errno"]:
            row["error"] = errno.errorcode[line["errno"]]
        if line["flags"] & os.O_CREAT:
            row["mode"] = line["mode"]
        rows.append({**row, "comm": "opens", "uid": 0, **same})
    return rows


def comparable(rows):
    """JSON rows without what the workload cannot know."""
    return [{key: value & ~O_LARGEFILE if key == "flags" else value for key, value in row.items()
             if key not in ("time", "flags_text", "latency_ns")} for row in rows]


@pytest.mark.parametrize("call", CALLS)
def test_exact_rows(call, open_place, cgroup):
    """23 opens, 5 of them failing, by each system call: exactly these rows with these values."""
    tool, done = watched(["--json"], [call, N, FAILING, open_place], cgroup)
    assert len(done) == N and sum(line["errno"] != 0 for line in done) == FAILING
    assert comparable(tool.json) == as_reported(done)
    assert_sorted_times(tool.json)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)
    assert all(HEAD_KEYS <= row.keys() for row in tool.json)


def test_flags_text(open_place, cgroup):
    """Flags are also shown by name."""
    tool, done = watched(["--json"], ["mix", 4, 0, open_place], cgroup)
    names = [set(row["flags_text"].replace("|", " ").replace(",", " ").split()) - {"O_LARGEFILE"}
             for row in tool.json]
    assert names == [{"O_RDWR", "O_CREAT", "O_CLOEXEC"}, {"O_WRONLY", "O_APPEND", "O_CREAT"},
                     {"O_RDONLY", "O_CREAT", "O_NONBLOCK"}, {"O_WRONLY", "O_CREAT", "O_TRUNC"}], done


def test_text_says_the_same(open_place, cgroup):
    """The default table, a script's view: the columns of BCC's man page, the same rows as JSON."""
    with Workload("opens", "mix", N, FAILING, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as text, \
                Tool("opensnoop", "--cgroup", cgroup.id, "--json") as json:
            done = work.run()
    assert text.header == HEADERS["opensnoop"]
    expected = [[str(line[key]) for key in ("pid", "fd", "errno", "path")] for line in done]
    assert [[row[name] for name in ("PID", "FD", "ERR", "PATH")] for row in text.rows] == expected
    assert {row["COMM"] for row in text.rows} == {"opens"}
    assert comparable(json.json) == as_reported(done)


def test_header_says_ready(open_place, cgroup):
    """Without -v the header is the sign that all is attached: what happens right after it is seen."""
    with Workload("opens", "open", N, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, verbose=False) as tool:
            work.run()
    assert len(tool.rows) == N
    assert complaints(tool.err) == ""


def test_from_a_thread(open_place, cgroup):
    """Another thread's opens carry the process's pid and the thread's tid."""
    tool, done = watched(["--json"], ["openat", N, 0, open_place, "thread"], cgroup)
    assert all(line["tid"] != line["pid"] for line in done)
    assert comparable(tool.json) == as_reported(done)


@pytest.mark.parametrize("option", ["-p", "--tid", "-t", "--uid", "-u", "--comm", "-n", "--cgroup"])
def test_filter(option, open_place, cgroup, other_cgroup):
    """Each filter shows one of two workloads, all of it and nothing else."""
    match = {"-p": lambda w: w.pid, "--tid": lambda w: w.pid, "-t": lambda w: w.pid, "--uid": lambda w: UID,
             "-u": lambda w: UID, "--comm": lambda w: "openfast", "-n": lambda w: "penfas",
             "--cgroup": lambda w: cgroup.path}[option]
    target = open_place / "target"
    target.touch()
    by_comm = option in ("--comm", "-n")
    with Workload("openfast" if by_comm else "opens", *([N, 1, target] if by_comm else ["open", N, 0, open_place]),
                  cgroup=cgroup, directory=open_place, uid=UID if option in ("--uid", "-u") else None) as work, \
            Workload("opens", "open", 7, 0, open_place, cgroup=other_cgroup) as other:
        with Tool("opensnoop", option, match(work), "--json") as tool:
            other.run()
            work.run()
    assert [row["pid"] for row in tool.json] == [work.pid] * N
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


@pytest.mark.parametrize("args", [("--comm", "no-such-comm"), ("--uid", "54322"), ("--cgroup", "CGROUP")])
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
    tool, done = watched(["-x", "--json"], ["mix", N, FAILING, open_place], cgroup)
    assert comparable(tool.json) == as_reported(done[-FAILING:])


def test_flag_filter(open_place, cgroup):
    """-f shows opens with these flags only."""
    tool, done = watched(["-f", "O_APPEND", "--json"], ["mix", 8, 0, open_place], cgroup)
    assert comparable(tool.json) == as_reported([line for line in done if line["call"] == "openat"])


def test_columns(open_place, cgroup):
    """-T, -U and -e add columns; the values are right."""
    tool, done = watched(["-T", "-U", "-e"], ["open", 3, 0, open_place], cgroup)
    assert {"UID", "FLAGS", *HEADERS["opensnoop"]} < set(tool.header), tool.header
    assert tool.header[0].startswith("TIME") and tool.header[-1] == "PATH"
    times = [float(row[tool.header[0]]) for row in tool.rows]
    assert times == sorted(times)
    assert {row["UID"] for row in tool.rows} == {"0"}
    assert {int(row["FLAGS"], 8) & ~O_LARGEFILE for row in tool.rows} == {done[0]["flags"]}


def test_wall_clock(open_place, cgroup):
    """--time puts the time of day before the row."""
    tool, _ = watched(["--time"], ["open", 3, 0, open_place], cgroup)
    assert tool.header[0] == "TIME"
    assert all(":" in row["TIME"] and "." in row["TIME"] for row in tool.rows) and len(tool.rows) == 3


def test_bcc_duration(cgroup):
    """-d SEC ends the tool, as in BCC."""
    done = run_tool("opensnoop", "-d", "1", "--cgroup", cgroup.path)
    assert (done.returncode, done.stdout.split()) == (0, HEADERS["opensnoop"])


@pytest.mark.parametrize("where", PLACES)
def test_full_path(where, place, cgroup):
    """-F: the base directory from the root of the process's mount namespace, "/" and the name as given."""
    with Workload("openwhere", where, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "-F", "--cgroup", cgroup.path, "--json") as full, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json") as plain:
            done = work.run()[-1]
    assert done["errno"] == 0
    assert [row["path"] for row in plain.json] == [done["name"]]
    assert [row["path"] for row in full.json] == [done["path"]]
    assert not any("path_truncated" in row for row in full.json + plain.json)


@pytest.mark.parametrize("more", [[], ["-F"]])
def test_empty_name(more, place, cgroup):
    """An open of "" is an open that failed, and not of an unknown name."""
    with Workload("openwhere", "empty", place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, *more) as text, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json", *more) as json:
            done = work.run()[-1]
    assert done["errno"] == errno.ENOENT
    expected = str(place / "empty") if more else ""
    assert [(row["error"], row["path"].rstrip("/")) for row in json.json] == [("ENOENT", expected)]
    assert "?" not in text.lines[-1]


def test_long_path(open_place, cgroup):
    """A path of almost PATH_MAX is shown whole, or visibly cut."""
    long = str(open_place) + "/." * 1900
    tool, done = watched(["--json"], ["open", 3, 0, long], cgroup)
    for row, line in zip(tool.json, done, strict=True):
        assert line["errno"] == 0
        assert row["path"] == line["path"] or (row["path_truncated"] and len(row["path"]) >= 255
                                               and line["path"].startswith(row["path"].removesuffix("...")))


def test_io_uring(open_place, cgroup):
    """Opens by io_uring show where the probe allows; where it does not, nothing wrong shows."""
    with Workload("openuring", N, open_place, cgroup=cgroup) as work:
        if work.unavailable:
            pytest.skip(f"vm-ok: no io_uring here (errno {work.unavailable})")
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()
    assert [line["errno"] for line in done] == [0] * N
    shown = [(row["pid"], row["path"]) for row in tool.json]
    if not shown and URING not in tool.rungs:
        pytest.skip("vm-ok: this kernel grants no probe that sees opens by io_uring")
    assert shown == [(line["pid"], line["path"]) for line in done]


def test_a_million_opens(open_place, cgroup):
    """At full speed on two threads, at the default settings: every single one shows, in order of time."""
    target = open_place / "a-path-of-some-thirty-characters"
    target.touch()
    with Workload("openfast", MANY // 2, 2, target, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run(120)[-1]
    assert (done["done"], done["failed"]) == (MANY, 0)
    summary = tool.summary
    assert summary["events"] + summary["lost"] == MANY
    assert summary["lost"] <= LOSS_ALLOWED * MANY, f"{summary['lost']} of {MANY} lost"
    assert len(tool.json) == summary["events"]
    assert_sorted_times(tool.json, storm=True)


def test_overload_is_accounted(open_place, cgroup):
    """A tool that is held up loses events, says how many, and shown + lost = done."""
    target = str(open_place) + "/." * 1900 + "/target"
    (open_place / "target").touch()
    total = 16_000 if VM else 60_000
    with Workload("openfast", total // 2, 2, target, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json") as tool:
            tool.process.send_signal(19)        # SIGSTOP
            done = work.run(120)[-1]
            tool.process.send_signal(18)        # SIGCONT
    assert (done["done"], done["failed"]) == (total, 0)
    assert tool.summary["lost"] > 0, "the overload was none"
    assert len(tool.json) == tool.summary["events"]
    assert tool.summary["events"] + tool.summary["lost"] == total
    assert tool.lost == tool.summary["lost"], tool.said


def test_hostile_names(place, cgroup):
    """No control byte reaches the terminal, JSON is UTF-8, a row is a line."""
    with Workload("hostile", "open", 3, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as text, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json") as json:
            work.run()
    assert not CONTROL.search(text.out), repr(text.out)
    assert len(text.rows) == 3 and all("]0;x" in row["PATH"] and "]0;x" in row["COMM"] for row in text.rows)
    assert len(json.json) == 3
    assert all(row["path"].startswith(f"{place}/\x1b]0;x\x07") for row in json.json)


def test_events_within_100_ms(open_place, cgroup):
    """Rows appear while the tool runs (a generous bound: it must not wait for more events)."""
    seen = threading.Event()
    with Workload("opens", "open", 1, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as tool:
            work.run()
            for _ in range(int(patience(1) * 100)):
                if len(tool.lines) == 2:
                    seen.set()
                    break
                seen.wait(0.01)
            assert seen.is_set(), tool.out
