# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is done with each tool: start and stop it, weigh an operation with it and without, let it run at full speed."""

import os
import shutil
import signal
import statistics
import time
from contextlib import contextmanager
from string import Template

from operations import Workload
from process import Process, Refused


def spread(values):
    """Median, quartiles and number of measured values."""
    values = sorted(values)
    low, high = values[len(values) // 4], values[-1 - len(values) // 4]
    return {"median": statistics.median(values), "q1": low, "q3": high, "n": len(values)}


class Phases:
    def __init__(self, bench, operation, subjects):
        self.bench = bench
        self.operation = operation
        self.subjects = subjects
        self.stderr = bench.work / "stderr"

    def argv(self, subject):
        values = {"BUILD": self.bench.build, "YARDSTICK": self.bench.yardstick, "PID": os.getpid(),
                  "DISK": os.path.basename(str(getattr(self.operation, "disk", "")))}
        return [Template(word).safe_substitute(values) for word in subject.argv]

    def able(self, wrappers=False):
        """Those that run here. A wrapper only takes part in the cost."""
        return [subject for subject in self.subjects
                if not subject.refused and (wrappers or subject.kind != "wrapper")]

    @contextmanager
    def running(self, subject, stdout):
        process = Process(self.argv(subject), stdout, self.stderr)
        try:
            yield process
        finally:
            if not process.ended():
                process.process.send_signal(signal.SIGKILL)
                process.process.wait()

    def collect(self, subject, key, values):
        if values:
            subject.results[key] = spread(values)

    # Does it work here at all? An operation of ours must show.

    def check(self):
        for subject in self.subjects:
            program = self.argv(subject)[0]
            if not shutil.which(program):
                subject.refused = f"{program} is not installed"
        for subject in self.able():
            try:
                with self.running(subject, self.bench.output()) as process:
                    process.wait_ready()
                    self.operation.burst(100)
                    if process.program_ns()[1]:
                        raise SystemExit("bench: BPF statistics are on (another's --cost, or kernel.bpf_stats_enabled): "
                                         "they would be in all figures")
                    time.sleep(0.3)
                    process.stop()
            except Refused as reason:
                subject.refused = str(reason)
                continue
            words = self.stderr.read_text(errors="replace")
            if subject.kind != "floor" and not subject.filtered and not self.operation.shown(self.bench.output_text()):
                subject.refused = "shows nothing here: " + (process.last_words() if words else "no message")
            subject.notes = words

    # Time to ready: operations that can be told apart are done from its start on; ready is when the first was done that
    # the tool shows; where none can, when it sleeps. Time to stop: from SIGINT until the process is gone.

    def start_and_stop(self, times):
        for subject in self.able():
            shows = subject.kind != "floor" and not subject.filtered and self.operation.told_apart
            asleep, ready, stop = [], [], []
            for _ in range(min(times, 3) if subject.slow else times):
                with self.running(subject, self.bench.output()) as process:
                    if shows:
                        done = self.operate_until_ready(process)
                    else:
                        asleep.append(process.wait_ready())
                    stop.append(process.stop())
                    if shows:
                        seen = self.operation.first_seen(self.bench.output_text(), done)
                        if seen is not None:
                            ready.append(seen - process.started)
            self.collect(subject, "asleep_s", asleep)
            self.collect(subject, "ready_s", ready)
            self.collect(subject, "stop_s", stop)

    def operate_until_ready(self, process):
        done, calm, deadline = [], 0, time.monotonic() + 20
        while calm < 5 and time.monotonic() < deadline and not process.ended():
            for _ in range(4):
                done.append(time.monotonic())
                self.operation.one(len(done) - 1)
                time.sleep(0.0003)
            calm = calm + 1 if process.sleeps() and process.fdinfo("prog_id") else 0
        time.sleep(0.15)
        return done

    # Cost: base, A, base, B, ... in short bursts; what counts is each one's difference from the base beside it.

    def cost(self, rounds, n, getppids):
        self.operation.burst(n)
        added = {id(subject): ([], [], []) for subject in self.subjects}
        bases = []
        for number in range(rounds):
            for subject in self.able(wrappers=True):
                if subject.slow and number % 4:
                    continue
                base = self.bursts(n, getppids)
                try:
                    if subject.kind == "wrapper":
                        added[id(subject)][0].append(self.wrapped_burst(subject, n) - base[0])
                        continue
                    with self.running(subject, self.bench.null) as process:
                        process.wait_ready()
                        loaded = self.bursts(n, getppids)
                        subject.results.setdefault("stops", []).append(process.stop())
                except Refused as reason:
                    subject.refused = str(reason)
                    continue
                bases.append(base)
                for values, with_it, without in zip(added[id(subject)], loaded, base):
                    values.append(with_it - without)
        for subject in self.able(wrappers=True):
            for key, values in zip(("wall_ns", "cpu_ns", "getppid_ns"), added[id(subject)]):
                self.collect(subject, key, values)
            self.collect(subject, "stop_after_burst_s", subject.results.pop("stops", []))
        return {key: spread([base[i] for base in bases]) for i, key in enumerate(("wall_ns", "cpu_ns"))}

    def wrapped_burst(self, subject, n):
        """By the clock, ns per operation."""
        try:
            return self.operation.burst(n, wrapper=self.argv(subject))[0]
        except (KeyError, ValueError, OSError) as reason:
            raise Refused(f"the workload does not run under it ({reason!r})") from reason

    def bursts(self, n, getppids):
        """By the clock and of CPU time, ns per operation, and CPU ns per getppid(): of three each the least, which is
        the one that others on the machine disturbed least."""
        samples = [self.operation.burst(n) for _ in range(3)]
        result = [min(sample[i] for sample in samples) for i in (0, 1)]
        if getppids:
            fields = [Workload(self.bench, "getppids", getppids).go() for _ in range(3)]
            result.append(min(f["cpu_ns"] / getppids for f in fields))
        return result

    # The programs' run time, as the kernel counts it.

    def program_time(self, n):
        with self.bench.bpf_stats():
            for subject in self.able():
                samples = []
                for _ in range(3):
                    try:
                        with self.running(subject, self.bench.null) as process:
                            process.wait_ready()
                            before = process.program_ns()
                            self.operation.burst(n)
                            after = process.program_ns()
                            process.stop()
                    except Refused:
                        continue
                    samples.append([(b - a) / n for a, b in zip(before, after)])
                if samples and samples[0][1]:
                    subject.results["program_ns"] = min(sample[0] for sample in samples)
                    subject.results["program_runs"] = min(sample[1] for sample in samples)

    # At work: what memory it takes then, and what CPU time of its own.

    @contextmanager
    def at_work(self, subject, count, threads):
        """Runs it while `count` operations are done; yields what that took, with what it has printed still there."""
        with self.running(subject, self.bench.output()) as process:
            process.wait_ready()
            before, cpu = process.memory(), process.cpu_ns()
            self.operation.burst(count, threads)
            self.settle(process)
            cpu = process.cpu_ns() - cpu
            result = {"operations": count, "cpu_s_per_million": cpu / 1e3 / count, "memory_before": before,
                      "memory": process.memory(), "map_bytes": process.map_bytes()}
            process.stop()
            yield result

    def memory(self, n):
        for subject in self.able():
            with self.at_work(subject, n, 1) as subject.results["at_work"]:
                self.bench.output_text()

    # Full speed: what gets lost, too.

    def full_speed(self, n, peers_n, threads):
        for subject in self.able():
            if subject.kind == "floor" or subject.filtered:
                continue
            with self.at_work(subject, n if subject.kind == "tool" else peers_n, threads) as result:
                shown = self.operation.shown(self.bench.output_text())
            said = self.stderr.read_text(errors="replace").strip().splitlines()[-3:]
            subject.results[f"full_speed_{threads}"] = {**result, "shown": shown, "says": said,
                                                        "lost": result["operations"] - shown}
            if threads == 1:
                subject.results["at_work"] = result

    def settle(self, process):
        """Until it has written all it has: its CPU time stands still for a while."""
        last, deadline = -1, time.monotonic() + 20
        while time.monotonic() < deadline:
            now = process.cpu_ns()
            if now - last < 3_000_000:
                return
            last = now
            time.sleep(0.3)
