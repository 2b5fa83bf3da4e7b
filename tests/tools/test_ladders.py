# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every rung of every ladder (see libcommon/kernel/object.h): the same workload, the same rows.

BORESCOPE_AVOID rules out the better rungs; -v says which one is in use.
"""

import contextlib
import errno
import os

import pytest

from harness import CALLS_32, FAILED, VM, Tool, Workload, one_line, run_tool
from machine import need
from snoop import FAILING, N, arguments, comparable, open_rows, watch_opens
from suite import TOOLS

pytestmark = pytest.mark.each_kernel
KINDS = ("fexit", "kprobe", "tp_btf", "raw_tp")
WITHOUT_LADDER = ("perf_event", "iter", "iter.s")      # programs for which there is no other way
# A ladder: the name of the probe, its best rung, and how many of the kinds there are above that.
OPEN = ("open", "fexit/do_sys_openat2", 0)
OPEN_BY_URING = ("io_uring open", "fentry/io_openat2")
EXEC = ("exec", "tp_btf/sched_process_exec", 2)
RETRANSMITS = ("retransmits", "tp_btf/tcp_retransmit_skb", 2)
FAILED_EXEC = ("failed exec", "fexit/__x64_sys_execve", 0)
# What is known of a kernel: the rung that it takes in the place of another. 5.10's BTF knows pt_regs by name only, so
# that no fexit program can read the arguments of a system call.
INSTEAD = {("5.10", FAILED_EXEC, "fexit"): "kprobe"}
FAILURES = {"noent": ("missing", errno.ENOENT), "noentat": ("tiny", errno.ENOENT), "acces": ("tiny", errno.EACCES)}
if CALLS_32:
    FAILURES["noentcompat"] = ("missing", errno.ENOENT)


def avoid(kind):
    """What rules out every rung above this kind; and whatever a kernel lets escape the others."""
    return ",".join(["gaps", "fentry", *KINDS[:KINDS.index(kind)]]) if kind != KINDS[0] else "gaps"


def check_rung(tool, ladder, kind):
    """The tool is on this kind of rung; or this machine's kernel does not grant that: a reason to skip the test."""
    probe, best, first = ladder
    kind = KINDS[max(first, KINDS.index(kind))]
    kind = INSTEAD.get((VM, ladder, kind), kind)
    used = tool.rung(probe, best)
    assert used in KINDS, tool.said
    # On a rung above the one that was asked for, it went past BORESCOPE_AVOID.
    assert KINDS.index(used) >= KINDS.index(kind), tool.rungs
    need(used == kind, f"{kind} is not granted here, but {used}")


@pytest.mark.parametrize("calls", ["mix", "mix32"] if CALLS_32 else ["mix"])
@pytest.mark.parametrize("kind", KINDS)
def test_opens(kind, calls, open_place, cgroup):
    """All of opensnoop's rungs: 23 opens, 5 of them failing, by native and by 32-bit calls."""
    tool, done = watch_opens(["--json"], [calls, N, FAILING, open_place], cgroup, avoid(kind))
    check_rung(tool, OPEN, kind)
    assert sum(line["errno"] != 0 for line in done) == FAILING
    assert comparable(tool.json) == open_rows(done)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_options_of_opens(kind, open_place, cgroup):
    """What each rung does by itself: filters, -x and -f, and the directory of -F."""
    options = ["-x", "-f", "O_APPEND", "-F", "--json"]
    with Workload("opens", "mix", N, FAILING, "here", cgroup=cgroup, cwd=open_place) as work, \
            Workload("opens", "mix", N, FAILING, "here", cgroup=cgroup, cwd=open_place) as other:
        (open_place / "here").mkdir()
        with Tool("opensnoop", "-p", work.pid, *options, avoid=avoid(kind)) as tool:
            other.run()
            done = work.run()
    check_rung(tool, OPEN, kind)
    wanted = [line for line in done if line["errno"] and line["flags"] & os.O_APPEND]
    assert wanted and [(row["pid"], row["path"]) for row in tool.json] == \
        [(work.pid, f"{open_place}/{line['path']}") for line in wanted]


