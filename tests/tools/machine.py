# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tests borrow of the machine and give back: cgroups, disks of their own, kernel modules."""

import errno
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

import packages
from harness import VM, wait_until

# Positions in /sys/block/DISK/stat (Documentation/block/stat.rst).
STAT = {"reads": 0, "writes": 4, "discards": 11, "flushes": 15}
STAT_SECTORS = {"read": 2, "write": 6, "discard": 13}
STAT_MERGES = {"read": 1, "write": 5, "discard": 12}
MIB = 1 << 20
PREFIX = f"borescope-test-{os.getpid()}"    # of the names of what is made outside pytest's own directories
# What a filter by name or user looks for: others run the same workloads on this machine at the same time.
OWN_COMM = f"own{os.getpid()}own"
OWN_UID = 1_000_000 + os.getpid()


def need(condition, reason):
    """Skips the test natively; in a VM, where we chose the kernel, what is missing is a failure."""
    if condition:
        return
    if VM:
        pytest.fail(f"missing in the VM: {reason}")
    pytest.skip(reason)


def need_program(name):
    """need() for a program, with the package that has it."""
    need(shutil.which(name), f"no {name}: the package {packages.of_program(name)} has it")


def call(*argv):
    """Runs a command that must succeed; returns its output."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout.strip()


def cgroup2_mount():
    """Where cgroup v2 is mounted, or None."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2" and fields[3] == "/":
            return Path(fields[4])
    return None


class Cgroup:
    """A cgroup of our own, made at once and removed by remove()."""

    made = 0

    def __init__(self):
        mount = cgroup2_mount()
        need(mount, "no cgroup v2 hierarchy is mounted")
        Cgroup.made += 1
        self.name = f"{PREFIX}-{Cgroup.made}"
        self.path = mount / self.name
        self.path.mkdir()

    @property
    def id(self):
        """The kernel's number for it."""
        return self.path.stat().st_ino

    def remove(self):
        """Removes it once the processes in it have ended."""
        wait_until(lambda: not (self.path / "cgroup.procs").read_text(), 5, f"{self.path} is in use")
        self.path.rmdir()


class Disk:
    """A block device by its kernel name."""

    def __init__(self, name):
        self.name = name
        self.path = Path("/dev") / name
        self.sys = Path("/sys/block") / name

    def stat(self):
        """The kernel's own counters."""
        fields = (self.sys / "stat").read_text().split()
        return {name: int(fields[at]) for name, at in STAT.items()}

    def grown(self, before):
        """How much each counter grew since stat() returned `before`."""
        return {name: value - before[name] for name, value in self.stat().items()}

    def counters(self, positions):
        """Others of its counters: STAT_SECTORS, STAT_MERGES."""
        fields = (self.sys / "stat").read_text().split()
        return {name: int(fields[at]) for name, at in positions.items()}

    def setting(self, name):
        """The file of a queue setting, such as wbt_lat_usec."""
        return self.sys / "queue" / name

    @contextmanager
    def set(self, name, value):
        """Changes a queue setting for a while."""
        file = self.setting(name)
        need(file.exists(), f"{self.name} has no {name}")
        before = file.read_text().strip()
        before = before[before.find("[") + 1:].split("]")[0] if "[" in before else before   # of a choice, the chosen
        try:
            file.write_text(value)
        except OSError as error:
            need(False, f"{file}: {error.strerror}")
        try:
            yield
        finally:
            file.write_text(before)

    @contextmanager
    def unstamped(self):
        """The kernel stamps no start_time_ns (and counts nothing in stat): no iostats, no scheduler."""
        with self.set("scheduler", "none"), self.set("iostats", "0"):
            yield

    def keeps_statistics(self):
        """Whether the queue has QUEUE_FLAG_STATS, so that io_start_time_ns is stamped; None: debugfs does not tell."""
        state = Path("/sys/kernel/debug/block") / self.name / "state"
        return "STATS" in state.read_text() if state.exists() else None


