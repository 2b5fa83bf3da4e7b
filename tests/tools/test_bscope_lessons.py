# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope: the twelve lessons of bpftrace's tutorial of one-liners, in the old spelling and the new one, as text and as JSON,
against workloads that say what there was."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from bscope import (Bscope, bscope, file_of, filled, frames_of, json_rows, linear_row, power_row, rows_of, run_script,
                    says, stacks_with, watch_both)
from harness import OK, VM, Workload
from histograms import working
from snoop import FAILING, N
from test_bscope import function_probes

each_kernel = pytest.mark.each_kernel
ALL_ENTRIES = "syscalls:sys_enter_*"
SECONDS = 3


def spelt(*scripts):
    """The spellings of one lesson."""
    return pytest.mark.parametrize("script", scripts)


@contextmanager
def both(script, cgroup, *args):
    """The script as JSON and as text, both while the block runs, and ended behind it; of what happens in the cgroup."""
    with Bscope(script, "--cgroup", cgroup.path, *args, "-f", "json") as json, \
            Bscope(script, "--cgroup", cgroup.path, *args) as text:
        yield json, text
    assert (json.status, text.status) == (OK, OK), json.err + text.err
    assert (json.summary["lost"], json.summary["lost_updates"]) == (0, 0), json.err


def filled_rows(histogram):
    """The rows of a histogram in text that have something."""
    return {row: n for row, n in histogram.items() if n}


def tracepoints_of(category):
    """As tracefs has them, mounted for ourselves."""
    shown = subprocess.run(["unshare", "-m", "sh", "-c", "mountpoint -q /sys/kernel/tracing || "
                            "mount -t tracefs none /sys/kernel/tracing; "
                            f"ls /sys/kernel/tracing/events/{category}"], check=True, capture_output=True, text=True).stdout
    return {name for name in shown.split() if name not in ("enable", "filter")}


@each_kernel
@pytest.mark.parametrize("provider", ["tracepoint", "t"])
@pytest.mark.parametrize("options", [[], ["-f", "json"]])
def test_1_listing(provider, options):
    """What can be asked, by a pattern: all that there are. It is a list either way."""
    done = bscope("-l", f"{provider}:{ALL_ENTRIES}", *options)
    assert (done.returncode, done.stderr) == (OK, "")
    names = {name for name in tracepoints_of("syscalls") if name.startswith("sys_enter_")}
    assert len(names) > 250
    assert done.stdout.splitlines() == sorted(f"tracepoint:syscalls:{name}" for name in names)


