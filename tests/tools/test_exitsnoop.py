# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""exitsnoop against workloads that print what wait4(2) said of each end."""

import contextlib
import os
import platform
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import CONTROL, HEAD_KEYS, VM, Script, Tool, Workload, assert_sorted_times, run_tool
from machine import OWN_COMM, OWN_UID, PREFIX, cgroup2_mount, need
from snoop import watch_storm, without_loss
from suite import HEADERS

RUNGS = ["", "tp_btf"]          # what is avoided
MANY = 500 if VM else 10_000
RACES = 30 if VM else 100
TICK_MS = 150 if VM else 15     # CPU time that is booked at the next tick or switch, or until wait4(2), is not yet known
SYS_RT_SIGQUEUEINFO = {"x86_64": 129, "aarch64": 138}
PREEMPTS = bool(VM) and VM.startswith("7")     # the kernel, in itself
LIMIT = 32 << 20                # bytes, of a cgroup
PENDING_KB = 32 * 4 * os.cpu_count()    # of each kind of memory, that CPUs count by themselves


def watch_ends(way, cgroup, *args, avoid=""):
    """Runs `ends` under exitsnoop in a cgroup of its own; returns the rows of those that it prints, by pid, what it
    prints, and the ended tool."""
    with Workload("ends", *way.split(), cgroup=cgroup) as work:
        with Tool("exitsnoop", "--cgroup", cgroup.path, "--json", *args, avoid=avoid) as tool:
            done = work.run()
    assert tool.status == 0 and tool.summary["lost"] == 0, tool.said
    rows = {row["pid"]: row for row in tool.json}
    assert len(rows) == len(tool.json), "a process ended twice"
    return rows, done, tool


def left_out(tool):
    """How many runs of its programs a kernel that preempts them has left out, and counted: only 7.x does."""
    missed = tool.summary["missed_runs"]
    assert missed == 0 or PREEMPTS
    return missed


def how(row):
    """Of a row, or of what `ends` prints: how it ended, and who did it."""
    if "exit_status" in row:
        return (row["ppid"], row["exit_status"] or 0, row["signal"] or 0, row["core_dumped"], row["killer_pid"] or 0)
    return (row["ppid"], row["status"], row["signal"], bool(row["core"]), row["killer"])


@pytest.mark.parametrize("avoid", RUNGS)
@pytest.mark.parametrize("way, number", [("exits", 11), ("kills", 7), ("faults", 5)])
def test_ends(way, number, avoid, cgroup):
    """23 ends, each one once: 11 exits, 7 kills by 7 processes, 5 faults."""
    rows, done, tool = watch_ends(way, cgroup, avoid=avoid)
    assert len(done) == number
    missing = [line for line in done if line["pid"] not in rows]
    assert len(missing) <= left_out(tool)
    done = [line for line in done if line not in missing]
    assert [how(rows[line["pid"]]) for line in done] == [how(line) for line in done]
    killers = {line["killer"] for line in done} - {0}
    others = rows.keys() - {line["pid"] for line in done} - killers
    assert others <= {done[0]["ppid"]}, "there is an end more than that of `ends` itself"
    for line in done:
        row = rows[line["pid"]]
        assert row["tid"] == row["pid"] and row["uid"] == 0 and row["parent_comm"] == "ends"
        assert row["comm"] == ("exe" if line["status"] in (3, 10) and way == "exits" else "ends")
        assert (row["exit_status"] is None) == (line["signal"] > 0) == (row["signal"] is not None)
        assert not row["oom"]
        if way == "kills":
            assert (row["sender"], row["killer_comm"], row["killer_uid"]) == ("process", line["comm"], 0)
        else:
            assert row["sender"] == ("kernel" if way == "faults" else None) and row["killer_comm"] is None
    if way == "faults":
        assert all(rows[line["pid"]]["signal_code"] > 0 for line in done)
    assert_sorted_times(tool.json)
    assert HEAD_KEYS <= tool.json[0].keys()


