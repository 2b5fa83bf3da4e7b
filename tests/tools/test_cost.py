# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--cost and --max-cost: what looking costs is said, and bounded."""

import contextlib
import os
import re
import signal
import time

import pytest

from bpf_stats import Programs, counting
from harness import BUILD, NOBODY, OK, TOO_COSTLY, VM, Tool, Workload, assert_sorted_times, public_copy
from histograms import N, in_text
from suite import TOOLS, Places

COST_KEYS = {"cost_runs", "cost_sampled", "cost_kernel_ns", "cost_tool_ns", "cost_wall_ns", "cost_peak_bytes",
             "cost_cpu_percent"}
FOREVER = 1_000_000_000
STEADY = 50_000 if VM else 5_000_000 # opens without a pause: seconds of them natively
MICROSECONDS = 10_000           # in which getrusage(2) counts, more than once
STORM, TRICKLE = 100, 10_000    # microseconds between the opens of a thread


def cost_lines(tool):
    """The lines on stderr that say what it cost."""
    return re.findall(rf"^{tool.name}: cost: .*$", tool.err, re.M)


def runs_told(tool):
    """The runs in those lines."""
    return [int(n.replace(" ", "")) for n in re.findall(r"cost: (?:about )?([\d ]+) runs", tool.err)]


@pytest.mark.any_kernel("opensnoop", "xstack")
@pytest.mark.parametrize("tool", TOOLS)
def test_cost(tool, event_place, cgroup, disk):
    """--cost says at the end what looking has cost: a line on stderr, and in the summary."""
    facts = TOOLS[tool]
    work, scope = facts.events(N, Places(event_place, disk)), (*facts.all_events, "--cgroup", cgroup.path)
    with Workload(*work, cgroup=cgroup) as working_load:
        with Tool(tool, *scope, "--cost", "--json") as json, Tool(tool, *scope, "--cost") as text, \
                Tool(tool, *scope, "--json") as without:
            working_load.run()
    assert (json.status, text.status, without.status) == (OK, OK, OK)
    assert cost_lines(json) and cost_lines(text) and not cost_lines(without)
    assert "cost" not in text.out and not COST_KEYS & without.summary.keys()
    cost = json.summary
    assert COST_KEYS <= cost.keys()
    assert cost["cost_runs"] >= N and cost["cost_kernel_ns"] > 0 and cost["cost_tool_ns"] > 0
    assert cost["cost_wall_ns"] > 0 and cost["cost_peak_bytes"] > 1_000_000
    percent = 100 * (cost["cost_kernel_ns"] + cost["cost_tool_ns"]) / cost["cost_wall_ns"]
    assert cost["cost_cpu_percent"] == pytest.approx(percent, abs=0.011)
    assert runs_told(json)[-1] == cost["cost_runs"]     # and before, with -v, if that took long
    if facts.prints_events:     # exactly N
        assert f"; {N} events, 0 lost;" in cost_lines(json)[-1]


class Watched(Tool):
    """A tool in a cgroup of its own, whose CPU time and its workers' is known from before it began to look, by some
    milliseconds."""

    def __init__(self, own, name, *args):
        super().__init__(name, *args, prefix=["sh", "-c", f'echo 0 > {own.path}/cgroup.procs && exec "$@"', "sh"])
        self.own = own
        self.cpu_before = [0, 0]

    def cpu_ns(self):
        """All the CPU time of its processes, also of those that have ended."""
        return 1000 * int(re.search(r"^usage_usec (\d+)$", (self.own.path / "cpu.stat").read_text(), re.M)[1])

    def is_ready(self):
        self.cpu_before = [*self.cpu_before, self.cpu_ns()][-3:]
        return super().is_ready()

    def stop_and_weigh(self):
        """Ends it; all its CPU time."""
        self.process.send_signal(signal.SIGINT)
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        return self.cpu_ns()


