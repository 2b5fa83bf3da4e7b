# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""xstack against threads in known places, and against what /proc says of the same threads."""

import os
import re
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import (ATTACHED, BUILD, CONTROL, FAILED, HEAD_KEYS, NOBODY, OK, QUIET_END, RFC3339, USAGE, VM, Tool,
                     Workload, complaints, one_line, public_copy, run_tool, wait_until)
from machine import OWN_COMM, OWN_UID, call, need, need_scsi_debug, scsi_delay

TEN = 10
PLACES = ("mutex", "pipe", "nanosleep", "vfork", "spin")
STATE = {"mutex": "S", "pipe": "S", "nanosleep": "S", "epoll": "S", "accept": "S", "cond": "S", "vfork": "D",
         "spin": "R"}
CALLS = {"mutex": "futex", "pipe": "read", "nanosleep": "clock_nanosleep", "epoll": "epoll_wait", "accept": "accept",
         "cond": "futex", "vfork": "clone", "spin": None}
IDLE = {"mutex", "nanosleep", "epoll", "accept", "cond"}    # as the man page has it
CHAIN = ["wait_in_read", "third_caller", "second_caller", "first_caller", "park"]
COLUMNS = ["TIME", "PID", "TID", "COMM", "STATE", "SYSCALL", "WAIT", "FILE", "STACK"]
KEYS = HEAD_KEYS | {"comm", "state", "on_cpu", "idle", "syscall", "wait", "kernel", "user"}
USER_STACKS = VM != "5.10"
OLD_WCHAN = VM == "5.10"        # before 5.16 x86's wchan needs frame pointers in the kernel: it is 0
NOTE_510 = "xstack: kernel stacks only: reading user stacks takes Linux 5.18\n"
SUMMARY = {"type", "events", "lost", "missed_runs", "samples", "late_samples", "idle_hidden", "on_cpu", "moved",
           "kernel_unread", "user_unread", "user_stacks", "user_stacks_cut", "files_unread", "processes_unread"}


class parked(Workload):
    """Threads in these places, {place: how many}, and one more, the main thread, which reads its input."""

    def __init__(self, places, **kwargs):
        super().__init__("parked", *(word for pair in places.items() for word in pair), **kwargs)

    def __enter__(self):
        super().__enter__()
        main = Path(f"/proc/{self.pid}/task/{self.pid}")
        wait_until(lambda: (main / "syscall").read_text().startswith("0 "), 5, "it does not read its input")
        for tid, task in tasks(self.pid).items():   # others want the CPUs, too
            if (task / "comm").read_text() == "spin\n":
                os.setpriority(os.PRIO_PROCESS, tid, 19)
        return self


class Brief(Tool):
    """A tool that may have ended before anybody looks."""

    def is_ready(self):
        return ATTACHED.search(self.err) or self.process.poll() is not None


def sample(*args, **kwargs):
    """Runs xstack until it ends by itself; returns the ended tool."""
    with Brief("xstack", *args, **kwargs) as tool:
        assert tool.wait(20) == OK, tool.said
    return tool


def samples_of(tool):
    """The JSON rows by sample."""
    by_time = {}
    for row in tool.json:
        by_time.setdefault(row["time"], []).append(row)
    return list(by_time.values())


def tasks(pid):
    """The directories in /proc of the threads of a process, by id."""
    return {int(path.name): path for path in Path(f"/proc/{pid}/task").iterdir()}


def state_of(task):
    """The state in /proc/PID/task/TID/stat."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def plain(name):
    """A function's name without what the compiler puts behind it."""
    return name.partition(".")[0]


def functions(frames):
    """The plain names in a stack."""
    return [plain(frame["function"] or "") for frame in frames]


