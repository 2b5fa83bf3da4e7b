#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What Borescope's tools cost beside their peers: see README.md here."""

import sys

sys.dont_write_bytecode = True

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from phases import Phases
from process import Process
from report import markdown
from subjects import CASES

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

BPF_ARCH = {"x86_64": "x86", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
RESULTS_VM = "6.1"      # where fexit and kprobes are granted
PEERS = ("libbpf-tools", "bpftrace", "strace", "linux-perf")


class Bench:
    def __init__(self, arguments, work):
        self.build = arguments.build.resolve()
        self.in_vm = bool(os.environ.get("BORESCOPE_VM"))
        self.work = Path(work)
        self.disk_file = self.build / "bench" / "disk.img"
        self.yardstick = self.build / "bench" / "yardstick"
        self.yardstick_object = self.build / "bench" / "yardstick.bpf.o"
        self.null = subprocess.DEVNULL

    def compile(self):
        """The yardstick, if its sources are newer."""
        self.yardstick.parent.mkdir(parents=True, exist_ok=True)
        commands = {
            self.yardstick: ["gcc", "-O2", "-Wall", HERE / "yardstick.c", "-lbpf", "-o"],
            self.yardstick_object: ["clang", "-g", "-O2", "-mcpu=v3", "-target", "bpf", f"-D__TARGET_ARCH_{BPF_ARCH}",
                                    "-I", self.build / "vmlinux",
                                    "-c", HERE / "yardstick.bpf.c", "-o"]}
        for output, command in commands.items():
            source = next(word for word in command if isinstance(word, Path) and word.suffix == ".c")
            if not output.exists() or output.stat().st_mtime < source.stat().st_mtime:
                subprocess.run([*command, output], check=True)

    def output(self):
        """A new file for a tool's output; in a tmpfs of our own, and emptied when it has been read."""
        return open(self.work / "output", "wb")

    def output_text(self):
        text = (self.work / "output").read_bytes()
        os.truncate(self.work / "output", 0)
        return text

    @contextmanager
    def bpf_stats(self):
        process = Process([self.yardstick, "--stats"], self.null, self.work / "stats-stderr")
        try:
            process.wait_ready(programs=False)
            yield
        finally:
            process.stop()


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--build", type=Path, default=REPOSITORY / "build", metavar="DIR")
    add("--tool", dest="tools", action="append", choices=list(CASES), help="only this tool (again: this one, too)")
    add("--quick", action="store_true", help="fewer rounds and operations: under a minute")
    add("--rounds", type=int, metavar="N", help="rounds of the cost (default 15; quick 5; in a VM 3)")
    add("--cost-only", action="store_true", help="no start, stop, loss or memory")
    add("--vm", metavar="KERNEL", help="in a VM with this kernel, an executed instruction as a ns")
    add("--results", type=Path, metavar="FILE", help=f"write all of it as Markdown: here, and in a VM with {RESULTS_VM}")
    add("--json", type=Path, metavar="FILE", help="default: bench.json in the build directory")
    return parser.parse_args()


def in_vm(arguments, kernel, stdout=None):
    """The same in a guest with one CPU whose time is its instructions."""
    command = [sys.executable, HERE / "bench.py", "--build", arguments.build.resolve(), "--json", "/dev/null",
               *(word for tool in arguments.tools or () for word in ("--tool", tool)),
               *(["--rounds", arguments.rounds] if arguments.rounds else []),
               *(["--cost-only"] if arguments.cost_only else [])]
    return subprocess.run([REPOSITORY / "tests/vm/run", "--kernel", kernel, "--icount", "--build",
                           arguments.build.resolve(), "--timeout", "3000", "--", *map(str, command)],
                          stdout=stdout, text=True, check=False)


def private_namespace():
    """Runs this again in a mount namespace of its own, with a tracefs for the peers that need one."""
    if os.environ.get("BORESCOPE_BENCH"):
        return
    os.environ["BORESCOPE_BENCH"] = "1"
    again = shlex.join([sys.executable, *sys.argv])
    script = f"[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing; exec {again}"
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", script])


def disk_bytes(subject, program, work):
    """Of the stripped program; of bpftrace for its scripts."""
    path = shutil.which("bpftrace" if program.endswith(".bt") else program)
    if subject.kind == "floor" or not path:
        return
    copy = work / "stripped"
    shutil.copy(os.path.realpath(path), copy)
    subprocess.run(["strip", copy], check=False, capture_output=True)
    subject.results["disk_bytes"] = copy.stat().st_size


def measure(bench, arguments, tool, case, operation):
    """Fills the results of the case's subjects; returns what the operation takes without any."""
    entries = case.subjects
    burst, getppids = (case.vm, case.vm_getppids) if bench.in_vm else (case.burst, case.getppids)
    speeds = (case.vm_speed, case.vm_speed) if bench.in_vm else (case.speed, case.peers)
    rounds = arguments.rounds or (3 if bench.in_vm else 5 if arguments.quick else 15)
    starts = 2 if bench.in_vm else 3 if arguments.quick else 9
    shrink = 5 if arguments.quick else 1
    phases = Phases(bench, operation, entries)
    with operation.ready():
        progress(f"{tool}: what runs here")
        phases.check()
        progress(f"{tool}: cost per operation, {rounds} rounds")
        base = phases.cost(rounds, burst, getppids)
        phases.program_time(burst)
        if not arguments.cost_only:
            progress(f"{tool}: start and stop")
            phases.start_and_stop(starts)
            progress(f"{tool}: memory")
            phases.memory(burst)
            for threads in case.threads:
                if threads <= os.cpu_count():
                    progress(f"{tool}: full speed, threads: {threads}")
                    phases.full_speed(*(speed // shrink for speed in speeds), threads)
    judge(entries, operation.weighed_by)
    for subject in entries:
        disk_bytes(subject, phases.argv(subject)[0], bench.work)
    return base


def judge(entries, key):
    """All as multiples of the empty program on the hook that our tool has taken."""
    def weight(subject):
        value = subject.results.get(key)
        return value["median"] if isinstance(value, dict) else value

    ours = next(subject for subject in entries if subject.kind == "tool")
    floors = [subject for subject in entries if subject.kind == "floor" and not subject.refused]
    said = [floor for floor in floors if f"using {floor.name.split()[-1]}" in ours.notes]
    if not floors:
        return
    floor = (said or floors)[-1]            # without a word it is the best rung, which stands last
    value = floor.results.get(key)
    if isinstance(value, dict) and value["q3"] - value["q1"] > value["median"] / 2:
        return                              # it drowns in the noise
    for subject in entries:
        if weight(subject) and (weight(floor) or 0) > 0:
            subject.results["times_floor"] = weight(subject) / weight(floor)


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def main():
    arguments = parse()
    if os.geteuid():
        sys.exit("bench: needs root")
    if arguments.vm:
        return in_vm(arguments, arguments.vm).returncode
    private_namespace()
    signal.signal(signal.SIGINT, signal.default_int_handler)    # children must not inherit that it is ignored
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    result = {"kernel": os.uname().release, "machine": os.uname().machine, "cpus": os.cpu_count(),
              "vm": os.environ.get("BORESCOPE_VM"), "tools": {}}
    text = []

    def tell(markdown_text):
        text.append(markdown_text + "\n")
        print(markdown_text, flush=True)

    with tempfile.TemporaryDirectory(prefix="borescope-bench-") as work:
        subprocess.run(["mount", "-t", "tmpfs", "none", work], check=True)
        try:
            bench = Bench(arguments, work)
            bench.compile()
            tell(f"## Kernel {result['kernel']}, {result['cpus']} CPUs"
                 f"{' (emulated: 1 ns is one instruction)' if bench.in_vm else ''}\n")
            for tool in arguments.tools or CASES:
                case = CASES[tool]
                operation = case.operation(bench)
                base = measure(bench, arguments, tool, case, operation)
                tell(markdown(tool, operation, base, case.subjects))
                result["tools"][tool] = {"operation": operation.name, "base_ns": base, "programs": [
                    {"name": s.name.replace("*", ""), "kind": s.kind, "refused": s.refused, **s.results}
                    for s in case.subjects]}
        finally:
            subprocess.run(["umount", work], check=False)
    path = arguments.json or arguments.build / "bench.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.results:
        text += by_themselves(arguments)
        arguments.results.write_text("".join([preface(), *text]))   # what there is, if the VM takes too long
        progress(f"and in a VM with {RESULTS_VM}")
        guest = in_vm(arguments, RESULTS_VM, subprocess.PIPE)
        arguments.results.write_text("".join([preface(), *text, guest.stdout]))
        return guest.returncode
    return 0


def by_themselves(arguments):
    """What the benches of their own say, for tools that no operation sets off."""
    for name, heading in (("samples.py", "profile: a sample"), ("xstack.py", "xstack: a sample of all threads")):
        progress(name)
        done = subprocess.run([sys.executable, HERE / name], stdout=subprocess.PIPE, text=True, check=True,
                              env={**os.environ, "BORESCOPE_BUILD": str(arguments.build.resolve())})
        yield f"### {heading}\n\n{done.stdout}\n"


def preface():
    """What the figures are, and what they were measured on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*: (.*)$", cpuinfo, re.M)
    guest = ", itself a virtual machine" if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.M) else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    versions = [f"{name} {version}" for name, version in ((name, package_version(name)) for name in PEERS) if version]
    return f"""# What the tools cost, beside their peers

Written by `make bench-results`; README.md here says what each figure means. Where a tool stands beside its namesake, compare
them within one table: a table is one run, interleaved, on one machine.

- Machine: {cpu[1] if cpu else os.uname().machine}, {os.cpu_count()} CPUs, {memory} GiB{guest}. Where its kernel refuses
  a hook, the line says so; all rungs are in the emulated machine's tables below.
- Peers: {', '.join(versions)}.

"""


def package_version(name):
    """As dpkg or rpm has it; empty where it is not installed."""
    for command in (["dpkg-query", "-W", "-f", "${Version}", name], ["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return done.stdout if not done.returncode else ""
    return ""


if __name__ == "__main__":
    sys.exit(main())
