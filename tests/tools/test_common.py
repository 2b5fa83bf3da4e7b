# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What holds for every tool: arguments, ends, outputs that fail, privileges."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import (ALL_EVENTS, BUILD, CONTROL, FAILED, HEADERS, OK, QUIET_END, ROOT, TOOLS, USAGE, VM, Tool, Workload,
                     complaints, one_line, patience, public_copy, run_tool, wait_until)
from machine import need

EVENT_TOOLS = tuple(HEADERS)
COMMON_OPTIONS = ("-p", "--pid", "--tid", "--uid", "--comm", "--cgroup", "--duration", "--json", "--time", "--cost",
                  "--max-cost", "--btf", "-v", "--verbose", "-h", "--help", "-V", "--version")
BCC_OPTIONS = {"execsnoop": "-T -t -U -u -P -x -q -n -l --max-args", "opensnoop": "-T -U -x -p -t -u -d -n -e -f -F",
               "biolatency": "-F -T -Q -m -D -e -j -d",
               "runqlat": "-T -m -P -L --pidnss -p", "tcpretrans": "-s -l -c -4 -6", "ext4slower": "-j -p",
               "profile": "-p -L -U -K -F -c -f -d -a -I --stack-storage-size -C",
               "xstack": "-a -p -t -F -i -q -r -f"}
# Options with values that are wrong: the line on stderr must name the value, or the option where that is empty.
WRONG = {"-p": ["12x", "-1", "", "0", "1,", "99999999999"], "--tid": ["x"], "--uid": ["no-such-user", "-5"],
         "--comm": ["", "sixteen-bytes-it-is"], "--cgroup": ["/no/such/cgroup", "/tmp", ""],
         "--duration": ["0", "-1", "x", "1s", "nan"], "--max-cost": ["x", "0", "-3", "", "nan"]}
WRONG_HERE = {
    "execsnoop": {"--max-args": ["x", "-1"], "--max-bytes": ["63", "16385", "x"], "--events": ["0", "x"],
                  "-u": ["no-such-user"], "-P": ["0", "x", "-1", "1,2"], "-n": ["(", ""], "-l": ["[", ""]},
    "opensnoop": {"-d": ["0", "x"], "-f": ["O_NOSUCH", "O_WRONLY|O_NOSUCH", "O_WRONLY|", ""], "--events": ["0"],
                  "-t": ["x"], "-u": ["no-such-user"], "-n": ["", "sixteen-bytes-it-is"]},
    "biolatency": {"-d": ["no-such-disk", "", "../block"]},
    "tcpretrans": {"--lport": ["0", "65536", "x", "", "80,", ",80"], "--rport": ["1,2,x", "1," * 16 + "1"],
                   "--laddr": ["10.0.0.1/33", "10.0.0.1/", "x", ""], "--raddr": ["::1/129", "::1/x", "[::1]", "1.2.3"],
                   "--netns": ["no-such-name", "/no/such/path", "/tmp", "2147483647", ""], "--interval": ["0", "x"],
                   "--events": ["0"]},
    "runqlat": {},
    "ext4slower": {"--path": ["", "/", "x" * 257], "--events": ["0"], "-d": ["0"]},
    "profile": {"-F": ["0", "10001", "x", ""], "-c": ["99999", "x"], "-C": ["x", "-1"], "-L": ["x"],
                "--source": ["x", ""], "--stack-storage-size": ["0", "x"]},
    "xstack": {"-F": ["0", "x", "1001", ""], "-i": ["0", "x"], "--state": ["", "Q", "R,", "RD", "d"], "-t": ["x"],
               "--stack-storage-size": ["0", "x"]},
}
# Whole command lines that are wrong, of which the line must name the last word.
WRONG_LINES = ["--no-such-option", "-Z", "--pid"]
WRONG_LINES_HERE = {"execsnoop": ["extra"], "opensnoop": ["extra", "-f O_TRUNC " * 9],
                    "biolatency": ["abc", "0", "1 abc", "1 0", "1 2 3", "1.x"],
                    "tcpretrans": ["extra", "-s -l extra"], "ext4slower": ["abc", "1.5", "1 2", "99999999999"],
                    "runqlat": ["abc", "0", "1 abc", "1 0", "1 2 3", "1.x"],
                    "profile": ["abc", "0", "1 2", "-U -K", "-f --top"],
                    "xstack": ["extra"]}
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
MISSING = re.compile(r"CAP_(BPF|SYS_ADMIN)")
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def cases():
    """Every tool with every wrong argument."""
    for tool in TOOLS:
        for option, values in [*WRONG.items(), *WRONG_HERE[tool].items()]:
            for value in values:
                yield pytest.param(tool, [option, value], value or option, id=f"{tool} {option} '{value}'")
        for line in [*WRONG_LINES, *WRONG_LINES_HERE[tool]]:
            yield pytest.param(tool, line.split(), line.split()[-1], id=f"{tool} {line.strip()}")
        yield pytest.param(tool, ["--json=yes"], "--json", id=f"{tool} --json=yes")


