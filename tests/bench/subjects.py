# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is measured: each tool, its peers, and the empty programs that are their floor."""

from dataclasses import dataclass, field, replace
from typing import Callable

from operations import (
    Call, Connect, Connection, End, FileRw, Io, IoRow, Open, Request, RoundTrip, Session, Spawn, Wait)


@dataclass
class Subject:
    name: str
    argv: list                      # $BUILD, $DISK, $PID (of a process without events) and $YARDSTICK stand in it
    kind: str = "tool"              # tool, peer, floor, or wrapper: it starts the workload itself
    filtered: bool = False          # a filter keeps everything out: nothing is shown, only the tax counts
    slow: bool = False              # starts or stops in seconds: fewer rounds
    results: dict = field(default_factory=dict)
    refused: str = ""
    notes: str = ""                 # what it says on stderr


def libbpf_tool(name, *arguments, label="", **more):
    return Subject(f"libbpf-tools {name}{label}", [f"/usr/sbin/{name}", *arguments], "peer", **more)


def bpftrace_tool(name, **more):
    return Subject(f"bpftrace {name}.bt", [f"/usr/sbin/{name}.bt"], "peer", slow=True, **more)


def one_liner(program):
    """Of bpftrace's documentation."""
    return Subject("bpftrace one-liner", ["bpftrace", "-e", program], "peer", slow=True)


def wrapper(name, *arguments):
    return Subject(name, [name.split()[0], *name.split()[1:], *arguments], "wrapper", slow=True)


def ours(name, *arguments, label="", **more):
    return Subject(f"**{name}**{label}", [f"$BUILD/bin/{name}", *arguments], **more)


def script(program, label):
    """The same by bscope."""
    return ours("bscope", "-e", program, label=f" {label}")


def by_hand(program, label):
    """What a script does, in C: the yardstick that it is held to."""
    return Subject(f"{label}, by hand", ["$YARDSTICK", "$YARDSTICK.bpf.o", program], "floor")


def floor(programs, section):
    """`section`: as a tool says that it is using it, at the end."""
    return Subject(f"empty {section}", ["$YARDSTICK", "$YARDSTICK.bpf.o", *programs.split()], "floor")


@dataclass
class Case:
    """A tool and those beside it. Sizes are operations, of a burst and at full speed; `vm`: of a burst in a VM, where few
    are enough, for time is counted in instructions, and emulation is slow."""
    operation: Callable             # (bench) -> the operation
    subjects: list
    burst: int
    vm: int
    getppids: int = 0               # getppid() calls of a burst, where the tax on other system calls is of interest
    vm_getppids: int = 0
    speed: int = 0                  # at full speed, of ours and of the others; threads: how many do them
    peers: int = 0
    vm_speed: int = 0
    threads: tuple = ()


