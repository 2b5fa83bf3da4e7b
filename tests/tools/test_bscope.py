# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope: the questions that people come with, and the lessons of bpftrace's tutorial, against workloads that say what
there was."""

import math
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bscope import (bscope, STEPS, Bscope, average, errors, filled, frames_of, json_rows, linear_row, maps_of_text, power_row,
                    rows_of, run_script, says, stacks_with, watch, watch_both)
from harness import BUILD, FAILED, OK, VM, Tool, Workload, one_line
from histograms import working
from machine import need
from snoop import FAILING, N

each_kernel = pytest.mark.each_kernel
KERNEL_FUNCTIONS = bool(VM)     # natively, the kernel is a hardened one
LISTING = "tracepoint:syscalls:sys_enter_*"
SECONDS = 3


def function_probes():
    """Skips the test where the kernel refuses probes on its functions."""
    done = run_script("kprobe:vfs_read { exit(); } interval:ms:1 { exit(); }", "--dry-run")
    loads = run_script("kprobe:vfs_read { @ = 1; } interval:ms:1 { exit(); }")
    need(loads.returncode == OK, f"no kprobes here: {loads.stderr.strip() or done.stderr}")


# --- the seeds ---

@each_kernel
@pytest.mark.parametrize("access", ["args->filename", "args.filename"])
def test_who_opens(access, open_place, cgroup):
    """Who opens files: a line for each open, in their order, with the name of who did it."""
    script = 'tracepoint:syscalls:sys_enter_openat { printf("%s opened %s\\n", comm, str(' + access + ")); }"
    with Workload("opens", "openat", N, FAILING, open_place, cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path) as text, Bscope(script, "--cgroup", cgroup.id, "--json") as json:
            done = work.run()
    lines = [f"opens opened {line['path']}" for line in done]
    assert len(lines) == N and text.lines == lines
    assert json.of_type("printf") == [line + "\n" for line in lines]
    assert (json.summary["events"], json.summary["lost"]) == (N, 0)


@each_kernel
def test_opens_of_each_path(open_place, cgroup):
    """How often each path was opened: names as keys."""
    done = {f"{open_place}/a": 7, f"{open_place}/{'long' * 60}": 11, f"{open_place}/" + "d/" * 400 + "x": 5, "": 3}
    steps = [f"{n}*open:{path}" for path, n in done.items()]
    json, text = watch_both("tracepoint:syscalls:sys_enter_openat { @[str(args.filename)] = count(); }", steps, cgroup)
    assert json.maps == {"@": done}
    assert text.text_maps == {"@": done}


@each_kernel
def test_where_time_goes():
    """The profile by user stacks: where a burner burns, in what shares, and as many samples as its CPU time is worth."""
    script = "profile:hz:99 /pid == PID/ { @[ustack] = count(); @all = count(); }"
    with Workload("burn", SECONDS * 1000) as work:
        with Bscope(script.replace("PID", str(work.pid)), "--json") as tool:
            [done] = work.run()
    stacks, total = tool.maps["@"], tool.maps["@all"]
    assert sum(stacks.values()) == total
    spent = done["seventy_ns"] + done["thirty_ns"]
    due = 99 * spent / 1e9
    if not VM:      # under emulation, the host has the guest wait, and the clock goes on
        assert abs(total - due) < 0.1 * due + 4 * math.sqrt(due), (total, due)
    seventy, thirty = (stacks_with(stacks, "burn_loop", f"burn_{part}") for part in ("seventy", "thirty"))
    share = done["seventy_ns"] / spent
    assert seventy + thirty >= (0.7 if VM else 0.9) * total and total > 99 * SECONDS / 20, stacks
    assert abs(seventy / (seventy + thirty) - share) < 4.5 * math.sqrt(share * (1 - share) / total) + 0.01
    assert stacks_with(stacks, "main") >= 0.9 * total


@each_kernel
def test_where_time_goes_in_the_kernel():
    """The profile by kernel stacks, as it is written everywhere."""
    with Workload("nofp", SECONDS * 1000, "call") as work:
        with Bscope("profile:hz:99 { @[kstack] = count(); @all = count(); }", "-p", work.pid, "--json") as json, \
                Bscope("profile:hz:99 { @[kstack] = count(); }", "-p", work.pid) as text:
            work.run()
    stacks, total = json.maps["@"], json.maps["@all"]
    assert sum(stacks.values()) == total > 99 * SECONDS / 20
    assert stacks_with(stacks, "vfs_read") > 0.7 * total, stacks
    read = sum(n for key, n in text.text_maps["@"].items() if "vfs_read" in key)
    assert read > 0.7 * sum(text.text_maps["@"].values())


# --- system calls ---

@each_kernel
def test_calls_of_each_process(cgroup):
    """System calls by process, exactly."""
    script = "tracepoint:raw_syscalls:sys_enter { @[comm, pid] = count(); @all = count(); }"
    with Workload("steps", "211*getppid", cgroup=cgroup) as one, Workload("getppids", 307, cgroup=cgroup) as other:
        with Bscope(script, "--cgroup", cgroup.path, "--json") as tool:
            one.run()
            other.run()
    # a write, and exit_group; the other asks for its own id, too
    assert tool.maps == {"@": {f"steps,{one.pid}": 213, f"getppids,{other.pid}": 310}, "@all": 523}


def calls_made(done):
    """What `calls table` says of the 64-bit calls."""
    return Counter({line["syscall"]: line["count"] for line in done if line["abi"] == 64 and line["syscall"] != "?"})


@each_kernel
@pytest.mark.parametrize("script, prefix", [
    ("tracepoint:syscalls:sys_enter_* { @[probe] = count(); }", "tracepoint:syscalls:sys_enter_"),
    ("tracepoint:syscalls:sys_exit_get* { @[probe] = count(); }", "tracepoint:syscalls:sys_exit_")])
def test_calls_by_their_names(script, prefix, cgroup):
    """Each of some 30 kinds, by the probes of all system calls, or of some; the 32-bit ones beside them are none of these."""
    with Workload("calls", "table", cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path, "--json") as tool:
            made = calls_made(work.run())
    counted = {key.removeprefix(prefix): n for key, n in tool.maps["@"].items()}
    aliases = {"newuname": "uname"}     # as the kernel calls it there
    counted = {aliases.get(name, name): n for name, n in counted.items()}
    if "get" in script:
        made = {name: n for name, n in made.items() if name.startswith("get")}
    else:
        assert (counted.pop("exit_group"), counted.pop("write")) == (1, 1)
    assert counted == made and len(made) > 8


@each_kernel
def test_numbers_of_calls(cgroup):
    """The number of a call as itself and by name."""
    script = "tracepoint:raw_syscalls:sys_enter { @[args.id] = count(); @names[syscall_name(args.id)] = count(); }"
    tool = watch(script, ["7*getppid", "5*lseek:3"], cgroup)
    if os.uname().machine == "x86_64":
        assert tool.maps["@"] == {"110": 7, "8": 5, "1": 1, "231": 1}
    assert tool.maps["@names"] == {"getppid": 7, "lseek": 5, "write": 1, "exit_group": 1}


# --- the tutorial's lessons, in the old spelling and the new one ---

def tracepoints_of(category):
    """As tracefs has them, mounted for ourselves."""
    shown = subprocess.run(["unshare", "-m", "sh", "-c", "mountpoint -q /sys/kernel/tracing || "
                            "mount -t tracefs none /sys/kernel/tracing; "
                            f"ls /sys/kernel/tracing/events/{category}"], check=True, capture_output=True, text=True).stdout
    return {name for name in shown.split() if name not in ("enable", "filter")}


@each_kernel
def test_lesson_1_listing():
    """-l: all that there are."""
    done = bscope("-l", LISTING)
    assert (done.returncode, done.stderr) == (OK, "")
    names = {name for name in tracepoints_of("syscalls") if name.startswith("sys_enter_")}
    assert len(names) > 250
    assert done.stdout.splitlines() == sorted(f"tracepoint:syscalls:{name}" for name in names)


def test_lesson_1_fields():
    """-lv: what they have."""
    done = bscope("-lv", "tracepoint:syscalls:sys_enter_openat")
    assert (done.returncode, done.stderr) == (OK, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "tracepoint:syscalls:sys_enter_openat"
    assert {"    int __syscall_nr", "    int dfd", "    const char * filename", "    int flags", "    umode_t mode"} \
        == set(lines[1:])


@each_kernel
@pytest.mark.parametrize("probe", ["BEGIN", "begin"])
def test_lesson_2_hello(probe):
    """Hello world: it ends by itself, for there is nothing to wait for."""
    script = probe + ' { printf("hello world\\n"); }'
    assert says(script) == "hello world\n"
    assert says(script, "-q") == "hello world\n"
    assert run_script(script, "-q").stderr == ""


@each_kernel
@pytest.mark.parametrize("access", ["args->ret", "args.ret"])
def test_lesson_5_sizes_of_reads(access, cgroup):
    """The sizes of read() as a histogram."""
    sizes = [1] * 3 + [2] * 2 + [100] * 17 + [1000] * 5 + [1024] + [4095] * 2
    steps = [f"{sizes.count(size)}*read:{size}" for size in sorted(set(sizes))]
    json, text = watch_both("tracepoint:syscalls:sys_exit_read /pid == PID/ { @bytes = hist(" + access + "); }", steps, cgroup)
    sizes.append(1)     # the line that let it go
    assert filled(json.maps["@bytes"]) == json_rows(sizes, power_row)
    shown = text.text_maps["@bytes"]
    assert {row: n for row, n in shown.items() if n} == rows_of(sizes, power_row)
    assert list(shown)[0] == "[1]" and list(shown)[-1] == "[2K, 4K)" and len(shown) == 12


@each_kernel
def test_lesson_6_function_returns(cgroup):
    """The sizes of reads as a linear histogram, by the return of a function of the kernel."""
    function_probes()
    sizes = [0, 1, 199, 200, 999, 1000, 1999, 2000, 5000]
    json, text = watch_both("kretprobe:vfs_read /pid == PID/ { @bytes = lhist(retval, 0, 2000, 200); }",
                            [f"read:{size}" for size in sizes], cgroup)

    def row(value):
        return linear_row(value, 0, 2000, 200)

    # the read that it waited in has begun before
    assert filled(json.maps["@bytes"]) == json_rows(sizes, row)
    assert {label: n for label, n in text.text_maps["@bytes"].items() if n} == rows_of(sizes, row)


@each_kernel
@pytest.mark.parametrize("delete", ["delete(@start, tid)", "delete(@start[tid])"])
def test_lesson_7_durations(delete, cgroup):
    """How long reads take, by two probes and a map between."""
    function_probes()
    script = ("kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read /@start[tid]/ "
              "{ @ns[comm] = hist(nsecs - @start[tid]); @n = count(); " + delete + "; }")
    tool = watch(script, ["23*read:100"], cgroup)
    assert tool.maps["@n"] == 23
    assert sum(n for _, _, n in filled(tool.maps["@ns"]["steps"])) == 23
    assert tool.maps.get("@start", {}) == {}


@each_kernel
def test_lesson_8_events_of_the_scheduler(cgroup):
    """Many probes by a wildcard, and which one it was."""
    script = "tracepoint:sched:sched* { @[probe] = count(); } interval:s:60 { exit(); }"
    with Workload("steps", "23*nanosleep:1000000", cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path, "--json") as tool:
            work.run()
    counted = tool.maps["@"]
    assert counted["tracepoint:sched:sched_process_exit"] == 1
    assert counted["tracepoint:sched:sched_switch"] >= 23
    assert all(key.startswith("tracepoint:sched:sched_") for key in counted)


@each_kernel
def test_lesson_8_ends():
    """interval and exit() end it."""
    done = run_script("tracepoint:sched:sched_process_fork /0/ { @[probe] = count(); } interval:ms:100 { exit(); }")
    assert (done.returncode, done.stdout, errors(done.stderr)) == (OK, "", "")


@each_kernel
def test_lesson_10_who_waits(cgroup):
    """Kernel stacks at a tracepoint: as many as it slept."""
    json, text = watch_both("tracepoint:sched:sched_switch /pid == PID/ { @[kstack] = count(); }",
                            ["23*nanosleep:2000000"], cgroup)
    slept = stacks_with(json.maps["@"], "hrtimer_nanosleep")
    assert 23 <= slept <= 25, json.maps     # it may be preempted on its way
    assert sum(n for key, n in text.text_maps["@"].items() if "hrtimer_nanosleep" in key) == slept
    top = {frames_of(key)[0] for key in json.maps["@"]}     # and not what looks at it
    assert top <= {"__schedule", "perf_trace_sched_switch", "__traceiter_sched_switch"}, top


@each_kernel
def test_lesson_11_requests(disk, cgroup):
    """The sizes of what is asked of a disk."""
    device = os.stat(disk.path).st_rdev
    number = os.major(device) << 20 | os.minor(device)
    with working("write", disk, cgroup=cgroup) as work:
        with Bscope("tracepoint:block:block_rq_issue /args->dev == " + str(number) + "/ { @ = hist(args->bytes); }",
                    "--json") as tool:
            work.run()
    assert filled(tool.maps["@"]) == [(4096, 8191, 23)]


LESSON_12 = """
#ifndef BPFTRACE_HAVE_BTF
#include <linux/path.h>
#include <linux/dcache.h>
#endif

