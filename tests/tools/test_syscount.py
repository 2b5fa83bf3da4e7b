# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""syscount against workloads of known calls, strace -c -f, and the kernel's own count of reads and writes."""

import errno
import os
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import CALLS_32, CONTROL, OK, VM, Script, Tool, Workload, one_line, patience, run_tool, wait_until
from machine import OWN_COMM, OWN_UID, need, need_program

PID_MAX = Path("/proc/sys/kernel/pid_max")
TRACEFS = Path("/sys/kernel/tracing/events/raw_syscalls")
STRACE_ROW = re.compile(r"^ +(\d+) +(?:(\d+) +)?(\w+)$", re.M)
STRACE_TABLE = re.compile(r"^System call usage summary for (32 bit|x32) mode:$", re.M)
ALWAYS = Counter({("write", "64"): 1, ("exit_group", "64"): 1})      # to say what there was, and to end
READ = Counter({("read", "64"): 1})     # that had begun before the tool: with -L, it counts at its end


def name(line):
    """A call as its name and its table; one without a name is its number."""
    return (line["nr"] if line["syscall"] == "?" else line["syscall"], str(line["abi"]))


def counts(tool):
    """What a tool has counted by call, of all its reports."""
    found = Counter()
    for o in tool.json:
        found[o["syscall"] or o["syscall_nr"], o["abi"]] += o["count"]
    assert tool.summary["events"] == sum(found.values())
    assert (tool.status, tool.summary["lost"], tool.summary["missed_runs"]) == (OK, 0, 0)
    return found


def text_rows(tool):
    """The rows of a report as lists of words."""
    return [line.split() for line in tool.lines[2:] if line]


def made(work):
    """What the workload says that it has made, and what all of them do."""
    return Counter({name(line): line["count"] for line in work}) + ALWAYS


# --- exact counts ---

@pytest.mark.parametrize("avoid, kind", [("", "tp"), ("gaps,tp_btf", "raw_tp"), ("tp_btf,raw_tp", "tp/")])
def test_exact(avoid, kind):
    """Some 40 kinds of calls, by all tables, failing and not, some without a name: each is there as often as it was made, and
    there is nothing else."""
    need(kind != "tp/" or TRACEFS.exists(), "no tracefs, which the classic tracepoints need")
    with Workload("calls", "table") as work:
        with Tool("syscount", "-p", work.pid, "--json", avoid=avoid) as tool, \
                Tool("syscount", "-L", "-p", work.pid, "--json", avoid=avoid) as timed:
            done = work.run()
    assert len(done) >= 23 and {str(line["abi"]) for line in done} == ({"64", "32", "x32"} if CALLS_32 else {"64"})
    assert counts(tool) == made(done)
    assert counts(timed) == made(done) + READ
    numbers = {(o["syscall"] or o["syscall_nr"], o["abi"]): o["syscall_nr"] for o in tool.json}
    assert all(numbers[name(line)] == line["nr"] for line in done)
    assert all(kind in str(one.rungs) for one in (tool, timed))
    assert timed.summary["untimed"] == 1
    untimed = {o["syscall"] for o in timed.json if o["sum_ns"] is None}
    assert untimed == {"read", "exit_group"} and all(o["sum_ns"] != 0 for o in timed.json)


@pytest.mark.parametrize("avoid", ["", "tp_btf"])
def test_failed(avoid):
    """-x: those that failed; -e: those that failed so, by the error's name or number."""
    cases = {("-x",): None, ("-e", "EBADF"): errno.EBADF, ("-L", "-e", "38"): errno.ENOSYS, ("-x", "-e", "EXDEV"): errno.EXDEV,
             ("-L", "-x"): None}
    with Workload("calls", "table") as work, ExitStack() as stack:
        tools = {args: stack.enter_context(Tool("syscount", *args, "-p", work.pid, "--json", avoid=avoid)) for args in cases}
        done = work.run()
    for args, tool in tools.items():
        failed = {name(line): line["count"] for line in done if line["errno"] and cases[args] in (None, line["errno"])}
        assert cases[args] == errno.EXDEV or len(failed) > 2
        assert counts(tool) == failed
        assert tool.summary["interrupted"] == 0


def test_one_call():
    """--syscall: what each table calls so."""
    with Workload("calls", "table") as work:
        with Tool("syscount", "--syscall", "getpid", "-p", work.pid, "--json") as tool, \
                Tool("syscount", "--syscall", "getpid", "-L", "-p", work.pid, "--json") as timed:
            done = made(work.run())
    assert counts(tool) == counts(timed) == {call: n for call, n in done.items() if call[0] == "getpid"}
    assert timed.summary["untimed"] == 0


