# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""execsnoop against workloads that print what it must report."""

import contextlib
import errno

import pytest

from harness import CONTROL, HEAD_KEYS, HEADERS, VM, Tool, Workload, assert_sorted_times, complaints

N = 23
UID = 54321
WAYS = ("spawn", "execveat", "fexecve", "thread", "compat", "untouched")
FAILURES = {"noent": errno.ENOENT, "acces": errno.EACCES, "noentat": errno.ENOENT}
MANY = 1_000 if VM else 10_000
UNREAD = "args_unread"          # the JSON key that says so
LEAST_BYTES = 4096              # of arguments that are shown uncut at the default settings


def arguments(place, number, name="tiny"):
    """The arguments of the workload's exec with this number."""
    return [f"{place}/{name}", str(number), "two words", ""]


def watched(tool_args, workload_args, cgroup):
    """Runs `execs` under execsnoop in a cgroup of its own; returns the ended tool and what `execs` printed."""
    with Workload("execs", *workload_args, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, *tool_args) as tool:
            done = work.run()
    assert tool.status == 0, tool.said
    return tool, done


@pytest.mark.parametrize("way", WAYS)
def test_exact_rows(way, place, cgroup):
    """23 execs by each way: exactly these rows with these values."""
    tool, done = watched(["--json"], [way, N, place], cgroup)
    assert [line["errno"] for line in done] == [0] * N
    for number, (row, line) in enumerate(zip(tool.json, done, strict=True)):
        expected = {"pid": line["pid"], "tid": line["pid"], "ppid": line["ppid"], "uid": 0, "ret": 0, "errno": 0,
                    "args": arguments(place, number)}
        assert {key: row[key] for key in expected} == expected
        assert not {"error", "args_truncated", UNREAD} & row.keys()
        assert row["comm"] == "tiny" or way == "fexecve"        # before 6.14 the number of the fd
        assert HEAD_KEYS <= row.keys()
    assert_sorted_times(tool.json)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


def test_text_says_the_same(place, cgroup):
    """The default table has the columns of BCC's man page and the same rows as JSON."""
    with Workload("execs", "spawn", N, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path) as text, \
                Tool("execsnoop", "--cgroup", cgroup.id, "--json") as json:
            done = work.run()
    assert text.header == HEADERS["execsnoop"]
    assert [(row["PCOMM"], int(row["PID"]), int(row["PPID"]), row["RET"], row["ARGS"].rstrip()) for row in text.rows] \
        == [("tiny", line["pid"], line["ppid"], "0", " ".join(arguments(place, number)).rstrip())
            for number, line in enumerate(done)]
    assert [row["args"] for row in json.json] == [arguments(place, number) for number in range(N)]
    assert [row["pid"] for row in json.json] == [line["pid"] for line in done]


def test_header_says_ready(place, cgroup):
    """Without -v the header is the sign that all is attached, and stderr stays empty."""
    with Workload("execs", "spawn", 3, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, verbose=False) as tool:
            work.run()
    assert len(tool.rows) == 3
    assert complaints(tool.err) == ""


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
    value = {"--uid": UID, "-u": UID, "--comm": "chosen", "-n": "chose", "-l": f"{open_place}/chosen",
             "--cgroup": cgroup.path}[option]
    user = {"uid": UID, "directory": open_place} if option in ("--uid", "-u") else {}
    with Workload("execs", "spawn", N, open_place, "chosen", cgroup=cgroup, **user) as work, \
            Workload("execs", "spawn", 7, open_place, "other", cgroup=other_cgroup) as other:
        with Tool("execsnoop", option, value, "--json") as tool:
            other.run()
            done = work.run()
    assert [row["pid"] for row in tool.json] == [line["pid"] for line in done]
    assert {row["uid"] for row in tool.json} == {UID if user else 0}
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


@pytest.mark.parametrize("args", [("--comm", "no-such-comm"), ("--uid", "54322"), ("--cgroup", "CGROUP")])
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


@pytest.mark.parametrize("way", FAILURES)
def test_failed(way, place, cgroup):
    """-x shows execs that fail, with the error; their comm is still the caller's."""
    tool, done = watched(["-x", "--json"], [way, N, place], cgroup)
    error = FAILURES[way]
    assert [line["errno"] for line in done] == [error] * N
    name = "missing" if way == "noent" else "tiny"
    for number, (row, line) in enumerate(zip(tool.json, done, strict=True)):
        expected = {"pid": line["pid"], "tid": line["pid"], "ppid": line["ppid"], "uid": 0, "comm": "execs",
                    "ret": -error, "errno": error, "error": errno.errorcode[error],
                    "args": arguments(place, number, name)}
        assert {key: row[key] for key in expected} == expected


