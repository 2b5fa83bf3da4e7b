# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Runs the examples of the man pages (examples.py) as they are, by a shell whose PATH begins with a stand-in for each
tool (example_tool.py), with something to look at (example_shop.py)."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from examples import NAMES
from filesystems import filesystem
from harness import BUILD, NOBODY, VM, Workload, default_signals, patience, public_copy, wait_until
from machine import PREFIX, Cgroup
from network import NOBODY as NO_HOST
from network import Network

HERE = Path(__file__).resolve().parent
CAST = ("shopd", "nightly-export", "report", "dd", "curl", "nginx")     # who is in the examples
ADDRESS = "192.0.2.1"           # the shop's, and its server's: of the network that examples are about
SECONDS = 3 if VM else 0.5      # what takes a time is told to take no longer
PAUSE_S = 1 if VM else 0.03     # of those: the tools want a CPU, too
LOOK_S = SECONDS                # for how long one looks that has no end
READY = re.compile(r"^\w+: attached$", re.M)
HELP_OPTION = re.compile(r"^  (?:(-\w), |    )(--[\w-]+)(?: (\S+))?", re.M)
# Programs that a page names and a test cannot have: another machine, root's rights, a program that Debian has not got.
# folded(5): a line is a stack and a number
FOREIGN = {
    "ssh": 'shift; exec "$@"',
    "sudo": 'exec "$@"',
    "pidof": "echo {pid}",
    "flamegraph.pl": "awk '!/^[^ ].* [0-9]+$/ {{ print \"not folded: \" $0 > \"/dev/stderr\"; exit 1 }} END {{ print \"<svg/>\" }}'",
}


def help_of(tool):
    return subprocess.run([BUILD / "bin" / tool, "--help"], check=True, capture_output=True, text=True).stdout


def options_of(tool):
    """{"-p": "PID[,PID...]", "--pid": the same, "-x": None}"""
    found = {}
    for letter, name, value in HELP_OPTION.findall(help_of(tool)):
        found.update({key: value or None for key in (letter, name) if key})
    return found


def positional_of(tool):
    return re.findall(r"^  (\w+)  ", help_of(tool).split("\nOptions of")[0], re.M)


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class Shop(Workload):
    """The processes that the examples look at: `pids` in the order of CAST."""

    def __init__(self, cgroup, side, directory):
        super().__init__("shop", cgroup=cgroup, netns=side.path, cwd=directory)
        self.argv = [sys.executable, "-S", HERE / "example_shop.py", str(PAUSE_S), ADDRESS, NO_HOST["4"], *CAST]
        self.pids = []

    def __enter__(self):
        super().__enter__()
        self.pids = [int(pid) for pid in self.process.stdout.readline().split()]
        return self

    def before_exec(self):
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)   # what its programs say of themselves
        super().before_exec()


