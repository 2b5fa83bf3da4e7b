# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""execsnoop's options: filters, columns, and what bounds the arguments."""

import contextlib
import re
import time

import pytest

from bpf_stats import Programs
from harness import Tool, Workload, patience
from machine import OWN_COMM, OWN_UID
from snoop import N, arguments, watch_execs
from suite import HEADERS

LEAST_BYTES = 4096              # of arguments that are shown uncut at the default settings
MOST_VERIFIED = 25000           # instructions of a program: the verifier follows some 800 in a millisecond
MAX_BYTES = 64                  # the least that --max-bytes takes


@pytest.mark.parametrize("way", ["self", "selfthread"])
@pytest.mark.parametrize("option", ["-p", "--tid"])
def test_filter_by_id(option, way, place, cgroup):
    """An exec in place, also by a thread that is not the leader: the id is the process's."""
    with Workload("execs", way, 1, place, cgroup=cgroup) as work, \
            Workload("execs", way, 1, place, "other", cgroup=cgroup) as other:
        with Tool("execsnoop", option, work.pid, "--json") as tool:
            other.run()
            work.run()
    assert [(row["pid"], row["tid"], row["comm"]) for row in tool.json] == [(work.pid, work.pid, "tiny")]


@pytest.mark.parametrize("option", ["--uid", "-u", "--comm", "-n", "-l", "--cgroup"])
def test_filter(option, open_place, cgroup, other_cgroup):
    """Each filter shows one of two workloads, all of it and nothing else."""
    value = {"--uid": OWN_UID, "-u": OWN_UID, "--comm": OWN_COMM, "-n": f"^{OWN_COMM[:-1]}.$",
             "-l": f"{open_place}/{OWN_COMM}", "--cgroup": cgroup.path}[option]
    user = {"uid": OWN_UID, "directory": open_place} if option in ("--uid", "-u") else {}
    with Workload("execs", "spawn", N, open_place, OWN_COMM, cgroup=cgroup, **user) as work, \
            Workload("execs", "spawn", 7, open_place, "other", cgroup=other_cgroup) as other:
        with Tool("execsnoop", option, value, "--json") as tool:
            other.run()
            done = work.run()
    assert [row["pid"] for row in tool.json] == [line["pid"] for line in done]
    assert {row["uid"] for row in tool.json} == {OWN_UID if user else 0}
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("regex, numbers", [("/tiny 3 two words", [3]), ("^two words$", range(N)), ("^tiny", []),
                                            ("/tiny [0-9]$", [])])
def test_line(regex, numbers, place, cgroup):
    """-l: a regular expression for the line as ARGS shows it, as with BCC, or for one argument of it."""
    with Workload("execs", "spawn", N, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, "-l", regex, "--json") as tool:
            work.run()
    assert [row["args"][1] for row in tool.json] == list(map(str, numbers))


def test_filter_by_parent(place, cgroup):
    """-P: children of this process only, those whose exec fails and those whose thread calls it, too."""
    with contextlib.ExitStack() as stack:
        failing, threads, _, _ = works = [stack.enter_context(Workload("execs", way, 7, place, cgroup=cgroup))
                                          for way in ("noent", "thread", "noent", "spawn")]
        tools = [stack.enter_context(Tool("execsnoop", "-x", "-P", failing.pid, "--json")),
                 stack.enter_context(Tool("execsnoop", "--ppid", threads.pid, "--json"))]
        done = [work.run() for work in works]
    for tool, lines in zip(tools, done):
        assert [(row["pid"], row["ppid"], row["errno"]) for row in tool.json] == \
            [(line["pid"], line["ppid"], line["errno"]) for line in lines]
        assert (tool.summary["events"], tool.summary["lost"]) == (7, 0)


@pytest.mark.parametrize("args", [("--comm", "no-such-comm"), ("--uid", str(OWN_UID)), ("--cgroup", "CGROUP")])
def test_filter_that_matches_nothing(args, place, cgroup, other_cgroup):
    """Nothing but the header, with failing execs too."""
    args = [other_cgroup.path if arg == "CGROUP" else arg for arg in args]
    with Workload("execs", "spawn", N, place, cgroup=cgroup) as work, \
            Workload("execs", "noent", N, place, cgroup=cgroup) as failing:
        with Tool("execsnoop", "-x", *args) as tool:
            work.run()
            failing.run()
    assert tool.status == 0
    assert [line.split() for line in tool.lines] == [HEADERS["execsnoop"]]


