# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""offcputime against threads that time their waits themselves, and against what the kernel counts of them."""

import os
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import BUILD, NOBODY, OK, USAGE, VM, Script, Tool, Workload, one_line, public_copy, run_tool
from machine import need

TEN = 10
WAYS = ("nanosleep", "futex", "pipe")
MS = 30 if VM else 15
BY_5_10 = VM == "5.10"
CHAIN = ["wait_in_read", "third_caller", "second_caller", "first_caller", "park"]
PATHS = 3000
SCHEDULER = {"schedule", "__schedule"}


def functions(frames):
    """The functions of a JSON stack, without what the compiler puts behind a name."""
    return [(frame["function"] or "").partition(".")[0] for frame in frames]


def watch(work_args, *tool_args, avoid="", **kwargs):
    """Runs `blocks` under `offcputime -p` of it; returns the ended tool and what the workload printed."""
    with Workload("blocks", *work_args, **kwargs) as work:
        with Tool("offcputime", "-p", work.pid, *tool_args, avoid=avoid) as tool:
            done = work.run()
    assert tool.status == OK, tool.said
    return tool, done, work


def by_thread(tool):
    """The time and the number of waits in each of WAYS, by thread: {tid: {way: (ns, count)}}."""
    sums = defaultdict(lambda: dict.fromkeys(WAYS, (0, 0)))
    for stack in tool.json:
        way = functions(stack["user"])[0].removeprefix("wait_in_") if stack["user"] else None
        if way in WAYS and stack["state"] != "R":
            ns, count = sums[stack["tid"]][way]
            sums[stack["tid"]][way] = (ns + stack["total_ns"], count + stack["count"])
    return sums


@pytest.mark.parametrize("avoid", ["", "tp_btf"])
def test_ten_threads(avoid):
    """Ten threads that block in three ways: their times are those that they took by their own clocks, within 1 %; their
    waits are the voluntary switches that the kernel counted."""
    # In a VM, whose CPUs the host stops, threads are preempted behind each wait, before they look at the clock.
    tool, done, work = watch([TEN, 2, MS], "-j", *(["--preempted"] if VM else []), avoid=avoid)
    sums, lost = by_thread(tool), tool.summary["lost"]
    assert len(done) == len(sums) == TEN and {line["tid"] for line in done} == sums.keys()
    seen = sum(stack["total_ns"] for stack in tool.json if stack["tid"] in sums)    # also before and behind it
    inside = sum(stack["total_ns"] for stack in tool.json if "sleeper" in functions(stack["user"]))
    slept = sum(line["all_ns"] for line in done)
    assert inside <= 1.01 * slept and (seen >= 0.99 * slept or lost), (inside, seen, slept)
    assert VM or abs(inside - slept) <= 0.01 * slept or lost, (inside, slept)
    for line in done:
        ways = sums[line["tid"]]
        waits = sum(count for _, count in ways.values())
        assert waits <= line["waits"] <= waits + lost, (line, ways)
        for way in WAYS:
            assert ways[way][0] <= 1.01 * line[f"{way}_ns"] + (1e7 if VM else 1e6), (line, ways)
            assert ways[way][0] >= (0.5 if VM else 0.98) * line[f"{way}_ns"] - 2e6 or lost, (line, ways)
    for stack in tool.json:
        assert (stack["pid"], stack["comm"] in ("sleeper", "blocks")) == (work.pid, True), stack
    kernel = {way: Counter() for way in WAYS}
    for stack in tool.json:
        names = functions(stack["user"])
        if names and names[0].removeprefix("wait_in_") in WAYS and stack["state"] != "R":
            kernel[names[0].removeprefix("wait_in_")].update(functions(stack["kernel"]))
            assert "sleeper" in names, names
            assert bool(SCHEDULER & set(functions(stack["kernel"]))) == bool(avoid), stack
    assert any("nanosleep" in name for name in kernel["nanosleep"])
    assert any("futex" in name for name in kernel["futex"])
    assert any("pipe_read" in name for name in kernel["pipe"])
    assert {stack["state"] for stack in tool.json} <= {"S", "D", *("R" if VM else "")}
    assert tool.summary["events"] == sum(stack["count"] for stack in tool.json)
    assert tool.summary["total_ns"] == sum(stack["total_ns"] for stack in tool.json)