@pytest.mark.parametrize("kind", KINDS[:2])
def test_opens_by_io_uring(kind, open_place, cgroup):
    """Both rungs of what sees them, beside the ladder of the other opens."""
    with Workload("openuring", N, open_place, cgroup=cgroup) as work:
        if work.unavailable:
            pytest.skip(f"vm-ok: no io_uring here (errno {work.unavailable})")
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json", avoid=avoid(kind)) as tool:
            done = work.run()
    used = tool.rung(*OPEN_BY_URING)
    if used == "none" and VM == "5.10":
        pytest.skip("vm-ok: their results are nowhere before 5.19")
    need(used == kind.replace("fexit", "fentry"), f"{kind} is not granted here, but {used}")
    assert [(row["pid"], row["path"], row["errno"]) for row in tool.json] == \
        [(line["pid"], line["path"], 0) for line in done]
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("kind", KINDS[2:])
def test_execs(kind, place, cgroup):
    """Both rungs of execsnoop: 23 execs."""
    with Workload("execs", "spawn", N, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, "--json", avoid=avoid(kind)) as tool:
            done = work.run()
    check_rung(tool, EXEC, kind)
    assert [(row["pid"], row["ppid"], row["ret"], row["args"]) for row in tool.json] == \
        [(line["pid"], line["ppid"], 0, arguments(place, number)) for number, line in enumerate(done)]
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("kind, program", [("tp_btf", "sys_exit"), ("raw_tp", "raw_sys_exit")])
def test_who_sees_32_bit_failures(kind, program):
    """On a rung at the exit of every call, execsnoop -x -v says that 32-bit callers are seen there, too."""
    done = run_tool("execsnoop", "-x", "-v", "-p", os.getpid(), "--duration", "0.1",
                    env={**os.environ, "BORESCOPE_AVOID": avoid(kind)})
    assert done.returncode == 0, done.stderr
    assert f"execsnoop: failed 32-bit exec: {program} sees it, too\n" in done.stderr
    assert "not seen here" not in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_failed_execs(kind, place, cgroup):
    """All rungs of execsnoop -x: good execs, and 5 failing by each way, 32-bit calls too; nothing shows twice."""
    rows = []

    def run(work, name, error, comm):
        for number, line in enumerate(work.run()):
            assert line["errno"] == error
            rows.append((line["pid"], line["ppid"], -error, comm, arguments(place, number, name)))

    with contextlib.ExitStack() as stack:
        good = stack.enter_context(Workload("execs", "spawn", N - FAILING, place, "good", cgroup=cgroup))
        failing = {way: stack.enter_context(Workload("execs", way, FAILING, place, cgroup=cgroup)) for way in FAILURES}
        with Tool("execsnoop", "-x", "--cgroup", cgroup.path, "--json", avoid=avoid(kind)) as tool:
            run(good, "good", 0, "good")
            for way, (name, error) in FAILURES.items():
                run(failing[way], name, error, "execs")
    check_rung(tool, FAILED_EXEC, kind)
    check_rung(tool, EXEC, kind)
    assert [(row["pid"], row["ppid"], row["ret"], row["comm"], row["args"]) for row in tool.json] == rows
    assert (tool.summary["events"], tool.summary["lost"]) == (len(rows), 0)


@pytest.mark.parametrize("kind", KINDS[2:])
def test_retransmits(kind, cgroup):
    """Both rungs of tcpretrans: 23 lost SYNs, and whose they are."""
    with Workload("tcpsyns", N, "6", cgroup=cgroup) as work:
        with Tool("tcpretrans", "--cgroup", cgroup.path, "--json", avoid=avoid(kind)) as tool:
            [_, *done] = work.run()
    check_rung(tool, RETRANSMITS, kind)
    assert sorted((row["pid"], row["local_port"], row["why"], row["errno"]) for row in tool.json) == \
        sorted((line["pid"], line["lport"], "SYN", 0) for line in done)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("tool", [tool for tool, facts in TOOLS.items() if not facts.script])
def test_no_rung_is_left(tool):
    """A tool that is granted nothing at all says so in one line, and fails."""
    everything = ",".join([*KINDS, "tp", *WITHOUT_LADDER])
    done = run_tool(tool, "--duration", "1", env={**os.environ, "BORESCOPE_AVOID": everything})
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert one_line(done.stderr).startswith(f"{tool}: cannot see ")