def test_places(cgroup):
    """Ten threads in each of five places: exactly those in each sample, each thread once, with one time."""
    places = dict.fromkeys(PLACES, TEN)
    with parked(places, cgroup=cgroup) as work:
        tids = set(tasks(work.pid))
        tool = sample("-p", work.pid, "-a", "-F", 5, "-i", 4, "--json")
        done = work.run()
    assert {line["tid"] for line in done if "tid" in line} < tids and len(tids) == 51
    assert len(samples_of(tool)) == tool.summary["samples"] == 4
    for rows in samples_of(tool):
        assert len(rows) == 51 and {row["tid"] for row in rows} == tids
        assert Counter(row["comm"] for row in rows) == {**places, "parked": 1}
        assert {row["comm"]: row["state"] for row in rows} == {**{p: STATE[p] for p in PLACES}, "parked": "S"}
        assert {row["comm"]: row["syscall"] for row in rows} == {**{p: CALLS[p] for p in PLACES}, "parked": "read"}
        assert {row["comm"] for row in rows if row["idle"]} == IDLE & set(PLACES)
        assert sum(row["on_cpu"] for row in rows) <= os.cpu_count()
    assert all(RFC3339.fullmatch(row["time"]) and KEYS <= row.keys() for row in tool.json)
    assert SUMMARY == tool.summary.keys()
    assert (tool.summary["events"], tool.summary["lost"]) == (4 * 51, 0)
    assert tool.summary["on_cpu"] == sum(row["on_cpu"] for row in tool.json)