@pytest.mark.parametrize("tool", TOOLS)
def test_agrees_with_the_kernel(tool, event_place, cgroup, other_cgroup, disk):
    """The figures are the kernel's: those of the tool's programs, kept beyond its end, and its CPU time."""
    facts = TOOLS[tool]
    work = facts.events(N, Places(event_place, disk))
    busy = ("-F", 1000) if tool == "xstack" else ()
    with counting(), Workload(*work, cgroup=cgroup) as working_load, \
            Watched(other_cgroup, tool, *facts.scope(cgroup.path, disk), *busy, "--cost", "--json") as running:
        with Programs(running.process.pid) as programs:
            cpu_ready, (runs_before, ns_before) = running.cpu_ns(), programs.read()
            working_load.run()
            time.sleep(1)
            cpu_after = running.cpu_ns()
            cpu_end, (runs, ns) = running.stop_and_weigh(), programs.read()
    cost = running.summary
    slack = 0.5 if cost["cost_sampled"] else 0          # others gave it more to do than it counts all the time
    assert runs > 0 and (1 - slack) * (runs - runs_before) <= cost["cost_runs"] <= (1 + slack) * runs
    assert (1 - slack) * (ns - ns_before) <= cost["cost_kernel_ns"] <= (1 + slack) * ns
    # an iterator runs while the tool reads: what it takes is not shown twice
    spent = cost["cost_tool_ns"] + (cost["cost_kernel_ns"] if facts.iterates else 0)
    assert cpu_after - cpu_ready - MICROSECONDS <= spent <= cpu_end - running.cpu_before[0] + MICROSECONDS