@pytest.mark.unprivileged
@pytest.mark.parametrize("tool, args, names", cases())
def test_wrong_arguments(tool, args, names):
    """Status 2, one line on stderr that names the argument, nothing on stdout."""
    done = run_tool(tool, *args)
    assert (done.returncode, done.stdout) == (USAGE, "")
    line = one_line(done.stderr)
    assert line.startswith(f"{tool}: ") and names in line.removeprefix(f"{tool}: ")


@pytest.mark.unprivileged
@pytest.mark.parametrize("tool", TOOLS)
def test_help(tool):
    """--help: on stdout, status 0, every option of every tool and of BCC's page, and examples."""
    done = run_tool(tool, "--help")
    assert (done.returncode, done.stderr) == (OK, "")
    words = set(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", done.stdout))
    wanted = {*COMMON_OPTIONS, *BCC_OPTIONS[tool].split()} | ({"--events"} if tool in EVENT_TOOLS else set())
    assert not wanted - words, f"not in --help: {wanted - words}"
    assert len(re.findall(rf"^ *{tool}\b", done.stdout, re.M)) >= 3, "fewer than three examples"
    assert run_tool(tool, "-h").stdout == done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


@pytest.mark.unprivileged
@pytest.mark.parametrize("tool", TOOLS)
def test_version(tool):
    """--version: one line with the name and the version of the VERSION file."""
    done = run_tool(tool, "--version")
    assert (done.returncode, done.stderr) == (OK, "")
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    assert re.match(rf"{tool} {re.escape(version)}\b", one_line(done.stdout))
    assert run_tool(tool, "-V").stdout == done.stdout


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_signal(tool, number, cgroup):
    """SIGINT and SIGTERM end every tool promptly with status 0."""
    with Tool(tool, "--cgroup", cgroup.path, "--json") as running:
        start = time.monotonic()
        assert running.stop(number) == OK
        assert time.monotonic() - start < patience(2)
    assert (running.summary["type"], running.summary["events"], running.summary["lost"]) == ("summary", 0, 0)


@pytest.mark.parametrize("tool", TOOLS)
def test_ends_after_duration(tool, cgroup):
    """--duration ends the tool by itself, not before its time."""
    with Tool(tool, "--cgroup", cgroup.path, "--duration", "1.5") as running:
        time.sleep(0.5)
        assert running.process.poll() is None
        assert running.wait(5) == OK


@pytest.mark.parametrize("tool", EVENT_TOOLS)
@pytest.mark.parametrize("json", [False, True])
def test_ends_after_events(tool, json, event_place, cgroup):
    """--events N ends the tool by itself after exactly N of them."""
    with Workload(*events_of(tool, 23, event_place), cgroup=cgroup) as work:
        with Tool(tool, *ALL_EVENTS.get(tool, ()), "--cgroup", cgroup.path, "--events", "7",
                  *(["--json"] if json else [])) as running:
            work.run()
            assert running.wait(5) == OK
    assert len(running.json if json else running.rows) == 7


def events_of(tool, number, place):
    """A workload of `number` events for the tool."""
    return {"execsnoop": ("execs", "spawn", number, place), "opensnoop": ("opens", "open", number, 0, place),
            "tcpretrans": ("tcpsyns", number), "ext4slower": ("fileops", "cached", number, place)}[tool]


@pytest.mark.parametrize("tool", EVENT_TOOLS)
def test_closed_pipe(tool, event_place, cgroup):
    """`TOOL | head -1`: the tool ends, quietly, at the next event."""
    reader, writer = os.pipe()
    with Workload(*events_of(tool, 23, event_place), cgroup=cgroup) as work, os.fdopen(writer, "wb") as output:
        with Tool(tool, *ALL_EVENTS.get(tool, ()), "--cgroup", cgroup.path, stdout=output) as running:
            output.close()
            assert os.read(reader, 4096).split() == [name.encode() for name in HEADERS[tool]]
            os.close(reader)
            before = running.err
            work.run()
            assert running.wait(5) in QUIET_END
            assert running.err == before


def test_closed_pipe_of_a_histogram(disk):
    """`biolatency 1 | head -1` ends, quietly."""
    reader, writer = os.pipe()
    with Workload("diskio", "write", 23, disk.path) as work, os.fdopen(writer, "wb") as output:
        with Tool("biolatency", "-d", disk.name, "1", stdout=output) as running:
            output.close()
            os.close(reader)
            before = running.err
            work.run()
            assert running.wait(10) in QUIET_END
            assert "pipe" not in running.err.removeprefix(before).lower()


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("json", [False, True])
def test_full_disk(tool, json, cgroup):
    """>/dev/full: status 1 and a message."""
    # without events, a histogram has no text, and a listing is empty
    empty = {"profile": ["--top"], "biolatency": ["-T"], "runqlat": ["-T"]}.get(tool, [])
    args = ["--json"] if json else empty
    with open("/dev/full", "wb") as full:
        done = run_tool(tool, "--cgroup", cgroup.path, "--duration", "1", *args, stdout=full)
    assert done.returncode == FAILED
    assert "No space left on device" in one_line(complaints(done.stderr))


@pytest.mark.parametrize("tool", TOOLS)
def test_without_privilege(tool, place):
    """Without capabilities: status 1 and one sentence that names what is missing."""
    program = public_copy(BUILD / "bin" / tool, place)
    done = run_tool(tool, "--duration", "1", prefix=[*NOBODY, "--inh-caps=-all"], program=program)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert MISSING.search(one_line(done.stderr))


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "xstack"])   # has its own
def test_with_few_capabilities(tool, open_place, event_place, cgroup, request):
    """CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH are enough, and the events are seen."""
    caps = "+bpf,+perfmon,+dac_read_search"
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []  # before 5.11 maps count as locked memory
    prefix = [*memlock, *NOBODY, f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}"]
    program = public_copy(BUILD / "bin" / tool, open_place.parent)
    if tool == "biolatency":
        disk = request.getfixturevalue("disk")
        workload, args = ("diskio", "write", 23, disk.path), ("-d", disk.name)
    elif tool == "profile":
        if VM:      # Debian's kernels have 3, which asks for CAP_SYS_ADMIN
            PARANOID.write_text("2")
        need(int(PARANOID.read_text()) <= 2, "kernel.perf_event_paranoid asks for more than CAP_PERFMON")
        workload, args = ("burn", 1000), ("--cgroup", cgroup.id)
    elif tool == "runqlat":
        workload, args = ("pingpong", 2300), ("--cgroup", cgroup.id)
    else:
        workload, args = events_of(tool, 23, event_place), (*ALL_EVENTS.get(tool, ()), "--cgroup", cgroup.id)
    with Workload(*workload, cgroup=cgroup) as work:
        with Tool(tool, *args, "--json", prefix=prefix, program=program) as running:
            work.run()
    assert running.status == OK
    seen = len(running.json) if tool in EVENT_TOOLS else sum(o["count"] for o in running.json)
    if tool == "profile":
        assert running.summary["events"] == seen > 0
    else:
        assert 2300 <= seen < 6000 if tool == "runqlat" else seen == 23, (running.summary, running.said)


