# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope's probes: functions of programs and of the kernel, USDT probes, raw tracepoints, events of software and of time;
what their arguments and stacks are."""

import os
import re
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from bscope import (bscope, STEPS, Bscope, errors, file_of, frames_of, run_script, says, stacks_with, watch, watch_both)
from harness import FAILED, OK, VM, Script, Workload
from histograms import working
from machine import need
from test_bscope import function_probes

each_kernel = pytest.mark.each_kernel
U, UR = f"uprobe:{STEPS}", f"uretprobe:{STEPS}"
PYTHON = Path("/usr/bin/python3")
GETPPID, LSEEK, WRITE, EXIT_GROUP = (110, 8, 1, 231) if os.uname().machine == "x86_64" else (173, 62, 64, 94)
ADDS = ["7*add:3:4", "5*add:-3:1", "add:1099511627776:5"]


def libc_of(pid):
    """The C library that a process uses."""
    found = re.search(r"^.* (/\S*/libc[.-]\S*)$", Path(f"/proc/{pid}/maps").read_text(encoding="utf-8"), re.M)
    return found[1]


# --- functions of programs ---

@each_kernel
def test_function_of_a_program(cgroup):
    """Arguments and returned values of a function of our own; counts exact."""
    script = f"{U}:step_add {{ @[(int64)arg0, (int64)arg1] = count(); }} {UR}:step_add {{ @ret[retval] = count(); }}"
    json, text = watch_both(script, ADDS, cgroup)
    assert json.maps == {"@": {"3,4": 7, "-3,1": 5, "1099511627776,5": 1},
                         "@ret": {"7": 7, "-2": 5, "1099511627781": 1}}
    assert text.text_maps["@ret"] == json.maps["@ret"]
    assert text.text_maps["@"] == {key.replace(",", ", "): n for key, n in json.maps["@"].items()}


@each_kernel
def test_texts_of_a_program(cgroup):
    """A text that a function is given; len(), and comparing."""
    script = f"""{U}:step_text {{ @[str(arg0)] = count(); @len[len(str(arg0))] = count(); @cut[str(arg0, 4)] = count();
        if (str(arg0) == "hello") {{ @hello = count(); }} if (strncmp(str(arg0), "help", 3) == 0) {{ @hel = count(); }}
        if (strcontains(str(arg0), "wor")) {{ @wor = count(); }} }}
        {UR}:step_text {{ @ret[retval] = count(); }}"""
    tool = watch(script, ["3*text:hello", "2*text:helpers", "text:in the world", "text:"], cgroup)
    assert tool.maps == {"@": {"hello": 3, "helpers": 2, "in the world": 1, "": 1}, "@len": {"5": 3, "7": 2, "12": 1, "0": 1},
                         "@cut": {"hel": 5, "in ": 1, "": 1}, "@hello": 3, "@hel": 5, "@wor": 1,
                         "@ret": {"5": 3, "7": 2, "12": 1, "0": 1}}


STRUCT = """
struct step_point {
	int x, y;
	unsigned short parts[3];
	char name[16];
};
"""


@each_kernel
def test_struct_of_a_program(cgroup):
    """A record of the script's own: its fields, where they are."""
    script = STRUCT + U + """:step_point {
        $p = (struct step_point *)arg0;
        printf("%d %d %d %d %s %d\\n", $p->x, $p->y, $p->parts[0], $p->parts[2], $p->name, sizeof(struct step_point));
        @[$p->x, $p->name] = count();
        @at[offsetof(struct step_point, name)] = count();
    }"""
    tool = watch(script, ["2*point:7:-9", "point:-2147483648:0"], cgroup)
    assert tool.printed == "7 -9 1 3 a point 32\n" * 2 + "-2147483648 0 1 3 a point 32\n"
    assert tool.maps == {"@": {"7,a point": 2, "-2147483648,a point": 1}, "@at": {"14": 3}}


@each_kernel
def test_threads_of_a_program(cgroup):
    """Calls of two threads at the same time: each is one."""
    tool = watch(f"{U}:step_add {{ @++; @c = count(); }} {UR}:step_add /retval == 3/ {{ @r++; }}", ["threads:2:1000"], cgroup)
    assert tool.maps == {"@": 2000, "@c": 2000, "@r": 2000}


@each_kernel
def test_duration_of_a_function(cgroup):
    """From its entry to its return."""
    script = f"""{U}:step_add {{ @start[tid] = nsecs; }}
        {UR}:step_add /@start[tid]/ {{ @ns = hist(nsecs - @start[tid]); @n = count(); delete(@start, tid); }}"""
    tool = watch(script, ["23*add:1:2"], cgroup)
    assert tool.maps["@n"] == 23 and "@start" not in tool.maps
    assert sum(row["count"] for row in tool.maps["@ns"]) == 23


@each_kernel
def test_latency(cgroup):
    """A pair in one word: of a function that calls itself, of one that is left by longjmp(), and of system calls."""
    script = f"""latency:{STEPS}:step_doze {{ printf("%d %d %d\\n", entry.arg0, retval, latency); @[probe, func] = count(); }}
        latency:{STEPS}:step_leap {{ @leaps = count(); }}
        latency:syscall:nanosleep / latency >= 3000000 / {{ @slept[entry(comm), retval] = count(); }}
        latency:t:raw_syscalls:sys_enter / entry.args.id == args.id / {{ @calls[syscall_name(args.id)] = count(); }}"""
    tool = watch(script, ["2*doze:3:3000000", "5*leap:4", "doze:1:3000000", "7*getppid"], cgroup)
    rows = [[int(word) for word in line.split()] for line in tool.printed.splitlines()]
    assert [row[:2] for row in rows] == [[1, 1], [2, 2], [3, 3], [1, 1], [2, 2], [3, 3], [1, 1]]
    assert all(ns >= depth * 3000000 for depth, _, ns in rows), rows
    assert all(inner[2] < outer[2] for inner, outer in zip(rows, rows[1:]) if inner[0] < outer[0]), rows
    assert tool.maps["@"] == {f"latency:{STEPS}:step_doze,step_doze": 7} and "@leaps" not in tool.maps
    assert tool.maps["@slept"] == {"steps,0": 7}
    assert {name: tool.maps["@calls"][name] for name in ("getppid", "nanosleep")} == {"getppid": 7, "nanosleep": 7}


