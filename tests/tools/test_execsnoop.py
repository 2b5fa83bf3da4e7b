# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""execsnoop against workloads that print what it must report."""

import contextlib
import errno
import os
import signal

import pytest

from harness import CALLS_32, CONTROL, HEAD_KEYS, VM, Script, Tool, Workload, assert_sorted_times, complaints
from snoop import N, arguments, watch_execs, watch_storm, without_loss
from suite import HEADERS

WAYS = ["spawn", "execveat", "fexecve", "thread", "untouched"]
FAILURES = {"noent": errno.ENOENT, "acces": errno.EACCES, "noentat": errno.ENOENT}
if CALLS_32:
    WAYS.append("compat")
    FAILURES["noentcompat"] = errno.ENOENT
MANY = 1_000 if VM else 10_000
UNREAD = "args_unread"          # the JSON key that says so


@pytest.mark.parametrize("way", WAYS)
def test_exact_rows(way, place, cgroup):
    """23 execs by each way: exactly these rows with these values."""
    tool, done = watch_execs(["--json"], [way, N, place], cgroup)
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


@pytest.mark.parametrize("way", FAILURES)
def test_failed(way, place, cgroup):
    """-x shows execs that fail, with the error; their comm is still the caller's."""
    tool, done = watch_execs(["-x", "--json"], [way, N, place], cgroup)
    error = FAILURES[way]
    assert [line["errno"] for line in done] == [error] * N
    name = "missing" if way in ("noent", "noentcompat") else "tiny"
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


def test_died_of_exec(place, cgroup):
    """An exec that fails when the old image is gone: the process dies of it; which program it was, and that the arguments
    can't be read, is shown."""
    code = """
        import struct, signal
        head = b"\\x7fELF" + bytes([2, 1, 1]) + bytes(9)
        head += struct.pack("<HHIQQQIHHHHHH", 2, args[1] == "x86_64" and 62 or 183, 1, 0x400000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        nowhere = struct.pack("<IIQQQQQQ", 1, 5, 0, 0xfffffffffffff000, 0, 4096, 4096, 4096)
        with open(args[0] + "/deadly", "wb") as file:
            file.write(head + nowhere + bytes(4096))
        os.chmod(args[0] + "/deadly", 0o755)
        if not os.fork():
            os.execv(args[0] + "/deadly", ["deadly", "one"])
        print(f"signal={os.wait()[1] & 0x7f}")
        """
    with Script(code, place, os.uname().machine, cgroup=cgroup) as work:
        with Tool("execsnoop", "-x", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()[-1]
    assert done["signal"] == signal.SIGSEGV
    [row] = [row for row in tool.json if row["ret"]]
    assert (row["filename"], row["args"], row.get(UNREAD)) == (f"{place}/deadly", [], True)


def test_failed_by_descriptor(place, cgroup):
    """A failed fexecve has the name that the kernel gives the program; a relative execveat that which it was given."""
    code = """
        import ctypes
        libc = ctypes.CDLL(None)
        open(args[0] + "/no-program", "w").close()
        fd = os.open(args[0] + "/no-program", os.O_RDONLY)
        argv = (ctypes.c_char_p * 2)(b"argument", None)
        libc.syscall(322 if os.uname().machine == "x86_64" else 281, fd, b"", argv, None, 0x1000)
        libc.syscall(322 if os.uname().machine == "x86_64" else 281, fd, b"relative", argv, None, 0)
        print(f"fd={fd}")
        """
    with Script(code, place, cgroup=cgroup) as work:
        with Tool("execsnoop", "-x", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()[-1]
    assert [(row["filename"], row["error"], row["args"]) for row in tool.json if row["ret"]] == \
        [(f"/dev/fd/{done['fd']}", "EACCES", ["argument"]), ("relative", "ENOTDIR", ["argument"])]


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


def test_every_process_of_a_storm(place, cgroup):
    """Spawned as fast as two threads can: every one is shown."""
    def storm():
        tool = watch_storm(["execsnoop"], ["execfast", MANY // 2, 2, place / "tiny"], MANY, cgroup)
        assert len({row["pid"] for row in tool.json}) == tool.summary["events"]
        assert_sorted_times(tool.json, storm=True)
        return tool.summary["lost"]

    without_loss(storm, MANY)


def test_overload_is_accounted(place, cgroup):
    """A tool that is held up loses events, says how many, and shown + lost = done."""
    total = 4_000 if VM else 12_000
    tool = watch_storm(["execsnoop", "--max-bytes", 16384], ["execfast", total // 2, 2, place / "tiny", 16_000], total,
                       cgroup, held_up=True)
    assert tool.summary["lost"] > 0, "the overload was none"


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