kprobe:vfs_open
{
	printf("open path: %s\\n", str(((struct path *)arg0)->dentry->d_name.name));
}
"""


@each_kernel
def test_lesson_12_kernel_structs(open_place, cgroup, tmp_path):
    """Fields of the kernel's records, from a file."""
    function_probes()
    (tmp_path / "path.bt").write_text(LESSON_12, encoding="utf-8")
    with Workload("opens", "openat", N, FAILING, open_place, cgroup=cgroup) as work:
        with Tool("", "--cgroup", cgroup.path, tmp_path / "path.bt", program=BUILD / "bin" / "bscope") as tool:
            done = work.run()
    assert tool.status == OK and tool.lines == [f"open path: {Path(line['path']).name}" for line in done
                                                if not line["errno"]]


@pytest.mark.skipif(bool(VM), reason="vm-ok: these kernels have kprobes")
@pytest.mark.parametrize("probe", ["kprobe:vfs_read", "kretprobe:vfs_read", "fentry:vfs_read", "fexit:vfs_read",
                                   "kfunc:vfs_read"])
def test_refused_functions(probe):
    """A kernel that refuses probes of its functions: one message, which names the nearest tracepoint."""
    if run_script(probe + " { @ = count(); } interval:ms:1 { exit(); }").returncode == OK:
        pytest.skip("this kernel has kprobes")
    done = run_script(probe + " { @ = count(); }")
    assert (done.returncode, done.stdout) == (FAILED, "")
    [message, *rest] = done.stderr.splitlines()
    assert message.startswith(f"stdin:1:1-{len(probe) + 1}: ERROR: ") and "vfs_read can't be probed" in message
    assert rest[0].startswith(probe) and rest[1] == "~" * len(probe)
    assert "tracepoint:syscalls:sys_enter_read" in done.stderr
    assert len(rest) <= 3


