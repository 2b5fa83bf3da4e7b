# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tests of opensnoop and execsnoop share: workloads that are watched, and the rows that they must give."""

import errno
import signal

from harness import VM, Tool, Workload

N, FAILING = 23, 5
O_LARGEFILE = 0o100000          # the kernel adds it to open, openat and creat of 64-bit programs
# In emulation one thread runs all CPUs: nothing is "otherwise idle", and a program may be preempted by another run of
# itself.
# 7.x preempts inside the kernel: until a task that was scheduled out in a program runs again, other runs of that program
# on the CPU are left out, and counted; under emulation that takes long.
LOSS_ALLOWED = (0.1 if VM.startswith("7") else 0.02) if VM else 0
TRIES = 5                       # natively: the host of this machine may be busy with others


def watch_opens(tool_args, workload_args, cgroup, avoid="", **kwargs):
    """Runs `opens` under opensnoop in a cgroup of its own; returns the ended tool and what `opens` printed."""
    with Workload("opens", *workload_args, cgroup=cgroup, **kwargs) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, *tool_args, avoid=avoid) as tool:
            done = work.run()
    assert tool.status == 0, tool.said
    return tool, done


def watch_execs(tool_args, workload_args, cgroup):
    """Runs `execs` under execsnoop in a cgroup of its own; returns the ended tool and what `execs` printed."""
    with Workload("execs", *workload_args, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, *tool_args) as tool:
            done = work.run()
    assert tool.status == 0, tool.said
    return tool, done


def open_rows(done):
    """The JSON rows that opensnoop must print for what `opens` says it did."""
    rows = []
    for line in done:
        row = {key: line[key] for key in ("pid", "tid", "fd", "errno", "path", "flags", "mode")}
        if line["errno"]:
            row["error"] = errno.errorcode[line["errno"]]
        rows.append({**row, "comm": "opens", "uid": 0})
    return rows


def comparable(rows):
    """opensnoop's JSON rows without what `opens` cannot know."""
    return [{key: value & ~O_LARGEFILE if key == "flags" else value for key, value in row.items()
             if key not in ("time", "flags_text", "latency_ns")} for row in rows]


def arguments(place, number, name="tiny"):
    """The arguments of the exec with this number by `execs`."""
    return [f"{place}/{name}", str(number), "two words", ""]


def watch_storm(tool_args, workload_args, total, cgroup, held_up=False):
    """Does `total` things as fast as they go, under a tool that looks, or is held up meanwhile: each is shown or counted
    as lost. Returns the ended tool."""
    with Workload(*workload_args, cgroup=cgroup) as work:
        with Tool(*tool_args, "--cgroup", cgroup.path, "--json") as tool:
            if held_up:
                tool.process.send_signal(signal.SIGSTOP)
            done = work.run(120)[-1]
            if held_up:
                tool.process.send_signal(signal.SIGCONT)
    assert (done["done"], done["failed"]) == (total, 0)
    assert len(tool.json) == tool.summary["events"]
    known = tool.summary["events"] + tool.summary["lost"]
    assert known <= total <= known + tool.summary["missed_runs"], tool.summary
    assert tool.lost == tool.summary["lost"], tool.said
    return tool


def without_loss(storm, number):
    """Lets a storm of `number` events happen, until none was lost: another machine on the same host may take the reader's
    CPU away for a while. Whether shown and lost add up, and whether the rows are in order, is for storm() to check, each
    time."""
    lost = [storm()]
    while lost[-1] > LOSS_ALLOWED * number:
        assert not VM and len(lost) < TRIES, f"lost of {number}, each time: {lost}"
        lost.append(storm())