def test_cost_of_the_end(open_place, cgroup, other_cgroup):
    """What profile spends on the names of functions, when all else is over, is its cost, too."""
    target = open_place / "target"
    target.touch()
    with Workload("openfast", STEADY // 5, 1, target, cgroup=cgroup) as work:
        with Watched(other_cgroup, "profile", "--cgroup", cgroup.path, "-F", 99, "--cost", "--json") as tool:
            cpu_ready = tool.cpu_ns()
            work.run()
            cpu_done = tool.cpu_ns()
            cpu_end = tool.stop_and_weigh()
    assert tool.json and cpu_end - cpu_done > 2 * (cpu_done - cpu_ready), "the end took little"
    assert tool.summary["cost_tool_ns"] > cpu_done - cpu_ready + (cpu_end - cpu_done) / 2


@pytest.mark.any_kernel
@pytest.mark.parametrize("tool", ["biolatency", "runqlat"])
def test_cost_of_each_report(tool, cgroup, disk):
    """With -v, a tool that reports at intervals says after each what it has cost so far."""
    with Tool(tool, *TOOLS[tool].scope(cgroup.path, disk), "--cost", 1, 3) as running:
        assert running.wait() == OK
    runs = runs_told(running)
    assert len(runs) == 3 and runs == sorted(runs)


@pytest.mark.any_kernel
def test_cost_so_far(open_place, cgroup):
    """With -v, a tool without reports says every 5 s what it has cost so far; --max-cost, if kept, says nothing."""
    with contextlib.ExitStack() as together:
        tools = [together.enter_context(Tool(tool, *facts.all_events, "--cgroup", cgroup.path, "--duration", 6,
                                             "--cost", "--max-cost", 95, "--json")) for tool, facts in TOOLS.items()]
        for tool in tools:
            assert tool.wait(20) == OK, tool.said
    for tool in tools:
        assert "stopped" not in tool.said
        assert len(runs_told(tool)) >= 2 and runs_told(tool)[-1] == tool.summary["cost_runs"], tool.said


def test_cost_of_many_runs(open_place, cgroup):
    """Runs that come too fast to be counted all the time are counted in part, and reckoned to about what was done."""
    target = open_place / "target"
    target.touch()
    with counting(), Workload("openfast", STEADY, 1, target, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "-x", "--cost", "--json") as tool, \
                Programs(tool.process.pid) as programs:
            work.run()
            tool.stop()
            runs, ns = programs.read()
    assert tool.status == OK and not tool.json and runs >= STEADY
    cost = tool.summary
    assert cost["cost_runs"] == pytest.approx(runs, rel=0.2) and cost["cost_kernel_ns"] == pytest.approx(ns, rel=0.2)
    assert cost["cost_sampled"] == ("cost: about " in cost_lines(tool)[0])
    if not VM:
        assert cost["cost_sampled"], "it was no storm"


@pytest.mark.parametrize("json", [False, True])
def test_too_costly(json, open_place, cgroup):
    """A storm that costs more than --max-cost: the tool ends by itself with status 3; what it has seen is printed."""
    target = open_place / "target"
    target.touch()
    with Workload("openfast", FOREVER, 2, target, STORM, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--max-cost", "0.01", *(["--json"] if json else [])) as tool:
            work.start()
            assert tool.wait() == TOO_COSTLY
            assert work.process.poll() is None, "it was no storm"
    assert len(re.findall(r"^opensnoop: stopped: .*--max-cost 0.01$", tool.err, re.M)) == 1, tool.said
    rows = [row["path"] for row in tool.json] if json else [row["PATH"] for row in tool.rows]
    assert rows and set(rows) == {str(target)}
    if json:
        assert len(rows) == tool.summary["events"] and COST_KEYS <= tool.summary.keys()
        assert_sorted_times(tool.json, storm=True)


TEXTS = [("biolatency", False), ("profile", False)]


@pytest.mark.any_kernel("biolatency")
@pytest.mark.parametrize("tool, json", [*((tool, True) for tool in TOOLS), *TEXTS])
def test_each_is_stopped(tool, json, event_place, cgroup, disk):
    """Every tool stops when even what it does when idle costs more than --max-cost, and prints what it has."""
    facts = TOOLS[tool]
    args = *facts.scope(cgroup.path, disk), "--max-cost", "0.0001", *(["--json"] if json else [])
    with Workload(*facts.events(N, Places(event_place, disk)), cgroup=cgroup) as work, Tool(tool, *args) as running:
        work.run()
        assert running.wait() == TOO_COSTLY
    stopped = rf"^{tool}: stopped: it cost [0-9.]+ % of one CPU, more than --max-cost 0.0001$"
    assert len(re.findall(stopped, running.err, re.M)) == 1 and not cost_lines(running)
    if json:
        seen = sum(o.get("count", 1) for o in running.json)
        assert seen == running.summary["events"] > 0 and COST_KEYS <= running.summary.keys()
        assert seen == N or not facts.header and not facts.by_disk
    else:
        assert in_text(running) == N if facts.by_disk else len(running.lines) > 1


def test_without_statistics(cgroup, place):
    """Without CAP_SYS_ADMIN the kernel's part is not known, and is said not to be; the tool's own is bounded still."""
    caps = "+bpf,+perfmon,+dac_read_search"
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []  # before 5.11 maps count as locked memory
    prefix = [*memlock, *NOBODY, f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}"]
    with Tool("opensnoop", "--cgroup", cgroup.id, "--cost", "--max-cost", "0.0001", "--json", prefix=prefix,
              program=public_copy(BUILD / "bin" / "opensnoop", place)) as tool:
        assert tool.wait() == TOO_COSTLY
    assert "it takes CAP_SYS_ADMIN" in tool.said
    assert re.fullmatch(r"opensnoop: cost: \? runs; \? s in the kernel \+ [0-9.]+ s in opensnoop = at least .*",
                        cost_lines(tool)[0])
    cost = tool.summary
    assert {key for key in COST_KEYS if cost[key] is None} == \
        {"cost_runs", "cost_sampled", "cost_kernel_ns", "cost_cpu_percent"}
    assert cost["cost_tool_ns"] > 0


def test_cheap_enough(open_place, cgroup):
    """A trickle of opens does not cost what --max-cost allows: all of them show."""
    target = open_place / "target"
    target.touch()
    with Workload("openfast", 300, 1, target, TRICKLE, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--max-cost", "90", "--json") as tool:
            done = work.run()[-1]
            assert done["ns"] > 2.5e9, "no time for two looks at the cost"
    assert tool.status == OK and "stopped" not in tool.said
    assert len(tool.json) == tool.summary["events"] == 300 and tool.summary["lost"] == 0