def strace_counts(path):
    """What `strace -c -f -U calls,errors,name -o PATH` has counted."""
    parts = STRACE_TABLE.split(path.read_text())
    tables = {"64": parts[0], **dict(zip(({"32 bit": "32"}.get(mode, mode) for mode in parts[1::2]), parts[2::2]))}
    return {(call, abi): int(n) for abi, text in tables.items() for n, _, call in STRACE_ROW.findall(text)
            if call != "total"}


def test_agrees_with_strace(place, cgroup):
    """Threads, forks, execs of both kinds, signals: as strace counts them. It leaves out what never returns, and numbers
    without a name, and counts the call that it came upon itself."""
    need_program("strace")
    output = place / "strace"
    with Workload("calls", "mix", place, cgroup=cgroup) as work:
        strace = subprocess.Popen(["strace", "-c", "-f", "-U", "calls,errors,name", "-o", output, "-p", str(work.pid)],
                                  stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: f"TracerPid:\t{strace.pid}\n" in Path(f"/proc/{work.pid}/status").read_text(), 5, "no strace")
            time.sleep(0.5 if VM else 0.1)
            with Tool("syscount", "--cgroup", cgroup.path, "--json") as tool, \
                    Tool("syscount", "-L", "--cgroup", cgroup.path, "--json") as timed:
                done = work.run()
                strace.wait(patience(10))
        finally:
            strace.kill()
            strace.wait()
    ours, theirs = counts(tool), strace_counts(output)
    assert counts(timed) == ours + READ     # the one that it waited in
    unseen = {("exit_group", "64"), ("exit", "64"), *(name(line) for line in done if line["syscall"] == "?")}
    assert ours["exit", "64"] == 23 + 14 and unseen <= ours.keys() and not unseen & theirs.keys()
    assert theirs == {call: n for call, n in (ours + READ).items() if call not in unseen}
    assert {("rt_sigreturn", "64"), ("execve", "64"), ("execveat", "64"), ("wait4", "64")} <= theirs.keys()


def test_agrees_with_the_kernel(cgroup):
    """The kernel counts reads and writes of a process: /proc/PID/io."""
    code = """
        io, zero, null = (os.open(path, os.O_RDWR if path != "/proc/self/io" else os.O_RDONLY)
                          for path in ("/proc/self/io", "/dev/zero", "/dev/null"))
        before = os.pread(io, 4096, 0)
        for i in range(23):
            os.read(zero, 1), os.pread(zero, 1, 0), os.readv(zero, [bytearray(1)])
            os.write(null, b"1"), os.pwrite(null, b"1", 0)
        after = os.pread(io, 4096, 0)
        numbers = [dict(line.split(": ") for line in text.decode().splitlines()) for text in (before, after)]
        text = "\\t".join(f"{key}={int(numbers[1][key]) - int(numbers[0][key])}" for key in ("syscr", "syscw"))
        os.write(1, text.encode() + b"\\n")
    """
    with Script(code, cgroup=cgroup) as work:
        with Tool("syscount", "-p", work.pid, "--json") as tool:
            [kernel] = work.run()
    ours = counts(tool)
    reads, writes = (sum(ours.get((call, "64"), 0) for call in calls)
                     for calls in (("read", "pread64", "readv"), ("write", "pwrite64", "writev")))
    assert kernel["syscr"] >= 3 * 23
    assert (reads, writes) == (kernel["syscr"] + 1, kernel["syscw"] + 1)     # the last look, and what it prints


# --- time ---

def test_time():
    """-L: as long as the calls took, by the clock of who made them; in us, in ms, in ns."""
    with Workload("calls", "sleeps", 23) as work:
        args = ("-L", "-p", work.pid, "--syscall", "nanosleep")
        with Tool("syscount", *args, "--json") as json, Tool("syscount", *args) as us, \
                Tool("syscount", *args, "-m") as ms:
            [done] = work.run()
    [o] = json.json
    assert (o["count"], json.summary["untimed"]) == (23, 0)
    assert done["least"] <= o["sum_ns"] <= done["most"]
    for tool, unit, decimals in ((us, "us", 3), (ms, "ms", 6)):
        assert tool.lines[1].split() == ["SYSCALL", "COUNT", f"TIME({unit})"]
        [[call, count, text]] = text_rows(tool)
        assert (call, count, len(text.partition(".")[2])) == ("nanosleep", "23", decimals)
        ns = float(text) * {"us": 1e3, "ms": 1e6}[unit]
        assert done["least"] <= ns <= done["most"]


