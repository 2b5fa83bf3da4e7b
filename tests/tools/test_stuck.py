# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Nothing stops the operator: a tool whose output is stuck, or that hangs, ends when it is told to."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import BUILD, CONTROL, FAILED, OK, TOO_COSTLY, Tool, default_signals, memory_file, patience, told, wait_until
from suite import HEADERS, TOOLS

# What each tool has to be told so that it writes; the last ones do so at the end only.
WRITES = {**{tool: () for tool in HEADERS}, "runqlat": ("-T", "0.1"), "biolatency": ("-T", "0.1"),
          "syscount": ("-i", "0.1"), "xstack": ("-a",), "bscope": ("-e", "interval:ms:10 { print(5); }")}
AT_THE_END = {"profile": ("--top",), "offcputime": ()}
GAVE_UP = re.compile(r"^\w+: cannot write: nobody reads the output: gave up \d+ lines or more\n", re.M)


def waits_in(pid, word):
    """Whether a function of that name is where it waits. Before 5.16 x86's wchan does not say."""
    return any(word in Path(f"/proc/{pid}/{name}").read_text(encoding="ascii") for name in ("wchan", "stack"))


class Stuck:
    """A tool whose stdout is a full pipe that nobody reads."""

    def __init__(self, tool, *args):
        self.reader, self.writer = os.pipe()
        self.fill()
        self.err = memory_file()
        own = (*WRITES.get(tool, ()), *AT_THE_END.get(tool, ()))
        self.process = subprocess.Popen([BUILD / "bin" / tool, "-v", *map(str, own), *map(str, args)],
                                        stdin=subprocess.DEVNULL, stdout=self.writer, stderr=self.err,
                                        preexec_fn=default_signals)

    def fill(self):
        """Not a byte fits in any more."""
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writer, False)
        with pytest.raises(BlockingIOError):
            while os.write(self.writer, b"." * 4096):
                pass
        os.set_blocking(self.writer, True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        os.close(self.reader)
        os.close(self.writer)

    @property
    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def is_writing(self):
        """Whether it waits for the pipe's reader."""
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.said[-500:]}"
        return waits_in(self.process.pid, "pipe_w")

    def wait_for(self, what):
        wait_until(lambda: re.search(what, self.said, re.M), 10, lambda: f"no '{what}': {self.said[-500:]}")

    def get_stuck(self, tool, number):
        """Waits until it can't write; those that write at the end are told to end. Returns whether they were."""
        if tool in AT_THE_END:
            self.wait_for(": attached$")
            time.sleep(0.3)
            self.process.send_signal(number)
        wait_until(self.is_writing, 10, lambda: f"is not stuck: {self.said[-500:]}")
        return tool in AT_THE_END


@pytest.mark.any_kernel("opensnoop", "profile")
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal(tool, number):
    """The second one ends it at once, by that signal."""
    with Stuck(tool) as stuck:
        told = stuck.get_stuck(tool, number)
        for _ in range(1 if told else 2):
            time.sleep(0.2)         # what comes sooner is the same request
            stuck.process.send_signal(number)
        assert stuck.process.wait(patience(1)) == -number
        assert not GAVE_UP.search(stuck.said)


@pytest.mark.any_kernel("opensnoop", "profile")
@pytest.mark.parametrize("tool", TOOLS)
def test_first_signal(tool):
    """After the first one, output that nobody reads is given up: status 1, and it is said."""
    with Stuck(tool) as stuck:
        if not stuck.get_stuck(tool, signal.SIGTERM):
            stuck.process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        assert stuck.process.wait(patience(5)) == FAILED
        assert time.monotonic() - start > 0.5, "it did not wait at all"
        assert GAVE_UP.search(stuck.said)


@pytest.mark.any_kernel("opensnoop", "profile")
@pytest.mark.parametrize("tool", TOOLS)
def test_duration(tool):
    """--duration holds: status 1, and it is said."""
    with Stuck(tool, "--duration", "0.5") as stuck:
        assert stuck.process.wait(patience(6)) == FAILED
        assert GAVE_UP.search(stuck.said)


