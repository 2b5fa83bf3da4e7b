# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""runqlat against the kernel's own count of a thread's waits, /proc/PID/task/TID/schedstat, and against ftrace."""

import math
import os
import re
import signal

import pytest

from harness import CONTROL, USAGE, VM, Tool, Workload, one_line, parse_line, run_tool, wait_until
from histograms import TEXT_ROW, check_histogram, histograms, in_text, total
from machine import OWN_COMM, OWN_UID, need
from sched_trace import SchedTrace

HOGS = {"pinned": 4, "free": 5, "moved": 5}     # how the threads are placed: how many
SECONDS = 10 if VM else 4                       # of a saturated CPU; emulated slices are few
EDGE = 2                                        # waits of the thread that reads the accounts, before and after that
UNSEEN = 0 if VM else 0.025                     # of the switches: a host may keep those of its own tasks, some 1 %, from BPF
ACCOUNT = 0.03 if VM else 0.01                  # of the time: from a wake-up to the switch, which schedstat does not count
TRIPS = 2000                                    # through a pipe and back, on one CPU: two waits each
BY_PROBES = "sched_info"                        # ruled out, waits are timed by probes
NOTE = "the kernel does not keep how long tasks wait"


def hogs(how, seconds=SECONDS, **kwargs):
    """Threads that want the CPU all the time."""
    return Workload("hogs", how, HOGS[how], seconds * 1000, **kwargs)


def run_and_sleep(work, lines):
    """Lets the threads run; returns what they print once they sleep: a thread waits no more until the tool has ended."""
    work.start()
    return [parse_line(work.process.stdout.readline()) for _ in range(lines)]


def check_truth(tool, done, sums=ACCOUNT, counts=0.0):
    """Time and number of all waits are what schedstat has counted for the workload's threads."""
    delay, slices = sum(line["delay_ns"] for line in done), sum(line["slices"] for line in done)
    assert delay > 1e9 and slices > 200, "the CPU was not saturated"
    assert sum(h["sum_ns"] for h in tool.json) == pytest.approx(delay, rel=sums)
    assert (1 - counts - UNSEEN) * slices - EDGE <= total(tool) <= (1 + counts) * slices + EDGE
    for h in histograms(tool):
        check_histogram(h)
    assert (tool.status, tool.summary["events"], tool.summary["lost"]) == (0, total(tool), 0)


@pytest.mark.parametrize("how", HOGS)
def test_agrees_with_the_kernel(how):
    """Threads on one CPU, where the kernel puts them, and moved while they wait: all together and each by itself."""
    with hogs(how) as work:
        with Tool("runqlat", "-p", work.pid, "--json") as tool, Tool("runqlat", "-L", "-p", work.pid, "--json") as split:
            done = run_and_sleep(work, HOGS[how] + 1)
    check_truth(tool, done)
    check_truth(split, done)
    assert NOTE not in tool.err
    found = {h["tid"]: h for h in split.json}
    assert found.keys() == {line["tid"] for line in done}
    for number, line in enumerate(done):
        h = found[line["tid"]]
        assert (h["pid"], h["comm"]) == (work.pid, f"hog{number}" if number else "hogs")
        if number:
            assert h["sum_ns"] == pytest.approx(line["delay_ns"], rel=ACCOUNT)
            assert line["slices"] - math.ceil(UNSEEN * line["slices"]) <= h["count"] <= line["slices"]


@pytest.mark.parametrize("how", HOGS)
def test_by_probes(how):
    """Where the kernel does not keep the wait: wake-ups and switches are timed, with another clock."""
    with hogs(how) as work:
        with Tool("runqlat", "-p", work.pid, "--json", avoid=BY_PROBES) as tool:
            done = run_and_sleep(work, HOGS[how] + 1)
    assert NOTE in tool.err
    check_truth(tool, done, sums=0.1 if VM else 0.03, counts=0.03)


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
@pytest.mark.parametrize("policy", [os.SCHED_OTHER, os.SCHED_FIFO])
def test_round_trips(policy, avoid, cgroup):
    """A byte goes there and back 2000 times: both processes wait 2000 times, whatever their scheduling class."""
    with Workload("pingpong", TRIPS, cgroup=cgroup) as work:
        os.sched_setaffinity(work.pid, {max(os.sched_getaffinity(0))})
        try:
            os.sched_setscheduler(work.pid, policy, os.sched_param(5 if policy == os.SCHED_FIFO else 0))
        except PermissionError as error:
            need(False, f"no real-time scheduling: {error.strerror}")
        with Tool("runqlat", "-P", "--cgroup", cgroup.path, "--json", avoid=avoid) as both, \
                Tool("runqlat", "-P", "-p", work.pid, "--json", avoid=avoid) as one, \
                Tool("runqlat", "--cgroup", cgroup.path, avoid=avoid) as text:
            done = work.run()[-1]
    assert (NOTE in both.err) == bool(avoid)
    found = {h["pid"]: h["count"] for h in both.json}
    assert found.keys() == {work.pid, done["peer"]}
    assert all(TRIPS <= n <= 1.1 * TRIPS for n in found.values()), found    # more, when others preempt them
    assert [(h["pid"], h["comm"], h["count"]) for h in one.json] == [(work.pid, "pingpong", found[work.pid])]
    assert in_text(text) == sum(found.values())