OPENAT = 'tracepoint:syscalls:sys_enter_openat { printf("%s opened %s\\n", comm, str(args->filename)); }'
COUNT = "tracepoint:syscalls:sys_enter_getppid { @[comm] = count(); }"
RETRANSMITS = [
    floor("inet_sock_set_state", "tp_btf/inet_sock_set_state"),
    ours("tcpretrans", filtered=True),
    ours("tcpretrans", "-e", label=" -e", filtered=True),
    bpftrace_tool("tcpretrans", filtered=True),
]
TOPS = [
    floor("inet_sock_set_state", "tp_btf/inet_sock_set_state"),
    ours("tcptop", filtered=True),
    libbpf_tool("tcptop", filtered=True),
]
CONNECTS = [
    floor("inet_sock_set_state", "tp_btf/inet_sock_set_state"),
    ours("tcpconnect"),
    ours("tcpconnect", "-p", "$PID", label=" -p OTHER", filtered=True),
    ours("tcpconnect", "-d", label=" -d"),
    libbpf_tool("tcpconnect"),
    bpftrace_tool("tcpconnect"),
]
CASES = {
    "opensnoop": Case(Open, [
        floor("sys_exit", "tp_btf/sys_exit"),
        floor("do_sys_openat2", "fexit/do_sys_openat2"),
        ours("opensnoop"),
        ours("opensnoop", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("opensnoop"),
        libbpf_tool("opensnoop", "-p", "$PID", label=" -p OTHER", filtered=True),
        bpftrace_tool("opensnoop"),
        one_liner('tracepoint:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args->filename)); }'),
        wrapper("strace", "-f", "-e", "trace=open,openat,openat2,creat", "-o", "/dev/null"),
        wrapper("perf trace", "-e", "openat", "-o", "/dev/null"),
    ], burst=20000, vm=2000, getppids=100000, vm_getppids=5000, speed=1000000, peers=200000,
       vm_speed=20000, threads=(1, 2)),
    "bscope": Case(Open, [
        floor("sys_exit", "tp_btf/sys_exit"),
        script(OPENAT, "printf() of an openat"),
        ours("opensnoop"),
        one_liner(OPENAT),
    ], burst=20000, vm=2000, getppids=100000, vm_getppids=5000, speed=1000000, peers=200000, vm_speed=20000,
       threads=(1, 2)),
    "bscope-count": Case(Call, [
        by_hand("count_by_comm", "count by comm"),
        script(COUNT, "count() by comm"),
        one_liner(COUNT),
    ], burst=100000, vm=5000),
    "execsnoop": Case(Spawn, [
        floor("sched_process_exec", "tp_btf/sched_process_exec"),
        ours("execsnoop"),
        ours("execsnoop", "-x", label=" -x"),
        libbpf_tool("execsnoop"),
        bpftrace_tool("execsnoop"),
        one_liner("tracepoint:syscalls:sys_enter_execve { join(args->argv); }"),
        wrapper("strace", "-f", "-e", "trace=execve,execveat", "-o", "/dev/null"),
    ], burst=1000, vm=100, speed=10000, peers=10000, vm_speed=500, threads=(1, 2)),
    "exitsnoop": Case(End, [
        floor("sched_process_exit", "tp_btf/sched_process_exit"),
        ours("exitsnoop"),
        ours("exitsnoop", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("exitsnoop"),
    ], burst=1000, vm=100, speed=10000, peers=10000, vm_speed=500, threads=(1, 2)),
    "biolatency": Case(Io, [
        floor("block_rq_complete", "tp_btf/block_rq_complete"),
        ours("biolatency", "-d", "$DISK"),
        ours("biolatency", "-Q", "-d", "$DISK", label=" -Q"),
        ours("biolatency", "-D", "-F", "-d", "$DISK", label=" -D -F"),
        libbpf_tool("biolatency", "-d", "$DISK"),
        bpftrace_tool("biolatency"),
    ], burst=2000, vm=500, speed=50000, peers=50000, vm_speed=5000, threads=(1,)),
    "biosnoop": Case(IoRow, [
        floor("block_io_start block_rq_complete", "tp_btf/block_io_start and block_rq_complete"),
        ours("biosnoop", "-d", "$DISK"),
        ours("biosnoop", "-Q", "-P", "-e", "-d", "$DISK", label=" -Q -P -e"),
        ours("biosnoop", "-d", "$DISK", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("biosnoop", "-d", "$DISK"),
        bpftrace_tool("biosnoop"),
    ], burst=2000, vm=500, speed=50000, peers=50000, vm_speed=5000, threads=(1,)),
    "runqlat": Case(RoundTrip, [
        floor("sched_switch", "tp_btf/sched_switch"),
        ours("runqlat"),
        ours("runqlat", "-P", label=" -P"),
        ours("runqlat", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("runqlat"),
        libbpf_tool("runqlat", "-P", label=" -P"),
        bpftrace_tool("runqlat"),
    ], burst=50000, vm=2000),
    "offcputime": Case(Wait, [          # an hour is above any wait
        floor("sched_switch", "tp_btf/sched_switch"),
        ours("offcputime", "-m", "3600000000", label=" -m HOUR", filtered=True),
        ours("offcputime"),
        ours("offcputime", "-K", label=" -K"),
        ours("offcputime", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("offcputime"),
    ], burst=50000, vm=2000),
    "ext4slower": Case(FileRw, [        # an hour is over any threshold
        floor("sys_enter sys_exit", "sys_exit and tp_btf/sys_enter"),
        floor("ext4_read ext4_read_end ext4_write ext4_write_end", "fexit and fentry of read and write"),
        ours("ext4slower", "3600000", filtered=True),
        ours("ext4slower", "3600000", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("ext4slower", "-m", "3600000", filtered=True),
    ], burst=50000, vm=2000, getppids=100000, vm_getppids=5000),
    "fileslower": Case(FileRw, [        # likewise
        floor("sys_enter sys_exit", "sys_exit and tp_btf/sys_enter"),
        floor("vfs_read vfs_read_end vfs_write vfs_write_end", "fexit and fentry of vfs_read and vfs_write"),
        ours("fileslower", "3600000", filtered=True),
        ours("fileslower", "3600000", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("fileslower", "3600000", filtered=True),
    ], burst=50000, vm=2000, getppids=100000, vm_getppids=5000),
    "tcplife": Case(Session, [
        floor("inet_sock_set_state", "tp_btf/inet_sock_set_state"),
        ours("tcplife"),
        ours("tcplife", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("tcplife"),
        bpftrace_tool("tcplife"),
    ], burst=4000, vm=300, speed=20000, peers=20000, vm_speed=1000, threads=(1,)),
    "syscount": Case(Call, [
        floor("sys_enter", "tp_btf/sys_enter"),
        floor("sys_enter sys_exit", "sys_exit and tp_btf/sys_enter"),
        ours("syscount", "-T", "1000"),
        ours("syscount", "-L", "-T", "1000", label=" -L"),
        ours("syscount", "-x", label=" -x", filtered=True),
        ours("syscount", "-P", "-T", "1000", label=" -P"),
        ours("syscount", "-p", "$PID", label=" -p OTHER", filtered=True),
        libbpf_tool("syscount", "-T", "1000"),
        libbpf_tool("syscount", "-L", "-T", "1000", label=" -L"),
        wrapper("strace", "-c", "-f", "-o", "/dev/null"),
    ], burst=100000, vm=5000),
    "tcptop": Case(Request, TOPS, burst=20000, vm=2000),
    "tcptop-session": Case(Session, [replace(entry, results={}) for entry in TOPS], burst=4000, vm=300),
    "tcpconnect": Case(Connect, CONNECTS, burst=4000, vm=300),
    "tcpretrans": Case(Request, RETRANSMITS, burst=20000, vm=2000),
    "tcpretrans-connect": Case(Connection, [replace(entry, results={}) for entry in RETRANSMITS], burst=4000, vm=300),
}