@each_kernel
@pytest.mark.parametrize("probe", ["vfs_read", "kprobe:vfs_read", "fentry:vfs_read", "vfs_rea*"])
def test_latency_of_a_kernel_function(probe, cgroup):
    """Functions of the kernel: what they were given and returned, and one that sleeps."""
    function_probes()
    script = f"""latency:{probe} /pid == PID/ {{ @[entry.arg2, retval, func] = count(); }}
        latency:hrtimer_nanosleep / pid == PID && latency >= 20000000 / {{ @slept[retval] = count(); }}"""
    tool = watch(script, ["23*read:333", "5*read:1000", "3*nanosleep:20000000"], cgroup)
    seen = {key: n for key, n in tool.maps["@"].items() if key.startswith(("333,", "1000,"))}
    assert seen == {"333,333,vfs_read": 23, "1000,1000,vfs_read": 5} and tool.maps["@slept"] == {"0": 3}


@each_kernel
def test_latency_has_arguments_by_name(cgroup):
    """entry.args, by BTF, whichever way the kernel grants; a pointer of the entry leads to what is there at the return."""
    function_probes()
    tool = watch("latency:vfs_read /entry.args.count == 333/ { @[str(entry.args.file->f_path.dentry->d_name.name), "
                 "entry(args.count), retval, latency > 0] = count(); }", ["23*read:333"], cgroup)
    assert tool.maps["@"] == {"zero,333,333,true": 23}


@pytest.mark.parametrize("function", ["step_add+0", '"step_add"+0', '"step_a"dd+0x0'])
def test_offset_behind_quotation_marks(function, cgroup):
    """What stands in them is a name, also with a plus; what is behind is an offset."""
    assert watch(f"uprobe:{STEPS}:{function} {{ @[arg0] = count(); }}", ["7*add:3:4"], cgroup).maps == {"@": {"3": 7}}
    done = run_script(f'uprobe:{STEPS}:"step_add+0" {{ @ = 1; }}')
    assert done.returncode == FAILED and "No matches for uprobe" in done.stderr


@pytest.mark.parametrize("probe, says_this", [
    ("latency:profile:hz:9", "not with profile"), ("latency:irq:softirq_raise", "softirq_raise"),
    ("latency:t:irq:softirq_raise", "nothing is known to end"), ("latency:", "latency:FUNCTION"),
    ("latency:vfs_read+4", "as a whole")])
def test_latency_of_what_has_none(probe, says_this):
    done = run_script(probe + " { @ = latency; }")
    assert (done.returncode, done.stdout) == (FAILED, "") and says_this in done.stderr, done.stderr


@each_kernel
def test_stacks_of_a_program(cgroup):
    """Where a function was called from, by names; and itself."""
    script = f"""{U}:step_add {{ @[ustack] = count(); @two[ustack(2)] = count(); @sym[usym(reg("ip"))] = count();
        @func[func] = count(); @raw[ustack(raw, 1)] = count(); }}"""
    # it lives long enough to be seen: what its addresses are is read from /proc
    with Workload("steps", "23*add:1:2", "nanosleep:500000000", cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path, "--json") as json, Bscope(script, "--cgroup", cgroup.path) as text:
            work.run()
    [(stack, n)] = json.maps["@"].items()
    assert n == 23 and frames_of(stack)[0] == "step_add" and "main" in frames_of(stack), stack
    [(two, n)] = json.maps["@two"].items()
    assert n == 23 and len(frames_of(two)) == 2 and frames_of(two) == frames_of(stack)[:2]
    assert json.maps["@sym"] == json.maps["@func"] == {"step_add": 23}
    [(raw, n)] = json.maps["@raw"].items()
    assert n == 23 and re.fullmatch(r"\s*[0-9a-f]+\s*", raw)
    assert text.text_maps["@"] == {tuple(frames_of(stack)): 23}
    assert "@sym[step_add]: 23" in text.lines


@each_kernel
def test_stack_where_a_function_begins(cgroup):
    """The caller is there once, whatever the first instruction is, and whether the kernel adds it or not. All in one clause
    have func alike."""
    script = f"""{U}:step_add {{ @add[ustack] = count(); @two[ustack(2)] = count(); @one[ustack(1)] = count(); }}
        {U}:make_call {{ @call[ustack(perf)] = count(); }} {U}:step_add+0 {{ @offset[ustack(2)] = count(); }}
        {U}:marked, {U}:make_call, {U}:step_a*, {U}:step_t* {{ @func[func, ustack(2)] = count(); }}"""
    with Workload("steps", "7*add:1:2", "5*marked", "nanosleep:500000000", cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path, "--json") as tool:
            work.run()
    maps = {name: [(frames_of(key), n) for key, n in tool.maps[name].items()] for name in ("@add", "@two", "@one", "@call")}
    [(frames, n)] = maps["@add"]
    if os.uname().machine == "x86_64":
        assert n == 7 and frames[:3] == ["step_add", "make_call", "main"] and frames.count("make_call") == 1, frames
        assert maps["@two"] == [(["step_add", "make_call"], 7)]
        functions = Counter()
        for key, n in tool.maps["@func"].items():
            func, _, stack = key.partition(",")
            functions[func, *frames_of(stack)] += n
        assert functions == {("marked", "marked", "make_call"): 5, ("step_add", "step_add", "make_call"): 7,
                             ("make_call", "make_call", "main"): 12}
        assert [(frames_of(key), n) for key, n in tool.maps["@offset"].items()] == maps["@two"]
    assert maps["@one"] == [(["step_add"], 7)]
    assert sum(n for frames, n in maps["@call"] if "main" in "".join(frames)) == 12


def test_stack_of_a_process_that_ended(cgroup):
    """The names of a program that is gone when its stack is shown."""
    with Workload("burn", 300, cgroup=cgroup) as work:
        with Bscope("profile:hz:499 { @[ustack] = count(); }", "--cgroup", cgroup.path, "--json") as tool:
            work.run()
            time.sleep(0.5)
    assert stacks_with(tool.maps["@"], "main") > 0.8 * sum(tool.maps["@"].values()), tool.maps


@pytest.mark.any_kernel
def test_stacks_of_processes_that_soon_end(cgroup):
    """Those that live 10 ms longer: what they have mapped is read as soon as there is a stack. (On a busy machine some are
    gone by then; of those that were looked at with the records of 40 ms, all were.)"""
    script = f'{U}:step_add {{ @[ustack] = count(); @sym[usym(reg("ip"))] = count(); }}'
    with Bscope(script, "--cgroup", cgroup.path) as tool:
        for _ in range(10):
            with Workload("steps", "add:1:2", "nanosleep:10000000", cgroup=cgroup) as work:
                work.run()
    named = [sum(word in line for line in tool.lines) for word in ("  step_add+0", "  main+", "@sym[step_add]: 1")]
    assert tool.lines.count("]: 1") == 10 and min(named) >= 3, tool.lines


