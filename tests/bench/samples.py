#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a sample costs: profile, and bscope, beside its peers, at the same frequency on the same load. As root.

The load is `burn`, a thread on each CPU, DEPTH calls deep. The kernel counts the runs of each one's BPF program and the
time that they took (kernel.bpf_stats_enabled); of the process itself its CPU time counts, from its start to its end: what
it takes to load, and to print. Each is run once a round, in turn; shown are medians.
"""

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATS = Path("/proc/sys/kernel/bpf_stats_enabled")
PERF_EVENT = "7"    # prog_type, in fdinfo


def subjects(build, hz):
    """{name: argv}. All but one by the CPU clock, as the peers sample; perf, too: by its own default, cycles by
    frequency, it can stop a virtual machine for a minute (event_open() in libcommon/kernel/perf.c)."""
    ours = [build / "bin/profile", "-F", hz]
    clock = ["--source", "cpu-clock"]
    stacks = f"profile:hz:{hz} {{ @[kstack, ustack, comm] = count(); }}"
    return {
        "**bscope**": [build / "bin/bscope", "-e", stacks],
        "**profile**": [*ours, *clock],
        "**profile** --top": [*ours, *clock, "--top"],
        "**profile** -K": [*ours, *clock, "-K"],
        "**profile** -p OTHER": [*ours, *clock, "-p", 1],
        "**profile** by default": ours,
        "libbpf-tools profile": ["/usr/sbin/profile", "-F", hz],
        "bpftrace": ["bpftrace", "-e", stacks],
        "perf record -g": ["perf", "record", "-e", "cpu-clock", "-a", "-g", "-q", "-F", hz, "-o", "/dev/null"],
    }


def runs(pid):
    """Runs and nanoseconds of the sampling program that the process has loaded."""
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            fields = dict(line.split(":\t", 1) for line in info.read_text().splitlines() if ":\t" in line)
        except FileNotFoundError:
            continue
        if fields.get("prog_type") == PERF_EVENT and int(fields["run_cnt"]):
            return int(fields["run_cnt"]), int(fields["run_time_ns"])
    return None


def measure(argv, seconds, results):
    """One run: appends (runs, ns a run, CPU ms, MB); a program that is no BPF has no runs."""
    before = os.times()
    process = subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    got = runs(process.pid)
    memory = next(int(line.split()[1]) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                  if line.startswith("VmHWM"))
    process.send_signal(signal.SIGINT)
    process.wait()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    results.append((got[0] if got else None, got[1] / got[0] if got else None, 1000 * cpu, memory / 1024))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=os.environ.get("BORESCOPE_BUILD") or ROOT / "build")
    parser.add_argument("--hz", type=int, default=49, choices=range(1, 1000), metavar="HZ")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--depth", type=int, default=30)
    args = parser.parse_args()
    chosen = {name: argv for name, argv in subjects(args.build, args.hz).items() if shutil.which(str(argv[0]))}
    results = {name: [] for name in chosen}
    enabled = STATS.read_text()
    STATS.write_text("1")
    try:
        for _ in range(args.rounds):
            for name, argv in chosen.items():
                load = subprocess.Popen([args.build / "workloads/burn", "1000000", str(os.cpu_count()), str(args.depth)],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                try:
                    load.stdin.write(b"\n")
                    load.stdin.flush()
                    measure(argv, args.seconds, results[name])
                finally:
                    load.kill()
                    load.wait()
    finally:
        STATS.write_text(enabled)
    print(f"{args.hz} Hz, {os.cpu_count()} CPUs, {args.seconds:g} s, stacks {args.depth} deep; medians of {args.rounds}\n")
    print("| | runs | ns a run | CPU of the tool, ms | resident, MB |\n|---|---:|---:|---:|---:|")
    for name, rows in results.items():
        count, each, cpu, memory = ([row[i] for row in rows] for i in range(4))
        count, each = (f"{statistics.median(values):.0f}" if None not in values else "" for values in (count, each))
        print(f"| {name} | {count} | {each} | {statistics.median(cpu):.0f} | {statistics.median(memory):.1f} |")


if __name__ == "__main__":
    main()
