# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The operations that tools are measured with: an open, a spawn, a direct write. Each knows how to do many of them fast,
how to do one that can be told from the others, and how many of its own a tool's output shows."""

import mmap
import os
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

ROW = re.compile(rb":\s+(\d+)\s+\|")            # of a histogram as BCC prints it
BT_ROW = re.compile(rb"^\[[^\]]*[\])]\s+(\d+) \|", re.M)


class Workload:
    """A program of tests/workloads, pinned to one CPU unless it has more threads."""

    def __init__(self, bench, name, *arguments, pin=True, wrapper=()):
        argv = [*map(str, wrapper), str(bench.build / "workloads" / name), *map(str, arguments)]
        if pin:
            argv = ["taskset", "-c", str(os.cpu_count() - 1), *argv]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = int(self.process.stdout.readline().split(b"=")[1])

    def go(self):
        """Lets it run; returns the fields it prints, with its CPU time in ns as cpu_ns."""
        self.process.stdin.close()
        words = self.process.stdout.read().split()
        self.process.stdout.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        fields = {key: value for key, _, value in (word.decode().partition("=") for word in words)}
        fields["cpu_ns"] = int((usage.ru_utime + usage.ru_stime) * 1e9)
        return fields


class Operation:
    told_apart = True       # one can be found in what a tool shows

    def __init__(self, bench):
        self.bench = bench
        self.probes = 0

    def burst(self, n, threads=1, wrapper=()):
        """ns per operation by the clock, and of CPU time; of a workload that a `wrapper` such as strace starts."""
        fields = Workload(self.bench, *self.workload(n, threads), pin=threads == 1, wrapper=wrapper).go()
        wall = int(fields.get("ns") or fields["sum_ns"])
        return wall / n, fields["cpu_ns"] / n

    def first_seen(self, output, times):
        """When the first operation was done that the output shows; None: it shows none."""
        numbers = [int(number) for number in re.findall(rb"borescope-probe-(\d+)", output)]
        return times[min(numbers)] if numbers else None

    @contextmanager
    def ready(self):
        yield


class Open(Operation):
    name, weighed_by = "open+close", "cpu_ns"

    def workload(self, n, threads):
        return "openfast", n // threads, threads, self.target

    @contextmanager
    def ready(self):
        self.target = self.bench.work / "borescope-target"
        self.target.touch()
        yield

    def shown(self, output):
        return output.count(b"borescope-target")

    def one(self, number):
        try:
            os.close(os.open(self.bench.work / f"borescope-probe-{number}", os.O_RDONLY))
        except FileNotFoundError:
            pass


class Spawn(Operation):
    name, weighed_by = "spawn", "cpu_ns"

    def workload(self, n, threads):
        return "execfast", n // threads, threads, self.target

    @contextmanager
    def ready(self):
        self.target = self.bench.work / "borescope-target"
        Workload(self.bench, "execfast", 1, 1, self.target).go()        # writes the program
        yield

    def shown(self, output):
        return sum(b"borescope-target" in line and b"execfast" not in line for line in output.splitlines())

    def one(self, number):
        pid = os.posix_spawn(self.target, ["t", f"borescope-probe-{number}"], {})
        os.waitpid(pid, 0)


class End(Spawn):
    name, told_apart = "spawn and end", False

    def shown(self, output):
        return output.count(b"borescope-targe ")        # 15 bytes are what a name has


class Io(Operation):
    name, weighed_by = "direct 4k write", "program_ns"    # the caller sleeps, and a disk's time varies too much

    def workload(self, n, threads):
        return "diskio", "write", n, self.disk

    @contextmanager
    def ready(self):
        with (null_disk() if self.bench.in_vm else loop_disk(self.bench.disk_file)) as self.disk:
            self.fd = os.open(self.disk, os.O_RDWR | os.O_DIRECT)
            self.buffer = mmap.mmap(-1, 4096)
            yield
            os.close(self.fd)

    def shown(self, output):
        return sum(map(int, ROW.findall(output) or BT_ROW.findall(output)))

    def one(self, number):
        os.pwrite(self.fd, self.buffer, 4096 * (number % 256))

    def first_seen(self, output, times):
        shown = self.shown(output)
        return times[max(len(times) - shown, 0)] if shown else None