def test_asleep_all_the_time():
    """Threads that neither fall asleep nor wake up meanwhile are shown with all the time, and their stacks."""
    places = {"pipe": 3, "nanosleep": 2, "mutex": 2, "vfork": 1}
    with Workload("parked", *(word for pair in places.items() for word in pair)) as work:
        tids = {int(path.name) for path in Path(f"/proc/{work.pid}/task").iterdir()}
        time.sleep(0.2)     # the first thread then reads its input
        with Tool("offcputime", "-p", work.pid, "-j", 1) as tool:
            tool.wait(20)
    stacks = tool.json
    assert Counter(stack["comm"] for stack in stacks) == {**places, "parked": 1}
    assert {stack["tid"] for stack in stacks} == tids and len(stacks) == len(tids)
    assert {stack["pid"] for stack in stacks} == {work.pid}
    assert {stack["total_ns"] for stack in stacks} == {tool.summary["traced_ns"]}
    assert tool.summary["traced_ns"] >= 999_000_000
    assert tool.summary["unfinished"] == tool.summary["events"] == len(tids)
    assert {stack["state"] for stack in stacks if stack["comm"] == "vfork"} == {"D"}
    for stack in stacks:
        assert stack["kernel"], stack
        if BY_5_10:
            assert functions(stack["user"]) == ["[unreadable user stack]"]
        elif stack["comm"] == "pipe":
            assert functions(stack["user"])[:len(CHAIN)] == CHAIN
            assert any(name.endswith("pipe_read") for name in functions(stack["kernel"]))
    assert BY_5_10 == ("user stacks of threads that sleep takes Linux 5.18" in tool.err)


@pytest.mark.parametrize("avoid", ["iter.s", "iter,iter.s"])
def test_without_iterators(avoid):
    """Where threads can't be looked at, or not their user stacks, that is said."""
    with Workload("parked", "pipe", 3) as work:
        time.sleep(0.2)
        with Tool("offcputime", "-p", work.pid, "-j", 0.5, avoid=avoid) as tool:
            tool.wait(20)
    if avoid == "iter.s":
        assert [functions(stack["user"]) for stack in tool.json] == 4 * [["[unreadable user stack]"]]
        assert "kernel stacks only" in tool.err
    else:
        assert tool.json == [] and "no task iterators" in tool.err


def test_began_before():
    """A wait that began before the tool counts from when that began, until the thread wakes up."""
    with Workload("parked", "pipe", 2) as work:
        time.sleep(0.2)
        with Tool("offcputime", "-p", work.pid, "-j") as tool:
            ready = time.monotonic_ns()
            time.sleep(0.5)
            woken = time.monotonic_ns()
            work.run()
    waits = [stack for stack in tool.json if stack["comm"] == "pipe"]
    assert len({stack["tid"] for stack in waits}) == 2
    for tid in {stack["tid"] for stack in waits}:
        longest = max(stack["total_ns"] for stack in waits if stack["tid"] == tid)
        assert woken - ready <= longest < tool.summary["traced_ns"]
    assert tool.summary["unfinished"] == 0


def schedstat(pid):
    """Of all threads of a process: ns on a CPU, and ns that they waited for one."""
    lines = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return [sum(int(line[at]) for line in lines) for at in (0, 1)]


