# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""profile: how many samples, of what, and how they are shown."""

import json
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

import browser
import packages
import perf_event
from harness import CONTROL, FAILED, USAGE, VM, Tool, Workload, one_line, run_tool
from machine import need, need_program

SECONDS = 4 if VM else 10
SVG = "{http://www.w3.org/2000/svg}"
CPUS = sorted(os.sched_getaffinity(0))
CYCLES = Path("/sys/bus/event_source/devices/cpu").exists() and not VM
SOURCES = ["cpu-clock", *(["cycles"] if CYCLES else [])]


def watch(work_args, *tool_args, pin=(), name="burn", **kwargs):
    """Runs a workload under `profile -p` of it; returns the ended tool and what the workload printed."""
    with Workload(name, *work_args, **kwargs) as work:
        if pin:
            os.sched_setaffinity(work.pid, pin)
        with Tool("profile", "-p", work.pid, *tool_args) as tool:
            done = work.run()
    assert tool.status == 0, tool.said
    return tool, done, work


def names(frames):
    """The functions of a JSON stack."""
    return [frame["function"] for frame in frames]


def self_counts(stacks):
    """Samples by the function of the leaf of the user stack: whoever was interrupted there."""
    counts = Counter()
    for stack in stacks:
        counts[names(stack["user"])[0] if stack["user"] else None] += stack["count"]
    return counts


@pytest.mark.parametrize("source", SOURCES)
def test_shares(source):
    """70 % and 30 % of the time are 70 % and 30 % of the samples, within the error of sampling."""
    tool, (done,), _ = watch([SECONDS * 1000], "-F", 199, "-j", "--source", source)
    counts = self_counts(tool.json)
    seventy, thirty = counts["burn_seventy"], counts["burn_thirty"]
    both = seventy + thirty
    share = done["seventy_ns"] / (done["seventy_ns"] + done["thirty_ns"])
    assert (0.5 if VM else 0.6) < share < (0.9 if VM else 0.8), "the workload did not do what it says"
    assert both > 199 * SECONDS / (20 if VM else 5)
    assert abs(seventy / both - share) < 4.5 * math.sqrt(share * (1 - share) / both) + 0.005, (counts, share)
    assert both >= 0.95 * sum(counts.values()), counts
    assert sum(counts.values()) == tool.summary["events"] == tool.summary["taken"]
    assert tool.summary["lost"] == tool.summary["skipped"] <= 0.05 * tool.summary["ticks"]


def test_number_of_samples():
    """On a busy machine there are frequency * CPUs * time samples, within 2 %."""
    online = os.sysconf("SC_NPROCESSORS_ONLN")
    with Workload("burn", (SECONDS + 4) * 1000, online) as work:
        work.start()
        time.sleep(0.5)
        with Tool("profile", "-p", work.pid, "-I", "-F", 99, "-j", "--source", "cpu-clock", SECONDS) as tool:
            tool.wait(SECONDS * 2)
    due = 99 * online * SECONDS
    assert tool.summary["cpus"] == online and tool.summary["lost"] == tool.summary["skipped"]
    assert abs(tool.summary["cpu_time_ns"] - online * SECONDS * 1e9) < 0.02 * online * SECONDS * 1e9 or VM
    if VM:  # under emulation the host has the guest wait, and the clock goes on: the tool says so itself
        due = 99 * tool.summary["cpu_time_ns"] / 1e9
        if tool.summary["ticks"] < 0.9 * due:
            assert "of the samples that were due" in tool.said
            pytest.skip("vm-ok: the host did not let the guest run all the time, and the tool says so")
        assert tool.summary["ticks"] < 1.02 * due
    else:
        assert abs(tool.summary["ticks"] - due) <= 0.02 * due, (tool.summary, due)


