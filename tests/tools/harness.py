# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The contract that the tests hold the tools to, and the processes they start: a Tool and a Workload."""

import ctypes
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from suite import TOOLS

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
VM = os.environ.get("BORESCOPE_VM")
CALLS_32 = os.uname().machine == "x86_64"       # a 64-bit program can make 32-bit calls there

# The contract, one place per fact.
OK, FAILED, USAGE, TOO_COSTLY = range(4)    # exit statuses
QUIET_END = (OK, -signal.SIGPIPE)           # what a tool may end with when its reader has gone
ATTACHED = re.compile(r"^\w+: attached$", re.M)      # on stderr with -v, once events are seen
LOST = re.compile(r"^\w+: lost (\d+) events", re.M) # a report of losses on stderr, since the one before
MISSED = re.compile(r"^\w+: the kernel left out (\d+) runs", re.M)     # and of runs of programs
NOTE = re.compile(r"^(?:Attached \d+ probes?|\w+: (.* is not available .*: using |tracing |sampling |\d+ samples, |kernel stacks only: |\d+ waits, |waits that began |only waits that |"
                  r"no \w+ were counted).*)\n", re.M)    # on stderr: what is not an error
USING = re.compile(r"^\w+: (.+?)(?: is not available \(.*\))?: using (.+)$", re.M)     # on stderr with -v, of a ladder
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)")
HEAD_KEYS = {"time", "pid", "tid", "uid"}   # in every event's JSON object, beside its comm
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]     # runs a command as that user
CLONE_NEWNET = 0x40000000                   # <linux/sched.h>
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\udc80-\udc9f]")  # what text output must not contain


def patience(seconds):
    """A time limit: emulation is some ten times slower than the machine."""
    return seconds * (10 if VM else 3)


def default_signals():
    """In a child: what a shell without job control, or nohup, made us ignore is not to be inherited."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def enter_netns(path):
    """The calling process goes over to this network namespace."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns {path}")
    os.close(fd)


def public_copy(path, directory, name=None):
    """Copies a program to where every user can run it."""
    copy = Path(directory) / (name or Path(path).name)
    if not copy.exists():
        shutil.copy(path, copy)
        copy.chmod(0o755)
    return copy


def wait_until(condition, seconds, what):
    """Waits until condition() is true; returns its value."""
    deadline = time.monotonic() + patience(seconds)
    while not (value := condition()):
        assert time.monotonic() < deadline, f"timed out: {what() if callable(what) else what}"
        time.sleep(0.02 if VM else 0.005)
    return value


def told(name, args):
    """The arguments of a tool, with what it has to be told in any case: bscope does what a script says."""
    return args if name not in TOOLS or "-e" in args else (*TOOLS[name].script, *args)


def memory_file():
    """A file for a tool's output: not on a disk, which might hold the tool up."""
    return os.fdopen(os.memfd_create("output"), "r+b")


@functools.cache
def listed_keys(program):
    """The keys that a tool says it can print (--list keys), by kind of object: {"event": {...}, "summary": {...}}."""
    lines = subprocess.run([program, "--list", "keys"], check=True, capture_output=True, text=True).stdout.splitlines()
    pairs = [line.split("\t") for line in lines]
    return {kind: {key for of, key in pairs if of == kind} for kind, _ in pairs}


def check_keys(program, o):
    """Asserts that a JSON object, and those in its arrays, have only keys that the tool lists for their kind."""
    kind = o.get("type") or ("histogram" if "buckets" in o else "event" if "time" in o else "stack")
    parts = [(kind, o)] + [("bucket", bucket) for bucket in o.get("buckets", ())]
    parts += [("frame", frame) for part in ("kernel", "user") for frame in o.get(part) or ()]
    for of, part in parts:
        extra = part.keys() - listed_keys(program).get(of, set())
        assert not extra, f"{program} --list keys has no {of} with {', '.join(sorted(extra))}"


