# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The kernel's own counters of runs and run time of BPF programs, to hold a tool's --cost against."""
import contextlib
import ctypes
import os
import platform
import re
import struct
from pathlib import Path

SYS_BPF = {"x86_64": 321, "aarch64": 280}
PROG_GET_FD_BY_ID, ENABLE_STATS = 13, 32    # <linux/bpf.h>
ATTR_BYTES = 120

_libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, number):
    """bpf(2) with a single number as its argument; a file descriptor."""
    attr = struct.pack("=I", number).ljust(ATTR_BYTES, b"\0")
    fd = _libc.syscall(SYS_BPF[platform.machine()], command, attr, ATTR_BYTES)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


@contextlib.contextmanager
def counting():
    """The kernel counts, whatever the tool does."""
    fd = bpf(ENABLE_STATS, 0)
    try:
        yield
    finally:
        os.close(fd)


class Programs:
    """The programs that a process has loaded; they stay, and their counters, until the `with` block is left."""

    def __init__(self, pid):
        ids = set()
        for file in Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):    # it may be closed meanwhile
                ids.update(map(int, re.findall(r"^prog_id:\s*(\d+)$", file.read_text(encoding="ascii"), re.M)))
        self.fds = [bpf(PROG_GET_FD_BY_ID, i) for i in ids]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for fd in self.fds:
            os.close(fd)

    def infos(self):
        return [Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii") for fd in self.fds]

    def read(self):
        """All their runs, and ns."""
        texts = self.infos()
        return [sum(int(re.search(rf"^{key}:\s*(\d+)$", text, re.M)[1]) for text in texts)
                for key in ("run_cnt", "run_time_ns")]

    def verified(self):
        """How many instructions the verifier followed for each of them; nothing before Linux 5.16."""
        return [int(n) for text in self.infos() for n in re.findall(r"^verified_insns:\s*(\d+)$", text, re.M)]