@pytest.mark.skipif(not CYCLES, reason="vm-ok: no counter of cycles here")
def test_number_of_samples_by_cycles():
    """A sample stands for `period` cycles of those that the CPUs counted themselves, within 2 %; their frequency is
    not always that at the start."""
    counters = [perf_event.count_cycles(cpu) for cpu in CPUS]
    with Workload("burn", (SECONDS + 4) * 1000, len(CPUS)) as work:
        work.start()
        time.sleep(0.5)
        with Tool("profile", "-p", work.pid, "-I", "-F", 99, "-j", "--source", "cycles", SECONDS) as tool:
            before, since = perf_event.cycles(counters), time.monotonic()
            tool.wait(SECONDS * 2)
            cycles, seconds = perf_event.cycles(counters) - before, time.monotonic() - since
    for fd in counters:
        os.close(fd)
    due = cycles / seconds * tool.summary["cpu_time_ns"] / 1e9 / len(CPUS) / tool.summary["period"]
    assert abs(tool.summary["ticks"] - due) <= 0.02 * due, (tool.summary, due)
    assert abs(due - 99 * len(CPUS) * SECONDS) < 0.25 * due, "the frequency at the start is not a busy CPU's"


def test_cpu_time_of_a_process():
    """By the CPU clock, samples over frequency is CPU time."""
    tool, (done,), _ = watch([SECONDS * 1000, 2], "-F", 199, "-j", "--source", "cpu-clock")
    due = 199 * (done["seventy_ns"] + done["thirty_ns"]) / 1e9
    if VM:  # where the host has the guest wait, ticks are missing, of all processes alike
        due *= tool.summary["ticks"] / (199 * tool.summary["cpu_time_ns"] / 1e9)
    assert abs(tool.summary["events"] - due) < (0.2 if VM else 0.05) * due + 4 * math.sqrt(due), (tool.summary, due)


def test_samples_in_bpf_calls():
    """The kernel runs no sample's program while the CPU is inside bpf(2): what is missing is counted, and the reason
    said."""
    tool, (done,), _ = watch([SECONDS * 1000], "-F", 199, "-j", "--source", "cpu-clock", name="mapreads")
    s, due = tool.summary, 199 * done["cpu_ns"] / 1e9
    if VM:
        due *= (s["ticks"] + s["skipped"]) / (199 * s["cpu_time_ns"] / 1e9)
    assert s["skipped"] > (0.01 if VM else 0.1) * due, (s, due)     # emulated, most is spent elsewhere
    assert s["lost"] == s["skipped"]
    assert s["events"] + s["lost"] > 0.9 * due - 4 * math.sqrt(due), (s, due)
    said = re.search(r"^profile: lost (\d+) samples of all processes \(\d+ %\): .* inside bpf\(2\)", tool.err, re.M)
    if s["skipped"] * 10 > s["ticks"] + s["skipped"]:
        assert said and int(said[1]) == s["skipped"], tool.said
    assert "of the samples that were due came" not in tool.err or s["late"], tool.said


@pytest.mark.any_kernel
def test_listing():
    """As BCC prints it: frames, leaf first, the process, the count; the hottest last."""
    tool, _, work = watch([2000], "-F", 99)
    stacks = tool.out.split("\n\n")
    assert stacks.pop() == ""
    counts = []
    for stack in stacks:
        *frames, process, count = stack.split("\n")
        assert all(re.fullmatch(r"    \S.*", frame) for frame in frames)
        assert process == f"    -                burn ({work.pid})"
        counts.append(int(re.fullmatch(r"        (\d+)", count)[1]))
    assert counts == sorted(counts)
    assert [f.strip() for f in stacks[-1].split("\n")[:3]] == ["burn_seventy", "burn_loop", "burn_deep"]


@pytest.mark.any_kernel
def test_folded():
    """-f: root first, one line a stack; -a marks the kernel's, -d the border between both."""
    tool, _, _ = watch([1500], "-f", "-a", "-d", "-F", 999, name="burn")
    total = 0
    for line in tool.lines:
        stack, count = line.rsplit(" ", 1)
        comm, *frames = stack.split(";")
        assert comm == "burn"
        total += int(count)
        kernel = [frame.endswith("_[k]") for frame in frames]
        assert kernel == sorted(kernel), line   # user frames are nearer to the root
        if any(kernel) and not all(kernel):
            assert frames[kernel.index(True) - 1] == "-", line
    assert total > 100 or VM
    assert any(";burn_deep;burn_loop;burn_seventy " in line for line in tool.lines)