# --- who is looked at ---

def two_workloads(script, *args, cgroup=None, other_cgroup=None, **kwargs):
    """Two workloads that do the same, under a script with a filter of the first; returns what it counted."""
    with Workload("steps", "17*getppid", cgroup=cgroup, **kwargs) as one, \
            Workload("steps", "17*getppid", cgroup=other_cgroup) as other:
        values = [str(arg).replace("PID", str(one.pid)) for arg in args]
        with Bscope(script, "--json", *values) as tool:
            one.run()
            other.run()
    assert tool.status == OK, tool.err
    return tool.maps, one.pid


COUNT = "tracepoint:syscalls:sys_enter_getppid { @[pid] = count(); }"


@pytest.mark.parametrize("option", ["-p", "--pid", "--tid"])
def test_filter_by_id(option):
    """One process or thread alone."""
    maps, pid = two_workloads(COUNT, option, "PID")
    assert maps == {"@": {str(pid): 17}}


@pytest.mark.parametrize("options, matches", [
    (["--comm", "getppidsown"], True), (["--comm", "no-such"], False)])
def test_filter_by_name(options, matches, place, cgroup):
    """By the name of the process, in the cgroup of the test."""
    with Workload("getppids", 23, comm="getppidsown", directory=place, cgroup=cgroup) as work, \
            Workload("getppids", 23, cgroup=cgroup) as other:
        with Bscope(COUNT, "--json", "--cgroup", cgroup.path, *options) as tool:
            work.run()
            other.run()
    assert tool.maps == ({"@": {str(work.pid): 23}} if matches else {})


