# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""profile and xstack where what they read of others does not come, or takes too long, or is too much: they end in time,
show everybody else with names, and say what they could not read."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from filesystems import fuse
from harness import OK, VM, Tool, Workload, patience, public_copy, wait_until
from machine import OWN_UID, call, need

HERE = Path(__file__).parent
SECONDS = 15    # for a tool that has to do with what is broken; without bounds it takes minutes, or for ever


def functions(row):
    """Those of the user's part of a JSON stack."""
    return [frame["function"] for frame in row["user"] or []]


@pytest.mark.skipif(VM == "5.10", reason="vm-ok: no user stacks before Linux 5.18")
def test_hung_file_system(place):
    """A program lies on a file system that answers no more: other rows have their names, this one its file's."""
    with fuse(place, public_copy(Workload("parked").program, place)) as (directory, stop), \
            Workload("parked", "pipe", 1, comm="x", directory=directory) as hung, Workload("parked", "pipe", 1) as other:
        time.sleep(0.2)     # they come to where they wait
        stop.touch()
        with Tool("xstack", "-a", "-j", "-p", f"{hung.pid},{other.pid}") as tool:
            wait_until(lambda: tool.raw.count(b"\n") >= 4, SECONDS, lambda: f"no rows: {tool.said}")
            tool.stop()
        assert tool.status == OK, tool.said
        rows = tool.json
    assert any("wait_in_read" in functions(row) for row in rows if row["pid"] == other.pid)
    frames = [frame for row in rows if row["pid"] == hung.pid for frame in row["user"] or []]
    ours = [frame for frame in frames if frame["module"] == "x"]
    assert ours and all(frame["function"] is None and frame["offset"] for frame in ours), frames
    assert tool.summary["files_unread"] == 1 and tool.summary["processes_unread"] == 0
    assert f"1 file of 1 user could not be read ({directory}/x: no answer)" in tool.said


def reads_maps(pid):
    """Whether /proc/PID/maps can be read: by a child that is killed if it waits."""
    reader = subprocess.Popen(["cat", f"/proc/{pid}/maps"], stdout=subprocess.DEVNULL)
    try:
        return reader.wait(patience(2)) == 0
    except subprocess.TimeoutExpired:
        reader.kill()
        reader.wait()
        return False


# One thread takes a fault in a page that never comes, whose second try holds the lock of the memory map; another one maps
# something, and waits for it; the first one runs. They are there before, for making a thread needs the lock, too.
LOCKER = """
import ctypes, os, sys, threading
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
at = ctypes.c_void_p(libc.mmap(None, 1 << 20, 1, 2, os.open(sys.argv[1], os.O_RDONLY), 0))
room = ctypes.create_string_buffer(8)

def fault():
    libc.usleep(300000)
    libc.memcpy(room, at, 1)

def map_more():
    libc.usleep(900000)
    libc.mmap(None, 4096, 1, 0x22, -1, 0)

for target in (fault, map_more):
    threading.Thread(target=target, daemon=True).start()
print(os.getpid(), flush=True)
while True:
    pass
"""


@pytest.mark.skipif(not VM, reason="whoever else reads /proc/PID/maps on this machine would hang")
def test_memory_lock_held(place):
    """A process whose list of mappings nobody can read, made so by an ordinary user: profile ends in time."""
    need(subprocess.run(["modprobe", "fuse"], check=False).returncode == 0, "this kernel has no FUSE")
    os.chmod("/dev/fuse", 0o666)
    place.chmod(0o777)
    script = f"mkdir {place}/u; {sys.executable} {HERE}/fuse_server.py {place}/u - {place}/no >{place}/said & " \
             f"echo $!; until [ -s {place}/said ]; do sleep .1; done; exec {sys.executable} -c \"$0\" {place}/u/x"
    with subprocess.Popen(["setpriv", "--reuid", str(OWN_UID), "--regid", str(OWN_UID), "--clear-groups", "unshare",
                           "-Urm", "sh", "-c", script, LOCKER], stdout=subprocess.PIPE) as locker:
        server, pid = int(locker.stdout.readline()), int(locker.stdout.readline())
        time.sleep(2)
        locked = not reads_maps(pid)
        with Tool("profile", "-p", pid, "-j", "-F", 99, 2) as tool:
            assert tool.wait(SECONDS) == OK
        os.kill(server, signal.SIGKILL)     # the process cannot end before
        locker.kill()
    assert tool.json and tool.summary["processes_unread"] == locked, tool.said
    if VM and VM.startswith("6."):      # where a second try of a fault holds the lock, and reading maps takes it
        assert locked
        assert f"1 process of 1 user could not be read ({pid}: no answer)" in tool.said