WAKES = 100 if VM else 300
STAMPS, STAMPS_NS = (0.3, 20_000) if VM else (0.08, 3_000)      # a program and ftrace look at the clock one after the other
WORKLOADS = {"timer": ("wakes", "timer", WAKES), "other": ("wakes", "other", WAKES), "preempt": ("wakes", "preempt", WAKES),
             "fork": ("wakes", "fork", WAKES), "moved": ("hogs", "moved", 4, 1000)}


def check_trace(h, waits):
    """The histogram is that of these waits, which another saw."""
    waits = sorted(waits)
    off = math.ceil(UNSEEN * len(waits)) + EDGE
    need(len(waits) >= h["count"] - off, f"ftrace has seen {len(waits)} of {h['count']} waits")
    assert len(waits) <= h["count"] + off
    unseen = sum(waits[-off:]) / len(waits)
    assert h["sum_ns"] / h["count"] == pytest.approx(sum(waits) / len(waits), rel=STAMPS, abs=STAMPS_NS + unseen)
    for name, share in (("p50_ns", 0.5), ("p90_ns", 0.9)):
        low, high = (waits[min(max(math.ceil(share * len(waits)) + at, 0), len(waits) - 1)] for at in (-off - 1, off - 1))
        assert low * (1 - STAMPS) - STAMPS_NS <= h[name] <= high * (1 + STAMPS) + STAMPS_NS, (name, low, high)


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_agrees_with_ftrace(workload, avoid, cgroup):
    """Each wait is as long as the time stamps of its wake-up and of its switch are apart: on idle CPUs, too, where the
    kernel's account has 0; and what a wake-up preempts waits from when it loses the CPU."""
    with Workload(*WORKLOADS[workload], cgroup=cgroup) as work:
        one = ["--tid", work.pid] if workload == "preempt" else []
        with Tool("runqlat", "--cgroup", cgroup.path, *one, "--json", avoid=avoid) as tool, SchedTrace(work.pid) as trace:
            run_and_sleep(work, 1 if work.argv[0].endswith(b"wakes") else 5)
    [h] = tool.json
    check_histogram(h)
    check_trace(h, [ns for tid, waits in trace.waits.items() for ns in waits if not one or tid == work.pid])


@pytest.mark.parametrize("workload", WORKLOADS)
def test_two_ways_to_time_a_wait(workload, cgroup):
    """By the kernel's account and by probes alone, at the same time: the same waits, and as long."""
    with Workload(*WORKLOADS[workload], cgroup=cgroup) as work:
        with Tool("runqlat", "--cgroup", cgroup.path, "--json") as account, \
                Tool("runqlat", "--cgroup", cgroup.path, "--json", avoid=BY_PROBES) as probes:
            run_and_sleep(work, 1 if WORKLOADS[workload][0] == "wakes" else 5)
    [one], [other] = account.json, probes.json
    assert one["count"] == pytest.approx(other["count"], rel=0.03)
    for name in ("p50_ns", "p90_ns"):
        assert one[name] == pytest.approx(other[name], rel=2 * STAMPS, abs=STAMPS_NS), name


