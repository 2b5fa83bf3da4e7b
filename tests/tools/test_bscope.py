# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope: the questions that people come with, against workloads that say what there was."""

import math
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from bscope import STEPS, Bscope, average, errors, maps_of_text, power_row, run_script, stacks_with, watch, watch_both
from harness import BUILD, FAILED, OK, VM, Workload, one_line
from machine import need
from snoop import FAILING, N

each_kernel = pytest.mark.each_kernel
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
    aliases = {"newuname": "uname", "arm64_personality": "personality"}     # as the kernel calls it there
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


# --- functions of the kernel, where they are refused ---

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
