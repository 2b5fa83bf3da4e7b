# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""How bscope ends, and what it says then: signals, streams that fail, bounds, what it costs, what it may not do."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bscope import STEPS, Bscope, bscope, errors, run_script, says, watch
from harness import (BUILD, FAILED, NOBODY, OK, QUIET_END, TOO_COSTLY, USAGE, VM, Workload, one_line, patience, public_copy,
                     run_tool, wait_until)
from machine import cgroup2_mount

GETPPID = "tracepoint:syscalls:sys_enter_getppid"


# --- ends ---

@pytest.mark.each_kernel
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(number, cgroup):
    """SIGINT and SIGTERM: end's probes run, the maps are printed, status 0."""
    with Workload("getppids", 23, cgroup=cgroup) as work:
        with Bscope(GETPPID + ' { @ = count(); } END { printf("the end\\n"); }', "--cgroup", cgroup.path) as tool:
            work.run()
            assert tool.stop(number) == OK
    assert tool.lines == ["the end", "@: 23"]
    assert errors(tool.err.replace("bscope: attached\n", "")).count("\n") <= 1, tool.err     # which way, with -v


def test_probes_of_signals(cgroup):
    """self:signal:SIGUSR1 runs a clause; without one, the signal prints the maps as they are."""
    with Bscope('self:signal:SIGUSR1 { printf("told\\n"); }', "--cgroup", cgroup.path) as tool:
        tool.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: tool.lines == ["told"], 5, lambda: tool.out)
    with Bscope(f"begin {{ @ = 5; }} {GETPPID} {{ @++; }}", "--cgroup", cgroup.path) as tool:
        tool.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: tool.lines == ["@: 5"], 5, lambda: tool.out)
    assert tool.lines == ["@: 5", "@: 5"]


@pytest.mark.parametrize("statements, out", [
    ('@a = 1; @b = 2; printf("the maps:");', "the maps:\n@a: 1\n@b: 2\n"),
    ('@a = 1; time("maps:"); printf("");', "maps:\n@a: 1\n"), ('printf("no map");', "no map"),
    ('@a = 1; printf("it is "); print(@a); clear(@a);', "it is @a: 1\n")])
def test_lines_of_maps(statements, out):
    """The maps at the end begin with a line of their own; one that was asked for goes on where the row is."""
    assert says("begin { " + statements + " }") == out


def test_events(cgroup):
    """--events N: as many rows as were asked for."""
    with Workload("getppids", 23, cgroup=cgroup) as work:
        with Bscope(GETPPID + ' { printf("%s\\n", comm); @ = count(); }', "--cgroup", cgroup.path, "--events", 7) as tool:
            work.run()
            assert tool.wait() == OK
    assert [line for line in tool.lines if not line.startswith("@")] == ["getppids"] * 7


def test_duration():
    """--duration: not before its time."""
    begin = time.monotonic()
    assert says("interval:ms:50 { @ = count(); }", "--duration", "0.6").startswith("@: 1")
    assert time.monotonic() - begin >= 0.6


def test_within_100_ms(cgroup):
    """A row appears while it runs (a generous bound: it must not wait for more)."""
    with Workload("getppids", 1, cgroup=cgroup) as work:
        with Bscope(GETPPID + ' { printf("seen\\n"); }', "--cgroup", cgroup.path) as tool:
            work.run()
            wait_until(lambda: tool.lines == ["seen"], 1, lambda: tool.out)


@pytest.mark.parametrize("mode, early", [("line", True), ("none", True), ("full", False)])
def test_buffers(mode, early, cgroup):
    """-B: when what is printed leaves."""
    with Workload("getppids", 3, cgroup=cgroup) as work:
        with Bscope(GETPPID + ' { printf("seen\\n"); }', "-B", mode, "--cgroup", cgroup.path) as tool:
            work.run()
            time.sleep(patience(0.2))
            assert bool(tool.lines) == early
    assert tool.lines == ["seen"] * 3


# --- streams ---