def test_filter_by_user(place, cgroup):
    """By user, and by cgroup."""
    with Workload("getppids", 23, uid=65534, directory=place, cgroup=cgroup) as work, \
            Workload("getppids", 29, cgroup=cgroup) as other:
        with Bscope(COUNT, "--json", "--cgroup", cgroup.path, "--uid", 65534) as nobody, \
                Bscope(COUNT, "--json", "--cgroup", cgroup.path, "--uid", "root") as root, \
                Bscope(COUNT, "--json", "--cgroup", cgroup.path) as all_of_them:
            work.run()
            other.run()
    assert nobody.maps == {"@": {str(work.pid): 23}}
    assert root.maps == {"@": {str(other.pid): 29}}
    assert all_of_them.maps == {"@": {str(work.pid): 23, str(other.pid): 29}}


def test_filter_by_cgroup(cgroup, other_cgroup):
    """A cgroup in which nothing happens."""
    with Workload("getppids", 23, cgroup=cgroup) as work:
        with Bscope(COUNT, "--json", "--cgroup", other_cgroup.path) as tool, \
                Bscope("tracepoint:syscalls:sys_enter_getppid { @[cgroup] = count(); }", "--json", "--cgroup",
                       cgroup.id) as own:
            work.run()
    assert tool.maps == {}
    assert own.maps == {"@": {str(cgroup.id): 23}}