@each_kernel
def test_function_of_the_c_library(cgroup):
    """malloc(), by its name and by the library's path: arguments, and what it returned."""
    with Workload("steps", "23*malloc:333", "5*malloc:100000", cgroup=cgroup) as work:
        library = libc_of(work.pid)
        script = """uprobe:LIBC:malloc /arg0 == 333 || arg0 == 100000/ { @[arg0] = count(); @in[tid] = 1; }
            uretprobe:LIBC:malloc /@in[tid]/ { @got[retval != 0] = count(); delete(@in[tid]); }"""
        with Bscope(script.replace("LIBC", library), "-p", work.pid, "--json") as tool, \
                Bscope(script.replace("LIBC", "libc"), "-p", work.pid, "--json") as by_name:
            work.run()
    assert tool.maps == {"@": {"333": 23, "100000": 5}, "@got": {"true": 28}}
    assert by_name.maps == tool.maps


@each_kernel
def test_function_of_python():
    """A function of python3 itself: arguments, and what it returned."""
    code = "import signal\nfor i in range(23): signal.signal(signal.SIGUSR1, signal.SIG_IGN if i % 2 else signal.SIG_DFL)"
    script = f"""uprobe:{PYTHON}:PyOS_setsig /arg0 == {int(signal.SIGUSR1)}/ {{ @[arg1] = count(); @in[tid] = 1; }}
        uretprobe:{PYTHON}:PyOS_setsig /@in[tid]/ {{ @old[retval] = count(); delete(@in, tid); }}"""
    with Script(code) as work:
        if Path(os.path.realpath(f"/proc/{work.pid}/exe")) != PYTHON.resolve():
            pytest.skip("vm-ok: the tests run by another Python")
        with Bscope(script, "-p", work.pid, "--json") as tool:
            work.run()
    # SIG_DFL is 0, SIG_IGN is 1; what it returns is what the one before has set
    assert tool.maps == {"@": {"0": 12, "1": 11}, "@old": {"0": 12, "1": 11}}


@each_kernel
def test_data_of_a_program(cgroup):
    """uaddr(): of as many bytes as the symbol has, wherever the program was loaded."""
    tool = watch(f'{U}:step_add,{U}:step_text {{ @[*uaddr("step_marker"), *uaddr("step_small"), func] = count(); }}',
                 ["7*add:1:2", "3*text:x"], cgroup)
    assert tool.maps == {"@": {f"{0x12345678},{0xab},step_add": 7, f"{0x12345678},{0xab},step_text": 3}}


@each_kernel
def test_paths(cgroup):
    """path(): of a directory, and of a file on another mount than the root's, perhaps; cut at the front."""
    script = """t:syscalls:sys_enter_getppid { @cwd[path(curtask->fs->pwd)] = count();
        @exe[path(curtask->mm->exe_file->f_path)] = count(); @root[path(curtask->fs->root)] = count();
        @cut[path(curtask->mm->exe_file->f_path, 16)] = count(); }"""
    tool = watch(script, ["7*getppid"], cgroup)
    exe = os.path.realpath(STEPS)
    assert tool.maps == {"@cwd": {os.getcwd(): 7}, "@exe": {exe: 7}, "@root": {os.path.realpath("/proc/self/root"): 7},
                         "@cut": {"..." + exe[exe.rindex("/"):]: 7}}


@each_kernel
def test_functions_by_wildcard(cgroup):
    """Several functions of a program at once, and which one it was."""
    script = f"{U}:step_* {{ @[probe] = count(); }}"
    tool = watch(script, ["3*add:1:2", "5*text:x", "2*point:1:2", "4*probe:1:1"], cgroup)
    assert {key.rsplit(":", 1)[1]: n for key, n in tool.maps["@"].items()} == \
        {"step_add": 3, "step_text": 5, "step_point": 2, "step_probe": 4}
    assert all(key.startswith(f"uprobe:{STEPS}:") for key in tool.maps["@"])


def has(feature):
    """What --info says of this kernel."""
    return f"  {feature}: yes\n" in bscope("--info").stdout


@each_kernel
@pytest.mark.parametrize("kind", [U, UR])
def test_functions_at_once(kind, cgroup):
    """One link for all of them, where the kernel has it, and else a probe each; probe and func are right either way, of a
    program that has ended, too."""
    script = f"""{kind}:step_*, {kind.replace(str(STEPS), "libc")}:strtou* {{ @[probe] = count(); @f[func] = count();
        if (func == "step_text") {{ @text = count(); }} if (probe != "{kind}:step_add") {{ @no_add = count(); }} }}
        {kind}:step_a* {{ @one[func] = count(); }}"""
    tool = watch(script, ["3*add:1:2", "5*text:x", "2*point:1:2", "4*probe:1:1"], cgroup)
    steps = {"step_add": 3, "step_text": 5, "step_point": 2, "step_probe": 4}
    own = {key.rsplit(":", 1)[1]: n for key, n in tool.maps["@"].items() if key.startswith(kind)}
    assert own == steps and {name: tool.maps["@f"][name] for name in steps} == steps
    libc = sum(tool.maps["@"].values()) - sum(steps.values())
    assert (tool.maps["@text"], tool.maps["@no_add"], tool.maps["@one"]) == (5, 11 + libc, {"step_add": 3})
    assert ("(uprobe_multi)" in tool.err) == has("uprobe_multi")
    assert "a probe each" not in tool.err


def test_address_of_a_function(cgroup):
    """A place by its offset in a function, and by its address."""
    done = bscope("-l", f"uprobe:{STEPS}:step_*")
    assert {f"{U}:step_{name}" for name in ("add", "text", "point", "probe", "doze", "leap")} == set(done.stdout.split())
    tool = watch(f"{U}:step_add+0 {{ @ = count(); }}", ["3*add:1:2"], cgroup)
    assert tool.maps == {"@": 3}


@pytest.mark.parametrize("probe, says_this", [
    (f"{U}:step_ad", "step_add"), ("uprobe:/no/such/program:main", "/no/such/program"),
    (f"{U}:nothing_like_it", "nothing_like_it"),
    ("uprobe:/etc/passwd:main", "/etc/passwd")])
def test_functions_that_are_not_there(probe, says_this):
    """Said, with the nearest one."""
    done = run_script(probe + " { @ = count(); }")
    assert (done.returncode, done.stdout) == (FAILED, "") and says_this in done.stderr
    assert done.stderr.startswith("stdin:1:1-") and "ERROR" in done.stderr.splitlines()[0]


# --- USDT ---