def test_failed_with_arguments_not_in_memory(place, cgroup):
    """A failed exec whose arguments the kernel never read: what is not known is said to be, and not guessed."""
    with Workload("execs", "noentcold", N, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "-x", "--cgroup", cgroup.path) as text, \
                Tool("execsnoop", "-x", "--cgroup", cgroup.path, "--json") as json:
            done = work.run()
    assert [row["pid"] for row in json.json] == [line["pid"] for line in done]
    for number, (row, shown) in enumerate(zip(json.json, text.rows, strict=True)):
        whole = arguments(place, number, "missing")
        unread = row.get(UNREAD, False)
        assert row["args"] == whole[:len(row["args"])] and unread == (len(row["args"]) < len(whole))
        assert shown["ARGS"].rstrip().endswith("?") == unread


def test_failed_and_not(place, cgroup):
    """Without -x the failing ones do not show; with it both do, in order of time."""
    with Workload("execs", "spawn", 3, place, cgroup=cgroup) as good, \
            Workload("execs", "noent", 5, place, cgroup=cgroup) as bad:
        with Tool("execsnoop", "--cgroup", cgroup.path, "--json") as without, \
                Tool("execsnoop", "-x", "--cgroup", cgroup.path, "--json") as both:
            done = good.run() + bad.run()
    assert [row["pid"] for row in without.json] == [line["pid"] for line in done[:3]]
    assert [(row["pid"], row["ret"]) for row in both.json] == [(line["pid"], -line["errno"]) for line in done]
    assert_sorted_times(both.json)


def test_many_arguments(place, cgroup):
    """200 arguments: all of them."""
    tool, _ = watched(["--json", "--max-args", "300"], ["many", 3, place], cgroup)
    assert [row["args"] for row in tool.json] == [[f"{place}/tiny", *map(str, range(200))]] * 3
    assert not any("args_truncated" in row for row in tool.json)


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


def test_columns(place, cgroup):
    """-T, -t and -U add columns; the values are right."""
    tool, _ = watched(["-T", "-t", "-U"], ["spawn", 3, place], cgroup)
    assert {"UID", *HEADERS["execsnoop"]} < set(tool.header) and tool.header[-1] == "ARGS"
    first, second = tool.header[:2]
    assert {row["UID"] for row in tool.rows} == {"0"}
    assert all(row[first].count(":") == 2 for row in tool.rows)
    since = [float(row[second]) for row in tool.rows]
    assert since == sorted(since) and len(since) == 3


def test_quoted(place, cgroup):
    """-q puts each argument in quotation marks."""
    tool, _ = watched(["-q"], ["spawn", 1, place], cgroup)
    assert [row["ARGS"] for row in tool.rows] == [" ".join(f'"{arg}"' for arg in arguments(place, 0))]


def test_every_process_of_a_storm(place, cgroup):
    """Spawned as fast as two threads can: every one is shown or counted as lost."""
    with Workload("execfast", MANY // 2, 2, place / "tiny", cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run(120)[-1]
    assert (done["done"], done["failed"]) == (MANY, 0)
    assert len(tool.json) == tool.summary["events"]
    assert tool.summary["events"] + tool.summary["lost"] == MANY
    assert len({row["pid"] for row in tool.json}) == tool.summary["events"]
    # In emulation one thread runs all CPUs, and a program may be preempted by another run of itself.
    assert tool.summary["lost"] <= (0.02 * MANY if VM else 0), "no reader was held up, and yet events were lost"
    assert_sorted_times(tool.json, storm=True)


def test_overload_is_accounted(place, cgroup):
    """A tool that is held up loses events, says how many, and shown + lost = done."""
    total = 4_000 if VM else 12_000
    with Workload("execfast", total // 2, 2, place / "tiny", 16_000, cgroup=cgroup) as work:
        with Tool("execsnoop", "--cgroup", cgroup.path, "--max-bytes", 16384, "--json") as tool:
            tool.process.send_signal(19)        # SIGSTOP
            done = work.run(120)[-1]
            tool.process.send_signal(18)        # SIGCONT
    assert (done["done"], done["failed"]) == (total, 0)
    assert tool.summary["lost"] > 0, "the overload was none"
    assert len(tool.json) == tool.summary["events"]
    assert tool.summary["events"] + tool.summary["lost"] == total
    assert tool.lost == tool.summary["lost"], tool.said


def test_hostile_names(place, cgroup):
    """No control byte reaches the terminal, JSON is UTF-8, a row is a line."""
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(Workload("hostile", "exec", 3, place, cgroup=cgroup))
        tools = [stack.enter_context(Tool("execsnoop", "--cgroup", cgroup.path, *more))
                 for more in ([], ["-q"], ["--json"])]
        done = work.run()
    for tool in tools[:2]:
        assert not CONTROL.search(tool.out), repr(tool.out)
        assert [int(row["PID"]) for row in tool.rows] == [line["pid"] for line in done]
        assert all("]0;x" in row["PCOMM"] and "]0;x" in row["ARGS"] for row in tool.rows)
    rows = tools[2].json
    assert [row["pid"] for row in rows] == [line["pid"] for line in done]
    for row in rows:
        assert row["args"][0].startswith(f"{place}/\x1b]0;x\x07")
        assert row["args"][1] == "\x1b[2J" and row["args"][3] == "line\nbreak\ttab\rreturn"
        assert len(row["args"]) == 7