class IoRow(Io):
    """The same, for tools that print a row for each."""

    def shown(self, output):
        return output.count(os.path.basename(self.disk).encode())


class Request(Operation):
    """Nothing that a tool would show: what counts is that it costs nothing."""
    name, weighed_by = "request and response on one TCP connection", "cpu_ns"
    told_apart, arguments = False, ()

    def workload(self, n, threads):
        return "tcprr", n, *self.arguments


class Connection(Request):
    name, arguments = "connection with one request and response", ("connect",)


class Session(Connection):
    """Each has two ends, and so two rows."""

    def shown(self, output):
        return output.count(b"tcprr") // 2


class Connect(Connection):
    """The same, for a tool that shows that it was made."""

    def shown(self, output):
        return sum(b"tcprr" in line for line in output.splitlines())


class RoundTrip(Operation):
    """A byte to another process and back, both on one CPU: two wake-ups, two switches. What a tool shows are all
    waits of the machine, so that none of ours can be told from others'."""
    name, weighed_by, told_apart = "pipe round trip", "cpu_ns", False

    def workload(self, n, threads):
        return "pingpong", n

    def shown(self, output):
        return sum(map(int, ROW.findall(output) or BT_ROW.findall(output)))


class Wait(RoundTrip):
    """The same, for a tool that shows whose waits they were."""

    def shown(self, output):
        return output.count(b"pingpong")


class FileRw(Operation):
    """From and to the page cache of an ext4 of its own: too fast for any threshold."""
    name, weighed_by, told_apart = "buffered 4k write and read", "cpu_ns", False

    def workload(self, n, threads):
        return "filerw", n, self.target

    @contextmanager
    def ready(self):
        if self.bench.in_vm:
            call("modprobe", "-a", "loop", "ext4")
        with ext4(self.bench.work / "ext4.img", self.bench.work / "mnt") as place:
            self.target = place / "data"
            yield


class Call(Operation):
    """The cheapest system call that does something: getppid()."""
    name, weighed_by, told_apart = "getppid", "cpu_ns", False

    def workload(self, n, threads):
        return "getppids", n

    def shown(self, output):
        return output.count(b"getppid") or output.count(b"getppids")


def call(*argv):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def loop_disk(image):
    """A loop device over a file of its own, past the page cache."""
    with open(image, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 256 << 20)
    disk = call("losetup", "--find", "--show", "--direct-io=on", image)
    try:
        time.sleep(0.1)
        yield Path(disk)
    finally:
        call("losetup", "--detach", disk)
        os.unlink(image)


@contextmanager
def ext4(image, place):
    """A file system in a file."""
    with open(image, "wb") as file:
        os.truncate(file.fileno(), 64 << 20)
    call("mkfs.ext4", "-q", "-F", image)
    place.mkdir()
    call("mount", "-o", "loop", image, place)
    try:
        yield place
    finally:
        call("umount", place)
        os.unlink(image)


@contextmanager
def null_disk():
    """null_blk, which completes at once, in the context of whoever submits."""
    call("modprobe", "null_blk", "nr_devices=1", "queue_mode=2", "irqmode=0", "gb=1", "bs=4096", "submit_queues=1")
    disk = Path("/dev/nullb0")
    while not disk.exists():
        time.sleep(0.1)
    time.sleep(0.5)
    wbt = Path("/sys/block/nullb0/queue/wbt_lat_usec")
    try:
        wbt.write_text("2000")          # so that the kernel stamps its requests, as it does on a disk of metal
    except OSError:
        pass
    yield disk