class Tool:
    """A running tool: attached when the `with` block is entered, ended by SIGINT when it is left."""

    def __init__(self, name, *args, prefix=(), program=None, stdout=None, verbose=True, avoid=""):
        self.name = name
        self.program = str(program or BUILD / "bin" / name)
        self.argv = [*map(str, prefix), self.program, *map(str, told(name, args))]
        if verbose:
            self.argv.append("-v")
        self.verbose = verbose
        self.environment = {**os.environ, "BORESCOPE_AVOID": avoid} if avoid else None
        self.process = None
        self.parsed = None
        self.files = [stdout or memory_file(), memory_file()]

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=self.files[0],
                                        stderr=self.files[1], preexec_fn=default_signals, env=self.environment)
        try:
            wait_until(self.is_ready, 10, lambda: f"{self.argv} is not ready: {self.said}")
        except BaseException:
            self.kill()
            raise
        return self

    def is_ready(self):
        """Whether the probes are attached: said with -v, and by the header of a tool that prints rows."""
        if self.process.poll() is not None:
            raise AssertionError(f"{self.argv} ended with {self.process.returncode}: {self.said or self.err[-500:]}")
        return ATTACHED.search(self.err) if self.verbose else b"\n" in self.raw

    def __exit__(self, kind, value, trace):
        if self.process.returncode is None:
            if kind:
                self.kill()
            else:
                self.stop()

    def kill(self):
        """The end for a tool that did not end otherwise."""
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGINT):
        """Sends a signal and returns the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, seconds=10):
        """Waits for the tool to end by itself and returns the exit status."""
        try:
            return self.process.wait(patience(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.argv} did not end within {patience(seconds)} s: {self.said}") from None

    @property
    def status(self):
        """The exit status, once ended."""
        return self.process.returncode

    def read(self, index):
        """What was written to stdout (0) or stderr (1) so far."""
        fd = self.files[index].fileno()
        return os.pread(fd, os.fstat(fd).st_size, 0)

    @property
    def raw(self):
        """Standard output so far, bytes."""
        return self.read(0)

    @property
    def out(self):
        """Standard output so far, text."""
        return self.raw.decode(errors="surrogateescape")

    @property
    def err(self):
        """Standard error so far, text."""
        return self.read(1).decode(errors="backslashreplace")

    @property
    def said(self):
        """Standard error so far without libbpf's part of it, which may be a verifier's log of many thousand lines."""
        return "".join(line for line in self.err.splitlines(True) if line.startswith(f"{self.name}: "))[-2000:]

    @property
    def lines(self):
        """Lines of standard output."""
        return self.out.splitlines() if self.out else []

    @property
    def header(self):
        """The names of the columns."""
        return self.lines[0].split()

    @property
    def rows(self):
        """The rows of a text table, each a dictionary by column; the last column takes the rest of the line."""
        names = self.header
        return [dict(zip(names, line.split(None, len(names) - 1))) for line in self.lines[1:]]

    @property
    def objects(self):
        """All JSON objects, of which the last must be the summary; text that is no UTF-8 fails here."""
        if self.parsed:
            return self.parsed
        objects = [json.loads(line) for line in self.raw.decode("utf-8").splitlines()]
        assert [o.get("type") == "summary" for o in objects] == [False] * (len(objects) - 1) + [True], \
            "the summary is not the last line, or not the only one"
        for o in objects if self.name not in TOOLS or not TOOLS[self.name].script else ():
            check_keys(self.program, o)
        self.parsed = objects if self.status is not None else None
        return objects

    @property
    def json(self):
        """The JSON objects without the summary."""
        return self.objects[:-1]

    @property
    def summary(self):
        """The summary object of JSON output."""
        return self.objects[-1]

    @property
    def lost(self):
        """How many events stderr says were lost; 0 where it says nothing."""
        return sum(map(int, LOST.findall(self.err)))

    @property
    def missed_runs(self):
        """How many runs of its programs stderr says were left out."""
        return sum(map(int, MISSED.findall(self.err)))

    @property
    def rungs(self):
        """The rung in use of each ladder, by the probe's name; or, where that is not the best rung, by the best."""
        return dict(USING.findall(self.err))

    def rung(self, probe, best):
        """The kind of the rung in use ("kprobe") of the ladder of this name that begins with `best`."""
        return self.rungs.get(best, self.rungs.get(probe, "none")).split("/")[0]


