# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--cost and --max-cost: what looking costs is said, and bounded."""

import re

import pytest

from harness import OK, TOO_COSTLY, VM, Tool, Workload, assert_sorted_times
from histograms import N, in_text, total, working
from suite import TOOLS, Places

COST_KEYS = {"cost_runs", "cost_sampled", "cost_kernel_ns", "cost_tool_ns", "cost_wall_ns", "cost_peak_bytes", "cost_cpu_percent"}
FOREVER = 1_000_000_000
STEADY = 50_000 if VM else 5_000_000 # opens without a pause: seconds of them natively
STORM, TRICKLE = 100, 10_000    # microseconds between the opens of a thread


def cost_lines(tool):
    """The lines on stderr that say what it cost."""
    return re.findall(rf"^{tool.name}: cost: .*$", tool.err, re.M)


@pytest.mark.parametrize("tool", TOOLS)
def test_cost(tool, event_place, cgroup, disk):
    """--cost says at the end what looking has cost: one line on stderr, and in the summary."""
    facts = TOOLS[tool]
    work, scope = facts.events(N, Places(event_place, disk)), (*facts.all_events, "--cgroup", cgroup.path)
    with Workload(*work, cgroup=cgroup) as working_load:
        with Tool(tool, *scope, "--cost", "--json") as json, Tool(tool, *scope, "--cost") as text, \
                Tool(tool, *scope, "--json") as without:
            working_load.run()
    assert (json.status, text.status, without.status) == (OK, OK, OK)
    assert len(cost_lines(json)) == len(cost_lines(text)) == 1 and not cost_lines(without)
    assert "cost" not in text.out and not COST_KEYS & without.summary.keys()
    cost = json.summary
    assert COST_KEYS <= cost.keys()
    assert cost["cost_runs"] >= N and cost["cost_kernel_ns"] > 0 and cost["cost_tool_ns"] > 0
    assert cost["cost_wall_ns"] > 0 and cost["cost_peak_bytes"] > 1_000_000
    percent = 100 * (cost["cost_kernel_ns"] + cost["cost_tool_ns"]) / cost["cost_wall_ns"]
    assert cost["cost_cpu_percent"] == pytest.approx(percent, abs=0.011)
    runs = int(re.search(r"cost: (?:about )?([\d ]+) runs", cost_lines(json)[0])[1].replace(" ", ""))
    assert runs == cost["cost_runs"]
    if facts.prints_events:     # exactly N
        assert f"; {N} events, 0 lost;" in cost_lines(json)[0]


def test_cost_of_each_report(disk):
    """With -v, a tool that reports at intervals says after each what it has cost so far."""
    with Tool("biolatency", "-d", disk.name, "--cost", 1, 3) as tool:
        assert tool.wait() == OK
    runs = [int(n.replace(" ", "")) for n in re.findall(r"cost: (?:about )?([\d ]+) runs", tool.err)]
    assert len(runs) == 3 and runs == sorted(runs)


def test_cost_of_many_runs(open_place, cgroup):
    """Runs that come too fast to be counted all the time are counted in part, and reckoned up to about what was done."""
    target = open_place / "target"
    target.touch()
    with Workload("openfast", STEADY, 1, target, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "-x", "--cost", "--json") as tool:
            work.run()
    assert tool.status == OK and not tool.json
    by_call = tool.rung("open", "fexit/do_sys_openat2") in ("tp_btf", "raw_tp")     # then close is a run, too
    runs, cost = STEADY * (2 if by_call else 1), tool.summary
    # counting slows the storm down while it is on; the other calls of the machine are runs on these rungs
    assert 0.6 * runs < cost["cost_runs"] < (2 if by_call else 1.25) * runs
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


@pytest.mark.parametrize("json", [False, True])
def test_too_costly_histogram(json, disk):
    """biolatency, too, prints what it has when even its own ticking costs more than --max-cost."""
    with working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name, "--max-cost", "0.00001", *(["--json"] if json else [])) as tool:
            work.run()
            assert tool.wait() == TOO_COSTLY
    assert (total(tool) if json else in_text(tool)) == N
    assert "biolatency: stopped: " in tool.err


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
