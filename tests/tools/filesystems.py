# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""File systems of the tests' own, on slow disks; and the kernel's ways of being asked for operations on them."""

import os
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import machine
from harness import VM
from machine import call, need

# In the VM the file systems lie on the guest's empty disk, behind a dm-delay of this many ms when they are to be slow.
DELAY_MS = 30
VM_DISK = Path("/dev/vda")
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"],
        "f2fs": ["mkfs.f2fs", "-q", "-f"]}
IMAGE_MIB = 512                 # natively: a sparse file behind a loop device


@contextmanager
def image_disk(directory):
    """A loop device over a sparse file."""
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
    call("modprobe", "dm_delay")
    sectors = call("blockdev", "--getsz", disk)
    name = f"{machine.PREFIX}-slow"
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
def filesystem(kind, directory, slow=False):
    """A new file system of this kind, mounted; in the VM behind a delay if it is to be slow."""
    if VM:
        call("modprobe", kind)
    need(any(line.split()[-1] == kind for line in Path("/proc/filesystems").read_text().splitlines()),
         f"this kernel has no {kind}")
    with image_disk(directory) if not VM else _same(VM_DISK) as disk:
        call(*MAKE[kind], disk)
        with delayed(disk) if slow else _same(disk) as under, mounted(kind, under, Path(directory) / "mnt") as place:
            yield place


@contextmanager
def _same(value):
    yield value