def run_tool(name, *args, seconds=10, **kwargs):
    """Runs a tool that ends by itself; returns its completed process, with text streams."""
    kwargs.setdefault("stdout", subprocess.PIPE)
    program = kwargs.pop("program", BUILD / "bin" / name)
    prefix = kwargs.pop("prefix", ())
    return subprocess.run([*map(str, prefix), str(program), *map(str, told(name, args))], stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="surrogateescape", timeout=patience(seconds),
                          preexec_fn=default_signals, check=False, **kwargs)


class Workload:
    """A workload, prepared and waiting when the `with` block is entered; run() lets it do its one thing. As another
    user, or by a name (comm) of its own, it runs from a copy in `directory`; `netns`: in this network namespace."""

    def __init__(self, name, *args, cgroup=None, uid=None, comm=None, directory=None, cwd=None, netns=None):
        self.cwd = cwd
        self.netns = netns
        self.program = BUILD / "workloads" / name
        if uid is not None or comm:
            self.program = public_copy(self.program, directory, comm)
        self.argv = [os.fsencode(a) if isinstance(a, (str, Path)) else str(a).encode()
                     for a in (self.program, *args)]
        self.cgroup = cgroup
        self.uid = uid
        self.process = None
        self.pid = None

    def before_exec(self):
        """In the child: joins the cgroup and becomes the user."""
        default_signals()
        if self.netns:
            enter_netns(self.netns)
        if self.cgroup:
            (self.cgroup.path / "cgroup.procs").write_text("0")
        if self.uid is not None:
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.cwd,
                                        preexec_fn=self.before_exec)
        first = parse_line(self.process.stdout.readline())
        self.pid = first.get("pid")
        self.unavailable = first.get("unavailable")
        if not self.pid and not self.unavailable:
            self.__exit__()
            raise AssertionError(f"{self.argv} ended with {self.process.returncode} while it prepared")
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def start(self):
        """Lets the workload begin, without waiting for its end."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def finish(self, seconds=60):
        """Waits for the end of the workload and returns what it printed, a dictionary for each line."""
        out, _ = self.process.communicate(timeout=patience(seconds))
        assert self.process.returncode == 0, f"{self.argv} ended with {self.process.returncode}"
        return [parse_line(line) for line in out.splitlines()]

    def run(self, seconds=60):
        """start() and finish()."""
        self.start()
        return self.finish(seconds)


class Script(Workload):
    """A workload of a few lines of Python, for what happens once; they print what they have done as the others do. It has
    `args` and the modules os and sys, and is called `script`."""

    BEGIN = ("import os, sys; args = sys.argv[1:]; open('/proc/self/comm', 'w').write('script'); "
             "print(f'pid={os.getpid()}', flush=True); sys.stdin.readline()\n")

    def __init__(self, code, *args, cgroup=None):
        super().__init__("python3", cgroup=cgroup)
        self.argv = [sys.executable, "-S", "-c", self.BEGIN + textwrap.dedent(code), *map(str, args)]


def parse_line(line):
    """'key=value' fields with tabs between to a dictionary; decimal numbers become int."""
    fields = dict(field.split("=", 1) for field in os.fsdecode(line.rstrip(b"\n")).split("\t") if field)
    return {key: int(value) if re.fullmatch(r"-?\d+", value) else value for key, value in fields.items()}


def assert_sorted_times(objects, storm=False):
    """The objects carry RFC 3339 times with nanoseconds, in order; in a storm in emulation nearly so: there a program
    may be preempted for long between its look at the clock and its sending the event."""
    times = [o["time"] for o in objects]
    assert all(RFC3339.fullmatch(t) for t in times), times[:3]
    inversions = sum(later < earlier for earlier, later in zip(times, times[1:]))
    assert inversions <= (len(times) // 100 if storm and VM else 0), f"{inversions} of {len(times)} not in order"


def complaints(text):
    """What a tool said on stderr, without notes on what is traced, and how."""
    return NOTE.sub("", text)


def one_line(text):
    """Asserts that text is one line, ended, and returns it."""
    assert text.endswith("\n") and text.count("\n") == 1, f"not one line: {text!r}"
    return text[:-1]