def test_order():
    """The most first; with -L, what took longest."""
    with Workload("calls", "sleeps", 23) as work:
        with Tool("syscount", "-p", work.pid) as most, Tool("syscount", "-L", "-p", work.pid) as longest:
            work.run()
    assert [row[0] for row in text_rows(most)] == ["nanosleep", "write", "exit_group"]
    assert [row[0] for row in text_rows(longest)] == ["nanosleep", "write", "read", "exit_group"]
    assert [row[2] for row in text_rows(longest)][2:] == ["?", "?"]
    assert "syscount: calls without a time: 1 (" in longest.err and "without a time" not in most.err


def test_threads_without_end():
    """However many threads there are in the course of time, each call has its time."""
    threads = 500 if VM else 5000
    with Workload("calls", "threads", threads) as work:
        with Tool("syscount", "-L", "-p", work.pid, "--json") as tool:
            work.run(120)
    found = counts(tool)
    assert found["getppid", "64"] == found["exit", "64"] == threads
    assert tool.summary["untimed"] == 1     # what it waited in


def test_threads_that_share_a_place():
    """Two processes whose ids have the same place for the begins of their calls, both busy: each call counts, and next to
    all have their time."""
    before = int(PID_MAX.read_text())
    need(before > 131072 or VM, "kernel.pid_max is so low that no two threads share a place")
    calls = 3000 if VM else 100_000
    PID_MAX.write_text(str(max(before, 262144)))
    try:
        with Workload("calls", "same-place", calls) as work:
            with Tool("syscount", "-L", "--comm", "calls", "--syscall", "getppid", "--json") as tool:
                work.run()
    finally:
        PID_MAX.write_text(str(before))
    assert counts(tool) == {("getppid", "64"): 2 * calls}
    assert tool.summary["untimed"] < calls / 10


def test_exec_by_a_thread(place, cgroup):
    """A thread that executes a program gets its process's id in the midst of the call: it is timed, and by its name."""
    with Workload("calls", "thread-exec", 23, place, cgroup=cgroup) as work:
        with Tool("syscount", "-L", "--cgroup", cgroup.path, "--json") as tool, \
                Tool("syscount", "--cgroup", cgroup.path, "--json") as begun:
            work.run()
    assert counts(tool)["execveat", "64"] == counts(begun)["execveat", "64"] == 23
    assert ("execve", "64") not in counts(tool)
    assert tool.summary["untimed"] == 1 and all(o["sum_ns"] for o in tool.json if o["syscall"] == "execveat")


# --- what is not as it seems ---

def test_refused_by_seccomp():
    """What a seccomp filter refuses does not come to where calls begin; -x and -L count it, at its end."""
    with Workload("calls", "refused", 23) as work:
        with Tool("syscount", "-p", work.pid, "--json") as begun, Tool("syscount", "-L", "-p", work.pid, "--json") as timed, \
                Tool("syscount", "-e", "EPERM", "-p", work.pid, "--json") as failed:
            work.run()
    refused = Counter({("getppid", "64"): 23})
    assert counts(begun) == {("exit_group", "64"): 1}
    assert counts(failed) == refused
    assert counts(timed) == refused + READ + Counter({("exit_group", "64"): 1})
    assert timed.summary["untimed"] == 24


def test_interrupted_by_signals(cgroup):
    """A call that a signal interrupts counts each time that it enters the kernel, as with strace. It is no failed call, for
    it may be begun anew; and nobody knows here, so that it is said."""
    with Workload("calls", "signals", 5, cgroup=cgroup) as work:
        with Tool("syscount", "-p", work.pid, "--json") as tool, Tool("syscount", "-x", "-p", work.pid) as failed, \
                Tool("syscount", "-e", "EINTR", "-L", "-p", work.pid, "--json") as eintr, \
                Tool("syscount", "-e", "EPERM", "-p", work.pid, "--json") as other:
            work.run()
    found = counts(tool)
    assert found["ppoll", "64"] == 5 and found["rt_sigreturn", "64"] >= 8
    assert found["read", "64"] == found["rt_sigreturn", "64"] - 5 + 1
    assert counts(eintr) == counts(other) == {}
    assert (eintr.summary["interrupted"], other.summary["interrupted"]) == (found["rt_sigreturn", "64"], 0)
    assert text_rows(failed) == []
    assert f"syscount: calls left out: {found['rt_sigreturn', '64']} (a signal interrupted them" in failed.err