def test_ends_with_the_process():
    """-p: the end of that process is the end of the script, which does what it does at its end."""
    with Workload("steps", "17*getppid") as work:
        with Bscope(COUNT + ' END { printf("over\\n"); }', "-p", work.pid) as tool:
            work.run()
            assert tool.wait() == OK
    assert tool.lines == ["over", f"@[{work.pid}]: 17"]


def test_command(cgroup):
    """-c: a command, all of it, and nothing else; its end is the script's."""
    script = "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @ = count(); } tracepoint:syscalls:sys_enter_execve " \
             "/pid == cpid/ { @execs = count(); }"
    done = run_script(script, "-c", f"{STEPS} 123*getppid", "--json")
    assert done.returncode == OK, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert any(re.search(r'"@": 123\b', line) for line in lines), lines
    assert "done=123" in done.stdout


def test_command_that_fails():
    """A command that is not there: one line."""
    done = run_script("begin { @ = 1; }", "-c", "/no/such/command")
    assert done.returncode == FAILED and "/no/such/command" in one_line(errors(done.stderr))


def test_average_of_nothing_is_none():
    """The helper that other tests build on divides as C does."""
    assert (average([1, 2]), average([-1, -2]), average([7])) == (1, -1, 7)
    assert maps_of_text(["@a: 5", "@b[x, y]: -3", "@[", "    f+1", "    g", "]: 2"]) == \
        {"@a": 5, "@b": {"x, y": -3}, "@": {("f", "g"): 2}}
    assert BUILD.exists() and power_row(5) == ("[4, 8)", 4, 7)


@pytest.mark.any_kernel
@pytest.mark.parametrize("script, most", [
    ("interval:s:9 { @++; }", 64 << 10),                    # nothing but the end
    ("interval:s:9 { print(@); } end { @ = 1; }", 1 << 20),  # a map is printed
    ("interval:s:9 { @[kstack] = count(); }", 1 << 20),     # stacks
    ('interval:s:9 { printf("x"); }', 8 << 20)])            # rows
def test_rings_are_as_large_as_is_needed(script, most):
    """All of a ring is mapped, and making it takes time: one that carries no rows is small."""
    with Bscope(script) as tool:
        maps = [path.read_text(encoding="ascii") for path in Path(f"/proc/{tool.process.pid}/fdinfo").iterdir()]
    sizes = {int(re.search(r"^max_entries:\s*(\d+)", text, re.M)[1]) for text in maps if "map_type:\t27\n" in text}
    assert sizes and max(sizes) <= max(most, os.sysconf("SC_PAGE_SIZE")) and (min(sizes) > most // 16), sizes