def test_one_stack_only():
    """-U and -K leave the other one out, and give the same processes."""
    user, _, _ = watch([1500, 2], "-U", "-j", "-F", 499)
    assert user.json and not any(stack["kernel"] for stack in user.json)
    none = sum(stack["count"] for stack in user.json if not stack["user"])   # while it exits
    assert none <= 0.02 * user.summary["events"]
    kernel, _, _ = watch([1500, 2], "-K", "-j", "-F", 499)
    assert kernel.json and not any(stack["user"] for stack in kernel.json)
    assert kernel.summary["events"] > 0


def test_top():
    """--top: self and total per cent, samples, function, module; sums are right."""
    tool, _, _ = watch([3000], "--top", "-F", 199)
    assert tool.lines[0].split() == ["SELF%", "TOTAL%", "SAMPLES", "FUNCTION", "MODULE"]
    assert tool.lines[1].split()[3:] == ["burn_seventy", "burn"]
    rows = {line.split()[3]: line.split() for line in tool.lines[1:]}
    # in emulation starting, ending and reading the clock are a good part of it
    assert float(rows["burn_loop"][1]) > (70 if VM else 95) and float(rows["burn_loop"][0]) < (15 if VM else 5)
    assert max(map(len, tool.lines)) <= 80
    tool, _, _ = watch([1500], "--top", "-j", "-F", 199)
    assert {o["type"] for o in tool.json} == {"function"}
    assert sum(o["self"] for o in tool.json) == tool.summary["events"]
    assert tool.json == sorted(tool.json, key=lambda o: -o["self"])
    assert all(o["total"] >= o["self"] for o in tool.json)


def test_one_cpu():
    """-C: samples of that CPU and no other."""
    need(len(CPUS) > 1, "one CPU only")
    with Workload("burn", 4000) as other:   # by cycles, an idle CPU has no samples
        os.sched_setaffinity(other.pid, [CPUS[1]])
        other.start()
        tool, _, _ = watch([1500], "-C", CPUS[1], "-j", pin=[CPUS[0]])
    assert tool.json == [] and tool.summary["cpus"] == 1 and tool.summary["ticks"] > 0
    tool, _, _ = watch([1500], "-C", CPUS[0], "-j", pin=[CPUS[0]])
    assert tool.summary["events"] > 0
    done = run_tool("profile", "-C", 9999, 1)
    assert done.returncode == USAGE and "CPU 9999 is not online" in one_line(done.stderr)


@pytest.mark.skipif(not VM, reason="the idle CPUs of this machine are not ours to have")
def test_idle():
    """A CPU with nothing to do has samples with -I only; they are counted all the same."""
    for args, idle in ([["-I"], True], [[], False]):
        done = run_tool("profile", "-j", *args, 2)
        assert done.returncode == 0
        assert any('"comm":"swapper/' in line for line in done.stdout.splitlines()) == idle


def test_process_that_ended(place):
    """Names are known of a process that has ended, and whose program is gone."""
    with Workload("burn", 700, comm="gone", directory=place) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199) as tool:
            work.start()
            time.sleep(0.2)
            (place / "gone").unlink()
            work.finish()
            time.sleep(0.3)
    assert self_counts(tool.json)["burn_seventy"] > 0.4 * tool.summary["events"] > 0
    assert {stack["comm"] for stack in tool.json} == {"gone"}


def test_stack_without_end():
    """A stack deeper than the kernel walks is counted, and says at its root that it is cut."""
    tool, _, _ = watch([1000, 1, 300], "-j", "-F", 199)
    deep = [stack for stack in tool.json if "burn_deep" in names(stack["user"])]
    assert deep and all(names(stack["user"])[-1] == "[truncated]" for stack in deep)
    assert all(len(stack["user"]) == 128 for stack in deep)
    assert tool.summary["truncated"] >= sum(stack["count"] for stack in deep)
    assert "perf_event_max_stack" in tool.said