def test_preempted():
    """Threads that share a CPU are not blocked. With --preempted, they waited for as long as the kernel counts."""
    cpu = max(os.sched_getaffinity(0))
    with Workload("burn", 600_000, 3) as work:   # until it is killed
        os.sched_setaffinity(work.pid, {cpu})   # its threads will have that, too
        os.setpriority(os.PRIO_PROCESS, work.pid, 19)   # and leave the tools something
        work.start()
        time.sleep(0.5)
        first = schedstat(work.pid)
        with Tool("offcputime", "-p", work.pid, "-j", "--preempted") as tool, \
                Tool("offcputime", "-p", work.pid, "-j") as blocked, \
                Tool("offcputime", "-p", work.pid, "-j", "--state", "0") as only:
            before = schedstat(work.pid)
            time.sleep(1.5)
            after = schedstat(work.pid)
        last = schedstat(work.pid)
    waited = after[1] - before[1]
    preempted = [stack for stack in tool.json if stack["state"] == "R"]
    assert sum(stack["total_ns"] for stack in preempted) >= 0.98 * waited > 0.5e9, waited
    assert sum(stack["total_ns"] for stack in preempted) <= 3.01 * tool.summary["traced_ns"]
    leaves = {functions(stack["kernel"])[0] for stack in preempted}     # those that came to a CPU as it ended have moved
    assert "[preempted]" in leaves and leaves <= {"[preempted]", "[it moved: no stack]"}
    assert blocked.summary["total_ns"] < 0.01 * blocked.summary["traced_ns"]
    assert {stack["state"] for stack in only.json} == {"R"}
    # what a thread does not spend on the CPU, it waits
    all_time, ran, ran_more = 3 * tool.summary["traced_ns"], after[0] - before[0], last[0] - first[0]
    assert 0.99 * all_time - ran_more <= tool.summary["total_ns"] <= 1.01 * all_time - ran, (ran, ran_more, tool.summary)


def test_kernel_threads():
    """-k: the kernel's own threads, which have no user stack; -u: all others."""
    comm = Path("/proc/2/comm")
    need(comm.exists() and comm.read_text() == "kthreadd\n", "no kthreadd in this pid namespace")
    done = {}
    for option in ("-k", "-u", "-uU"):
        with Tool("offcputime", "-p", "2", "-j", option, 1) as tool:
            tool.wait(20)
        done[option] = tool
    stacks = done["-k"].json
    assert {(stack["pid"], stack["tid"], stack["comm"]) for stack in stacks} == {(2, 2, "kthreadd")}
    assert all("kthreadd" in functions(stack["kernel"]) and not stack["user"] for stack in stacks)
    assert sum(stack["total_ns"] for stack in stacks) == pytest.approx(done["-k"].summary["traced_ns"], rel=0.01)
    assert done["-u"].json == done["-uU"].json == []


@pytest.mark.skipif(not VM, reason="vm-ok: it looks at all that runs, which natively is others'")
def test_all_threads():
    """Each thread of the machine once; nothing of the idle tasks; only kernel threads have no user stack."""
    with Tool("offcputime", "-j", 1) as tool:
        tool.wait(30)
    slept = Counter(stack["tid"] for stack in tool.json if stack["total_ns"] == tool.summary["traced_ns"])
    assert slept and set(slept.values()) == {1} and 2 in {stack["pid"] for stack in tool.json}
    assert not {stack["pid"] for stack in tool.json} & {0}
    assert {0} != {stack["tid"] for stack in tool.json} and tool.summary["lost"] == 0


def test_thresholds():
    """-m and -M: waits of this length only."""
    most = 2.5 * MS * 1000
    tool, done, _ = watch([4, 2, MS], "-j", "-m", int(most))
    long = by_thread(tool)
    due = {line["tid"] for line in done if line["ms"] > 2.5 * MS}
    assert long.keys() == due or VM and long.keys() > due       # where a sleeper may wake up late
    assert all(stack["total_ns"] >= most * 1000 * stack["count"] for stack in tool.json)
    tool, done, _ = watch([4, 2, MS], "-j", "-M", int(most))
    short = by_thread(tool)
    assert short.keys() >= {line["tid"] for line in done if line["ms"] == MS}
    assert all(stack["total_ns"] <= most * 1000 * stack["count"] for stack in tool.json)
    tool, _, _ = watch([1, 2, MS], "-j", "-m", 60_000_000)
    assert (tool.json, tool.summary["events"], tool.summary["lost"]) == ([], 0, 0)


@pytest.mark.parametrize("state, comms", [("D", {"vfork"}), ("2", {"vfork"}), ("0x1", {"pipe", "parked"}), ("Z", set()),
                                          ("S,D", {"pipe", "parked", "vfork"}), ("R", set())])