def test_closed_pipe(cgroup):
    """`bscope | head -1` ends, quietly, at the next row."""
    reader, writer = os.pipe()
    with Workload("getppids", 23, cgroup=cgroup) as work, os.fdopen(writer, "wb") as output:
        with Bscope(GETPPID + ' { printf("%s\\n", comm); }', "--cgroup", cgroup.path, stdout=output) as tool:
            output.close()
            os.close(reader)
            before = tool.err
            work.run()
            assert tool.wait(5) in QUIET_END
            assert tool.err == before


@pytest.mark.parametrize("script", ["begin { @ = 1; }", 'begin { printf("x\\n"); }', "begin { @[1] = hist(1); }"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_full_disk(script, more):
    """/dev/full: status 1, and why."""
    with open("/dev/full", "wb") as full:
        done = run_script(script, *more, stdout=full)
    assert done.returncode == FAILED
    assert one_line(errors(done.stderr)) == "bscope: cannot write: No space left on device"


def test_closed_stdout():
    """>&-: status 1 and a message; nothing is written elsewhere."""
    done = bscope("-e", "begin { @ = 1; }", prefix=["sh", "-c", 'exec "$@" >&-', "sh"])
    assert done.returncode == FAILED and "cannot write: Bad file descriptor" in done.stderr


# --- what it costs ---

def test_cost(cgroup):
    """--cost: a line, and in the summary."""
    tool = watch(GETPPID + " { @ = count(); }", ["23*getppid"], cgroup, "--cost")
    assert tool.maps == {"@": 23} and tool.summary["cost_runs"] >= 23
    assert re.search(r"^bscope: cost: .*; peak ", tool.err, re.M) or "bscope: cost: " in tool.err


def test_max_cost():
    """--max-cost stops what costs too much, with what it has."""
    with Bscope("tracepoint:sched:sched_switch { @ = count(); }", "--max-cost", "0.0001", "--json") as tool:
        assert tool.wait() == TOO_COSTLY
    assert tool.maps["@"] > 0 and "more than --max-cost" in tool.err


def test_memory():
    """It stays small: a script that needs no BTF in less than 10 MB, but for what is shared."""
    with Bscope("tracepoint:sched:sched_process_fork { @ = count(); } interval:ms:100 { print(1); }") as tool:
        time.sleep(0.3)
        status = Path(f"/proc/{tool.process.pid}/status").read_text(encoding="ascii")
    assert int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M)[1]) < 10_000


# --- privileges ---

@pytest.mark.parametrize("args", [("-e", "begin { @ = 1; }"), ("-e", GETPPID + " { @ = count(); }"),
                                  ("-e", "kprobe:vfs_read { @ = count(); }"), ("-e", "profile:hz:99 { @ = count(); }")])
def test_without_privilege(args, place):
    """Without capabilities: status 1 and one sentence that names what is missing."""
    program = public_copy(BUILD / "bin" / "bscope", place)
    done = run_tool("", *args, prefix=[*NOBODY, "--inh-caps=-all"], program=program)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert re.search(r"CAP_(BPF|SYS_ADMIN)", one_line(done.stderr))


def test_with_few_capabilities(place, cgroup):
    """CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH are enough for raw tracepoints, and for whatever begin does."""
    caps = "+bpf,+perfmon,+dac_read_search"
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []  # before 5.11 maps count as locked memory
    prefix = [*memlock, *NOBODY, f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}"]
    program = public_copy(BUILD / "bin" / "bscope", place)
    with Workload("getppids", 23, cgroup=cgroup) as work:
        with Bscope('rawtracepoint:sys_enter /comm == "getppids"/ { @[uid] = count(); } begin { printf("on\\n"); }', "--cgroup",
                    cgroup.id, "--json", prefix=prefix, program=program) as tool:
            work.run()
    assert tool.status == OK and tool.printed == "on\n"
    assert tool.maps == {"@": {"0": 26}}        # and getpid, write and exit_group


def test_btf_file(place, cgroup):
    """--btf FILE is what fields are looked for in; what is no BTF is refused where one is needed."""
    good, bad = place / "good.btf", place / "bad.btf"
    shutil.copy("/sys/kernel/btf/vmlinux", good)
    bad.write_text("this is no BTF")
    script = GETPPID + " { @[curtask->comm] = count(); }"
    tool = watch(script, ["3*getppid"], cgroup, "--btf", good)
    assert tool.maps == {"@": {"steps": 3}}
    done = run_script(script, "--btf", bad)
    assert (done.returncode, done.stdout) == (FAILED, "") and str(bad) in done.stderr