def test_text_says_the_same(cgroup):
    """The default table has the columns of BCC's man page, and EXIT_CODE begins as BCC prints it."""
    with contextlib.ExitStack() as stack:
        works = [stack.enter_context(Workload("ends", way, cgroup=cgroup)) for way in ("exits", "kills", "faults")]
        tool = stack.enter_context(Tool("exitsnoop", "--cgroup", cgroup.path))
        failed = stack.enter_context(Tool("exitsnoop", "-x", "--cgroup", cgroup.path))
        killed = stack.enter_context(Tool("exitsnoop", "--killed", "--cgroup", cgroup.path))
        done = [line for work in works for line in work.run()]
    assert tool.header == HEADERS["exitsnoop"]
    rows = {int(row["PID"]): row for row in tool.rows}
    for line in done:
        row = rows[line["pid"]]
        assert (int(row["PPID"]), int(row["TID"])) == (line["ppid"], line["pid"])
        number = line["signal"]
        name = "RT" if number > 31 else signal.Signals(number).name[3:] if number else ""
        sender = f"{line['killer']} {line['comm']}" if line["killer"] else "kernel"
        code = f"signal {number} ({name}) from {sender}" if number else \
            f"code {line['status']}" if line["status"] else "0"
        assert row["EXIT_CODE"] == code
    failing = [line["pid"] for line in done if line["status"] or line["signal"]]
    assert [int(row["PID"]) for row in failed.rows] == failing
    assert [int(row["PID"]) for row in killed.rows] == [line["pid"] for line in done if line["signal"]]


def test_core_dump(cgroup, place):
    """abort(3) with a core dump: sent by itself, and whether there is a dump is what wait(2) says."""
    with Workload("ends", "core", cgroup=cgroup, cwd=place) as work:
        with Tool("exitsnoop", "--cgroup", cgroup.path) as text, \
                Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool:
            line = work.run()[0]
    need(line["core"], "this system dumps no core")
    [row] = [row for row in tool.json if row["pid"] == line["pid"]]
    assert (row["signal_name"], row["core_dumped"], row["killer_pid"]) == ("ABRT", True, line["pid"])
    assert "signal 6 (ABRT), core dumped from itself\n" in text.out


def test_usage(cgroup):
    """CPU time and peak memory are those that wait4(2) has, threads that are gone included."""
    with Workload("ends", "usage", 300, 20000, cgroup=cgroup) as work:
        with Tool("exitsnoop", "--resources", "--cgroup", cgroup.path) as text, \
                Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool:
            line = work.run()[0]
    [row] = [row for row in tool.json if row["pid"] == line["pid"]]
    [shown] = [row for row in text.rows if int(row["PID"]) == line["pid"]]
    assert line["cpu_us"] > 600_000 and line["peak_kb"] > 40_000
    assert abs(row["cpu_ns"] / 1e6 - line["cpu_us"] / 1e3) < TICK_MS
    assert row["peak_bytes"] == line["peak_kb"] * 1024
    # two tools look one after the other, which in emulation takes a while
    assert 0.3 < row["age_ns"] / 1e9 < 60 and abs(float(shown["AGE(s)"]) - row["age_ns"] / 1e9) < (1 if VM else 0.1)
    assert abs(float(shown["CPU(ms)"]) - row["cpu_ns"] / 1e6) < TICK_MS
    assert int(shown["PEAK(KB)"]) == line["peak_kb"]


def test_age(cgroup):
    """AGE counts from when the process was forked, not from when it was last another program."""
    code = """
        import time
        begin = time.clock_gettime(time.CLOCK_BOOTTIME)
        pid = os.fork()
        if not pid:
            time.sleep(0.3)
            os.execl("/bin/sh", "sh", "-c", "sleep 0.3; exit 5")
        os.waitpid(pid, 0)
        print(f"pid={pid}\\tms={int((time.clock_gettime(time.CLOCK_BOOTTIME) - begin) * 1000)}")
        """
    with Script(code, cgroup=cgroup) as work, Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool:
        done = work.run()[-1]
    [row] = [row for row in tool.json if row["pid"] == done["pid"]]
    assert row["exit_status"] == 5 and row["comm"] == "sh"
    assert 600 <= row["age_ns"] / 1e6 <= done["ms"] + 1


