# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The kernel's own counters of cycles, to hold a tool against."""
import ctypes
import os
import platform
import struct

SYS_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
ATTR_BYTES = 64     # PERF_ATTR_SIZE_VER0: type, size, config, and zeros
HARDWARE, CPU_CYCLES = 0, 0

_libc = ctypes.CDLL(None, use_errno=True)


def count_cycles(cpu):
    """A file descriptor that counts a CPU's cycles from now on, of all that it runs."""
    attr = struct.pack("=IIQ", HARDWARE, ATTR_BYTES, CPU_CYCLES).ljust(ATTR_BYTES, b"\0")
    fd = _libc.syscall(SYS_PERF_EVENT_OPEN[platform.machine()], attr, -1, cpu, -1, ctypes.c_ulong(0))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def cycles(fds):
    """The sum of what the counters have counted."""
    return sum(struct.unpack("=Q", os.read(fd, 8))[0] for fd in fds)
