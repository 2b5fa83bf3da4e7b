#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What xstack costs: a sample of 1,000 threads, beside reading the same from /proc; and the threads it looks at."""

import sys

sys.dont_write_bytecode = True

import argparse
import os
import resource
import statistics
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or Path(__file__).resolve().parent.parent.parent / "build")
FILES = ("stat", "wchan", "stack", "syscall")
PLACES = ("nanosleep", "pipe", "mutex", "epoll")
ROUNDS, PER_ROUND = 11, {"getppids": 20_000_000, "pingpong": 400_000}     # a second each


@contextmanager
def parked(threads):
    """A process with so many threads that sleep."""
    each = str(threads // len(PLACES))
    argv = [BUILD / "workloads" / "parked", *(word for place in PLACES for word in (place, each))]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield int(process.stdout.readline().split(b"=")[1])
        process.stdin.close()
        process.stdout.read()


def cpu_of(argv):
    """Seconds of CPU of a command, in user space and in the kernel."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


def sample_of_xstack(pid, *options):
    """Milliseconds of CPU of a sample, in user space and in the kernel: 102 samples less 2."""
    argv = [BUILD / "bin" / "xstack", "-p", pid, "-a", "-F", 50, *options, "-i"]
    few, many = cpu_of([*argv, 2]), cpu_of([*argv, 102])
    return [1000 * (b - a) / 100 for a, b in zip(few, many)]


def sample_of_proc(pid):
    """The same of reading FILES of each thread, one after the other; Python's part is in user space."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    for tid in os.listdir(f"/proc/{pid}/task"):
        for name in FILES:
            fd = os.open(f"/proc/{pid}/task/{tid}/{name}", os.O_RDONLY)
            os.read(fd, 65536)
            os.close(fd)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return 1000 * (after.ru_utime - before.ru_utime), 1000 * (after.ru_stime - before.ru_stime)


def cost_of_samples(threads):
    print(f"A sample of {threads} threads, ms of CPU (medians):\n")
    print("| | user | kernel | both |\n|---|---:|---:|---:|")
    with parked(threads) as pid:
        ways = {"xstack --json": lambda: sample_of_xstack(pid, "--json"),
                "xstack -f": lambda: sample_of_xstack(pid, "-f"),
                "xstack -K -f": lambda: sample_of_xstack(pid, "-K", "-f"),
                "reading /proc/PID/task/*/{%s}" % ",".join(FILES): lambda: sample_of_proc(pid)}
        for name, way in ways.items():
            times = [way() for _ in range(ROUNDS if "proc" in name else 5)]
            user, kernel = (statistics.median(column) for column in zip(*times))
            print(f"| {name} | {user:.2f} | {kernel:.2f} | {user + kernel:.2f} |", flush=True)


@contextmanager
def tool(name, *options):
    """A tool that looks at a process; its output is thrown away."""
    with subprocess.Popen([BUILD / "bin" / name, *map(str, options)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        time.sleep(0.7)
        assert process.poll() is None, process.stderr.read()
        yield
        process.terminate()
        process.stderr.read()


def cost_of_operation(name, look):
    """ns of CPU per operation of a workload on one CPU; `look` gives the tool that looks at it, by its pid."""
    argv = ["taskset", "-c", str(os.cpu_count() - 1), BUILD / "workloads" / name, str(PER_ROUND[name])]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline().split(b"=")[1])
        with look(pid):
            process.stdin.close()
            process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        return (usage.ru_utime + usage.ru_stime) * 1e9 / PER_ROUND[name]


@contextmanager
def nobody(_):
    time.sleep(0.7)
    yield


def tax():
    print("\nWhat a process pays that is looked at: its CPU time per operation, more than without (median and "
          f"quartiles of {ROUNDS} rounds):\n\n| | bare | xstack -a -F 20 | profile -F 99 |\n"
          "|---|---:|---:|---:|")
    looks = [lambda pid: tool("xstack", "-p", pid, "-a", "-F", 20, "-f"),
             lambda pid: tool("profile", "-p", pid, "-F", 99, "-f")]
    for name in PER_ROUND:
        bare, more = [], [[] for _ in looks]
        for _ in range(ROUNDS):
            for index, look in enumerate(looks):
                base = cost_of_operation(name, nobody)
                bare.append(base)
                more[index].append(100 * (cost_of_operation(name, look) - base) / base)
        quartiles = (statistics.quantiles(m, n=4) for m in more)
        cells = (f"{middle:+.2f} % ({low:+.2f} to {high:+.2f})" for low, middle, high in quartiles)
        print(f"| {name} | {statistics.median(bare):.0f} ns | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--only", choices=("samples", "tax"))
    arguments = parser.parse_args()
    if arguments.only != "tax":
        cost_of_samples(arguments.threads)
    if arguments.only != "samples":
        tax()


if __name__ == "__main__":
    main()