def first_hog(work):
    """The id of a hog's thread."""
    return sorted(map(int, os.listdir(f"/proc/{work.pid}/task")))[1]


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
@pytest.mark.parametrize("name", ["pid", "tid", "uid", "comm", "cgroup"])
def test_filters(name, avoid, place, cgroup, other_cgroup):
    """A filter judges the task that waited: beside an equal process on the same CPU, only the one asked for counts."""
    own = {"uid": OWN_UID, "directory": place} if name == "uid" else \
        {"comm": OWN_COMM, "directory": place} if name == "comm" else {}
    with hogs("pinned", 2, cgroup=cgroup, **own) as work, hogs("pinned", 2, cgroup=other_cgroup) as other:
        value = {"pid": work.pid, "tid": first_hog(work), "uid": OWN_UID, "comm": OWN_COMM, "cgroup": cgroup.path}[name]
        with Tool("runqlat", f"--{name}", value, "-L", "--json", avoid=avoid) as tool:
            work.start()
            other.run()
            done = work.finish()
    tids = {line["tid"] for line in done}
    wanted = {"tid": {value}, "comm": {work.pid}}.get(name, tids)       # its threads have names of their own
    assert {h["tid"] for h in tool.json} == wanted
    assert {h["pid"] for h in tool.json} == {work.pid}
    assert total(tool) >= (10 if name != "comm" else 5)


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
def test_filter_that_matches_nothing(avoid, other_cgroup):
    """Nothing at all, though all the while there are waits."""
    with hogs("pinned", 2) as work:
        with Tool("runqlat", "--cgroup", other_cgroup.path, avoid=avoid) as text, \
                Tool("runqlat", "-P", "--cgroup", other_cgroup.path, "--json", avoid=avoid) as json:
            work.run()
    assert (text.out, text.status) == ("", 0)
    assert (json.json, json.summary["events"], json.status) == ([], 0, 0)


def test_the_idle_task_never_waits():
    """Whatever else runs on this machine, there is no process 0."""
    with hogs("free", 2) as work:
        with Tool("runqlat", "--comm", "swapper/0", "--json") as tool, \
                Tool("runqlat", "--comm", "swapper/0", "--json", avoid=BY_PROBES) as probes:
            work.run()
    assert total(tool) == total(probes) == 0


def test_by_process(cgroup):
    """-P: one histogram for a process, with its name, not its threads'; text and JSON."""
    with hogs("pinned", 2, cgroup=cgroup) as work:
        with Tool("runqlat", "-P", "--cgroup", cgroup.path, "--json") as json, \
                Tool("runqlat", "-P", "--cgroup", cgroup.path) as text:
            work.run()
    [h] = json.json
    assert (h["pid"], h["comm"], "tid" in h) == (work.pid, "hogs", False)
    assert re.findall(r"^pid = .*", text.out, re.M) == [f"pid = {work.pid} hogs"]
    assert in_text(text) == pytest.approx(h["count"], rel=0.05)


def test_by_thread_in_text(cgroup):
    """-L: the title has the thread's id and name."""
    with hogs("pinned", 2, cgroup=cgroup) as work:
        with Tool("runqlat", "-L", "--cgroup", cgroup.path) as text:
            done = work.run()
    names = {line["tid"]: f"hog{number}" if number else "hogs" for number, line in enumerate(done)}
    assert set(re.findall(r"^tid = .*", text.out, re.M)) == {f"tid = {tid} {name}" for tid, name in names.items()}