@pytest.mark.parametrize("avoid", RUNGS)
@pytest.mark.parametrize("way, processes, threads", [("threads 40", 1, 41), (f"race {RACES}", RACES, 2)])
def test_threads_that_end_together(way, processes, threads, avoid, cgroup):
    """However many threads end at the same time, a process ends once; with --per-thread each of them does."""
    rows, done, first = watch_ends(way, cgroup, avoid=avoid)
    ended = {line["pid"] for line in done} | {done[0]["ppid"]}
    assert len(done) == processes and rows.keys() <= ended
    assert len(ended) - len(rows) <= left_out(first)
    with Workload("ends", *way.split(), cgroup=cgroup) as work:
        with Tool("exitsnoop", "--per-thread", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = work.run()
    of = [row for row in tool.json if row["pid"] != done[0]["ppid"]]
    assert len(of) == len({row["tid"] for row in of}) <= processes * threads <= len(of) + left_out(tool)
    assert {row["pid"] for row in of} <= {line["pid"] for line in done}
    assert all(row["peak_bytes"] is None and row["exit_status"] == 0 for row in of)


def test_every_end_of_a_storm(place, cgroup):
    """Processes that end as fast as two threads can spawn them: every one is shown."""
    def storm():
        tool = watch_storm(["exitsnoop", "--comm", "tiny"], ["execfast", MANY // 2, 2, place / "tiny"], MANY, cgroup)
        assert len({row["pid"] for row in tool.json}) == tool.summary["events"]
        assert_sorted_times(tool.json, storm=True)
        return tool.summary["lost"]

    without_loss(storm, MANY)


@pytest.mark.any_kernel
def test_overload_is_accounted(cgroup):
    """A tool that is held up loses events, says how many, and shown + lost = ended."""
    if VM:
        pytest.skip("vm-ok: to fill the rings takes minutes in emulation")
    total = 150_000
    tool = watch_storm(["exitsnoop", "--per-thread"], ["ends", "burst", total - 1], total, cgroup, held_up=True)
    assert tool.summary["lost"] > 0, "the overload was none"


# --- who it was ---

def kill_script(cgroup, code):
    """Runs a script that prints the pid of the process that it had killed; returns its row, and what it printed."""
    with Script(code, cgroup=cgroup) as work, Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool:
        done = work.run()[-1]
    [row] = [row for row in tool.json if row["pid"] == done["pid"]]
    return row, done


def test_killer_outside_of_the_pid_namespace(cgroup):
    """Victim and killer in a pid namespace: both are shown by the ids that this one has."""
    code = """
        import ctypes, signal, time
        libc = ctypes.CDLL(None)
        assert not libc.unshare(0x20000000)                     # CLONE_NEWPID
        reader, writer = os.pipe()
        init = os.fork()
        if not init:
            victim = os.fork()
            if not victim:
                signal.pause()
            time.sleep(0.1)
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            os._exit(0)
        children = f"/proc/{init}/task/{init}/children"
        deadline = time.monotonic() + 30
        while not (victim := open(children).read().split()) and time.monotonic() < deadline:
            pass
        os.waitpid(init, 0)
        print(f"pid={victim[0]}\\tkiller={init}")
        """
    need(Path("/proc/thread-self/children").exists(), "this kernel lists no children in /proc")
    row, done = kill_script(cgroup, code)
    assert (row["signal"], row["killer_pid"]) == (signal.SIGKILL, done["killer"])


@pytest.mark.parametrize("si_code", [-2, -3, -60])
def test_code_that_is_made_up(si_code, cgroup):
    """A signal that says to come from a timer, a message queue or a resolver, but was sent by a process."""
    code = f"""
        import ctypes, signal, struct
        libc = ctypes.CDLL(None)
        pid = os.fork()
        if not pid:
            signal.pause()
        info = ctypes.create_string_buffer(struct.pack("iiiiii", signal.SIGTERM, 0, {si_code}, 0, 1, 0), 128)
        assert not libc.syscall({SYS_RT_SIGQUEUEINFO[platform.machine()]}, pid, signal.SIGTERM, info)     # rt_sigqueueinfo
        os.waitpid(pid, 0)
        print(f"pid={{pid}}\\tkiller={{os.getpid()}}")
        """
    row, done = kill_script(cgroup, code)
    assert (row["signal"], row["sender"], row["killer_pid"]) == (signal.SIGTERM, "process", done["killer"])
    assert row["signal_code"] == si_code


def test_the_last_process_of_a_namespace(cgroup):
    """When the first process of a pid namespace ends, the kernel kills the others."""
    code = """
        import ctypes, signal, time
        assert not ctypes.CDLL(None).unshare(0x20000000)        # CLONE_NEWPID
        init = os.fork()
        if not init:
            if not os.fork():
                signal.pause()
            time.sleep(0.2)
            os._exit(0)
        victim = []
        while not victim:
            victim = open(f"/proc/{init}/task/{init}/children").read().split()
        os.waitpid(init, 0)
        print(f"pid={victim[0]}")
        """
    need(Path("/proc/thread-self/children").exists(), "this kernel lists no children in /proc")
    row, _ = kill_script(cgroup, code)
    assert (row["signal"], row["sender"], row["killer_pid"], row["oom"]) == (signal.SIGKILL, "kernel", None, False)


def test_signals_that_were_not_died_of(cgroup):
    """Handled, ignored and blocked ones, by others, are not what it died of; nor do they stand for what it did die of."""
    code = """
        import signal, time
        ready, write = os.pipe()
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGHUP, lambda *_: None)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            os.write(write, b"x")
            while True:
                signal.pause()
        os.read(ready, 1)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGCHLD, signal.SIGCONT):
            os.kill(pid, number)
        time.sleep(0.05)
        killer = os.fork()
        if not killer:
            os.kill(pid, signal.SIGTERM)
            os._exit(0)
        os.waitpid(killer, 0)
        os.waitpid(pid, 0)
        print(f"pid={pid}\\tkiller={killer}")
        """
    row, done = kill_script(cgroup, code)
    assert (row["signal"], row["killer_pid"], row["killer_comm"]) == (signal.SIGTERM, done["killer"], "script")


def test_two_that_wait(cgroup):
    """Two have sent the same real-time signal while it was blocked: whose killed is not known, and is not guessed."""
    code = """
        import signal, time
        number = signal.SIGRTMIN + 1
        ready, write = os.pipe()
        pid = os.fork()
        if not pid:
            signal.pthread_sigmask(signal.SIG_BLOCK, {number})
            os.write(write, b"x")
            time.sleep(0.3)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
            signal.pause()
        os.read(ready, 1)
        for _ in range(2):
            killer = os.fork()
            if not killer:
                os.kill(pid, number)
                os._exit(0)
            os.waitpid(killer, 0)
        os.waitpid(pid, 0)
        print(f"pid={pid}")
        """
    row, _ = kill_script(cgroup, code)
    assert row["signal"] > 32 and (row["sender"], row["killer_pid"], row["killer_comm"]) == (None, None, None)


def test_killed_again(cgroup):
    """Another SIGKILL that comes while the process gives up its memory is not the one that it died of."""
    code = """
        import ctypes, mmap, signal
        ready, write = os.pipe()
        go, tell = os.pipe()
        pid = os.fork()
        if not pid:
            memory = mmap.mmap(-1, 256 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            memory.madvise(mmap.MADV_NOHUGEPAGE)
            for at in range(0, len(memory), 4096):
                memory[at] = 1
            os.write(write, b"x")
            signal.pause()
        second = os.fork()
        if not second:
            os.read(go, 1)
            os.kill(pid, signal.SIGKILL)
            os._exit(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z")
        os.read(ready, 1)
        libc = ctypes.CDLL(None)
        assert not libc.syscall(234, pid, pid, signal.SIGKILL)      # tgkill(): to a thread, the second to the process
        os.write(tell, b"x")
        late = os.waitpid(second, 0)[1]
        os.waitpid(pid, 0)
        print(f"pid={pid}\\tkiller={os.getpid()}\\tlate={late}")
        """
    row, done = kill_script(cgroup, code)
    assert not done["late"], "the process had ended before the second one"
    assert (row["signal"], row["killer_pid"]) == (signal.SIGKILL, done["killer"])


def test_sent_before_it_looked(cgroup):
    """A signal that was sent before the tool began: who sent it is not known."""
    begin = ["python3", "-S", "-c", "import signal, os\nsignal.pthread_sigmask(signal.SIG_BLOCK, {15})\n"
             "os.kill(os.getpid(), 15)\nprint(flush=True)\ninput()\nsignal.pthread_sigmask(signal.SIG_UNBLOCK, {15})"]

    def join():
        (cgroup.path / "cgroup.procs").write_text("0")
    with subprocess.Popen(begin, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=join) as victim:
        victim.stdout.readline()
        with Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool, \
                Tool("exitsnoop", "--cgroup", cgroup.path) as text:
            victim.stdin.write(b"\n")
            victim.stdin.flush()
            victim.wait()
    [row] = tool.json
    assert (row["signal"], row["sender"], row["killer_pid"]) == (signal.SIGTERM, None, None)
    assert text.rows[0]["EXIT_CODE"] == "signal 15 (TERM) from ?"


# --- the out-of-memory killer ---

class MemoryCgroup:
    """A cgroup with a limit of memory, of v2 where it has that controller, else of v1."""

    def __init__(self, below=""):
        """The processes are to be in the cgroup `below` this one."""
        mount = cgroup2_mount()
        control = mount and mount / "cgroup.subtree_control"
        if control and "memory" in (mount / "cgroup.controllers").read_text().split():
            if VM:
                control.write_text("+memory")
            need("memory" in control.read_text().split(), "the root cgroup does not hand down memory")
            limits = {"memory.max": LIMIT, "memory.swap.max": 0}
            self.counter = "memory.events"
        else:
            mount = Path("/sys/fs/cgroup/memory")
            need((mount / "memory.limit_in_bytes").exists(), "there is no memory controller")
            limits = {"memory.limit_in_bytes": LIMIT, "memory.memsw.limit_in_bytes": LIMIT}
            self.counter = "memory.oom_control"
        self.name = f"/{PREFIX}-memory/in \x1b]0;x\x07"
        self.path = Path(f"{mount}{self.name}")
        self.path.parent.mkdir()
        if self.counter == "memory.events":
            (self.path.parent / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        for file, limit in limits.items():
            if (self.path / file).exists():
                (self.path / file).write_text(str(limit))
        self.top = self.path
        for name in below.split("/") if below else ():
            if self.counter == "memory.events":
                (self.path / "cgroup.subtree_control").write_text("+memory")
            self.path /= name
            self.path.mkdir()

    def kills(self):
        """How many the kernel says it has killed here."""
        return int(re.search(r"^oom_kill (\d+)$", (self.top / self.counter).read_text(), re.M)[1])

    def remove(self):
        """Once it is empty."""
        for path in (self.path, *self.path.parents):
            path.rmdir()
            if path == self.top.parent:
                break


@pytest.fixture(name="memory_cgroup")
def give_memory_cgroup():
    """One that is gone after the test."""
    group = MemoryCgroup()
    yield group
    group.remove()


@pytest.mark.parametrize("avoid", RUNGS)
def test_out_of_memory(avoid, memory_cgroup, place):
    """One kill by the out-of-memory killer: said to be one, with the cgroup, and the victim's size as the kernel's log has
    it."""
    with Workload("ends", "memory", cgroup=memory_cgroup, comm=OWN_COMM, directory=place) as work:
        with Tool("exitsnoop", "--comm", OWN_COMM, avoid=avoid) as text, \
                Tool("exitsnoop", "--comm", OWN_COMM, "--json", avoid=avoid) as tool:
            line = work.run()[0]
    assert line["signal"] == signal.SIGKILL and memory_cgroup.kills() == 1
    [row] = [row for row in tool.json if row["oom"]]
    assert (row["pid"], row["signal"], row["sender"], row["killer_pid"]) == (line["pid"], 9, "kernel", None)
    assert row["oom_cgroup"] == memory_cgroup.name
    assert row["oom_scope"] in ("cgroup", None)         # None: kallsyms hides addresses
    assert 0 < row["oom_bytes"] == row["oom_anon_bytes"] + row["oom_file_bytes"] + row["oom_shmem_bytes"]
    assert LIMIT / 2 < row["oom_bytes"] < 2 * LIMIT
    shown = [row["EXIT_CODE"] for row in text.rows if int(row["PID"]) == line["pid"]][0]
    scope = row["oom_scope"] or "?"
    escaped = f"/{PREFIX}-memory/in \\033]0;x\\a"
    assert shown == f"signal 9 (KILL), OOM in {scope}, {row['oom_bytes'] // 1024} KB, {escaped}"
    assert not CONTROL.search(text.out)
    log = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=False).stdout
    said = re.findall(rf"Killed process {line['pid']} \(.*anon-rss:(\d+)kB, file-rss:(\d+)kB, shmem-rss:(\d+)kB", log)
    need(said, "the kernel's log can't be read")
    for what, kb in zip(("anon", "file", "shmem"), said[-1], strict=True):  # 7.x adds what each CPU has not yet handed in
        assert abs(row[f"oom_{what}_bytes"] // 1024 - int(kb)) <= (PENDING_KB if PREEMPTS else 0)
    if VM:
        assert row["oom_scope"] == "cgroup"


def test_out_of_memory_deep_down(place):
    """The path of a cgroup that is more than 32 levels down: its end."""
    group = MemoryCgroup("/".join(f"level-{i}" for i in range(40)))
    try:
        with Workload("ends", "memory", cgroup=group, comm=OWN_COMM, directory=place) as work:
            with Tool("exitsnoop", "--comm", OWN_COMM, "--json") as tool:
                line = work.run()[0]
    finally:
        group.remove()
    [row] = [row for row in tool.json if row["oom"]]
    assert row["pid"] == line["pid"] and row["oom_bytes"] > LIMIT / 2
    assert row["oom_cgroup"] == "/.../" + "/".join(f"level-{i}" for i in range(8, 40))


# --- options ---

def test_columns(cgroup):
    """-t, --utc, --label, -U, --resources: the columns that they add, and JSON has the label."""
    header = " ".join(HEADERS["exitsnoop"])
    with Workload("ends", "plain", 3, cgroup=cgroup) as work, contextlib.ExitStack() as stack:
        tools = {args: stack.enter_context(Tool("exitsnoop", "--cgroup", cgroup.path, *args.split("|")))
                 for args in ("--utc", "--label|", "-t|--label=E T|-U", "--resources", "-x|--label|exit|--json")}
        done = work.run()
    assert {args: " ".join(tool.header) for args, tool in tools.items() if "json" not in args} == {
        "--utc": "TIME-UTC " + header, "--label|": "LABEL " + header, "-t|--label=E T|-U": "TIME LABEL UID " + header,
        "--resources": header.replace("EXIT_CODE", "CPU(ms) PEAK(KB) EXIT_CODE")}
    for args, begin in (("--utc", r"\d\d:\d\d:\d\d\.\d\d\d ends "), ("--label|", "exit  ends "),
                        ("-t|--label=E T|-U", r"\d\d:\d\d:\d\d\.\d\d\d E T   0      ends ")):
        assert all(re.match(begin, line) for line in tools[args].lines[1:]), tools[args].out
        assert len(tools[args].lines) == 5
    rows = tools["-x|--label|exit|--json"].json
    assert [(row["pid"], row["label"]) for row in rows] == [(line["pid"], "exit") for line in done[1:]]


def test_utc(cgroup):
    """--utc is the time of JSON; -t that of the zone."""
    with Workload("ends", "plain", 1, cgroup=cgroup) as work, contextlib.ExitStack() as stack:
        os.environ["TZ"] = "XYZ-5:30"
        try:
            tools = [stack.enter_context(Tool("exitsnoop", "--cgroup", cgroup.path, arg)) for arg in ("-t", "--utc", "-j")]
        finally:
            del os.environ["TZ"]
        work.run()
    def seconds(stamp):
        return int(stamp[:2]) * 3600 + int(stamp[3:5]) * 60 + float(stamp[6:12])
    json = seconds(tools[2].json[0]["time"][11:23])
    for tool, east in ((tools[0], 5.5 * 3600), (tools[1], 0)):      # each tool looks at the clock by itself
        ahead = (seconds(tool.lines[1][:12]) - json - east) % 86400
        assert min(ahead, 86400 - ahead) < 2


def test_filters(cgroup, place):
    """Each filter shows the ends that it names, and only those."""
    match = [("-p", "{}"), ("--tid", "{}"), ("--comm", OWN_COMM), ("--uid", OWN_UID)]
    miss = [("-p", 1), ("--tid", 1), ("--comm", "no-such-name"), ("--uid", OWN_UID + 1)]
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(Workload("ends", "plain", 1, cgroup=cgroup, comm=OWN_COMM, uid=OWN_UID,
                                            directory=place))
        tools = [stack.enter_context(Tool("exitsnoop", "--cgroup", cgroup.path, option, str(value).format(work.pid),
                                          "--json")) for option, value in match + miss]
        work.run()
    assert [len(tool.json) for tool in tools] == [1, 1, 2, 2, 0, 0, 0, 0]
    assert tools[0].json[0]["pid"] == tools[1].json[0]["pid"] == work.pid


def test_hostile_names(cgroup):
    """A killer with a name that wants to drive a terminal."""
    code = """
        import signal
        pid = os.fork()
        if not pid:
            signal.pause()
        open("/proc/self/comm", "w").write("\\x1b]0;x\\x07\\n")
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        print(f"pid={pid}")
        """
    with Script(code, cgroup=cgroup) as work:
        with Tool("exitsnoop", "--cgroup", cgroup.path) as text, \
                Tool("exitsnoop", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()[-1]
    assert not CONTROL.search(text.out) and len(text.rows) == 2
    assert text.rows[0]["EXIT_CODE"] == f"signal 9 (KILL) from {work.pid} \\033]0;x\\a\\n"
    assert tool.json[0]["killer_comm"] == "\x1b]0;x\x07\n" and tool.json[0]["pid"] == done["pid"]


@pytest.mark.any_kernel
def test_itself_is_not_shown():
    """Nor is what it starts: there is nothing."""
    done = run_tool("exitsnoop", "-p", os.getpid(), "--duration", "0.2")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
