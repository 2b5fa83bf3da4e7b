# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the examples of the man pages look at: example_shop.py PAUSE ADDRESS NOBODY NAME... makes a process of each name.
All of them do the same, again and again, with PAUSE seconds between: files, programs, connections, waits, work. ADDRESS
is this host's, at which the first of them also serves; at NOBODY is nobody, so that a SYN is sent again. As a workload
does (workload.h), it prints its pid and waits for a line; between, a line with the others' pids."""

import ctypes
import mmap
import os
import pty
import signal
import socket
import sys
import threading
import time

PIPE_S = 0.012          # fileslower shows what takes 10 ms
WORK_S = 0.003
PAGE = 4096
LARGE = 256 << 10
PORTS = (443, 8080, 80)
REFUSED = 6379          # nobody listens
KEPT = 20               # connections under way to nobody, each
PR_SET_PDEATHSIG = 1    # <linux/prctl.h>
libc = ctypes.CDLL(None, use_errno=True)


def call_yourself(name):
    with open("/proc/self/comm", "w", encoding="utf-8") as file:
        file.write(name)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def attempt(function, *args):
    """What fails, does: that is part of what is looked at."""
    try:
        return function(*args)
    except OSError:
        return None


def write(path, data, flags=0):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | flags, 0o644)
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)


def direct_read(path, buffer):
    """Past the page cache."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    os.preadv(fd, [buffer], 0)
    os.close(fd)


def cached_read(path):
    """By the page cache, which has not got it: a read of the disk on its account."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.read(fd, PAGE)
    os.close(fd)


def files(name, buffer):
    """Files that are missing, made, written and synced, read from the disk, deleted."""
    attempt(os.open, "/etc/shop.conf", os.O_RDONLY)
    attempt(os.open, "conf/shop.ini", os.O_RDONLY)
    write(f"export/{name}", b"x" * LARGE)
    write(f"orders.{name}", b"x", os.O_APPEND)
    attempt(direct_read, f"data.{name}", buffer)
    cached_read(f"data.{name}")
    libc.unlinkat(-100, f"orders.{name}".encode(), 0)


def spawn(*argv):
    """Runs a program, or fails to."""
    pid = attempt(os.posix_spawn, argv[0], argv, os.environ)
    if pid:
        os.waitpid(pid, 0)


def programs():
    """Those that run, fail, are not there, or are killed."""
    spawn("/bin/true", "orders.1", "of=export", "two words")
    spawn("/bin/false")
    spawn("./no-such-program")
    pid = os.fork()
    if not pid:
        signal.pause()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def imported():
    """Imports a module anew, by the statement: importlib would not call the function with the probe."""
    sys.modules.pop("colorsys", None)
    import colorsys


def shell():
    """A shell that somebody types into; returns the terminal."""
    pid, terminal = pty.fork()
    if not pid:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
    return terminal


def serve(address):
    """Answers every connection with as much as it likes, and closes it."""
    listeners = [socket.create_server((address, port)) for port in PORTS]
    def answer(listener):
        while True:
            peer, _ = listener.accept()
            with peer:
                attempt(peer.sendall, b"y" * LARGE)
    for listener in listeners:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()


def fetch(address, port):
    with socket.create_connection((address, port), 1) as peer:
        peer.sendall(b"GET")
        while peer.recv(LARGE):
            pass


def connections(address, nobody, kept):
    """To a server, to where none listens, and to where nobody is."""
    for port in PORTS:
        attempt(fetch, address, port)
    attempt(fetch, address, REFUSED)
    peer = socket.socket()
    peer.setblocking(False)
    attempt(peer.connect, (nobody, 443))
    kept.append(peer)
    if len(kept) > KEPT:
        kept.pop(0).close()
    attempt(socket.getaddrinfo, "localhost", 80)


def waits(pause):
    """For an answer by a pipe, and for time."""
    ours, theirs = os.pipe()
    timer = threading.Timer(PIPE_S, os.write, (theirs, b"z"))
    timer.start()
    os.read(ours, 1)
    timer.join()
    os.close(ours)
    os.close(theirs)
    time.sleep(pause)


def work():
    """In user space, and in the kernel; with memory that is new."""
    end = time.monotonic() + WORK_S
    while time.monotonic() < end:
        with open("/dev/zero", "rb", buffering=0) as zero:
            zero.read(LARGE)
        sum(range(1000))
    mmap.mmap(-1, PAGE).write(b"x")


def stay(name, pause, address, nobody, serves):
    """One of the processes, for good."""
    call_yourself(name)
    buffer, kept, lock = mmap.mmap(-1, PAGE), [], threading.Lock()
    write(f"data.{name}", b"x" * LARGE)
    terminal = shell() if serves else None
    if serves:
        serve(address)
    lock.acquire()
    threading.Thread(target=lock.acquire, daemon=True).start()  # waits for what does not come
    while True:
        files(name, buffer)
        programs()
        imported()
        if terminal:
            os.write(terminal, b"true\n")
            os.read(terminal, LARGE)
        connections(address, nobody, kept)
        waits(pause)
        work()


def main(pause, address, nobody, *names):
    call_yourself("examples")
    os.makedirs("export", exist_ok=True)
    pids = []
    for name in names:
        pid = os.fork()
        if not pid:
            stay(name, float(pause), address, nobody, name == names[0])
        pids.append(pid)
    print(f"pid={os.getpid()}", flush=True)
    print(*pids, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(*sys.argv[1:])