def section(place, program, name, data):
    """A copy of a program with one more section."""
    (place / "section").write_bytes(data)
    call("objcopy", "--add-section", f"{name}={place}/section", program, place / "evil")
    (place / "evil").chmod(0o755)
    os.chown(place / "evil", OWN_UID, OWN_UID)
    (place / "section").unlink()


def xz_of_nothing(blocks):
    """An xz file that unpacks to nothing, of so many empty blocks, whose dictionaries of 64 and 48 MiB are made anew for
    each: 20 us a block."""
    def with_crc(data):
        return data + struct.pack("<I", zlib.crc32(data))

    def block(size):
        return with_crc(bytes([2, 0, 0x21, 1, size, 0, 0, 0])) + bytes(4)

    return b"\xfd7zXZ\0" + with_crc(b"\0\0") + (block(28) + block(27)) * (blocks // 2)


def test_slow_file(place):
    """A file of another user that takes a minute to read is given up; what is on its stacks is told by its place."""
    section(place, Workload("burn").program, ".gnu_debugdata", xz_of_nothing(2_500_000))
    with Workload("burn", 60_000, comm="evil", directory=place, uid=OWN_UID) as work:
        work.start()
        with Tool("profile", "-p", work.pid, "-j", "-F", 99, 1) as tool:
            assert tool.wait(SECONDS) == OK
    assert any(frame["module"] == "evil" and frame["function"] is None for row in tool.json for frame in row["user"])
    assert tool.summary["files_unread"] == 1, tool.said
    assert "1 file of 1 user could not be read" in tool.said and "evil: took too long" in tool.said


def with_symbols(path, program, nr, name_len):
    """A copy of a program with another table of symbols: nr functions in the first 4 KiB of its code."""
    data = bytearray(program.read_bytes())
    at = len(data)
    step = name_len + 1
    data += b"".join(struct.pack("<IBBHQQ", 1 + step * i, 0x12, 0, 1, 0x1000 + (i & 0xFFF), 16) for i in range(nr))
    names = len(data)
    data += b"\0" + b"".join(b"%0*d\0" % (name_len, i) for i in range(nr))
    end = len(data)
    data += bytes(-end % 8)

    def header(name, kind, flags, address, offset, size, link=0, entry=0):
        return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, offset, size, link, 0, 8, entry)

    headers = len(data)
    data += header(0, 0, 0, 0, 0, 0) + header(1, 1, 6, 0x1000, 0x1000, 0x1000)
    data += header(2, 2, 0, 0, at, names - at, 3, 24) + header(3, 3, 0, 0, names, end - names)
    struct.pack_into("<Q", data, 0x28, headers)
    struct.pack_into("<3H", data, 0x3A, 64, 4, 0)
    path.write_bytes(data)
    path.chmod(0o755)
    os.chown(path, OWN_UID, OWN_UID)


def memory_of(pid):
    """The most that a process and its children have had, bytes."""
    total = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (pid, *children):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except FileNotFoundError:
            continue
        total += int(status.split("VmHWM:")[1].split()[0]) * 1024 if "VmHWM:" in status else 0
    return total


@pytest.mark.skipif(VM, reason="vm-ok: files of 200 MB are slow to make there")
def test_memory_of_symbols(place):
    """Two programs of 200 MB of symbols each: the tool and its child stay within their bounds, and it is said."""
    with_symbols(place / "evil1", Workload("burn").program, 2_000_000, 75)
    shutil.copy(place / "evil1", place / "evil2")
    os.chown(place / "evil2", OWN_UID, OWN_UID)
    pids, most = [], 0
    with Workload("burn", 60_000, comm="evil1", directory=place, uid=OWN_UID) as one, \
            Workload("burn", 60_000, comm="evil2", directory=place, uid=OWN_UID) as two:
        for work in (one, two):
            work.start()
            pids.append(work.pid)
        with Tool("profile", "-p", ",".join(map(str, pids)), "-j", "-F", 99, 1) as tool:
            while tool.process.poll() is None:
                most = max(most, memory_of(tool.process.pid))
                time.sleep(0.02)
    assert tool.status == OK and {row["pid"] for row in tool.json} == set(pids), tool.said
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    assert most < 2 * min(256 << 20, machine / 8) + (100 << 20), f"{most >> 20} MiB"
    assert tool.summary["files_unread"] == 2, tool.said
    assert "2 files of 1 user could not be read" in tool.said and "too large" in tool.said