@pytest.mark.any_kernel
def test_max_cost():
    """--max-cost holds, too, also while stuck before it is known."""
    with Stuck("runqlat", "--max-cost", "0.00001") as stuck:
        assert stuck.process.wait(patience(8)) == TOO_COSTLY
        assert GAVE_UP.search(stuck.said) and "more than --max-cost" in stuck.said


@pytest.mark.any_kernel("opensnoop", "profile")
@pytest.mark.parametrize("tool", TOOLS)
def test_stuck_stderr(tool, cgroup):
    """Where stderr is stuck, --duration holds, and what is data is written."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"." * 4096)
    with memory_file() as output, subprocess.Popen(
            [BUILD / "bin" / tool, *told(tool, ("-v", "--json", "--cgroup", cgroup.path, "--duration", "0.2"))], stdout=output,
            stdin=subprocess.DEVNULL, stderr=writer, preexec_fn=default_signals) as process:
        os.close(writer)
        time.sleep(1)               # it waits: nothing was asked for yet
        assert process.poll() is None
        os.read(reader, 4096)       # for what is said until it is attached
        wait_until(lambda: os.read(reader, 1), 10, "says nothing")
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(patience(20)) == OK
            assert b'"type":"summary"' in os.pread(output.fileno(), 1 << 20, 0)
        finally:
            process.kill()
            os.close(reader)


@pytest.mark.any_kernel
def test_twice_at_once(cgroup):
    """timeout(1) sends its signal to the tool, and to the group that it is in: what there is is printed."""
    with Tool("runqlat", "--cgroup", cgroup.path, "--json") as tool:
        tool.process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
        tool.process.send_signal(signal.SIGTERM)
        assert tool.wait() == OK
    assert tool.summary["type"] == "summary"


@pytest.mark.any_kernel
def test_reader_that_begins_late():
    """Who reads within 2 s gets everything."""
    with Stuck("runqlat", "--duration", "0.3") as stuck:
        stuck.wait_for(": attached$")
        time.sleep(1.2)
        got = bytearray(os.read(stuck.reader, 4096))
        os.close(stuck.writer)
        stuck.writer = os.dup(stuck.reader)
        while chunk := os.read(stuck.reader, 4096):
            got += chunk
        assert stuck.process.wait(patience(5)) == OK and b"distribution" in got


@pytest.mark.any_kernel
def test_pager():
    """In the foreground of a terminal, a pager may hold the output back for as long as somebody reads a page."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"." * 4096)
    pid, terminal = pty.fork()
    if not pid:
        os.dup2(writer, 1)
        os.close(reader)
        os.close(writer)
        os.execv(BUILD / "bin" / "xstack", ["xstack", "-a", "-i", "1"])
    os.close(writer)
    try:
        time.sleep(patience(1.5))   # more than a second to begin, and 2 s
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), CONTROL.sub(" ", os.read(terminal, 4096).decode())
        os.write(terminal, b"\x03")
        time.sleep(3)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "one Ctrl-C leaves it to the pager"
        while os.read(reader, 65536):
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == OK
    finally:
        os.close(reader)
        os.close(terminal)


@pytest.mark.any_kernel
@pytest.mark.parametrize("signals, status, says", [
    (2, -signal.SIGTERM, ""), (1, FAILED, "opensnoop: gave up: it hangs in the kernel, ")])
def test_hanging(signals, status, says, tmp_path):
    """Before it is attached it hangs in an open(2), as in that of a file on a file system that does not answer."""
    os.mkfifo(tmp_path / "fifo")
    with Stuck("opensnoop", "--btf", tmp_path / "fifo") as stuck:
        wait_until(lambda: stuck.process.poll() or waits_in(stuck.process.pid, "partner"), 10, "does not hang")
        for _ in range(signals):
            stuck.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        assert stuck.process.wait(patience(15 if says else 1)) == status
        assert says in stuck.said