@each_kernel
@pytest.mark.parametrize("by_pid", [False, True])
def test_usdt(by_pid, cgroup):
    """Probes that a program has itself, and their arguments; also one that has a semaphore."""
    script = f"""usdt:{STEPS}:steps:probe {{ @[(int64)arg0, (int64)arg1] = count(); }}
        usdt:{STEPS}:steps:guarded {{ @g[(int64)arg0, (int64)arg1] = count(); }}"""
    with Workload("steps", "3*probe:7:-9", "2*probe:1:2", cgroup=cgroup) as work:
        with Bscope(script, *(("-p", work.pid) if by_pid else ("--cgroup", cgroup.path)), "--json") as tool:
            work.run()
    assert tool.status == OK, tool.err
    assert tool.maps == {"@": {"7,-9": 3, "1,2": 2}, "@g": {"-2,16": 3, "3,-1": 2}}


def test_usdt_by_short_name(cgroup):
    """usdt:PATH:NAME is enough where one provider has that name; -l lists them."""
    tool = watch(f"usdt:{STEPS}:probe {{ @ = count(); }}", ["3*probe:7:9"], cgroup)
    assert tool.maps == {"@": 3}
    listed = bscope("-l", f"usdt:{STEPS}:*")
    assert listed.stdout.splitlines() == [f"usdt:{STEPS}:steps:guarded", f"usdt:{STEPS}:steps:probe"]


# --- raw tracepoints, events of software and of time ---

@each_kernel
@pytest.mark.parametrize("name", ["rawtracepoint", "rt", "raw_tracepoint"])
def test_raw_tracepoint(name, cgroup):
    """Its arguments are the kernel's own."""
    if name == "raw_tracepoint" and "ERROR" in run_script("raw_tracepoint:sys_enter { @ = 1; }", "--dry-run").stderr:
        pytest.skip("vm-ok: it is rawtracepoint alone")
    tool = watch(name + ":sys_enter { @[arg1] = count(); }", ["7*getppid", "3*lseek:5"], cgroup)
    assert tool.maps["@"] == {str(GETPPID): 7, str(LSEEK): 3, str(WRITE): 1, str(EXIT_GROUP): 1}


@each_kernel
def test_page_faults(cgroup):
    """software:page-faults: one for each page that is touched."""
    tool = watch("software:page-faults:1 /pid == PID/ { @ = count(); }", ["touch:100"], cgroup)
    assert 100 <= tool.maps["@"] <= 130


def test_software_by_short_name(cgroup):
    """s:faults: the same one."""
    tool = watch("s:faults:1 { @ = count(); }", ["touch:100"], cgroup)
    assert 100 <= tool.maps["@"] <= 130


@each_kernel
def test_cpu_clock():
    """software:cpu-clock by time: a program that burns a second is seen burning."""
    with Workload("burn", 1000) as work:
        with Bscope("software:cpu-clock:1000000 /pid == PID/ { @ = count(); }".replace("PID", str(work.pid)), "--json") as tool:
            [done] = work.run()
    spent_ms = (done["seventy_ns"] + done["thirty_ns"]) / 1e6
    assert (0.05 if VM else 0.7) * spent_ms < tool.maps["@"] < 1.2 * spent_ms + 20


@each_kernel
def test_intervals_of_time():
    """interval: as often as time has it, not more."""
    begin = time.monotonic()
    out = says("interval:ms:50 { @n = count(); @x++; if (@x == 10) { exit(); } }")
    assert time.monotonic() - begin >= 0.5
    assert out == "@n: 10\n@x: 10\n"


@pytest.mark.parametrize("probe", ["interval:s:1", "interval:1s", "interval:us:500000", "interval:hz:4", "i:ms:300",
                                   "interval:300ms"])
def test_units_of_intervals(probe):
    """All the ways to say how long."""
    begin = time.monotonic()
    assert says(probe + " { exit(); }") == ""
    assert 0.2 < time.monotonic() - begin


@each_kernel
def test_begin_and_end():
    """begin is first and end is last, several in their order; what end prints stands before the maps."""
    script = 'BEGIN { printf("1\\n"); @ = 5; } begin { printf("2\\n"); } interval:ms:50 { printf("3\\n"); exit(); } ' \
             'END { printf("4\\n"); @++; } end { printf("5\\n"); }'
    assert says(script) == "1\n2\n3\n4\n5\n@: 6\n"


def test_probes_in_a_list(cgroup):
    """One clause for several probes."""
    script = "tracepoint:syscalls:sys_enter_getppid, tracepoint:syscalls:sys_enter_lseek { @[probe] = count(); }"
    tool = watch(script, ["7*getppid", "3*lseek:5"], cgroup)
    assert tool.maps == {"@": {"tracepoint:syscalls:sys_enter_getppid": 7, "tracepoint:syscalls:sys_enter_lseek": 3}}


def test_same_probe_twice(cgroup):
    """Clauses of the same probe run in their order."""
    script = "t:syscalls:sys_enter_getppid { @a++; } t:syscalls:sys_enter_getppid /@a > 0/ { @b++; }"
    tool = watch(script, ["7*getppid"], cgroup)
    assert tool.maps == {"@a": 7, "@b": 7}


EVENTS = {"uname": "newuname"}      # system calls whose tracepoint is called otherwise
if os.uname().machine == "aarch64":
    EVENTS["personality"] = "arm64_personality"


@each_kernel
def test_all_system_calls():
    """sys_enter_* and sys_exit_* are a raw tracepoint each, and count what each tracepoint alone would: a 32-bit call is none,
    whose number means another one in the 64-bit table, and calls of x32 and those that no table has are none either."""
    script = """tracepoint:syscalls:sys_enter_* { @[probe] = count(); }
        tracepoint:syscalls:sys_exit_* /args.ret < 0/ { @failed[probe, -args.ret, args.__syscall_nr] = count(); }"""
    with Workload("calls", "table") as work:
        with Bscope(script, "-p", work.pid, "--json") as tool:
            done = [line for line in work.run() if line["abi"] == 64 and line["syscall"] != "?"]
    assert tool.status == OK and len(done) >= 20
    for way in "enter", "exit":
        assert len(re.findall(f"sys_{way}_[a-z0-9_]*: raw tracepoint, sys_{way}, one for [0-9]{{3}} ", tool.err)) == 1, tool.err
    counted = {name.removeprefix("tracepoint:syscalls:sys_enter_"): n for name, n in tool.maps["@"].items()}
    assert {name: counted.get(name) for name in (EVENTS.get(line["syscall"], line["syscall"]) for line in done)} == \
        {EVENTS.get(line["syscall"], line["syscall"]): line["count"] for line in done}
    failed = {f"tracepoint:syscalls:sys_exit_{EVENTS.get(line['syscall'], line['syscall'])},{line['errno']},{line['nr']}":
              line["count"] for line in done if line["errno"]}
    assert tool.maps["@failed"] == failed and len(failed) > 2