def disk_of(directory):
    """The disk below a file system."""
    number = os.stat(directory).st_dev
    return Path(os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")).name


@dataclass
class Run:
    """What became of a command line."""
    out: list       # lines
    err: str
    status: int     # the shell's
    tools: list     # the records of example_tool.py
    files: dict     # those that it has made: their sizes


class World:
    """A shop, and a shell to try the examples in."""

    def __enter__(self):
        with ExitStack() as stack:
            self.place = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-", dir="/tmp"))
            stack.callback(shutil.rmtree, self.place)
            self.place.chmod(0o755)
            self.cgroup = Cgroup()
            stack.callback(self.cgroup.remove)
            network = stack.enter_context(Network())
            network.near.run("ip", "link", "set", "lo", "up")
            network.near.run("ip", "addr", "add", f"{ADDRESS}/24", "dev", "lo")
            directory = stack.enter_context(filesystem("ext4", self.place))
            stack.callback(self.close_shop)
            shop = stack.enter_context(Shop(self.cgroup, network.near, directory))
            parked = stack.enter_context(Workload("parked", "vfork", 1, cgroup=self.cgroup))    # in state D
            self.told = {"cgroup": str(self.cgroup.path), "netns": str(network.near.path), "disk": disk_of(directory),
                         "pids": shop.pids, "seconds": SECONDS}
            self.prepare()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *unused):
        self.stack.close()

    def close_shop(self):
        """Ends what the shop's processes have started."""
        for pid in (self.cgroup.path / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: not (self.cgroup.path / "cgroup.procs").read_text(), 5, "the shop does not close")

    def prepare(self):
        """The programs that PATH begins with, and those that every user can run."""
        self.told["options"] = {name: options_of(name) for name in NAMES - {"borescope"}}
        self.told["positional"] = {name: positional_of(name) for name in NAMES - {"borescope"}}
        self.bin, self.public = self.place / "bin", self.place / "public"
        self.bin.mkdir()
        self.public.mkdir()
        for name in NAMES:
            program(self.bin / name, f'exec {sys.executable} -S "{self.place}/example_tool.py" "$EXAMPLE" {name} "$@"')
        for name, text in FOREIGN.items():
            program(self.bin / name, text.format(pid=self.told["pids"][0]))
        public_copy(HERE / "example_tool.py", self.place)

    @staticmethod
    def is_root(example):
        return example.root or "sudo" in example.line

    def programs(self, example):
        """Where the tools are that the user of the example can run."""
        if self.is_root(example):
            return BUILD / "bin"
        for name in {"borescope", *re.findall(r"\w+", example.line)} & NAMES:
            public_copy(BUILD / "bin" / name, self.public)
        return self.public

    def missing(self, example):
        """A program in the line that is not on this machine, or None."""
        line = re.sub(r"'[^']*'", "", example.line)
        names = re.findall(r"(?:^|\||\$\()\s*([\w.-]+)", line)
        return next((name for name in names if not shutil.which(name, path=self.path)), None)

    @property
    def path(self):
        return f"{self.bin}:{os.environ['PATH']}"

    def run(self, example, patient=1):
        """Runs the line; `patient`: for how many times longer one looks."""
        work = Path(tempfile.mkdtemp(dir=self.place))
        records = work / "records"
        records.mkdir()
        shutil.copy(BUILD / "workloads" / "shop", work)
        for directory in (work, records):
            directory.chmod(0o777)
        told = {**self.told, "records": str(records), "programs": str(self.programs(example)),
                "seconds": SECONDS * patient}
        (work / "told").write_text(json.dumps(told), encoding="utf-8")
        before = set(work.iterdir())
        with open(records / "out", "w+b") as out, open(records / "err", "w+b") as err:
            shell = subprocess.Popen([*([] if self.is_root(example) else NOBODY), "sh", "-c", example.line], cwd=work,
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=default_signals,
                                     env={**os.environ, "PATH": self.path, "EXAMPLE": str(work / "told")})
            try:
                self.look(shell, records, LOOK_S * patient)
            finally:
                end(records, signal.SIGKILL)
                shell.kill()
                shell.wait()
        made = {path.name: path.stat().st_size for path in set(work.iterdir()) - before}
        run = Run((records / "out").read_text(errors="surrogateescape").splitlines(),
                  (records / "err").read_text(errors="surrogateescape"), shell.returncode, read(records), made)
        shutil.rmtree(work)
        return run

    @staticmethod
    def look(shell, records, seconds):
        """Until the line ends by itself, or has been seen for so long and was told to end."""
        since = time.monotonic()        # the last thing that happened
        ready = None
        while shell.poll() is None:
            now = time.monotonic()
            if now - since > patience(20) + 5 * seconds:
                raise AssertionError(f"the line does not end: {(records / 'err').read_text()[-500:]}")
            if not ready and READY.search((records / "err").read_text(errors="replace")):
                ready = since = now
            if ready and now - ready > seconds and not all(record["ends"] for record in read(records)):
                end(records, signal.SIGINT)
                ready, since = float("inf"), now    # told once
            time.sleep(0.02)


def read(records):
    """What example_tool.py has left there."""
    return [json.loads(path.read_text()) for path in sorted(records.iterdir()) if path.name.isdecimal()]


def end(records, number):
    """A signal to each tool that has not ended."""
    for record in read(records):
        if record["status"] is None:
            with suppress(ProcessLookupError):
                os.kill(record["pid"], number)