def test_table_that_is_full():
    """What has no room is counted, and said."""
    tool, _, _ = watch([1500], "--stack-storage-size", 1, "-j", "-F", 499)
    left_out = tool.summary["stacks_left_out"]
    assert tool.summary["taken"] == tool.summary["events"] + left_out
    assert len(tool.json) == 1 and left_out > 0
    assert tool.summary["lost"] == left_out + tool.summary["skipped"]
    assert f"{left_out} samples are not in these stacks" in tool.said


@pytest.mark.parametrize("program, remedy", [("java", "'jcmd {} Compiler.perfmap' names them"),
                                             ("node", "node with --perf-basic-prof names them"), ("other", None)])
def test_code_without_names(program, remedy, place):
    """What a compiler made and wrote no map of is said, once, and what would name it."""
    with Workload("jitburn", 1500, comm=program, directory=place) as work:
        Path(f"/tmp/perf-{work.pid}.map").unlink()
        with Tool("profile", "-p", work.pid, "-F", 199) as tool:
            work.start()
            time.sleep(1)
    said = re.findall(r"profile: most samples of (.*) are code without names: (.*)", tool.said)
    assert [who for who, _ in said] == [f"{program} ({work.pid})"], tool.said
    assert said[0][1] == remedy.format(work.pid) if remedy else f"/tmp/perf-{work.pid}.map" in said[0][1]


@pytest.fixture(name="hostile")
def hostile_fixture(place):
    """Starts jitburn and runs profile on it with some arguments."""
    def run(*args):
        with Workload("jitburn", 1500) as work:
            with Tool("profile", "-p", work.pid, "-F", 199, *args) as tool:
                work.start()
                time.sleep(1.5)
            work.finish()
        assert tool.status == 0, tool.said
        return tool, place
    return run


@pytest.mark.any_kernel
def test_hostile_names(hostile, place):
    """Names that others chose: nothing of a terminal's, of XML's or of a folded line's in them is obeyed."""
    for args in ([], ["-f"], ["--top"]):
        tool, _ = hostile(*args)
        assert "<script>alert(1)" in tool.out and not CONTROL.search(tool.out), tool.out
    tool, _ = hostile("-f")
    assert "</script>:a]]>" in tool.out and "</script>;" not in tool.out, "the name makes frames of its own"
    tool, _ = hostile("-j")
    functions = {name for stack in tool.json for name in names(stack["user"])}
    assert any(name and name.startswith("</title><script>alert(1)</script>;a]]>&\x1b]0;x\x07") for name in functions)
    modules = {f["module"] for stack in tool.json for f in stack["user"] if f["function"] and "alert" in f["function"]}
    assert modules == {"[jit]"}
    tool, _ = hostile("--svg", place / "h.svg")
    assert tool.out == ""
    tree = ElementTree.parse(place / "h.svg").getroot()
    assert len(list(tree.iter(f"{SVG}script"))) == 1
    assert any("<script>alert(1)</script>" in title.text for title in tree.iter(f"{SVG}title"))


@pytest.mark.any_kernel
def test_svg(place):
    """A flame graph is XML, without a reference to elsewhere, and its widths are the counts'."""
    tool, _, _ = watch([3000], "--svg", place / "f.svg", "-j", "-F", 199)
    text = (place / "f.svg").read_text(encoding="utf-8")
    tree = ElementTree.fromstring(text)
    assert not re.search(r"(https?:|href|url\()", text.replace("http://www.w3.org/2000/svg", "").replace(
        "http://www.w3.org/1999/xhtml", ""))
    frames = {}
    for group in tree.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None:
            frames.setdefault(title.text.rsplit(" (", 1)[0], []).append((int(group.get("data-n")), group))
    whole = frames["all"][0][0]
    assert whole == tool.summary["events"]
    seventy = sum(s["count"] for s in tool.json if "burn_seventy" in names(s["user"]))
    assert sum(n for n, _ in frames["burn_seventy"]) == seventy
    for n, group in frames["burn_seventy"]:
        assert abs(float(group.find(f"{SVG}rect").get("width")) - 1180 * n / whole) <= 0.1