def test_agrees_with_proc(cgroup):
    """State, wchan, system call and kernel stack of each thread are those that /proc shows."""
    with parked({place: 2 for place in STATE if place != "spin"}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-a", "-i", 1, "--json")
        threads = tasks(work.pid)
        assert len(tool.json) == len(threads) == 15
        for row in tool.json:
            task = threads[row["tid"]]
            assert row["state"] == state_of(task)
            assert plain(row["wait"]) == plain((task / "wchan").read_text()) or OLD_WCHAN
            call_line = (task / "syscall").read_text().split()
            assert row["syscall_nr"] == int(call_line[0])
            if "fd" in row:
                assert row["fd"] == int(call_line[1], 16)
            assert row["comm"] == (task / "comm").read_text().strip()
            assert (task / "status").read_text().split("\nUid:\t")[1].split()[0] == str(row["uid"])
            stack = [line.split()[1].split("+")[0] for line in (task / "stack").read_text().splitlines()]
            assert functions(row["kernel"]) == [plain(name) for name in stack]
            assert {frame["module"] for frame in row["kernel"]} == {"[kernel]"}


def test_user_stacks(cgroup):
    """A chain of functions with frame pointers in full, leaf first; and the leaf of what has none."""
    with parked({"pipe": 3, "nanosleep": 2}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-a", "-i", 1, "--json")
    rows = {row["tid"]: row for row in tool.json}
    assert len(rows) == 6
    if not USER_STACKS:
        assert all(row["user"] is None for row in rows.values()) and tool.summary["user_stacks"] == 0
        assert tool.err.count(NOTE_510) == 1
        return
    assert tool.summary["user_stacks"] == 6 and NOTE_510 not in tool.err
    for row in rows.values():
        if row["comm"] == "pipe":
            assert functions(row["user"])[:5] == CHAIN
            assert {frame["module"] for frame in row["user"][:5]} == {"parked"}
            assert "user_cut" not in row
        elif row["comm"] == "nanosleep":
            assert row["user"][0]["module"].startswith("libc")


def test_spinning_user_stack(cgroup):
    """A runnable thread that waits for a CPU has its user stack; one on a CPU has none, and that is said."""
    spinners = os.cpu_count() + 2   # so that some wait
    with parked({"spin": spinners}, cgroup=cgroup) as work, \
            Tool("xstack", "-p", work.pid, "--comm", "spin", "-F", 50, "--json") as tool:
        # they are nice: where others want the CPUs it may take a while until one is seen on them
        wait_until(lambda: all(text in tool.raw for text in (b'"on_cpu":true', b'"on_cpu":false')), 60,
                   "all or none of them were on the CPUs")
        wait_until(lambda: tool.raw.count(b"\n") >= 20 * spinners, 10, "no more samples")
    assert len(tool.json) == spinners * tool.summary["samples"] >= 20 * spinners
    on, off = ([row for row in tool.json if row["on_cpu"] == which] for which in (True, False))
    assert on and all((row["kernel"], row["user"], row["wait"], row["syscall"]) == (None,) * 4 for row in on)
    assert all(row["kernel"] and row["wait"] is None for row in off if row["kernel"] is not None)
    seen = [row for row in off if row["user"]]
    assert bool(seen) == USER_STACKS
    assert all(functions(row["user"])[:1] == ["spin"] for row in seen)
    assert f"xstack: stacks that could not be read: {len(on)} on a CPU," in tool.err
    assert (tool.summary["on_cpu"], tool.summary["moved"]) == (len(on), sum(r["kernel"] is None for r in off))


def test_whole_stack(cgroup):
    """A stack that ends where programs begin is not cut, though code without frame pointers called them."""
    with parked({"pipe": 1}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-i", 1, "--json")
    main = [row for row in tool.json if row["tid"] == work.pid]
    if USER_STACKS:
        assert functions(main[0]["user"])[:2] == [CHAIN[0], "main"] and "user_cut" not in main[0]
    assert tool.summary["user_stacks_cut"] == 0 and "are cut" not in tool.err


def test_stack_in_a_file(cgroup):
    """A stack in a mapped file is not read: someone's file system would have to answer. The leaf is known."""
    with parked({"mapped": 2, "pipe": 1}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-i", 1, "--json")
    rows = [row for row in tool.json if row["comm"] == "mapped"]
    assert len(rows) == 2
    if not USER_STACKS:
        assert all(row["user"] is None for row in rows)
        return
    assert all(functions(row["user"]) == CHAIN[:1] and row["user_cut"] for row in rows)
    assert tool.summary["user_stacks_cut"] == 2 and "xstack: 2 of 4 user stacks are cut" in tool.err


def test_files(cgroup):
    """What the descriptor is that a thread waits for: a pipe, a listening socket, an epoll instance, a named pipe."""
    with parked({"pipe": 1, "accept": 1, "epoll": 1, "nanosleep": 1}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-a", "-i", 1, "--json")
        pipe = os.readlink(f"/proc/{work.pid}/fd/{[r['fd'] for r in tool.json if r['comm'] == 'pipe'][0]}")
        done = work.run()[-1]
    files = {row["comm"]: (row.get("fd"), row.get("file")) for row in tool.json}
    assert files["pipe"] == (done["pipe"], pipe)
    assert files["accept"][1] == f"tcp:127.0.0.1:{done['port']}"
    assert files["epoll"][1] == "anon_inode:[eventpoll]"
    assert files["nanosleep"] == (None, None)
    assert files["parked"][0] == 0 and files["parked"][1].startswith("pipe:[")


def test_named_file(place, cgroup):
    """A file by its path."""
    fifo = place / "a fifo"
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDWR), "rb"), \
            subprocess.Popen(["cat", fifo], stdin=subprocess.DEVNULL, preexec_fn=None) as cat:
        try:
            wait_until(lambda: state_of(Path(f"/proc/{cat.pid}")) == "S" and
                       (Path(f"/proc/{cat.pid}") / "syscall").read_text().startswith("0 "), 5, "cat does not read")
            tool = sample("-p", cat.pid, "-i", 1, "--json")
        finally:
            cat.kill()
    assert [(row["comm"], row["syscall"], row["file"]) for row in tool.json] == [("cat", "read", str(fifo))]


def test_idle_is_hidden(cgroup):
    """Without -a, threads that wait for work are counted, not shown; which calls they were in is said."""
    places = {"mutex": 3, "pipe": 2, "nanosleep": 4, "epoll": 1, "accept": 1, "cond": 2, "vfork": 2}
    with parked(places, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-F", 10, "-i", 2, "--json")
        text = sample("-p", work.pid, "-F", 10, "-i", 2, "-q")
    shown = {"pipe": 4, "vfork": 4, "parked": 2}
    assert Counter(row["comm"] for row in tool.json) == shown
    assert tool.summary["idle_hidden"] == 2 * 11
    assert "xstack: not shown, as they wait for work: futex 10, clock_nanosleep 8, " in tool.err
    assert "others" in tool.err and "-a shows them" in tool.err
    assert Counter(line.split()[3] for line in text.lines) == shown
    assert "not shown" not in text.err and "TIME" not in text.out


def test_thread_by_id(cgroup):
    """-t: this thread, even if it is idle; another one not."""
    with parked({"nanosleep": 3, "pipe": 1}, cgroup=cgroup) as work:
        one = min(tid for tid, task in tasks(work.pid).items() if (task / "comm").read_text() == "nanosleep\n")
        tool = sample("-t", one, "-F", 10, "-i", 3, "--json")
        both = sample("-t", f"{one},{work.pid}", "-i", 1, "--json")
    assert [row["tid"] for row in tool.json] == [one] * 3
    assert sorted(row["tid"] for row in both.json) == sorted([one, work.pid])


def test_processes_by_id(cgroup, other_cgroup):
    """-p with two processes: all threads of both, none of a third."""
    with parked({"pipe": 3}, cgroup=cgroup) as first, parked({"pipe": 2}, cgroup=cgroup) as second, \
            parked({"pipe": 1}, cgroup=other_cgroup) as third:
        tool = sample("-p", f"{first.pid},{second.pid}", "-F", 10, "-i", 2, "--json")
        in_cgroup = sample("--cgroup", other_cgroup.path, "-i", 1, "--json")
        everyone = tasks(first.pid).keys() | tasks(second.pid).keys()
        rows = samples_of(tool)
        assert len(rows) == 2, "not one time for all processes"
        assert all(sorted(row["tid"] for row in one) == sorted(everyone) for one in rows)
        assert {row["pid"] for row in in_cgroup.json} == {third.pid} and len(in_cgroup.json) == 2


def test_ended_process(cgroup):
    """-p of a process that ends meanwhile, and of one that never was: no rows, no failure."""
    with parked({"pipe": 3}, cgroup=cgroup) as work:
        with Tool("xstack", "-p", work.pid, "-F", 20, "--json") as tool:
            wait_until(lambda: tool.raw.count(b"\n") > 8, 5, "no rows")
            work.run()
            work.process.wait()
            time.sleep(0.3)
            assert tool.process.poll() is None
    # a look may come while its threads end
    assert tool.status == OK and {row["pid"] for row in tool.json} == {work.pid}
    assert sample("-p", work.pid, "-i", 1, "--json").json == []


def test_filters(place, cgroup):
    """--comm, --uid and --state."""
    with parked({"pipe": 2, "vfork": 1, "nanosleep": 1}, cgroup=cgroup, uid=OWN_UID, comm=OWN_COMM,
                directory=place) as work:
        by_uid = sample("--uid", OWN_UID, "--cgroup", cgroup.path, "-i", 1, "--json")
        other_uid = sample("--uid", OWN_UID + 1, "--cgroup", cgroup.path, "-i", 1, "--json")
        by_comm = sample("--comm", OWN_COMM, "-a", "-i", 1, "--json")
        blocked = sample("--state", "D", "--cgroup", cgroup.path, "-i", 1, "--json")
        sleeping = sample("--state", "S", "--cgroup", cgroup.path, "-a", "-i", 1, "--json")
        several = sample("--state", "R,D", "-p", work.pid, "-i", 1, "--json")
    assert Counter(row["comm"] for row in by_uid.json) == {OWN_COMM: 1, "pipe": 2, "vfork": 1}
    assert {row["uid"] for row in by_uid.json} == {OWN_UID}
    assert other_uid.json == []
    assert [(row["tid"], row["comm"]) for row in by_comm.json] == [(work.pid, OWN_COMM)]
    assert [row["comm"] for row in blocked.json] == [row["comm"] for row in several.json] == ["vfork"]
    # the child of vfork is a process of its own, in pause()
    assert Counter(row["comm"] for row in sleeping.json) == {OWN_COMM: 1, "pipe": 2, "nanosleep": 1, "vfork": 1}


def test_running_is_not_blocked(place, cgroup):
    """A thread that is about to wait, or was just woken up, still runs: it is in state R, and --state D is not it."""
    with Workload("execfast", 1_000_000, 2, place / "tiny", cgroup=cgroup) as work:
        work.start()
        waiting = sample("--state", "D,S", "-a", "--cgroup", cgroup.path, "-F", 500, "-i", 500, "--json")
        everything = sample("--cgroup", cgroup.path, "-a", "-F", 100, "-i", 50, "--json")
    assert waiting.json and not [row for row in waiting.json if row["on_cpu"]]
    assert {row["state"] for row in everything.json if row["on_cpu"]} <= {"R", "X", "Z"}


def test_text_says_the_same(cgroup):
    """The table has the rows of the JSON objects; -r turns the stack around."""
    with parked({"pipe": 2, "vfork": 1}, cgroup=cgroup) as work:
        text, turned = sample("-p", work.pid, "-i", 1), sample("-p", work.pid, "-i", 1, "-r")
        json = sample("-p", work.pid, "-i", 1, "--json")
    assert text.header == turned.header == COLUMNS
    assert len(text.rows) == len(turned.rows) == len(json.json) == 4
    assert "-r" not in json.argv and not CONTROL.search(text.out)
    for row, other, obj in zip(text.rows, turned.rows, json.json):
        assert [row["PID"], row["TID"], row["COMM"], row["STATE"], row["SYSCALL"], row["WAIT"]] == \
            [str(obj[key]) for key in ("pid", "tid", "comm", "state", "syscall", "wait")]
        assert row["FILE"] == obj.get("file", "-")
        stacks = [";".join(frame["function"] or "?" for frame in obj[key]) for key in ("kernel", "user") if obj[key]]
        if "?" not in "".join(stacks):
            assert row["STACK"] == " | ".join(stacks)
        assert re.split(r";| \| ", other["STACK"])[::-1] == re.split(r";| \| ", row["STACK"])


def test_summaries(place, cgroup):
    """-f, --top and --svg show every thread of every sample."""
    svg = place / "stacks.svg"
    with parked({"pipe": 3, "vfork": 2}, cgroup=cgroup) as work:
        folded = sample("-p", work.pid, "-F", 10, "-i", 4, "-f")
        top = sample("-p", work.pid, "-F", 10, "-i", 4, "--top")
        sample("-p", work.pid, "-F", 10, "-i", 4, "--svg", svg)
    counts = Counter()
    for line in folded.lines:
        stack, _, number = line.rpartition(" ")
        counts[tuple(stack.split(";")[:3])] += int(number)
    assert counts == {("pipe", "S", "read"): 12, ("vfork", "D", "clone"): 8, ("parked", "S", "read"): 4}
    if USER_STACKS:
        assert re.search(";".join(reversed(CHAIN)) + r";.*read 12$", folded.out, re.M)
    row = next(line.split() for line in top.lines if " kernel_clone " in line)
    assert row[2:4] == ["8", "kernel_clone"]
    assert "<svg" in svg.read_text() and "kernel_clone" in svg.read_text()


def test_no_room(place, cgroup):
    """Threads for whose stack there is no room are lost, and said to be."""
    with parked({"pipe": 3, "vfork": 2}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-i", 1, "--stack-storage-size", 1, "--svg", place / "x.svg", "--json")
    s = tool.summary
    assert (s["events"] + s["lost"], len(tool.json)) == (6, 1)
    assert s["lost"] == s["stacks_left_out"] == tool.lost > 0


def test_counted_stacks_as_json(place, cgroup):
    """--svg with --json: an object for each stack of a process, state and system call."""
    with parked({"pipe": 3, "vfork": 2}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-F", 10, "-i", 4, "--svg", place / "x.svg", "--json")
    assert {(o["comm"], o["state"], o["syscall"]): o["count"] for o in tool.json} == \
        {("pipe", "S", "read"): 12, ("vfork", "D", "clone"): 8, ("parked", "S", "read"): 4}
    assert all(o["pid"] == work.pid and o["kernel"] for o in tool.json)


def test_rate(cgroup):
    """-F: so many samples a second, each with a time of its own."""
    with parked({"pipe": 1}, cgroup=cgroup) as work:
        start = time.monotonic()
        tool = sample("-p", work.pid, "-F", 10, "-i", 11, "--json")
        seconds = time.monotonic() - start
        short = sample("-p", work.pid, "-F", 20, "--duration", 1, "--json")
    assert len(samples_of(tool)) == tool.summary["samples"] == 11
    assert seconds >= 1
    s = short.summary
    assert s["samples"] == len(samples_of(short)) and 20 <= s["samples"] + s["late_samples"] <= 21


def test_ends_after_events(cgroup):
    """--events N: exactly N rows."""
    with parked({"pipe": 5}, cgroup=cgroup) as work:
        tool, text = (sample("-p", work.pid, "-F", 10, "--events", 7, *more) for more in (["--json"], []))
    assert len(tool.json) == tool.summary["events"] == 7 and len(text.rows) == 7


def test_closed_pipe(cgroup):
    """xstack | head -1: it ends, quietly, at the next sample."""
    reader, writer = os.pipe()
    with parked({"pipe": 5}, cgroup=cgroup) as work, os.fdopen(writer, "wb") as output:
        with Tool("xstack", "-p", work.pid, "-F", 10, stdout=output) as tool:
            output.close()
            assert os.read(reader, 4096).startswith(b"TIME ")
            os.close(reader)
            assert tool.wait(5) in QUIET_END
            assert "ipe" not in tool.said


def counters(task):
    """What the kernel counts of a thread: time on CPUs, waits for one, turns; switches."""
    status = (task / "status").read_text()
    return (task / "schedstat").read_text().split() + re.findall(r"ctxt_switches:\t(\d+)", status)


def test_does_not_disturb(cgroup):
    """Sampled at 100 Hz, sleeping threads don't run, are not switched to, and stay in their call."""
    with parked({"pipe": 5, "nanosleep": 5, "mutex": 5, "vfork": 2}, cgroup=cgroup) as work:
        threads = tasks(work.pid)
        before = {tid: counters(task) for tid, task in threads.items()}
        calls = {tid: (task / "syscall").read_text() for tid, task in threads.items()}
        tool = sample("-p", work.pid, "-a", "-F", 100, "--duration", 2, "--json")
        assert {tid: counters(task) for tid, task in threads.items()} == before
        assert {tid: (task / "syscall").read_text() for tid, task in threads.items()} == calls
    assert len(tool.json) == 18 * tool.summary["samples"] and tool.summary["samples"] > 20
    assert all(len(c) == 5 for c in before.values())


def test_in_a_container(cgroup):
    """A process in a mount and pid namespace of its own, its program only there: named all the same."""
    script = f"""mount -t tmpfs none /mnt && cp {BUILD}/workloads/parked /mnt/inside && exec /mnt/inside pipe 2"""
    with subprocess.Popen(["unshare", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          preexec_fn=lambda: (cgroup.path / "cgroup.procs").write_text("0")) as process:
        try:
            assert process.stdout.readline() == b"pid=1\n"
            tool = sample("--cgroup", cgroup.path, "--comm", "pipe", "-i", 1, "--json")
        finally:
            process.stdin.close()
            process.wait()
    assert len(tool.json) == 2 and all(row["pid"] != 1 and row["tid"] != row["pid"] for row in tool.json)
    if USER_STACKS:
        assert {tuple((f["function"], f["module"]) for f in row["user"][:5]) for row in tool.json} == \
            {tuple((name, "inside") for name in CHAIN)}
    else:
        assert all(row["user"] is None for row in tool.json)


def test_hostile_names(place, cgroup):
    """Nothing of a process's name, program or file drives the terminal, or breaks the JSON."""
    name = "\033]0;x\007\302\n"
    with parked({"pipe": 1}, cgroup=cgroup, comm=name, directory=place) as work:
        text = sample("-p", work.pid, "-i", 1)
        json = sample("-p", work.pid, "-i", 1, "--json")
        folded = sample("-p", work.pid, "-i", 1, "-f")
    assert len(text.lines) == 3 and len(json.json) == 2 and len(folded.lines) == 2
    assert r"]0;x" in text.out and not CONTROL.search(text.out + folded.out)


def memory_mib():
    """Of the machine."""
    return int(re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())[1]) // 1024


def test_many_threads(cgroup):
    """Each of many threads exactly once in each sample."""
    many = 300 if not VM else 20_000 if memory_mib() > 1700 else 3_000     # tests/vm/run --mem 2000
    if VM:
        Path("/proc/sys/kernel/threads-max").write_text("30000")
    with parked({"nanosleep": many}, cgroup=cgroup) as work:
        tids = sorted(tasks(work.pid))
        narrow = sample("-p", work.pid, "-a", "-i", 2, "--json")
        wide = sample("--cgroup", cgroup.path, "-a", "-i", 2, "--json")
    assert len(tids) == many + 1
    for tool in (narrow, wide):
        assert tool.summary["lost"] == 0 and len(samples_of(tool)) == 2
        assert all(sorted(row["tid"] for row in rows) == tids for rows in samples_of(tool))


@contextmanager
def mounted(disk, mount):
    """A new file system on a disk."""
    call("mkfs.ext4", "-q", disk)
    mount.mkdir()
    call("mount", disk, mount)
    try:
        yield mount
    finally:
        call("umount", mount)


@contextmanager
def frozen(mount):
    """Whoever writes to the file system waits."""
    call("fsfreeze", "-f", mount)
    try:
        yield
    finally:
        call("fsfreeze", "-u", mount)


def test_frozen_file_system(place, cgroup):
    """Writers to a frozen file system are in D, in write, waiting for what /proc says they wait for."""
    need(VM, "file systems are frozen in VMs only")
    with mounted("/dev/vda", place / "mount") as mount:
        file = mount / "file"
        file.touch()
        work = parked({file: TEN}, cgroup=cgroup)
        with frozen(mount):
            work.__enter__()
            tool = sample("--cgroup", cgroup.path, "--state", "D", "-i", 2, "-F", 2, "--json")
            wchan = {tid: (task / "wchan").read_text() for tid, task in tasks(work.pid).items()}
        work.__exit__()
    assert len(tool.json) == 2 * TEN
    for row in tool.json:
        assert (row["comm"], row["state"], row["idle"], row["syscall"]) == ("file", "D", False, "write")
        assert row["file"] == str(file)
        assert plain(row["wait"]) == plain(wchan[row["tid"]]) or OLD_WCHAN


def test_kernel_thread_in_d(place, request):
    """A kernel thread that waits for a slow disk is in D, not idle, and shown."""
    need_scsi_debug()
    disk = request.getfixturevalue("disk")      # scsi_debug's, of which there is one
    with mounted(disk.path, place / "mount") as mount, scsi_delay(900_000_000), \
            open(mount / "file", "w", encoding="utf-8") as file, \
            Tool("xstack", "--state", "D", "-F", 10, "--json") as tool:
        for _ in range(10):     # a slow machine may leave out the samples of a commit
            file.write("x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            if re.search(rb'"comm":"jbd2/.*"kernel":\[\{', tool.raw):
                break
    rows = [row for row in tool.json if row["comm"].startswith("jbd2/")]
    assert rows, {row["comm"] for row in tool.json}
    for row in rows:
        assert (row["state"], row["idle"], row["syscall"], row["user"] or None) == ("D", False, None, None)
    asleep = [row for row in rows if row["kernel"]]     # the others were about to, or woke up just then
    assert asleep and all(row["wait"] for row in asleep)
    assert "kthread" in {name for row in asleep for name in functions(row["kernel"])}
    assert "jbd2" in {frame["module"] for row in asleep for frame in row["kernel"] if frame["function"]}


def test_hidden_kernel_names(cgroup):
    """Where kptr_restrict hides the names of the kernel, that and the remedy is said once; no address is shown."""
    need(VM, "this machine's kptr_restrict is not ours to set")
    restrict = Path("/proc/sys/kernel/kptr_restrict")
    before = restrict.read_text()
    restrict.write_text("2")
    try:
        with parked({"pipe": 1}, cgroup=cgroup) as work:
            tool = sample("-p", work.pid, "-F", 10, "-i", 3, "--json")
    finally:
        restrict.write_text(before)
    assert tool.err.count("xstack: kernel addresses have no names: kptr_restrict hides them from everyone; "
                          "'sysctl kernel.kptr_restrict=1' shows them to root\n") == 1
    frames = [frame for row in tool.json for frame in row["kernel"]]
    assert frames and all(frame["function"] is None and frame["offset"] is None for frame in frames)
    assert not re.search(r"ffff[0-9a-f]{12}", tool.out)


def test_idle_kernel_threads():
    """Kernel threads that wait for work are idle (I or S), hidden, and shown with -a or by their state."""
    need(VM, "all threads of the machine are looked at in VMs only")
    shown = sample("-i", 1, "--json")
    everything = sample("-a", "-i", 1, "--json")
    idle = sample("--state", "I", "-i", 1, "--json")
    assert not [row for row in shown.json if row["idle"]]
    kernel = {row["tid"]: row for row in everything.json if row["state"] == "I"}
    assert kernel and all(row["idle"] and not row["user"] for row in kernel.values())
    assert {row["state"] for row in idle.json} == {"I"} and len(idle.json) > len(kernel) // 2
    assert "kernel threads " in shown.err
    ps = {int(tid) for tid in subprocess.check_output(["ps", "-eLo", "tid="], text=True).split()}
    assert len({row["tid"] for row in everything.json} ^ ps) < 10   # what began or ended between
    assert len({row["tid"] for row in everything.json}) == len(everything.json)


def test_without_symbols_of_others(place, cgroup):
    """With CAP_BPF and CAP_PERFMON only, threads and kernel stacks are seen."""
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []  # before 5.11 maps count as locked memory
    caps = "+bpf,+perfmon,+dac_read_search"
    prefix = [*memlock, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", f"--inh-caps=-all,{caps}",
              f"--ambient-caps=-all,{caps}"]
    program = public_copy(BUILD / "bin/xstack", place)
    with parked({"pipe": 3}, cgroup=cgroup) as work:
        tool = sample("-p", work.pid, "-i", 1, "--json", prefix=prefix, program=program)
    assert Counter(row["comm"] for row in tool.json) == {"pipe": 3, "parked": 1}
    assert {row["state"] for row in tool.json} == {"S"}


@pytest.mark.parametrize("args", [["-f", "--top"], ["-f", "--json"], ["-U", "-K"],
                                  ["--svg", "/no/such/directory/file"]])
def test_options_that_do_not_fit(args):
    """Combinations that mean nothing are refused in one line."""
    done = run_tool("xstack", *args)
    assert done.returncode in (FAILED, USAGE) and done.stdout == ""
    assert one_line(complaints(done.stderr)).startswith("xstack: ")


def test_hidden_addresses(place):
    """A user from whom kallsyms hides the kernel's addresses is not told them by a tool that has its capabilities."""
    place.chmod(0o755)
    copy = public_copy(BUILD / "bin" / "xstack", place)
    subprocess.run(["setcap", "cap_bpf,cap_perfmon+ep", copy], check=True)
    shown = subprocess.run([*NOBODY, "cat", "/proc/kallsyms"], check=True, capture_output=True, text=True).stdout
    need(set(line.split()[0].strip("0") for line in shown.splitlines()) == {""}, "this kernel tells everybody")
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []      # before 5.11 maps count as locked memory
    for args in (["--json"], []):
        done = subprocess.run([*memlock, *NOBODY, copy, "-a", "-v", *args, "-i", "1"], capture_output=True, text=True,
                              check=True)
        assert "[kernel]" in done.stdout and "/proc/kallsyms hides them" in done.stderr
        numbers = re.findall(r"\b\d{18,}\b|0x[0-9a-f]{12,}", done.stdout + done.stderr)
        assert not [n for n in numbers if int(n, 0) >> 47 == 0x1ffff], numbers