def test_numbers_without_end():
    """Numbers that no table has find a place each, up to a bound; what is beyond is lost, and said."""
    code = """
        import ctypes
        for number in range(10000, 10400):
            ctypes.CDLL(None).syscall(number)
    """
    with Script(code) as work:
        with Tool("syscount", "-e", "ENOSYS", "-p", work.pid, "--json") as tool, \
                Tool("syscount", "-e", "ENOSYS", "-p", work.pid) as text:
            work.run()
    found = {o["syscall_nr"]: o["count"] for o in tool.json}
    assert found.keys() < set(range(10000, 10400)) and set(found.values()) == {1} and len(found) >= 256
    assert tool.summary["lost"] == 400 - len(found) == tool.lost
    assert re.match(r"\[unknown: 10\d\d\d\] +1$", text.lines[2])


# --- by process ---

@pytest.mark.parametrize("avoid", ["", "tp_btf"])
def test_by_process(avoid, cgroup):
    """-P: a row for each process, with its name, also when it has ended."""
    with Workload("calls", "children", 23, cgroup=cgroup) as work:
        args = ("-P", "--syscall", "getppid", "--cgroup", cgroup.path)
        with Tool("syscount", *args, "--json", avoid=avoid) as json, Tool("syscount", *args, "-T", 100, avoid=avoid) as text, \
                Tool("syscount", *args, "-L", "--json", avoid=avoid) as timed:
            done = work.run()
    children = {line["pid"]: line["count"] for line in done}
    for tool in (json, timed):
        assert {o["pid"]: o["count"] for o in tool.json} == children
        assert {o["comm"] for o in tool.json} == {"calls"}
        assert (tool.summary["events"], tool.summary["lost"]) == (sum(children.values()), 0)
    assert all(o["sum_ns"] > 0 for o in timed.json)
    assert text.lines[1].split() == ["PID", "COMM", "COUNT"]
    rows = text_rows(text)
    assert {int(pid): int(count) for pid, comm, count in rows if comm == "calls"} == children
    assert [int(row[2]) for row in rows] == sorted(children.values(), reverse=True)


def test_name(cgroup):
    """A process is shown by the name that it has at its last call: after exec, and after it has called itself otherwise."""
    with Tool("syscount", "-P", "--cgroup", cgroup.path, "--json") as tool:
        with Workload("calls", "name", 23, cgroup=cgroup) as renamed, Workload("calls", "table", cgroup=cgroup) as work:
            renamed.run()
            work.run()
    assert {o["pid"]: o["comm"] for o in tool.json} == {renamed.pid: "calls-renamed", work.pid: "calls"}


