# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A FUSE file system of one file, `x`, that stops to answer when it is told to: it goes on to take requests, as a
server does that hangs, so that whoever waits for one cannot even be killed.

    fuse_server.py DIR FILE STOP            mounts on DIR; x holds what FILE does; silent once STOP exists
    fuse_server.py DIR - STOP               x is 1 MiB of which nothing can be read: the first two tries are refused,
                                            the others get no answer
    fuse_server.py DIR FILE STOP MS         every other read and write of x is answered MS late, and none is spared
                                            by the page cache

By hand, without libfuse: include/uapi/linux/fuse.h."""

import ctypes
import os
import stat
import struct
import sys
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = \
    1, 2, 3, 14, 15, 16, 17, 18, 25, 26, 27, 28, 29
INTERRUPT, DESTROY, BATCH_FORGET = 36, 38, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
ENOSYS, EIO = 38, 5
VALID = 100     # seconds that the kernel may go by what it knows of the file
ROOT = 1
DIRECT_IO = 1   # FOPEN_DIRECT_IO


def attributes(node, size):
    """struct fuse_attr."""
    mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
    return struct.pack("<6Q10I", node, 0 if node == ROOT else size, VALID, 1000, 1000, 1000, 0, 0, 0, mode, 1, 0, 0, 0,
                       4096, 0)


class Server:
    """Answers until it is killed."""

    def __init__(self, fd, data, late_ms=0):
        self.fd = fd
        self.late_ms = late_ms
        self.data = data
        self.size = len(data) if data is not None else 1 << 20
        self.reads = 0
        self.moved = 0

    def read(self, body):
        """The answer to READ, as (errno, bytes); None: there is none."""
        _, offset, size = struct.unpack("<QQI", body[:20])
        if self.data is not None:
            return 0, self.data[offset:offset + size]
        self.reads += 1
        return (EIO, b"") if self.reads <= 2 else None

    def wait(self):
        """Before the answer to every other READ and WRITE."""
        self.moved += 1
        if self.moved % 2 == 0:
            time.sleep(self.late_ms / 1000)

    def answer(self, op, node, body):
        """The same for any request."""
        if op in (READ, WRITE):
            self.wait()
        entry = struct.pack("<QII", VALID, 0, 0)
        if op == INIT:
            return 0, struct.pack("<IIIIHHIIHH7I", 7, 31, 0x20000, 0, 12, 10, 1 << 17, 1, 0, 0, *[0] * 7)[:64]
        if op == LOOKUP:
            return 0, struct.pack("<4QII", 2, 0, VALID, VALID, 0, 0) + attributes(2, self.size)
        if op == GETATTR:
            return 0, entry + attributes(node, self.size)
        if op in (OPEN, OPENDIR):
            return 0, struct.pack("<QII", 1, DIRECT_IO if op == OPEN and self.late_ms else 0, 0)
        if op == READ:
            return self.read(body)
        if op == WRITE and self.late_ms:
            return 0, struct.pack("<II", struct.unpack("<I", body[16:20])[0], 0)
        if op in (RELEASE, FLUSH, RELEASEDIR):
            return 0, b""
        return ENOSYS, b""

    def serve(self, stop):
        """Until the file system is unmounted."""
        while True:
            request = os.read(self.fd, 1 << 20)
            _, op, unique, node = struct.unpack("<IIQQ", request[:24])
            answer = None
            if op not in UNANSWERED and not os.path.exists(stop):
                answer = self.answer(op, node, request[40:])
            if answer:
                error, body = answer
                os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


def main():
    """Mounts, says so, serves."""
    directory, source, stop = sys.argv[1:4]
    data = None
    if source != "-":
        with open(source, "rb") as file:
            data = file.read()
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0{',allow_other' if data is not None else ''}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"fuse", os.fsencode(directory), b"fuse", 0, options.encode()):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    print("mounted", flush=True)
    Server(fd, data, int(*sys.argv[4:5] or "0")).serve(stop)


if __name__ == "__main__":
    main()