FIND = """(function () {
    var g = Array.from(document.querySelectorAll("#frames > g")).filter(g => g.frame.name === NAME && g.frame.shown)[0];
    var r = g && g.querySelector("rect").getBoundingClientRect();
    return g ? [r.x, r.width, r.x + r.width / 2, r.y + r.height / 2] : null;
})()"""


@pytest.mark.skipif(bool(VM), reason="vm-ok: a browser looks the same there, after minutes")
def test_flame_graph_in_a_browser(place):
    """What a user does with it: click to zoom, Escape to go back, search, walk by the arrow keys."""
    need(browser.PROGRAM, f"no chromium: the package {packages.of_program('chromium')} has it")
    watch([3000, 1, 4], "--svg", place / "f.svg", "-U", "-F", 199)
    with browser.Browser(place / "f.svg") as page:
        find = lambda name: page.eval(FIND.replace("NAME", json.dumps(name)))
        text = lambda name: page.eval(f"document.getElementById('{name}').textContent")
        whole, seventy, thirty = find("all"), find("burn_seventy"), find("burn_thirty")
        assert whole[:2] == pytest.approx([10, 1180], abs=0.2)
        assert seventy[1] > thirty[1] > 0.15 * whole[1]
        page.click(*seventy[2:])
        assert find("burn_seventy")[:2] == pytest.approx([10, 1180], abs=0.2), "it does not fill the width"
        assert find("burn_loop")[1] == pytest.approx(1180, abs=0.2) and find("burn_thirty") is None
        assert text("details").startswith("burn_seventy (")
        page.press("ArrowDown")
        assert text("details").startswith("burn_loop (")
        page.press("Escape")
        assert find("burn_seventy") == pytest.approx(seventy, abs=0.2)
        page.press("/", "/")
        page.type("burn_(thirty|x)")
        assert float(text("matched").split()[1]) == pytest.approx(100 * thirty[1] / whole[1], abs=0.05)
        assert page.eval("document.querySelectorAll('.hit').length") == 1
        page.press("Escape")
        assert text("matched") == "" and page.eval("document.querySelectorAll('.hit').length") == 0
        page.screenshot(place / "f.png")
        assert (place / "f.png").stat().st_size > 10000
        assert page.errors == []


@pytest.mark.any_kernel
def test_svg_that_cannot_be_written(place):
    """Said before anything is sampled."""
    done = run_tool("profile", "--svg", place / "no" / "f.svg", 1)
    assert done.returncode == FAILED and str(place / "no" / "f.svg") in one_line(done.stderr)


@pytest.mark.any_kernel
def test_svg_where_others_write(place):
    """A link that another user has put there is not followed, and a file of his does not become the graph's."""
    (place / "shared").mkdir()
    (place / "shared").chmod(0o1777)
    victim, link, own = place / "victim", place / "shared" / "link.svg", place / "shared" / "own.svg"
    victim.write_text("precious")
    link.symlink_to(victim)
    own.write_text("")
    for path in (link, own):
        os.chown(path, 54321, 54321, follow_symlinks=False)
    done = run_tool("profile", "--svg", link, 1)
    assert done.returncode == FAILED and "another user" in one_line(done.stderr)
    assert victim.read_text() == "precious" and link.is_symlink()
    watch([1000], "--svg", own)
    assert own.stat().st_uid == 0 and "<svg" in own.read_text(encoding="utf-8")
    assert {path.name for path in own.parent.iterdir()} == {"link.svg", "own.svg"}


@pytest.mark.any_kernel
def test_combinations():
    """What does not go together: status 2, one line."""
    for args in (["-U", "-K"], ["-f", "--top"], ["-f", "-j"], ["-F", "99", "-c", "100000"]):
        done = run_tool("profile", *args, 1)
        assert done.returncode == USAGE, args
        one_line(done.stderr)