def test_states(state, comms):
    """--state: by the letters of ps, or by the kernel's numbers, as BCC has it."""
    with Workload("parked", "pipe", 1, "vfork", 1) as work:
        time.sleep(0.2)
        with Tool("offcputime", "-p", work.pid, "-j", "--state", state, 0.3) as tool:
            tool.wait(20)
    assert {stack["comm"] for stack in tool.json} == comms


@pytest.mark.parametrize("which", ["-t", "--comm", "other"])
def test_filters(which, tmp_path):
    """A filter judges the thread that waits."""
    with Workload("blocks", 3, 2, MS, comm="own-blocks", directory=tmp_path) as work:
        argument = {"-t": ("-t", work.pid), "--comm": ("--comm", "sleeper", "-p", work.pid),
                    "other": ("-p", os.getpid(), "--comm", "sleeper")}[which]
        with Tool("offcputime", *argument, "-j") as tool:
            done = work.run()
    tids = {stack["tid"] for stack in tool.json}
    sleepers = {line["tid"] for line in done}
    # the first thread wakes the others, and sleeps in between, with that name
    assert tids == {"-t": {work.pid}, "--comm": sleepers | {work.pid}, "other": set()}[which]


def test_many_stacks():
    """More stacks than a CPU keeps: none is lost or mixed up."""
    rounds = 2
    tool, (done,), _ = watch(["paths", PATHS, rounds], "-j")
    counts = Counter()
    for stack in tool.json:
        names = functions(stack["user"])
        if names and names[0] == "step":
            path = [name for name in reversed(names) if name in ("left", "right")]
            assert len(path) == 16, names
            counts[sum((name == "right") << bit for bit, name in enumerate(path))] += stack["count"]
    lost = tool.summary["lost"]
    assert counts.keys() <= set(range(PATHS)) and max(counts.values()) <= rounds
    assert sum(counts.values()) <= done["waits"] <= sum(counts.values()) + lost


def test_same_call_other_kernel_stack():
    """A thread that waits in one read() for a pipe, an event and a socket by turns: each wait is counted where it was,
    though the kernel stacks that were walked before are recognised without another walk."""
    code = """
        import random, socket, threading, time
        number, tid = int(args[0]), threading.get_native_id()
        ends = socket.socketpair()
        pairs = [os.pipe(), [os.eventfd(0)] * 2, [end.fileno() for end in ends]]
        turns = [0, 1, 2] * number
        random.shuffle(turns)
        turns = [0, 1, 2] * number + turns          # what alternates, and what comes in a row
        turns += sorted(turns)
        taken = 0

        def blocked(fd):
            syscall = open(f"/proc/self/task/{tid}/syscall").read().split()
            return syscall[0] == str(READ) and int(syscall[1], 16) == fd

        def wake():
            for number, turn in enumerate(turns):
                while taken < number or not blocked(pairs[turn][0]):
                    time.sleep(0.0005)
                os.write(pairs[turn][1], (1).to_bytes(8, "little"))

        READ = {"x86_64": 0, "aarch64": 63}[os.uname().machine]
        waker = threading.Thread(target=wake)
        waker.start()
        for turn in turns:
            os.read(pairs[turn][0], 8)
            taken += 1
        waker.join()
        """
    number = 50 if VM else 200
    with Script(code, number) as work, Tool("offcputime", "-p", work.pid, "-j") as tool:
        work.run()
    kinds = {"pipe_read": 0, "eventfd_read": 0, "unix_stream": 0}       # one more of a pipe: for the word to go
    for stack in tool.json:
        names = " ".join(functions(stack["kernel"]))
        for kind in kinds:
            kinds[kind] += stack["count"] if kind in names and stack["tid"] == work.pid else 0
    for kind, waits in kinds.items():
        most = 4 * number + (kind == "pipe_read")
        assert most - tool.summary["lost"] <= waits <= most, (kinds, tool.summary)


@pytest.mark.any_kernel
def test_storage():
    """What --stack-storage-size has no room for is lost, and said."""
    tool, (done,), _ = watch(["paths", 500, 1], "-j", "--stack-storage-size", 100)
    s = tool.summary
    assert 0 < s["stacks_left_out"] <= s["lost"] and len(tool.json) <= 100
    assert s["events"] + s["lost"] >= done["waits"]
    assert "are not in these stacks" in tool.said