def test_system_calls_of_some(cgroup):
    """Few of them keep their own tracepoints, and so do those of which a stack, or a name decides; what args has is the same
    either way."""
    few = "tracepoint:syscalls:sys_enter_getp*id { @few[probe] = count(); }"
    many = "tracepoint:syscalls:sys_enter_get* { @many[probe, args.__syscall_nr] = count(); }"
    stack = "tracepoint:syscalls:sys_enter_get* { @stack[probe, kstack(1)] = count(); }"
    tool = watch(few + many + stack, ["7*getppid", "add:1:2"], cgroup)
    getppid = "tracepoint:syscalls:sys_enter_getppid"
    assert tool.maps["@few"][getppid] == tool.maps["@many"][f"{getppid},{GETPPID}"] == 7
    assert sum(n for key, n in tool.maps["@stack"].items() if key.startswith(getppid)) == 7
    assert tool.err.count("raw tracepoint, sys_enter, one for") == 1
    tool = watch(many, ["7*getppid"], cgroup, "--probe-filter", "getppid")
    assert tool.maps == {"@many": {f"{getppid},{GETPPID}": 7}} and "one for" not in tool.err


def test_wildcard_that_matches_nothing(cgroup):
    """It is no error while its clause has other probes, also where func is asked for, of whatever there is; for a name
    without a wildcard, that is said (test_one_of_several_names)."""
    getppid = "tracepoint:syscalls:sys_enter_getppid"
    tool = watch(f"{getppid},{U}:no_such_*,tracepoint:no_such:* {{ @[probe] = count(); }}", ["7*getppid"], cgroup)
    assert tool.maps == {"@": {getppid: 7}} and "no_such" not in tool.err
    done = run_script(f"config = {{ missing_probes = error }} {getppid},tracepoint:no_such:name {{ @ = count(); }}")
    assert done.returncode == FAILED and "ERROR: No matches for tracepoint no_such:name." in done.stderr
    done = run_script(f"begin {{ @ = 1; }} {U}:no_such_*,tracepoint:no_such:* {{ @[func] = count(); }}")
    assert done.returncode == FAILED and done.stderr.count("ERROR: Probe has no valid attach points") == 2, done.stderr
    done = run_script(f"config = {{ missing_probes=warn }} begin {{ @ = 1; }} {U}:no_such_* {{ @f[func] = count(); }}")
    assert (done.returncode, done.stdout) == (OK, "@: 1\n") and "WARNING: Probe has no valid attach points" in done.stderr


@pytest.mark.parametrize("probe, near", [
    ("tracepoint:syscalls:sys_enter_opemat", "sys_enter_openat"), ("tracepoint:sycalls:sys_enter_openat", "syscalls"),
    ("tracepont:syscalls:sys_enter_openat", "tracepoint"), ("software:page-fault:1", "page-faults"),
    ("interval:d:1", "s, ms, us, hz"), ("profile:hz:0", "greater than 0"), ("tracepoint:syscalls:no_such_*", "no_such_")])
def test_probes_that_are_not_there(probe, near):
    """Said, with the place and the nearest one."""
    done = run_script(probe + " { @ = count(); }")
    assert (done.returncode, done.stdout) == (FAILED, "")
    lines = done.stderr.splitlines()
    assert re.match(r"stdin:1:\d+-\d+: ERROR: ", lines[0]) and lines[1].startswith(probe) and set(lines[2]) <= {"~", " "}
    assert near in done.stderr.replace(probe, ""), done.stderr


def test_enumerators_of_a_tracepoint():
    """A field that is an enum, by its format: names of BTF, where it is shown. (The field is there since 5.17.)"""
    if VM == "5.10":
        pytest.skip("vm-ok: kfree_skb has no reason there")
    with Bscope("t:skb:kfree_skb { @[args.reason] = count(); @n[args.reason == SKB_DROP_REASON_NO_SOCKET] = count(); }") as tool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(5):
                sender.sendto(b"x", ("127.0.0.1", 9))
    assert tool.text_maps["@"]["SKB_DROP_REASON_NO_SOCKET"] >= 5 and tool.text_maps["@n"]["true"] >= 5


# --- functions of the kernel ---

@each_kernel
@pytest.mark.parametrize("entry, argument", [("kprobe", "arg2"), ("fentry", "args.count"), ("kfunc", "args->count"),
                                             ("k", "arg2")])
def test_kernel_function(entry, argument, cgroup):
    """Arguments of a function of the kernel."""
    function_probes()
    tool = watch(entry + ":vfs_read /pid == PID/ { @[" + argument + "] = count(); }", ["23*read:333", "5*read:1000"], cgroup)
    assert {key: n for key, n in tool.maps["@"].items() if key in ("333", "1000")} == {"333": 23, "1000": 5}


@each_kernel
@pytest.mark.parametrize("leave", ["kretprobe", "fexit", "kretfunc", "kr"])
def test_kernel_function_returns(leave, cgroup):
    """What it returned."""
    function_probes()
    tool = watch(leave + ":vfs_read /pid == PID/ { @[retval] = count(); }", ["23*read:333", "5*read:1000"], cgroup)
    assert {key: n for key, n in tool.maps["@"].items() if key in ("333", "1000")} == {"333": 23, "1000": 5}


@each_kernel
def test_kernel_function_both(cgroup):
    """fexit has the arguments, too."""
    function_probes()
    tool = watch("fexit:vfs_read /pid == PID/ { @[args.count, retval] = count(); }", ["23*read:333"], cgroup)
    assert tool.maps["@"]["333,333"] == 23


@each_kernel
def test_kernel_records(cgroup):
    """Fields of fields of the kernel's records, by BTF; and the task's own."""
    function_probes()
    script = """fentry:vfs_read /args.count == 333/ {
            @name[str(args.file->f_path.dentry->d_name.name)] = count();
            @comm[((struct task_struct *)curtask)->comm] = count();
            @pid[curtask->tgid == pid] = count(); @parent[curtask->real_parent->tgid == ppid] = count(); }"""
    tool = watch(script, ["23*read:333"], cgroup)
    assert tool.maps == {"@name": {"zero": 23}, "@comm": {"steps": 23}, "@pid": {"true": 23}, "@parent": {"true": 23}}


@each_kernel
@pytest.mark.parametrize("probe", ["kprobe", "kretprobe", "fentry", "fexit"])
def test_kernel_function_twice(probe, cgroup):
    """Clauses of one function are done in the order in which they stand."""
    function_probes()
    script = f'{probe}:hrtimer_nanosleep {{ printf("one "); }} {probe}:hrtimer_nanosleep {{ printf("two\\n"); @ = count(); }}'
    tool = watch(script, ["5*nanosleep:1000"], cgroup)
    assert (tool.printed, tool.maps) == ("one two\n" * 5, {"@": 5})