def test_wrong_lines():
    """No script, and options that exclude each other: status 2 and one line."""
    for args in ([], ["-c", "true", "-p", "1", "-e", "begin { @ = 1; }"], ["--mode", "x", "-e", "begin { @ = 1; }"],
                 ["--json", "--top", "-e", "begin { @ = 1; }"]):
        done = bscope(*args)
        assert (done.returncode, done.stdout) == (USAGE, "") and one_line(done.stderr).startswith("bscope: "), args


# --- stacks in other forms ---

@pytest.mark.parametrize("args, has", [
    (["--folded"], r"^\S*main;\S*burn_loop;burn_(seventy|thirty) \d+$"), (["--top"], r"burn_seventy"),
    (["--svg", "-"], r"<svg")])
def test_flames(args, has):
    """Maps with stacks as lines for flame graphs, as a table, as a picture."""
    with Workload("burn", 1000) as work:
        with Bscope("profile:hz:199 { @[ustack] = count(); }", "-p", work.pid, *args) as tool:
            work.run()
    assert re.search(has, tool.out, re.M), tool.out[:1000]


def test_flames_of_nothing():
    """Without a map of stacks: one line."""
    done = run_script("begin { @ = 1; }", "--top")
    assert done.returncode == FAILED and "kstack or ustack" in one_line(done.stderr)


# --- the begin ---

def test_attached_is_said_when_the_gate_is_open():
    """Whoever waits for this line is seen from its first call on, however long begin takes; what begin prints comes first."""
    script = f"""begin {{ printf("begin\\n"); for $i : 0..1000000 {{ @i = $i; }} }}
        tracepoint:syscalls:sys_enter_getppid /pid == {os.getpid()}/ {{ @n = count(); printf("call\\n"); }}"""
    with subprocess.Popen([BUILD / "bin" / "bscope", "-e", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8") as tool:
        try:
            said = tool.stderr.readline()
            for _ in range(7):
                os.getppid()
        finally:
            tool.send_signal(signal.SIGINT)
        out, err = tool.communicate(timeout=30)
    assert said == "Attached 2 probes\n", said + err
    assert out.splitlines()[:8] == ["begin"] + ["call"] * 7 and "@n: 7" in out.splitlines(), out


def test_begin_that_ends_it():
    """exit() of begin: the gate is not opened at all, nor for who waits as bpftrace's tests do."""
    script = 'begin { @b = 1; exit(3); } tracepoint:syscalls:sys_enter_getppid { @n = count(); }'
    for environment in {}, {"__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"}:
        done = run_script(script, "-c", f"{STEPS} 1000*getppid", env={**os.environ, **environment})
        assert (done.returncode, [line for line in done.stdout.splitlines() if line.startswith("@")]) == (3, ["@b: 1"])


# --- as bpftrace ---

def test_by_the_name_of_bpftrace(tmp_path):
    """Called as bpftrace it has bpftrace's forms: its usage, its statuses, two empty lines before the maps."""
    link = tmp_path / "bpftrace"
    link.symlink_to(BUILD / "bin" / "bscope")
    done = run_tool("", "-e", "BEGIN { @ = 5; }", program=link)
    assert (done.returncode, done.stdout) == (OK, "\n\n@: 5\n") and done.stderr == "Attached 1 probe\n"
    done = run_tool("", "--version", program=link)
    assert re.fullmatch(r"bpftrace v0\.\d+\S*\n", done.stdout)
    done = run_tool("", "--no-such", program=link)
    assert done.returncode == FAILED and "USAGE:\n" in done.stderr


def test_cgroup_of_the_machine():
    """The root of cgroups has everything in it."""
    mount = cgroup2_mount()
    done = run_script("begin { @ = 1; }", "--cgroup", mount)
    assert (done.returncode, done.stdout) == (OK, "@: 1\n")