@pytest.mark.parametrize("args", [["-F", 10001], ["-F", 0], ["-F", 1000000], ["-c", 99999], ["-c", 1],
                                  ["-c", 499999, "--source", "cycles"]])
def test_rates_that_would_stop_the_machine(args):
    """At 100,000 samples a second, which the kernel would take, nothing else runs: refused before anything is set up."""
    done = run_tool("profile", *args, "-p", 1, 1)
    assert done.returncode == USAGE and done.stdout == ""
    assert str(args[1]) in one_line(done.stderr)


@pytest.mark.skipif(not VM, reason="the limits of this machine are not ours to change")
def test_more_than_the_kernel_takes():
    """Above the kernel's own limit: the line names it, and where it is set."""
    limit = Path("/proc/sys/kernel/perf_event_max_sample_rate")
    before = limit.read_text(encoding="ascii")
    limit.write_text("500", encoding="ascii")
    try:
        done = run_tool("profile", "-F", 999, "-p", 1, 1)
        assert done.returncode == USAGE
        assert "at most 500" in one_line(done.stderr) and "perf_event_max_sample_rate" in done.stderr
        assert run_tool("profile", "-F", 499, "-p", 1, 1).returncode == 0
    finally:
        limit.write_text(before, encoding="ascii")


def begins(frames):
    """Whether a user stack goes back to where libc begins a program or a thread."""
    root, before = names(frames)[-1], names(frames)[-2:][0]
    return before == "main" if root is None else root in ("main", "_start", "__libc_start_call_main", "start_thread")


def test_stacks_that_are_cut():
    """Where most user stacks have a frame or two, a note says so, and of which module."""
    with subprocess.Popen([sys.executable, "-c", "while True: sorted(range(1000), key=str)"]) as process:
        try:
            time.sleep(0.3)
            with Tool("profile", "-p", process.pid, "-j", "-F", 199) as tool:
                time.sleep(2)
        finally:
            process.kill()
    cut, user = tool.summary["user_stacks_cut"], tool.summary["user_stacks"]
    short = sum(s["count"] for s in tool.json if 0 < len(s["user"]) <= 2 and not begins(s["user"]))
    assert cut == short and user == sum(s["count"] for s in tool.json if s["user"])
    assert ("at most two frames" in tool.said) == (user >= 20 and cut >= 0.2 * user)


# --- CPUs that come and go ---


def online(cpu, value):
    """Switches a CPU on or off."""
    Path(f"/sys/devices/system/cpu/cpu{cpu}/online").write_text(str(value), encoding="ascii")


@pytest.mark.skipif(not VM, reason="CPUs are switched off and on in a VM only")
def test_cpu_that_comes_online():
    """A CPU that comes online while profile runs is sampled, also when it was away only for a moment."""
    online(1, 0)
    try:
        with Workload("burn", 12000, 2) as work:
            work.start()
            with Tool("profile", "-p", work.pid, "-F", 99, "-j") as tool:
                time.sleep(1)
                online(1, 1)
                time.sleep(3)
                online(1, 0)    # the event of a CPU that goes is gone, even if it is back at once
                online(1, 1)
                time.sleep(3)
    finally:
        online(1, 1)
    assert tool.status == 0, tool.said
    assert tool.said.count("CPU 1 came online") == 2, tool.said
    assert tool.summary["cpus"] == 2
    # CPU 0 for 7 s, CPU 1 for 6 s: sampling CPU 0 alone, or CPU 1 only the first time, would be less
    assert tool.summary["cpu_time_ns"] > 1.6 * 7e9


# --- against perf ---


def perf_self(data):
    """Percent of `perf report` by module and function; what has no name is one function of its module, None."""
    text = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "-F",
                           "overhead,dso,sym", "-t", "|", "--no-demangle"], capture_output=True, text=True, check=True).stdout
    shares = Counter()
    for percent, module, name in re.findall(r"^\s*([\d.]+)%\s*\|(\S+)\s*\|\[[.k]\] (\S+)", text, re.M):
        module = "[kernel]" if module.startswith("[kernel") else module
        shares[module, None if name.startswith("0x") else one_of_aliases(name)] += float(percent)
    return shares