def test_1_fields():
    """And what each has."""
    done = bscope("-lv", "tracepoint:syscalls:sys_enter_openat")
    assert (done.returncode, done.stderr) == (OK, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "tracepoint:syscalls:sys_enter_openat"
    assert {"    int __syscall_nr", "    int dfd", "    const char * filename", "    int flags", "    umode_t mode"} \
        == set(lines[1:])


@each_kernel
@spelt('BEGIN { printf("hello world\\n"); }', 'begin { printf("hello world\\n"); }', 'begin { print("hello world"); }')
def test_2_hello(script):
    """It ends by itself, for there is nothing to wait for."""
    assert says(script) == says(script, "-q") == "hello world\n"
    assert run_script(script, "-q").stderr == ""
    kind, end = ("value", "") if "print(" in script else ("printf", "\\n")
    assert says(script, "-f", "json").splitlines()[0] == f'{{"type": "{kind}", "data": "hello world{end}"}}'


@each_kernel
@spelt('tracepoint:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args->filename)); }',
       't:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args.filename)); }')
def test_3_opens(script, open_place, cgroup):
    """A line for each open, in their order."""
    with Workload("opens", "openat", N, FAILING, open_place, cgroup=cgroup) as work, both(script, cgroup) as (json, text):
        done = work.run()
    lines = [f"opens {line['path']}" for line in done]
    assert len(lines) == N and text.lines == lines
    assert json.of_type("printf") == [line + "\n" for line in lines]


@each_kernel
@spelt("tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }", "t:raw_syscalls:sys_enter { @[comm]++; }")
def test_4_calls_by_process(script, cgroup):
    """System calls by the name of the process."""
    with Workload("steps", "211*getppid", cgroup=cgroup) as one, Workload("getppids", 307, cgroup=cgroup) as other, \
            both(script, cgroup) as (json, text):
        one.run()
        other.run()
    # a write, and exit_group; the other asks for its own id, too
    assert json.maps == text.text_maps == {"@": {"steps": 213, "getppids": 310}}


@each_kernel
@spelt("tracepoint:syscalls:sys_exit_read /pid == PID/ { @bytes = hist(args->ret); }",
       "t:syscalls:sys_exit_read /pid == PID/ { @bytes = hist(args.ret); }")
def test_5_sizes_of_reads(script, cgroup):
    """The sizes of one process's read()s, as a histogram."""
    sizes = [1] * 3 + [2] * 2 + [100] * 17 + [1000] * 5 + [1024] + [4095] * 2
    steps = [f"{sizes.count(size)}*read:{size}" for size in sorted(set(sizes))]
    json, text = watch_both(script, steps, cgroup)
    sizes.append(1)     # the line that let it go
    assert filled(json.maps["@bytes"]) == json_rows(sizes, power_row)
    shown = text.text_maps["@bytes"]
    assert filled_rows(shown) == rows_of(sizes, power_row)
    assert list(shown)[0] == "[1]" and list(shown)[-1] == "[2K, 4K)" and len(shown) == 12


@each_kernel
@pytest.mark.parametrize("provider", ["kretprobe", "kr", "kretfunc", "fexit"])
def test_6_function_returns(provider, cgroup):
    """The same as a linear histogram, by the return of a function of the kernel."""
    function_probes()
    sizes = [0, 1, 199, 200, 999, 1000, 1999, 2000, 5000]
    json, text = watch_both(provider + ":vfs_read /pid == PID/ { @bytes = lhist(retval, 0, 2000, 200); }",
                            [f"read:{size}" for size in sizes], cgroup)

    def row(value):
        return linear_row(value, 0, 2000, 200)

    # the read that it waited in has begun before
    assert filled(json.maps["@bytes"]) == json_rows(sizes, row)
    assert filled_rows(text.text_maps["@bytes"]) == rows_of(sizes, row)


@each_kernel
@spelt("kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read /@start[tid]/ "
       "{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start[tid]); }",
       "kprobe:vfs_read { @start[tid] = nsecs; } kretprobe:vfs_read /@start[tid]/ "
       "{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start, tid); }",
       "kfunc:vfs_read { @start[tid] = nsecs; } kretfunc:vfs_read /@start[tid]/ "
       "{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start[tid]); }",
       "fentry:vfs_read { @start[tid] = nsecs; } fexit:vfs_read /@start[tid]/ "
       "{ @ns[comm] = hist(nsecs - @start[tid]); delete(@start, tid); }",
       "latency:vfs_read { @ns[comm] = hist(latency); }")
def test_7_durations(script, cgroup):
    """How long reads take, by two probes and a map between; and by the word for that."""
    function_probes()
    json, text = watch_both(script, ["23*read:100"], cgroup)
    assert sum(n for _, _, n in filled(json.maps["@ns"]["steps"])) == 23
    assert sum(text.text_maps["@ns"]["steps"].values()) == 23
    assert json.maps.get("@start", {}) == {} and "@start" not in text.text_maps


@each_kernel
@spelt("tracepoint:sched:sched* { @[probe] = count(); } interval:s:3 { exit(); }",
       "t:sched:sched* { @[probe]++; } i:s:3 { exit(); }")
def test_8_events_of_the_scheduler(script, cgroup):
    """Many probes by a wildcard, and which one it was; interval and exit() end it."""
    script = script.replace("s:3", "s:30" if VM else "s:3")
    with Workload("steps", "23*nanosleep:1000000", cgroup=cgroup) as work, \
            Bscope(script, "--cgroup", cgroup.path, "-f", "json") as json, Bscope(script, "--cgroup", cgroup.path) as text:
        work.run()
        assert (json.wait(60), text.wait(60)) == (OK, OK)
    for counted in (json.maps["@"], text.text_maps["@"]):
        assert counted["tracepoint:sched:sched_process_exit"] == 1
        assert counted["tracepoint:sched:sched_switch"] >= 23
        assert all(key.startswith("tracepoint:sched:sched_") for key in counted)


@each_kernel
@spelt("profile:hz:99 { @[kstack] = count(); }", "p:hz:99 { @[kstack()] = count(); }")
def test_9_where_time_goes(script):
    """The profile of one process by stacks of the kernel."""
    with Workload("nofp", SECONDS * 1000, "call") as work:
        with Bscope(script, "-p", work.pid, "-f", "json") as json, Bscope(script, "-p", work.pid) as text:
            work.run()
    stacks = json.maps["@"]
    assert sum(stacks.values()) >= 5    # of 300, where others leave it little of the CPU
    assert stacks_with(stacks, "vfs_read") > 0.7 * sum(stacks.values()), stacks
    shown = text.text_maps["@"]
    assert sum(n for key, n in shown.items() if "vfs_read" in key) > 0.7 * sum(shown.values()), shown


@each_kernel
@spelt("tracepoint:sched:sched_switch /pid == PID/ { @[kstack] = count(); }",
       "t:sched:sched_switch /pid == PID/ { @[kstack()]++; }")
def test_10_who_waits(script, cgroup):
    """Stacks of the kernel at a tracepoint: as many as it slept."""
    json, text = watch_both(script, ["23*nanosleep:2000000"], cgroup)
    slept = stacks_with(json.maps["@"], "hrtimer_nanosleep")
    assert 23 <= slept <= 25, json.maps     # it may be preempted on its way
    assert sum(n for key, n in text.text_maps["@"].items() if "hrtimer_nanosleep" in key) == slept
    top = {frames_of(key)[0] for key in json.maps["@"]}     # and not what looks at it
    assert top <= {"__schedule", "perf_trace_sched_switch", "__traceiter_sched_switch"}, top


@each_kernel
@spelt("tracepoint:block:block_rq_issue /args->dev == DEVICE/ { @ = hist(args->bytes); }",
       "t:block:block_rq_issue /args.dev == DEVICE/ { @ = hist(args.bytes); }")
def test_11_requests(script, disk, cgroup):
    """The sizes of what is asked of a disk."""
    device = os.stat(disk.path).st_rdev
    script = script.replace("DEVICE", str(os.major(device) << 20 | os.minor(device)))
    with working("write", disk, cgroup=cgroup) as work:
        with Bscope(script, "-f", "json") as json, Bscope(script) as text:
            work.run()
    assert filled(json.maps["@"]) == [(4096, 8191, 23)]
    assert filled_rows(text.text_maps["@"]) == {"[4K, 8K)": 23}


INCLUDES = """
#ifndef BPFTRACE_HAVE_BTF
#include <linux/path.h>
#include <linux/dcache.h>
#endif

"""


@each_kernel
@spelt("kprobe:vfs_open { NAME(((struct path *)arg0)->dentry->d_name.name); }",
       "kprobe:vfs_open { NAME(((struct path *)arg0).dentry.d_name.name); }",
       "kfunc:vfs_open { NAME(args->path->dentry->d_name.name); }",
       "fentry:vfs_open { NAME(args.path.dentry.d_name.name); }")
def test_12_kernel_structs(script, open_place, cgroup):
    """Fields of the kernel's records, from a file."""
    function_probes()
    script = script.replace("NAME(", 'printf("open path: %s\\n", str(').replace("); }", ")); }")
    done = {}
    with file_of(INCLUDES + script) as path:
        for options in ([], ["-f", "json"]):
            with Workload("opens", "openat", N, FAILING, open_place, cgroup=cgroup) as work, \
                    ScriptFile(path, cgroup, *options) as tool:
                opened = [f"open path: {Path(line['path']).name}\n" for line in work.run() if not line["errno"]]
            assert tool.status == OK and len(opened) == N - FAILING
            done[bool(options)] = tool.of_type("printf") if options else tool.out.splitlines(True)
            assert done[bool(options)] == opened, tool.err


class ScriptFile(Bscope):
    """A script in a file that runs."""

    def __init__(self, path, cgroup, *args):
        super().__init__("", *args)
        self.argv = [self.program, "-v", "--cgroup", str(cgroup.path), *args, str(path)]