CONNECTS = """
kprobe:tcp_connect {
	let $to;
	$sk = (struct sock *)arg0;
	$port = $sk->__sk_common.skc_dport;
	$port = bswap($port);
	if ($sk->__sk_common.skc_family == AF_INET) {
		$to = ntop($sk->__sk_common.skc_daddr);
	} else {
		$to = ntop($sk->__sk_common.skc_v6_daddr.in6_u.u6_addr8);
	}
	@[$to, $port] = count();
	@from[$sk->__sk_common.skc_num] = count();
}
"""


def test_connections(cgroup):
    """Addresses and ports in the kernel's record of a socket: as many connects as there were, to where they went."""
    function_probes()
    with Workload("tcpconnects", "block,127.0.0.1,0,3", "block,::1,0,5", cgroup=cgroup) as work:
        with Bscope(CONNECTS, "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()
    assert len(done) == 8
    assert tool.maps == {"@": dict(Counter(f"{line['addr']},{line['rport']}" for line in done)),
                         "@from": dict(Counter(str(line["lport"]) for line in done))}


def test_task(cgroup):
    """curtask and ppid, which need no probe of a function."""
    script = """t:syscalls:sys_enter_getppid { @[curtask->comm, curtask->tgid == pid, curtask->real_parent->tgid == ppid,
        ppid] = count(); }"""
    tool = watch(script, ["7*getppid"], cgroup)
    assert tool.maps == {"@": {f"steps,true,true,{os.getpid()}": 7}}


@each_kernel
def test_kernel_functions_by_wildcard(cgroup):
    """Many at once, and which one it was."""
    function_probes()
    functions = "vfs_*" if has("kprobe_multi") else "vfs_read*"     # a probe each takes long to come off
    script = """kprobe:FUNCTIONS { @[probe] = count(); @f[func] = count(); }
        kprobe:FUNCTIONS /probe == "kprobe:vfs_read"/ { @read[arg2] = count(); }
        kretprobe:FUNCTIONS { @r[probe, retval == 333] = count(); @rf[func] = count(); }"""
    tool = watch(script.replace("FUNCTIONS", functions), ["23*read:333"], cgroup)
    assert tool.maps["@"]["kprobe:vfs_read"] >= 23
    assert tool.maps["@f"]["vfs_read"] == tool.maps["@"]["kprobe:vfs_read"] == sum(tool.maps["@read"].values())
    assert tool.maps["@read"]["333"] == tool.maps["@r"]["kretprobe:vfs_read,true"] == 23
    assert tool.maps["@rf"]["vfs_read"] == sum(n for key, n in tool.maps["@r"].items() if key.startswith("kretprobe:vfs_read,"))
    assert tool.err.count("(kprobe_multi)") == 3 * has("kprobe_multi") and "a probe each" not in tool.err


@each_kernel
def test_kernel_stack_at_a_function(cgroup):
    """The function itself is the first frame, or its caller where a trampoline stands for it."""
    function_probes()
    tool = watch("kprobe:vfs_read /arg2 == 333/ { @[kstack] = count(); @one[kstack(1)] = count(); }", ["23*read:333"], cgroup)
    [(stack, n)] = tool.maps["@"].items()
    assert n == 23 and frames_of(stack)[0] in ("vfs_read", "ksys_read") and "ksys_read" in frames_of(stack)
    [(one, n)] = tool.maps["@one"].items()
    assert n == 23 and frames_of(one) == frames_of(stack)[:1]


def test_kernel_function_that_is_not_there():
    """With the nearest name."""
    function_probes()
    done = run_script("kprobe:vfs_raed { @ = count(); }")
    assert done.returncode == FAILED and "vfs_read" in done.stderr.replace("vfs_raed", "")


@each_kernel
@pytest.mark.parametrize("probe", ["vfs_read", "vfs_rea*"])
def test_func_is_where_the_function_is(probe, cgroup):
    """func by its address: neither behind a breakpoint, nor behind the mark of where jumps may go."""
    function_probes()
    script = f'kprobe:{probe} /pid == PID && arg2 == 333/ {{ @[func == kaddr("vfs_read"), func] = count(); }}'
    assert watch(script, ["23*read:333"], cgroup).maps["@"] == {"true,vfs_read": 23}


@each_kernel
@pytest.mark.parametrize("probe", ["fentry", "fexit", "kprobe"])
def test_arguments_as_a_value(probe, cgroup):
    """All arguments at once: printed, kept, in a key, in a tuple; and usermode, which a trampoline's context does not say."""
    function_probes()
    script = f"""{probe}:vfs_read /pid == PID && args.count == 333/ {{
        print(args); @last = args; @[args.count, usermode] = count(); @by[args, 1] = count();
        $t = (1, args); printf("%s\\n", $t); }}"""
    json, text = watch_both(script, ["read:333"], cgroup)
    record = json.of_type("value")[0]
    assert record["count"] == 333 and set(record) == {"file", "buf", "count", "pos"} and record["file"] > 0
    assert json.maps["@last"] == record and json.maps["@"] == {"333,0": 1}
    shown = f"{{ .file = {record['file']:#x}, .buf = {record['buf']:#x}, .count = 333, .pos = {record['pos']:#x} }}"
    assert text.lines[:2] == [shown, f"(1, {shown})"]
    assert f"@last: {shown}" in text.lines and f"@by[{shown}, 1]: 1" in text.lines


@each_kernel
@pytest.mark.parametrize("probe", ["fentry", "fexit"])
def test_arguments_that_point_to_numbers(probe, cgroup):
    """Before 5.17 the verifier lets no program load a loff_t *."""
    function_probes()
    script = f"{probe}:vfs_read /pid == PID && args.count == 333/ {{ @ = args.pos; @arg = arg3; @to = *args.pos; }}"
    maps = watch(script, ["read:333"], cgroup).maps
    assert maps["@"] == maps["@arg"] != 0 and 0 <= maps["@to"] <= 333


@each_kernel
def test_kprobe_at_an_address(cgroup):
    """Where a function begins, given by its address; and none where there is no instruction."""
    function_probes()
    address = next(line.split()[0] for line in Path("/proc/kallsyms").read_text().splitlines() if line.endswith(" vfs_read"))
    tool = watch(f"kprobe:0x{address} /pid == PID && arg2 == 333/ {{ @[func, probe] = count(); }}", ["23*read:333"], cgroup)
    assert tool.maps["@"] == {f"vfs_read,kprobe:0x{address}": 23}
    done = run_script("kprobe:0x12345678 { @ = 1; }")
    assert done.returncode == FAILED and "cannot attach to kprobe:0x12345678" in done.stderr


@each_kernel
def test_length_of_a_stack(cgroup):
    """len() of both kinds of stack, where they are taken; of one that was kept it is not known, which is said."""
    script = f"""{U}:step_add {{ @[len(ustack(2)), len(ustack(1)), len(kstack)] = count(); }}
        t:sched:sched_process_exit {{ @kernel[len(kstack(1))] = count(); @all = max(len(kstack)); }}"""
    tool = watch(script, ["7*add:1:2"], cgroup)
    assert tool.maps["@"] == {"2,1,0": 7}       # it came from the program
    assert tool.maps["@kernel"] == {"1": 1} and 1 < tool.maps["@all"] < 127
    done = run_script("begin { $s = kstack; print(len($s)); }")
    assert done.returncode == FAILED and "len(kstack)" in done.stderr


@pytest.mark.parametrize("probe, both", [
    ("latency:syscall:pread64", ["tracepoint:syscalls:sys_enter_pread64", "tracepoint:syscalls:sys_exit_pread64"]),
    (f"latency:{STEPS}:step_add", [f"{U}:step_add", f"{UR}:step_add"]),
    ("latency:kprobe:vfs_read", ["kprobe:vfs_read", "kretprobe:vfs_read"]),
    ("latency:fentry:vfs_read", ["fentry:vmlinux:vfs_read", "fexit:vmlinux:vfs_read"]),
    ("latency:t:irq:softirq_entry", ["tracepoint:irq:softirq_entry", "tracepoint:irq:softirq_exit"])])
def test_latency_lists_both(probe, both):
    """-l of a script: the begin and the end; -lv has what each has."""
    done = bscope("-l", "-e", probe + " { @ = latency; }")
    assert (done.returncode, done.stdout.splitlines()) == (OK, both), done.stderr
    done = bscope("-lv", "-e", probe + " { @ = latency; }")
    assert [line for line in done.stdout.splitlines() if line[:4] != "    "] == both


@pytest.mark.parametrize("options, returncode", [([], FAILED), (["--unsafe"], OK)])
def test_list_of_functions_of_ones_own(options, returncode, tmp_path):
    """--traceable-functions: what is listed, what a wildcard stands for, and what may be probed."""
    (tmp_path / "functions").write_text("vfs_write\nvfs_open [some]\n", encoding="ascii")
    listed = ["--traceable-functions", tmp_path / "functions", *options]
    for args in (["kprobe:vfs_*"], ["-e", "kprobe:vfs_* { @ = 1; }"]):
        assert bscope("-l", *listed, *args).stdout.splitlines() == ["kprobe:vfs_open", "kprobe:vfs_write"]
    assert bscope("-l", *listed, "-e", "kprobe:vfs_write { @ = 1; }").stdout == "kprobe:vfs_write\n"
    done = bscope("-l", *listed, "-e", "kprobe:vfs_read { @ = 1; }")
    assert done.returncode == returncode and "WARNING: vfs_read is not traceable" in done.stderr
    assert ("No matches for kprobe vfs_read." in done.stderr) == (returncode != OK)
    done = bscope("-l", "--traceable-functions", "/no/such/file", "-e", "kprobe:vfs_read { @ = 1; }")
    assert done.returncode == FAILED and "/no/such/file" in done.stderr


@each_kernel
def test_kernel_function_that_the_compiler_renamed():
    """Of one that is only there as name.isra.0, that is taken, and said; a part that was split off is another function."""
    names = [line.split()[2] for line in Path("/proc/kallsyms").read_text().splitlines() if line.count("\t") == 0]
    kinds = Counter(name.partition(".")[0] for name in names)
    one = next(name for name in names if re.fullmatch(r"\w+\.isra\.0", name) and kinds[name.partition(".")[0]] == 1)
    plain = one.removesuffix(".isra.0")
    done = bscope("-l", "-e", f"kprobe:{plain} {{ @ = count(); }}")
    assert (done.returncode, done.stdout) == (OK, f"kprobe:{one}\n"), done.stderr
    assert "WARNING: " in done.stderr and one in done.stderr
    part = next((name.removesuffix(".cold") for name in names if name.endswith(".cold") and name.count(".") == 1 and
                 kinds[name.partition(".")[0]] == 1), None)
    if part:
        assert bscope("-l", "-e", f"kprobe:{part} {{ @ = count(); }}").returncode == FAILED


# What functions are called on newer kernels, and whether their arguments are the same.
RENAMED = {"kmem_cache_alloc": ("kmem_cache_alloc_noprof", True), "tcp_drop": ("tcp_drop_reason", True),
           "__blk_account_io_start": ("blk_account_io_start", True), "blk_account_io_start": ("__blk_account_io_start", True),
           "scsi_mq_done": ("scsi_done", True), "dev_queue_xmit": ("__dev_queue_xmit", True),
           "migrate_misplaced_page": ("migrate_misplaced_folio", False), "swap_readpage": ("swap_read_folio", False)}


def functions():
    return {line.split()[2] for line in Path("/proc/kallsyms").read_text().splitlines() if line.split()[1] in "tT"}


@each_kernel
def test_kernel_functions_that_were_renamed():
    """The same function by another name is taken, and said; if its arguments are others, not where they are asked for, and
    not where the clause names both."""
    there = functions()
    tried = {was: row for was, row in RENAMED.items() if was not in there and row[0] in there}
    if not tried:
        pytest.skip("vm-ok: this kernel has them all by their old names")
    for was, (name, same) in tried.items():
        done = bscope("-l", "-e", f"kprobe:{was} {{ @ = count(); }}")
        assert (done.returncode, done.stdout) == (OK, f"kprobe:{name}\n"), done.stderr
        assert "WARNING: " in done.stderr and f"{was} by the name {name}" in done.stderr
        for asks in ("kprobe:{} {{ @[arg0] = count(); }}", "kretprobe:{} /retval/ {{ @ = count(); }}"):
            done = bscope("-d", "ast", "--dry-run", "-e", asks.format(was))
            assert bool(re.search("other (arguments|results), and this clause", done.stderr)) == (not same), done.stderr
    function_probes()
    for was, (name, _) in tried.items():
        done = bscope("--explain", "-e", f"kprobe:{was}, kprobe:{name} {{ @ = count(); }}")
        assert f"No matches for kprobe {was}. Skipping." in done.stderr and "by the name" not in done.stderr


@each_kernel
def test_allocations_by_their_old_name(cgroup):
    """Counts of kmem_cache_alloc() where the kernel calls it otherwise are those of that."""
    function_probes()
    there = functions()
    if "kmem_cache_alloc" in there or "kmem_cache_alloc_noprof" not in there:
        pytest.skip("vm-ok: kmem_cache_alloc() has its old name here")
    tool = watch("kprobe:kmem_cache_alloc { @old = count(); } kprobe:kmem_cache_alloc_noprof { @new = count(); }",
                 ["100*open:/dev/null"], cgroup)
    assert tool.maps["@old"] == tool.maps["@new"] >= 100


@each_kernel
def test_one_of_several_names():
    """Of several probes of a clause those that are there are taken, and the others are told of; where the script says that
    this is an error, and where none is there, it is one."""
    script = "tracepoint:sched:sched_swatch, tracepoint:sched:sched_switch, tracepoint:nosuch:* { @ = count(); } begin { exit(); }"
    done = run_script(script)
    assert done.returncode == OK and done.stderr.count("No matches") == 1
    assert "WARNING: No matches for tracepoint sched:sched_swatch. Skipping." in done.stderr
    assert "did you mean tracepoint:sched:sched_switch?" in done.stderr
    for strict in (("--compat", "-e", script), ("-e", 'config = { missing_probes = "error" } ' + script)):
        done = bscope(*strict)
        assert done.returncode == FAILED and "ERROR: No matches for tracepoint sched:sched_swatch." in done.stderr
    done = run_script("tracepoint:sched:sched_swatch, kprobe:nosuchfunction { @ = count(); }")
    assert done.returncode == FAILED and done.stderr.count("ERROR: No matches") == 2


def test_tracepoints_that_were_renamed():
    """One that has all fields of the former is taken; another one is named."""
    if not bscope("-l", "tracepoint:vmscan:mm_vmscan_write_folio").stdout:
        pytest.skip("vm-ok: this kernel has it by its old name")
    done = bscope("-l", "-e", "tracepoint:vmscan:mm_vmscan_writepage { @[args.pfn] = count(); }")
    assert (done.returncode, done.stdout) == (OK, "tracepoint:vmscan:mm_vmscan_write_folio\n"), done.stderr
    done = bscope("-l", "-e", "tracepoint:tcp:tcp_set_state /args.newstate == 1 && args.sport/ { @ = count(); }")
    assert (done.returncode, done.stdout) == (OK, "tracepoint:sock:inet_sock_set_state\n") and "other protocols" in done.stderr
    done = run_script("tracepoint:kmem:kmalloc_node { @ = count(); }")
    assert done.returncode == FAILED and "did you mean tracepoint:kmem:kmalloc?" in done.stderr


@each_kernel
def test_fields_that_were_renamed():
    """What a record has by another name, also where that leads through another record."""
    has_state = " __state;" in bscope("-lv", "struct task_struct").stdout
    done = run_script('begin { printf("%d", curtask->state); }')
    assert (done.returncode, done.stdout.strip()) == (OK, "0"), done.stderr
    assert ("WARNING: this kernel has the field state as __state" in done.stderr) == has_state
    both = "((struct cfs_rq *)0)->nr_queued + ((struct cfs_rq *)0)->nr_running"
    done = run_script(f'begin {{ printf("%d %d", curtask->__state, {both}); }}')
    assert (done.returncode, done.stdout.strip()) == (OK, "0 0") and "this kernel has the field nr_" in done.stderr
    done = run_script("begin { $r = (struct request *)0; @ = $r->rq_disk->first_minor; }")
    assert done.returncode == OK, done.stderr
    assert ("rq_disk as q.disk" in done.stderr) == ("rq_disk;" not in bscope("-lv", "struct request").stdout)
    done = run_script("begin { $t = (task_struct *)curtask; @ = $t->pid == tid; }")
    assert (done.returncode, errors(done.stderr)) == (OK, "") and "@: true" in done.stdout


def test_what_libpthread_had(cgroup):
    """Functions that are in the C library by now are found by the name of the library that had them."""
    libc = Path(libc_of(os.getpid()))
    old = libc.with_name("libpthread.so.0")
    need(old.exists(), "no libpthread.so.0 here")
    tool = watch(f"uprobe:{old}:pthread_create {{ @ = count(); }}", ["threads:3"], cgroup)
    assert tool.maps == {"@": 3} and f"pthread_create is in {libc.with_name('libc.so.6')}" in tool.err
    done = run_script(f"uprobe:{old}:pthread_nosuch {{ @ = count(); }}")
    assert done.returncode == FAILED and f"No matches for uprobe {old}:pthread_nosuch." in done.stderr


# --- which way it goes ---

@each_kernel
def test_ways_are_said(cgroup):
    """-v: by what each probe is looked at."""
    done = run_script("tracepoint:sched:sched_process_fork /0/ { @ = count(); } interval:ms:10 { exit(); }", "-v")
    assert done.returncode == OK and "sched_process_fork" in done.stderr


def test_explain():
    """--explain: probes and maps, and nothing is run."""
    done = run_script("tracepoint:sched:sched_process_fork { @forks[comm] = count(); }", "--explain")
    assert done.returncode == OK
    assert "tracepoint:sched:sched_process_fork" in done.stdout and "@forks" in done.stdout


def test_dry_run():
    """--dry-run: compiled and loaded, and nothing is run."""
    done = run_script('begin { printf("no\\n"); } tracepoint:sched:sched_switch { @ = count(); }', "--dry-run")
    assert (done.returncode, done.stdout, errors(done.stderr)) == (OK, "", "")


def test_script_of_a_file(cgroup):
    """#! lines, comments, $1, and a file that is not there."""
    text = "#!/usr/bin/bscope\n/* a comment */\n// another\nbegin { printf(\"%d %s\\n\", $1, str($2)); }\n"
    with file_of(text) as path:
        done = bscope(path, 5, "x")
        assert (done.returncode, done.stdout) == (OK, "5 x\n")
        path.chmod(0o666)
        done = bscope(path, 5, "x")
        assert "can be changed by any user" in done.stderr
    done = bscope("/no/such/script.bt")
    assert done.returncode == FAILED and "/no/such/script.bt" in done.stderr


def test_disk_events(disk, cgroup):
    """A tracepoint by a raw one, where nothing of its record is looked at."""
    with working("write", disk, cgroup=cgroup) as work:
        # of a request, it may be a kworker that issues it: on 6.1, where the disk has no scheduler
        with Bscope("tracepoint:block:block_bio_queue { @ = count(); }", "--comm", "diskio", "--cgroup", cgroup.path,
                    "--json") as tool:
            work.run()
    assert tool.maps["@"] >= 23