def one_of_aliases(name):
    """memcpy and memmove are one function with two names."""
    return name and name.replace("memcpy", "memmove")


GO = """package main

import "os"

//go:noinline
func hotFunction(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s += i ^ n
	}
	return s
}

func main() {
	for len(os.Args) == 1 {
		hotFunction(1000000)
	}
}
"""


@pytest.mark.skipif(bool(VM), reason="vm-ok: there is no Go compiler there, and a file is read the same way")
@pytest.mark.parametrize("mode", ["exe", "pie"])
def test_stripped_go(mode, place):
    """A Go program without symbols has the names of its functions."""
    need_program("go")
    (place / "burn.go").write_text(GO)
    go = {**os.environ, "HOME": str(place), "GOCACHE": str(place / "cache"), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", f"-buildmode={mode}", "-ldflags=-s -w", "-o", place / "burn", place / "burn.go"],
                   env=go, check=True)
    with subprocess.Popen([place / "burn"]) as process:
        try:
            with Tool("profile", "-p", process.pid, "--top", "-j", "-F", 99, 2) as tool:
                tool.wait(30)
        finally:
            process.kill()
    assert tool.status == 0, tool.said
    first, total = tool.json[0], tool.summary["events"]
    assert total > 20
    assert (first["function"], first["module"]) == ("main.hotFunction", "burn")
    assert first["self"] > 0.8 * total
    counts = {row["function"]: row["total"] for row in tool.json}
    # a function that calls none has no frame: its caller is skipped
    assert counts["runtime.main"] > 0.8 * total and counts["runtime.goexit"] > 0.8 * total, counts


PROGRAMS = {
    "python3": ["/usr/bin/python3", "-c", "import json\nwhile True: json.dumps([{'a': i} for i in range(999)])"],
    "openssl": ["openssl", "speed", "-seconds", "60", "-bytes", "64", "-evp", "aes-128-ctr"],
    "sqlite3": ["sqlite3", ":memory:", "with recursive n(i) as (select 1 union all select i + 1 from n)"
                " select count(distinct i % 1000), sum(length(printf('%d %s', i, hex(i)))) from n limit 1"],
    "gzip": ["sh", "-c", "exec gzip -c </dev/urandom >/dev/null"],
}


@pytest.mark.skipif(bool(VM), reason="vm-ok: a perf that fits each of these kernels is not installed")
@pytest.mark.parametrize("program", PROGRAMS)
def test_agrees_with_perf(program, place):
    """The five hottest functions of a real program are perf's, with perf's shares."""
    need_program("perf")
    need_program(program)
    data = place / "perf.data"
    with subprocess.Popen(PROGRAMS[program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            time.sleep(0.5)
            assert process.poll() is None, "the program has ended by itself"
            with Tool("profile", "-p", process.pid, "--top", "-j", "-F", 499,
                      "--source", "cpu-clock") as tool:
                # perf's cycles by frequency can stop a virtual machine (event_open() in libcommon/kernel/perf.c)
                record = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-o", data, "-p",
                                         str(process.pid), "--", "sleep", str(SECONDS)], capture_output=True,
                                        text=True, check=False)
        finally:
            process.kill()
    need(record.returncode == 0, f"perf record: {record.stderr}")
    assert tool.status == 0, tool.said
    theirs, total = perf_self(data), tool.summary["events"]
    assert total > 499 * SECONDS / 5
    for row in tool.json[:5]:
        ours = 100 * row["self"] / total
        error = 100 * 4.5 * math.sqrt(2 * ours / 100 * (1 - ours / 100) / total) + 0.5
        name = row["module"], one_of_aliases(row["function"])
        assert abs(ours - theirs[name]) < error, (name, ours, theirs)
