# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Reports that come late: one for all the time that has passed, which says so; then the old beat goes on."""

import re
import signal
import time

import pytest

from harness import OK, Tool, Workload, run_tool

INTERVAL, STOPPED = 0.4, 2
LATE = re.compile(r"^\w+: a report is (\d+\.\d) s late", re.M)


def stopped(tool):
    """As by Ctrl-Z and fg."""
    time.sleep(1.5 * INTERVAL)
    tool.process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    tool.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("name", ["runqlat", "biolatency"])
def test_histograms(name, cgroup):
    """COUNT counts what is printed; the intervals add up to all the time; none is short."""
    start = time.monotonic_ns()
    with Tool(name, "--json", "--cgroup", cgroup.path, INTERVAL, 6) as tool:
        stopped(tool)
        assert tool.wait() == OK
    took = time.monotonic_ns() - start
    spans = [o["interval_ns"] / 1e9 for o in tool.json]
    assert len(spans) == 6
    assert max(spans) > STOPPED and sorted(spans)[-2] < STOPPED, spans
    assert min(spans) > INTERVAL / 4, spans
    assert 5 * INTERVAL + STOPPED - 1 < sum(spans) < took / 1e9
    late = LATE.findall(tool.err)
    assert len(late) == 1 and STOPPED - INTERVAL < float(late[0])


def test_counts(cgroup):
    """The rows of -c have it, too."""
    with Workload("tcpsyns", 3, cgroup=cgroup) as work:
        with Tool("tcpretrans", "-c", "--json", "--cgroup", cgroup.path, "--interval", INTERVAL) as tool:
            work.start()
            stopped(tool)
            work.finish()
            time.sleep(2 * INTERVAL)
    spans = [o["interval_ns"] / 1e9 for o in tool.json]
    assert spans and all(INTERVAL / 4 < span < STOPPED + 5 for span in spans)
    assert len(LATE.findall(tool.err)) == 1


def test_samples(cgroup):
    """The samples that xstack could not take are counted, and don't follow in a burst."""
    with Tool("xstack", "--json", "--cgroup", cgroup.path, "-F", "20", "--duration", "3.5") as tool:
        stopped(tool)
        assert tool.wait() == OK
    assert tool.summary["late_samples"] > 20 * (STOPPED - 1)
    assert 60 < tool.summary["samples"] + tool.summary["late_samples"] <= 71


def test_in_time(cgroup):
    """A report that comes in time has its interval."""
    done = run_tool("runqlat", "--json", "--cgroup", cgroup.path, "-v", "0.5", "2")
    spans = [int(span) / 1e9 for span in re.findall(r'"interval_ns":(\d+)', done.stdout)]
    assert len(spans) == 2 and all(0.2 < span < 2 for span in spans)