def blocks():
    """The names of all block devices."""
    return set(os.listdir("/sys/block"))


@contextmanager
def loop_disk(directory, direct=not VM):    # in the VM /tmp is a tmpfs, which 5.10 to 6.5 cannot open with O_DIRECT
    """A loop device over a file in `directory`; `direct`: past the page cache."""
    need(Path("/dev/loop-control").exists(), "no loop devices")
    image = Path(directory) / "disk.img"
    with open(image, "wb") as file:
        os.truncate(file.fileno(), 64 * MIB)
        os.posix_fallocate(file.fileno(), 0, 8 * MIB)
    path = call("losetup", "--find", "--show", *(["--direct-io=on"] if direct else []), image)
    try:
        yield Disk(Path(path).name)
    finally:
        call("losetup", "--detach", path)
        image.unlink()


def kernel_log():
    """Its end, for the reader of a test that failed."""
    return subprocess.run("dmesg | tail -n 20", shell=True, capture_output=True, text=True, check=False).stdout


@contextmanager
def module_disk(module, *settings):
    """The disk that loading a module with these settings makes."""
    before = blocks()
    assert not Path("/sys/module", module).exists(), f"{module} is in use: one test has its disk already"
    done = subprocess.run(["modprobe", module, *settings], capture_output=True, text=True, check=False)
    need(done.returncode == 0, f"no {module}: {done.stderr.strip()}")
    try:
        name = wait_until(lambda: blocks() - before, 10,
                          lambda: f"{module} made no disk: {before} before, {blocks()} now\n{kernel_log()}").pop()
        disk = Disk(name)
        wait_until(disk.path.exists, 10, f"no {disk.path}")
        wait_until(lambda: disk.setting("scheduler").exists() and settled(disk), 10, f"{name} does not settle")
        yield disk
    finally:
        wait_until(lambda: subprocess.run(["modprobe", "-r", module], capture_output=True, check=False).returncode == 0,
                   10, f"{module} does not unload")


def settled(disk):
    """Whether the partition scan of a new disk is over: size known, counters at rest."""
    first = disk.stat()
    if (disk.sys / "size").read_text().strip() == "0":
        return False
    with open(disk.path, "rb", buffering=0) as file:    # waits for the scan, which holds the disk
        file.read(512)
    return disk.stat() != first or first["reads"] > 0


def null_disk(delay_ns):
    """A null_blk disk that completes every request by timer after delay_ns."""
    return module_disk("null_blk", "nr_devices=1", "queue_mode=2", "irqmode=2", f"completion_nsec={delay_ns}", "gb=1",
                       "bs=4096", "submit_queues=1")


HAS_SCSI_DEBUG = bool(VM) and not VM.endswith("-arm64")


def need_scsi_debug():
    """For tests in VMs that make a disk slow, or make it fail."""
    if not HAS_SCSI_DEBUG:
        pytest.skip("vm-ok: Debian builds its kernel for arm64 without scsi_debug" if VM else "no scsi_debug here")


def scsi_disk(delay_ns):
    """A scsi_debug disk with a write cache (so that flushes arrive) and discards."""
    call("modprobe", "sd_mod")
    return module_disk("scsi_debug", "dev_size_mb=64", "delay=0", f"ndelay={delay_ns}", "lbpu=1", "lbpws=1")


@contextmanager
def scsi_delay(delay_ns):
    """The scsi_debug disk takes this long for everything."""
    file = Path("/sys/bus/pseudo/drivers/scsi_debug/ndelay")
    before = file.read_text()

    def write(text):
        try:
            file.write_text(text)
        except OSError as error:    # the driver refuses while requests are on their way
            if error.errno != errno.EBUSY:
                raise
            return False
        return True
    wait_until(lambda: write(str(delay_ns)), 10, "the disk is always busy")
    try:
        yield
    finally:
        wait_until(lambda: write(before), 10, "the disk is always busy")