@pytest.mark.any_kernel
@pytest.mark.skipif(BY_5_10, reason="vm-ok: no user stack of a thread that slept before")
def test_texts():
    """The listing as BCC prints it, in microseconds; -d, -s, -U and -K; folded lines; the table; a flame graph."""
    with Workload("parked", "pipe", 1) as work:
        time.sleep(0.2)

        def shown(*args):
            done = run_tool("offcputime", "-p", work.pid, *args, 0.5)
            assert done.returncode == OK, done.stderr
            return done.stdout

        *frames, thread, us = shown("-d").split("\n\n")[-2].splitlines()
        assert re.fullmatch(r"    -                (pipe|parked) \((\d+)\)", thread)
        assert 500_000 <= int(re.fullmatch(r"        (\d+)", us)[1]) < 3_000_000
        assert all(re.fullmatch(r"    \S+", frame) for frame in frames) and "    --" in frames
        assert any(frame.endswith("pipe_read") for frame in frames) and "    wait_in_read" in frames
        assert re.search(r"^    wait_in_read\+0x[0-9a-f]+$", shown("-s"), re.M)
        assert "pipe_read" not in shown("-U") and "wait_in_read" not in shown("-K")
        lines = [line for line in shown("-f").splitlines() if line.startswith("pipe;")]
        assert len(lines) == 1 and re.fullmatch(r"pipe;.*first_caller;second_caller;third_caller;wait_in_read;"
                                                r".*pipe_read \d+", lines[0])
        header, *rows = shown("--top").splitlines()
        assert header.split() == ["SELF%", "TOTAL%", "TIME(us)", "FUNCTION", "MODULE"]
        assert sum(float(row.split()[0]) for row in rows) == pytest.approx(100, abs=0.5)
        svg = ElementTree.fromstring(shown("--svg", "-"))
        assert any("wait_in_read" in "".join(box.itertext()) for box in svg.iter())


@pytest.mark.any_kernel
@pytest.mark.parametrize("line", ["-k -u", "-k -U", "-m 5 -M 4", "-s -f", "-s --json", "-s --top", "-U -K"])
def test_contradictions(line):
    """Options that exclude each other."""
    done = run_tool("offcputime", *line.split())
    assert (done.returncode, done.stdout) == (USAGE, "") and one_line(done.stderr)


def test_few_capabilities(cgroup, tmp_path):
    """CAP_BPF and CAP_PERFMON are enough for times and stacks."""
    caps = "+bpf,+perfmon"
    prefix = [*(["prlimit", "--memlock=unlimited"] if VM else []), *NOBODY, f"--inh-caps=-all,{caps}",
              f"--ambient-caps=-all,{caps}"]
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    program = public_copy(BUILD / "bin" / "offcputime", tmp_path)
    with Workload("blocks", 2, 2, MS, cgroup=cgroup) as work:
        with Tool("offcputime", "--cgroup", cgroup.id, "-j", prefix=prefix, program=program) as tool:
            done = work.run()
    assert tool.status == OK, tool.said
    for line in done:
        waits = sum(stack["count"] for stack in tool.json if stack["tid"] == line["tid"])
        assert waits + tool.summary["lost"] >= line["waits"], (line, tool.summary)


@pytest.mark.any_kernel
def test_threads_that_end_by_another_name(cgroup):
    """What was known of a thread goes with it, also where it is none of those that are wanted any more."""
    code = """
        import time
        number, alive = map(int, args)
        for i in range(number + alive):
            if i >= alive:
                os.wait()
            if i < number and not os.fork():
                time.sleep(0.002)
                open("/proc/self/comm", "w").write("another")
                os._exit(0)
        """
    with Script(code, 2 * PATHS, 200, cgroup=cgroup) as work, \
            Tool("offcputime", "--comm", "script", "-K", "-j", "--cgroup", cgroup.path) as tool:
        work.run()
    waits = sum(stack["count"] for stack in tool.json)
    assert waits > 1.9 * PATHS and tool.summary["lost"] < PATHS / 100, tool.summary