@pytest.mark.parametrize("way", ["many", "spawn"])
def test_max_args(way, place, cgroup):
    """--max-args N cuts, visibly in text and in JSON, what has more than N arguments, and nothing else."""
    with Workload("execs", way, 3, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--max-args", "4", "--cgroup", cgroup.path) as text, \
                Tool("execsnoop", "--max-args", "4", "--cgroup", cgroup.path, "--json") as json:
            work.run()
    cut = way == "many"
    assert [row["ARGS"].rstrip().endswith("...") for row in text.rows] == [cut] * 3
    assert [row.get("args_truncated", False) for row in json.json] == [cut] * 3
    for number, row in enumerate(json.json):
        whole = [f"{place}/tiny", "0", "1", "2", "3"] if cut else arguments(place, number)
        assert row["args"] in (whole[:4], whole[:5])    # BCC does not count the program's name


@pytest.mark.parametrize("way, name", [("spawn", "tiny"), ("noent", "missing")])
def test_max_bytes(way, name, place, cgroup):
    """--max-bytes: arguments of exactly so many bytes, with the NULs, are whole; what is longer is visibly cut."""
    program = f"{place}/{name}"
    exact = MAX_BYTES - len(program) - 2
    sizes = (exact - 1, exact, exact + 1, 200)
    args = ["-x", "--cgroup", cgroup.path, "--max-bytes", MAX_BYTES]
    with Tool("execsnoop", *args) as text, Tool("execsnoop", *args, "--json") as json:
        for size in sizes:
            with Workload("execs", way, 1, place, "tiny", size) as work:
                (cgroup.path / "cgroup.procs").write_text(str(work.pid))
                work.run()
    for size, row, shown in zip(sizes, json.json, text.rows, strict=True):
        cut = size > exact
        assert row.get("args_truncated", False) == cut and not row.get("args_unread", False)
        assert "\0".join(row["args"]) == "\0".join([program, "x" * size])[:MAX_BYTES if cut else None]
        assert shown["ARGS"] == " ".join([*row["args"], *(["..."] if cut else [])])


@pytest.mark.parametrize("option, title", [("-T", "TIME"), ("-t", "TIME(s)")])
def test_time_columns(option, title, place, cgroup):
    """-T is the time of day; -t counts seconds from the first row on."""
    with Workload("execs", "spawn", 1, place, cgroup=cgroup) as first, \
            Workload("execs", "spawn", 2, place, cgroup=cgroup) as second:
        with Tool("execsnoop", option, "--cgroup", cgroup.path) as tool:
            first.run()
            before = time.monotonic()
            time.sleep(1.2)
            slept = time.monotonic() - before
            second.run()
    assert tool.header == [title, *HEADERS["execsnoop"]]
    shown = [row[title] for row in tool.rows]
    assert len(shown) == 3
    if option == "-t":
        assert float(shown[0]) == 0 and slept <= float(shown[1]) <= float(shown[2]) < patience(10)
    else:
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d", text) for text in shown) and shown[0] != shown[1]


def test_all_columns(place, cgroup):
    """The additional columns stand together, before the others; UID is right."""
    tool, _ = watch_execs(["-T", "-t", "-U"], ["spawn", 3, place], cgroup)
    assert tool.header == ["TIME", "TIME(s)", "UID", *HEADERS["execsnoop"]]
    assert [row["UID"] for row in tool.rows] == ["0"] * 3


def test_quoted(place, cgroup):
    """-q puts each argument in quotation marks."""
    tool, _ = watch_execs(["-q"], ["spawn", 1, place], cgroup)
    assert [row["ARGS"] for row in tool.rows] == [" ".join(f'"{arg}"' for arg in arguments(place, 0))]


def test_many_arguments(place, cgroup):
    """200 arguments: all of them."""
    tool, _ = watch_execs(["--json", "--max-args", "300"], ["many", 3, place], cgroup)
    assert [row["args"] for row in tool.json] == [[f"{place}/tiny", *map(str, range(200))]] * 3
    assert not any("args_truncated" in row for row in tool.json)


def test_long_arguments(place, cgroup):
    """9000 bytes of arguments: at least the first 4 KiB, right to the byte, and visibly cut where cut."""
    with Workload("execs", "long", 3, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path) as text, \
                Tool("execsnoop", "--cgroup", cgroup.path, "--json") as json:
            work.run()
    whole = "\0".join([f"{place}/tiny", "a" * 3000, "b" * 3000, "c" * 3000]) + "\0"
    for row, shown in zip(json.json, text.rows, strict=True):
        args = "\0".join(row["args"])
        assert whole.startswith(args)
        assert len(args) >= LEAST_BYTES - 1 - len("...")
        assert row.get("args_truncated", False) == (len(args) + 1 < len(whole))
        assert shown["ARGS"].endswith("...") == row.get("args_truncated", False)
        assert "BORESCOPE" not in args
    assert len(json.json) == 3


def test_start_is_cheap(cgroup):
    """What the verifier follows for -x is most of what its start costs, and it is to follow the loop over the
    arguments once, whichever call it was and by whom."""
    with Tool("execsnoop", "-x", "--cgroup", cgroup.path) as tool, Programs(tool.process.pid) as programs:
        verified = programs.verified()
    if not verified:
        pytest.skip("vm-ok: the verifier tells its work from Linux 5.16 on")
    assert max(verified) < MOST_VERIFIED
