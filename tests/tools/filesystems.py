# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""File systems of the tests' own, on slow disks."""

import ctypes
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import machine
from harness import VM
from machine import call, need, need_program
from network import Side

DELAY_MS = 30                   # of the slow disk
DELAY_AT_LEAST_MS = 26          # dm-delay counts in ticks of 4 ms, and the first is not a whole one
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"],
        "f2fs": ["mkfs.f2fs", "-q", "-f"]}
IMAGE_MIB = 512                 # of a sparse file
NFS_FLAGS = 0x2 | 0x400 | 0x2000        # of an export (nfsd/export.h): insecure ports, no_subtree_check, fsid=
FAR_FUTURE = 0x7fffffff
NOBODY_ID = 65534
SHORTEST_GRACE_S = 10
MNT_DETACH = 2


@contextmanager
def image_disk(directory):
    """A loop device over a sparse file."""
    if VM:
        call("modprobe", "loop")
    need(Path("/dev/loop-control").exists(), "no loop devices")
    image = Path(directory) / "filesystem.img"
    with open(image, "wb") as file:
        os.truncate(file.fileno(), IMAGE_MIB << 20)
    path = call("losetup", "--find", "--show", image)
    try:
        yield Path(path)
    finally:
        call("losetup", "--detach", path)
        image.unlink()


@contextmanager
def delayed(disk):
    """The disk behind dm-delay: every read, write and flush takes DELAY_MS longer."""
    need_program("dmsetup")
    call("modprobe", "dm_delay")
    sectors = call("blockdev", "--getsz", disk)
    name = f"{machine.PREFIX}-{disk.name}"
    call("dmsetup", "create", name, "--noudevsync", "--table", f"0 {sectors} delay {disk} 0 {DELAY_MS}")
    try:
        call("dmsetup", "mknodes", name)
        yield Path("/dev/mapper") / name
    finally:
        machine.wait_until(lambda: subprocess.run(["dmsetup", "remove", "--noudevsync", name], capture_output=True,
                                                  check=False).returncode == 0, 10, f"{name} is in use")


@contextmanager
def mounted(kind, disk, place):
    """The disk, with a file system made before, mounted at `place`."""
    place.mkdir(exist_ok=True)
    call("mount", "-t", kind, "-o", "noatime", disk, place)
    try:
        yield place
    finally:
        call("umount", place)


@contextmanager
def mounted_again(directory, place):
    """The directory at another place, too."""
    place.mkdir()
    call("mount", "--bind", directory, place)
    try:
        yield place
    finally:
        call("umount", place)
        place.rmdir()


@contextmanager
def fuse(place, source, *late_ms):
    """A FUSE file system with a copy of `source` as x; yields its directory and the file to make it hang by. With
    `late_ms` every other read and write is answered so much later."""
    directory, stop = place / "fuse", place / "stop"
    directory.mkdir()
    need(Path("/dev/fuse").exists() or subprocess.run(["modprobe", "fuse"], check=False).returncode == 0,
         "this kernel has no FUSE")
    server = subprocess.Popen([sys.executable, Path(__file__).with_name("fuse_server.py"), directory, source, stop,
                               *map(str, late_ms)], stdout=subprocess.PIPE)
    try:
        need(server.stdout.readline() == b"mounted\n", "FUSE cannot be mounted here")
        yield directory, stop
    finally:
        server.kill()   # whoever waits for it gets an error
        server.wait()
        server.stdout.close()
        ctypes.CDLL(None).umount2(os.fsencode(directory), MNT_DETACH)
        directory.rmdir()


class NfsServer:
    """An NFS 4 server of the kernel's, in a network namespace of its own, for one directory. It takes no user space: what
    exportfs(8) and mountd(8) would tell the kernel is written to the kernel's caches."""

    def __init__(self, control):
        self.control = control          # where its file system of settings is mounted
        self.side = Side()

    def __enter__(self):
        self.side.run("ip", "link", "set", "lo", "up")
        self.control.mkdir()
        self.side.run("mount", "-t", "nfsd", "nfsd", self.control)
        return self

    def __exit__(self, *unused):
        (self.control / "threads").write_text("0\n")
        call("umount", self.control)
        self.side.end()

    def tell(self, cache, *words):
        """A line for one of the caches below /proc/net/rpc."""
        Path(f"/proc/{self.side.pid}/net/rpc/{cache}/channel").write_text(" ".join(map(str, words)) + "\n")

    def start(self, directory):
        """Serves the directory as the root, without the versions that take rpcbind(8). Until the time of grace for clients
        of an earlier server is over, it opens no file."""
        self.tell("auth.unix.ip", "nfsd", "127.0.0.1", FAR_FUTURE, "tests")
        self.tell("nfsd.export", "tests", directory, FAR_FUTURE, NFS_FLAGS, NOBODY_ID, NOBODY_ID, 0)
        self.tell("nfsd.fh", "tests", 1, "\\x00000000", FAR_FUTURE, directory)
        versions = (self.control / "versions").read_text().split()
        (self.control / "versions").write_text(" ".join("-" + version[1:] if version[1:] in "23" else version
                                                        for version in versions) + "\n")
        (self.control / "nfsv4gracetime").write_text(f"{SHORTEST_GRACE_S}\n")
        (self.control / "portlist").write_text("tcp 2049\n")
        (self.control / "threads").write_text("2\n")
        machine.wait_until(lambda: (self.control / "v4_end_grace").read_text() == "Y\n", SHORTEST_GRACE_S + 5,
                           "the NFS server's time of grace does not end")

    @contextmanager
    def mounted(self, place):
        """A mount of it, by loopback."""
        place.mkdir()
        self.side.run("mount", "-i", "-t", "nfs4", "-o", "noatime,vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1",
                      "127.0.0.1:/", place)
        try:
            yield place
        finally:
            call("umount", place)

    def delay(self):
        """A request and its answer take DELAY_MS longer."""
        self.side.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{DELAY_MS / 2}ms")


@contextmanager
def nfs(directory, slow):
    """NFS 4 of an ext4."""
    for module in ("nfsd", "nfsv4", "sch_netem"):
        call("modprobe", module)
    with filesystem("ext4", directory) as exported, NfsServer(Path(directory) / "nfsd") as server:
        server.start(exported)
        with server.mounted(Path(directory) / "nfs") as place:
            if slow:
                server.delay()
            yield place


@contextmanager
def filesystem(kind, directory, slow=False):
    """A new file system of this kind, mounted; on a slow disk, or by a slow network, if it is to be slow."""
    if kind == "nfs":
        need(VM, "an NFS server takes kernel modules")
        with nfs(directory, slow) as place:
            yield place
        return
    if VM:
        call("modprobe", kind)
    need_program(MAKE[kind][0])
    need(any(line.split()[-1] == kind for line in Path("/proc/filesystems").read_text().splitlines()),
         f"this kernel has no {kind}")
    with image_disk(directory) as disk:
        call(*MAKE[kind], disk)
        with delayed(disk) if slow else nullcontext(disk) as under, \
                mounted(kind, under, Path(directory) / "mnt") as place:
            yield place