@pytest.mark.parametrize("tool", TOOLS)
def test_btf_file(tool, cgroup, place):
    """--btf FILE is used: a copy of the kernel's works; a file that is no BTF is refused in one line that names it."""
    good, bad = place / "good.btf", place / "bad.btf"
    good.write_bytes(open("/sys/kernel/btf/vmlinux", "rb").read())
    bad.write_text("this is no BTF")
    with Tool(tool, "--cgroup", cgroup.path, "--btf", good):
        pass
    done = run_tool(tool, "--cgroup", cgroup.path, "--duration", "1", "--btf", bad)
    assert done.returncode in (FAILED, USAGE) and done.stdout == ""
    assert str(bad) in one_line(done.stderr)


def read_all(fd, got):
    """Adds to `got` what can be read from fd; true at its end."""
    while select.select([fd], [], [], 0)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:         # how a terminal says that nobody has it open any more
            chunk = b""
        if not chunk:
            return True
        got += chunk
    return False


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("ends, setting", [(pty.openpty, {}), (pty.openpty, {"NO_COLOR": "1"}), (os.pipe, {})],
                         ids=["terminal", "NO_COLOR", "pipe"])
def test_no_escape_sequences(tool, ends, setting, place, event_place, cgroup, disk):
    """Nothing but text and ends of lines, on stdout and stderr, to a terminal and to a pipe, whatever the names."""
    work, ready, shown = {"execsnoop": (("hostile", "exec", 3, place), b"ARGS", b"]0;x"),
                          "opensnoop": (("hostile", "open", 3, place), b"PATH", b"]0;x"),
                          "biolatency": (("diskio", "write", 3, disk.path), b"tracing", b"distribution"),
                          "ext4slower": (("hostile", "open", 3, event_place), b"FILENAME", b"]0;x"),
                          "runqlat": (("hostile", "exec", 3, place), b"tracing", b"]0;x"),
                          "tcpretrans": (("tcpsyns", 3, "4", "\x1b]0;x\x07"), b"COMM", b"]0;x"),
                          "profile": (("jitburn", 1500), b"sampling", b"]0;<"),
                          "xstack": (("parked", "pipe", 3), b"]0;x", b"]0;x")}[tool]
    hostile = {"comm": "\033]0;x\007", "directory": place} if tool == "xstack" else {}
    work = Workload(*work, cgroup=cgroup, **hostile)
    args = ["-d", disk.name] if tool == "biolatency" else [*ALL_EVENTS.get(tool, ()), "--cgroup", cgroup.path]
    args += ["-P"] if tool == "runqlat" else []
    reader, writer = ends()
    got = bytearray()
    with work, subprocess.Popen([BUILD / "bin" / tool, *args], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
                                env={**os.environ, "TERM": "xterm-256color", **setting}) as process:
        os.close(writer)
        try:
            wait_until(lambda: read_all(reader, got) or ready in got, 10, lambda: f"not ready: {got}")
            work.run()
            process.send_signal(signal.SIGINT)
            wait_until(lambda: read_all(reader, got), 10, lambda: f"no end: {got}")
            assert process.wait(patience(5)) == OK
        finally:
            process.kill()
            os.close(reader)
    assert shown in got
    text = got.decode().replace("\r\n", "\n")
    if tool == "profile":   # on a terminal, how far it is overwrites itself
        text = re.sub(r"\r +\r", "", text).replace("\rprofile: ", "profile: ")
    assert not CONTROL.search(text), got
