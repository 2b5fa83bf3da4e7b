# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""File systems of the tests' own, on slow disks."""

import os
import shutil
import subprocess
from contextlib import contextmanager, nullcontext
from pathlib import Path

import machine
from harness import VM
from machine import call, need

DELAY_MS = 30                   # of the slow disk
DELAY_AT_LEAST_MS = 26          # dm-delay counts in ticks of 4 ms, and the first is not a whole one
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"],
        "f2fs": ["mkfs.f2fs", "-q", "-f"]}
IMAGE_MIB = 512                 # of a sparse file


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
    need(shutil.which("dmsetup"), "no dmsetup")
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
def filesystem(kind, directory, slow=False):
    """A new file system of this kind, mounted; on a slow disk, if it is to be slow."""
    if VM:
        call("modprobe", kind)
    need(shutil.which(MAKE[kind][0]), f"no {MAKE[kind][0]}")
    need(any(line.split()[-1] == kind for line in Path("/proc/filesystems").read_text().splitlines()),
         f"this kernel has no {kind}")
    with image_disk(directory) as disk:
        call(*MAKE[kind], disk)
        with delayed(disk) if slow else nullcontext(disk) as under, \
                mounted(kind, under, Path(directory) / "mnt") as place:
            yield place