def test_by_pid_namespace(cgroup):
    """--pidnss: the namespace that a process is in, not the one that its children will be in."""
    work = Workload("pingpong", TRIPS, cgroup=cgroup)
    work.argv = [b"unshare", b"--pid", b"--fork", b"--kill-child", *work.argv]
    with work:
        assert work.pid == 1
        inside = os.stat(f"/proc/{work.process.pid}/ns/pid_for_children").st_ino
        outside = os.stat(f"/proc/{work.process.pid}/ns/pid").st_ino
        with Tool("runqlat", "--pidnss", "--cgroup", cgroup.path, "--json") as json, \
                Tool("runqlat", "--pidnss", "--cgroup", cgroup.path) as text:
            work.run()
    found = {h["pidns"]: h["count"] for h in json.json}
    assert inside != outside and found.keys() <= {inside, outside}
    assert found[inside] >= TRIPS / 2 and found.get(outside, 0) < 100      # which has only the waiting `unshare`
    assert f"pidns = {inside}" in text.out.splitlines()


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
def test_a_process_that_has_ended_has_a_name(avoid, cgroup):
    """What ended before the report is told by the name it had."""
    with Workload("pingpong", TRIPS, cgroup=cgroup) as work:
        with Tool("runqlat", "-P", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = work.run()[-1]
            wait_until(lambda: not os.path.exists(f"/proc/{done['peer']}"), 5, "the peer does not end")
    assert {h["pid"]: h["comm"] for h in tool.json} == {work.pid: "pingpong", done["peer"]: "pingpong"}


@pytest.mark.parametrize("avoid", ["", BY_PROBES])
@pytest.mark.parametrize("split", ["-P", "-L"])
def test_name_after_exec(split, avoid, cgroup):
    """A process waits first between fork and exec; it is shown by the name that it has later, not by its parent's."""
    with Tool("runqlat", split, "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
        with Workload("pingpong", TRIPS, cgroup=cgroup) as work:
            done = work.run()[-1]
    assert {h["pid"]: h["comm"] for h in tool.json} == {work.pid: "pingpong", done["peer"]: "pingpong"}


def test_more_processes_than_places(place, cgroup):
    """What finds no place is counted, and said: nothing else is missing beside a tool that needs one place only."""
    with open("/proc/loadavg", encoding="ascii") as file:
        threads = int(file.read().split()[3].split("/")[1])
    many = 2 * (threads + threads // 4 + 256) + 500
    with Workload("execs", "spawn", many, place, cgroup=cgroup) as work:
        with Tool("runqlat", "-P", "--cgroup", cgroup.path, "--json") as tool, \
                Tool("runqlat", "--cgroup", cgroup.path, "--json") as everything:
            pids = {line["pid"] for line in work.run(120)}
    lost, found = tool.summary["lost"], {h["pid"] for h in tool.json}
    assert found <= pids | {work.pid} and len(found) == len(tool.json)
    assert lost > 0 and total(tool) + lost == total(everything) > many
    assert everything.summary["lost"] == 0 and ": lost " not in everything.err
    assert f"runqlat: lost {lost} events: they could not be read or kept\n" in tool.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("json", [False, True])
def test_prints_at_a_signal(number, json, cgroup):
    """What was gathered is printed, and the status is 0."""
    with Workload("pingpong", TRIPS, cgroup=cgroup) as work:
        with Tool("runqlat", "--cgroup", cgroup.path, *(["--json"] if json else [])) as tool:
            work.run()
            assert not TEXT_ROW.search(tool.out) and "buckets" not in tool.out
            assert tool.stop(number) == 0
    assert (total(tool) if json else in_text(tool)) >= TRIPS
    assert not CONTROL.search(tool.out)


def test_intervals(cgroup):
    """INTERVAL and COUNT: that many reports, which end the tool; each counts its own interval only."""
    with Workload("pingpong", TRIPS, cgroup=cgroup) as first, Workload("pingpong", 3 * TRIPS, cgroup=cgroup) as second:
        for work in (first, second):
            os.sched_setaffinity(work.pid, {0})
        with Tool("runqlat", "--cgroup", cgroup.path, "--json", 4 if VM else 1, 3) as tool:
            first.run()
            wait_until(lambda: tool.out.count("\n") == 1, 5, "no report")
            second.run()
            assert tool.wait(15) == 0
    counts = [h["count"] for h in tool.json]
    assert len(counts) == 3 and tool.summary["events"] == sum(counts)
    assert 2 * TRIPS <= counts[0] <= 2.2 * TRIPS and 8 * TRIPS <= sum(counts) <= 8.8 * TRIPS, counts


def test_time_of_day(cgroup):
    """`runqlat -T 1 2` prints the time of day above each of its reports."""
    done = run_tool("runqlat", "-T", "--cgroup", cgroup.path, "1", "2")
    assert done.returncode == 0
    assert re.fullmatch(r"(\d\d:\d\d:\d\d\n){2}", done.stdout)


@pytest.mark.parametrize("args, unit", [([], "usecs"), (["-m"], "msecs")])
def test_text(args, unit, cgroup):
    """BCC's look, in microseconds or milliseconds, with a line of percentiles."""
    with hogs("pinned", 2, cgroup=cgroup) as work:
        with Tool("runqlat", *args, "--cgroup", cgroup.path) as tool:
            done = work.run()
    assert re.match(rf" +{unit} +: count +distribution\n", tool.out)
    mean, most = map(float, re.search(rf" avg ([\d.]+) p50 .* max ([\d.]+) \({unit}\)$", tool.out, re.M).groups())
    seconds = {"usecs": 1e-6, "msecs": 1e-3}[unit]
    kernel = sum(line["delay_ns"] for line in done) / sum(line["slices"] for line in done)
    assert mean * seconds == pytest.approx(kernel / 1e9, rel=0.15)
    assert mean < most < (60 if VM else 10) / seconds
    assert all(int(high) == 2 * int(low) - 1 for low, high, _ in TEXT_ROW.findall(tool.out)[1:])


@pytest.mark.unprivileged
@pytest.mark.parametrize("args", [["-P", "-L"], ["-P", "--pidnss"], ["-L", "--pidnss"]])
def test_one_way_to_split(args):
    """A wait is in one histogram."""
    done = run_tool("runqlat", *args)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "only one" in one_line(done.stderr)