def test_more_processes_than_places(cgroup):
    """What finds no place is counted as lost, and said: shown + lost = made."""
    threads = int(Path("/proc/loadavg").read_text().split()[3].split("/")[1])
    many = 2 * (threads + threads // 4 + 1024) + 1000
    with Workload("calls", "children", many, cgroup=cgroup) as work:
        with Tool("syscount", "-P", "--syscall", "getppid", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run(120)
    children = {line["pid"]: line["count"] for line in done}
    found = {o["pid"]: o["count"] for o in tool.json}
    assert found.items() <= children.items()
    lost = sum(children.values()) - sum(found.values())
    assert tool.summary["lost"] == lost > 0
    assert f"syscount: lost {lost} events: they could not be read or kept\n" in tool.err


# --- filters, reports, options ---

@pytest.mark.parametrize("key", ["pid", "tid", "uid", "comm", "cgroup"])
def test_filters(key, place, cgroup, other_cgroup):
    """Beside an equal process only the one asked for counts."""
    own = {"uid": {"uid": OWN_UID, "directory": place}, "comm": {"comm": OWN_COMM, "directory": place}}.get(key, {})
    with Workload("calls", "table", cgroup=cgroup, **own) as work, Workload("calls", "table", cgroup=other_cgroup) as other:
        value = {"pid": work.pid, "tid": work.pid, "uid": OWN_UID, "comm": OWN_COMM, "cgroup": cgroup.path}[key]
        args = (f"--{key}", value, "--json")
        with Tool("syscount", *args) as tool, Tool("syscount", "-L", *args) as timed, Tool("syscount", "-x", *args) as failed:
            other.run()
            done = work.run()
    assert counts(failed) == {name(line): line["count"] for line in done if line["errno"]}
    assert counts(tool) == made(done)
    assert counts(timed) == made(done) + READ


@pytest.mark.parametrize("how", [("-L",), ("-x", "-P")])
def test_filter_that_matches_nothing(how, other_cgroup):
    """Nothing but the time and the titles."""
    with Workload("calls", "table") as work:
        with Tool("syscount", *how, "--cgroup", other_cgroup.path) as text, \
                Tool("syscount", *how, "--cgroup", other_cgroup.path, "--json") as json:
            work.run()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\n[A-Z][^\n]*\n\n", text.out)
    assert (json.json, json.summary["events"], json.status) == ([], 0, OK)


def test_children_of(cgroup):
    """-c PID: its children, and not itself, nor others."""
    with Workload("calls", "children", 23, cgroup=cgroup) as work:
        with Tool("syscount", "-c", work.pid, "-P", "--json") as tool, Tool("syscount", "-c", work.pid, "-L", "--json") as timed:
            done = work.run()
    assert {o["pid"] for o in tool.json} == {line["pid"] for line in done}
    assert counts(timed)["getppid", "64"] == sum(line["count"] for line in done)
    assert not {"fork", "clone", "wait4"} & {o["syscall"] for o in timed.json}


def test_intervals():
    """-i and -d: a report at each interval, of that interval alone."""
    seconds = 4 if VM else 1
    with Workload("calls", "table") as first, Workload("calls", "refused", 23) as second:
        args = ("-i", seconds, "-d", 3 * seconds, "-p", f"{first.pid},{second.pid}")
        with Tool("syscount", *args, "--json") as tool, Tool("syscount", *args, "-T", 100) as text:
            done = made(first.run())
            wait_until(lambda: tool.out, 5, "no report")
            second.run()
            assert tool.wait(15) == text.wait(15) == OK
    assert counts(tool) == done + Counter({("exit_group", "64"): 1})
    times = sorted({o["time"] for o in tool.json})
    assert len(times) == 2 and [o["syscall"] for o in tool.json if o["time"] == times[1]] == ["exit_group"]
    assert all(0.9 * seconds * 1e9 < o["interval_ns"] < 1.9 * seconds * 1e9 for o in tool.json)
    reports = text.out.split("\n\n")[:-1]
    assert len(reports) == 3
    assert all(re.match(r"\d\d:\d\d:\d\d\nSYSCALL +COUNT(\n|$)", report) for report in reports)


def test_top():
    """-T: so many rows, of text and of JSON; 10 in text, if nothing is said, and all as JSON. All count in the summary."""
    with Workload("calls", "table") as work:
        with Tool("syscount", "-p", work.pid) as ten, Tool("syscount", "-T", 3, "-p", work.pid) as three, \
                Tool("syscount", "-T", 3, "-p", work.pid, "--json") as json:
            done = made(work.run())
    assert (len(text_rows(ten)), len(text_rows(three)), len(json.json)) == (10, 3, 3)
    assert json.summary["events"] == sum(done.values())
    most = sorted(done.values(), reverse=True)
    assert [int(row[1]) for row in text_rows(three)] == [o["count"] for o in json.json] == most[:3]
    assert not CONTROL.search(ten.out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_prints_at_a_signal(number):
    """What was counted is printed at the end, and not before."""
    with Workload("calls", "table") as work:
        with Tool("syscount", "-p", work.pid) as tool:
            work.run()
            assert not tool.out
            assert tool.stop(number) == OK
    assert len(text_rows(tool)) == 10


@pytest.mark.any_kernel
@pytest.mark.unprivileged
def test_list():
    """-l: the names, sorted, each once: those that --syscall takes."""
    done = run_tool("syscount", "-l")
    names = done.stdout.split()
    assert (done.returncode, done.stderr) == (OK, "")
    assert names == sorted(set(names)) and {"read", "openat", "exit_group"} < set(names)
    assert not CALLS_32 or "socketcall" in names
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.any_kernel
@pytest.mark.unprivileged
@pytest.mark.parametrize("args, right", [(["--syscall", "no_such"], "the name of a system call (-l lists them)"),
                                         (["-e", "ENOSUCH"], "an error's name or number: EPERM or 1")])
def test_wrong_names(args, right):
    """What would have been right is said."""
    assert one_line(run_tool("syscount", *args).stderr) == f"syscount: {args[0]}: '{args[1]}' is not valid; it takes {right}"
