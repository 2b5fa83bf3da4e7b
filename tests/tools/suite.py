# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The tools of the suite: what the tests that hold for every tool need to know of each. A new tool is an entry in TOOLS."""

from dataclasses import dataclass, field
from typing import Callable

HOSTILE = "\x1b]0;x\x07"    # as a name that wants to drive a terminal


@dataclass(frozen=True)
class Places:
    """Where the workloads may work; what a machine cannot give is None."""
    directory: object = None
    disk: object = None


@dataclass(frozen=True)
class Facts:
    """Of one tool. A workload is the name of a program of tests/workloads and its arguments."""
    bcc_options: str                # that BCC's page has
    events: Callable                # (N, Places) -> a workload of N events
    hostile: Callable               # (Places) -> one with names that want to drive a terminal
    ready: bytes                    # the output has this once the tool sees events
    hostile_shown: bytes = b"]0;x"  # and this of those names, once it has ended
    header: tuple = ()              # the default columns of a tool that prints a row per event
    all_events: tuple = ()          # arguments with which it shows every event
    hostile_args: tuple = ()        # and those with which it shows names
    with_text: tuple = ()           # those with which it has text to print even when nothing happens
    by_disk: bool = False           # its scope is a disk, not a cgroup
    few_capabilities: bool = True   # CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH are enough
    ladder: bool = True             # there is more than one way to see what it shows
    iterates: bool = False          # what it costs is done while it reads, and is its own CPU time
    script: tuple = ()              # what it is told to do where a test tells it nothing else: probes, fields and keys are
                                    # those of a script then, and not its own
    loads: tuple = ()               # options, a line each, that change what the kernel is asked to load
    wrong: dict = field(default_factory=dict)   # values that are wrong, by option
    wrong_lines: tuple = ()         # whole command lines that are wrong, of which the last word must be named

    @property
    def prints_events(self):
        return bool(self.header)

    def scope(self, cgroup, disk=None):
        """Arguments that keep it to what a test does there."""
        return ("-d", disk.name) if self.by_disk and disk else (*self.all_events, "--cgroup", cgroup)


INTERVAL_AND_COUNT = ("abc", "0", "1 abc", "1 0", "1 2 3", "1.x")

TOOLS = {
    "execsnoop": Facts(
        bcc_options="-T -t -U -u -P -x -q -n -l --max-args",
        header=("PCOMM", "PID", "PPID", "RET", "ARGS"),
        events=lambda n, at: ("execs", "spawn", n, at.directory),
        hostile=lambda at: ("hostile", "exec", 3, at.directory), ready=b"ARGS",
        loads=("-x", "-P 1 -q", "--max-bytes 16384"),
        wrong={"--max-args": ["x", "-1"], "--max-bytes": ["63", "16385", "x"], "--events": ["0", "x"],
               "-u": ["no-such-user"], "-P": ["0", "x", "-1", "1,2"], "-n": ["(", ""], "-l": ["[", ""]},
        wrong_lines=("extra",)),
    "exitsnoop": Facts(
        bcc_options="-t --utc -x -p --label --per-thread",
        header=("PCOMM", "PID", "PPID", "TID", "AGE(s)", "EXIT_CODE"),
        events=lambda n, at: ("ends", "plain", n - 1),      # and its own
        hostile=lambda at: ("hostile", "exec", 3, at.directory), ready=b"EXIT_CODE",
        loads=("-x --killed", "--per-thread", "--resources --utc"),
        wrong={"--events": ["0", "x"], "-u": ["no-such-user"]},
        wrong_lines=("extra", "--label")),
    "opensnoop": Facts(
        bcc_options="-T -U -x -p -t -u -d -n -e -f -F",
        header=("PID", "COMM", "FD", "ERR", "PATH"),
        events=lambda n, at: ("opens", "mix", n, 0, at.directory),
        hostile=lambda at: ("hostile", "open", 3, at.directory), ready=b"PATH",
        loads=("-F", "-x -f O_CREAT -n x"),
        wrong={"-d": ["0", "x"], "-f": ["O_NOSUCH", "O_WRONLY|O_NOSUCH", "O_WRONLY|", ""], "--events": ["0"],
               "-t": ["x"], "-u": ["no-such-user"], "-n": ["", "sixteen-bytes-it-is"]},
        wrong_lines=("extra", "-f O_TRUNC " * 9)),
    "bscope": Facts(
        bcc_options="-e -l -c -f -o -B -q -d -v --unsafe --dry-run --info --no-warnings",      # bpftrace's
        script=("-e", "tracepoint:syscalls:sys_enter_getppid { printf(\"%s\\n\", comm); }"),
        events=lambda n, at: ("getppids", n),
        hostile=lambda at: ("hostile", "open", 3, at.directory), ready=b"bscope: attached",
        hostile_args=("-v", "-e", "tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); "
                            "@[comm, str(args.filename)] = count(); }"),
        with_text=("-e", "interval:ms:10 { print(5); }"),
        few_capabilities=False,     # it has a test of its own
        ladder=False,               # script/attach.c has its own, which is not that of BORESCOPE_AVOID
        loads=("-e tracepoint:sched:sched_switch{{@[kstack,comm]=count()}}", "-e profile:hz:99{{@[ustack,kstack]=count()}}",
               "-e tracepoint:syscalls:sys_enter_openat{{printf(\"%s\",str(args.filename))}}",
               "-e tracepoint:sched:sched_process_exec{{@[str(args.filename)]=hist(nsecs)}}",
               "-e software:faults:1{{@[tid]++}}"),
        wrong={"-B": ["x", ""], "-f": ["xml", ""], "-d": ["x", "ast,x"], "--events": ["0", "x"]},
        wrong_lines=("--svg",)),
    "biolatency": Facts(
        bcc_options="-F -T -Q -m -D -e -j -d",
        events=lambda n, at: ("diskio", "write", n, at.disk.path),
        hostile=lambda at: ("diskio", "write", 3, at.disk.path), ready=b"tracing", hostile_shown=b"distribution",
        with_text=("-T",), by_disk=True,
        loads=("-Q -F -D", "-d {disk}"),
        wrong={"-d": ["no-such-disk", "", "../block"]},
        wrong_lines=INTERVAL_AND_COUNT),
    "biosnoop": Facts(
        bcc_options="-Q -d -P",
        header=("TIME(s)", "COMM", "PID", "DISK", "T", "SECTOR", "BYTES", "LAT(ms)"),
        events=lambda n, at: ("diskio", "write", n, at.disk.path),
        hostile=lambda at: ("diskio", "write", 3, at.disk.path), ready=b"LAT(ms)",
        by_disk=True,
        loads=("-e -Q -P", "-d {disk} --min 0.5 -Q", "-j -P"),
        wrong={"-d": ["no-such-disk", "", "../block"], "--min": ["x", "-1", "1ms", "nan", ""], "--events": ["0"]},
        wrong_lines=("extra", "-P 10")),
    "runqlat": Facts(
        bcc_options="-T -m -P -L --pidnss -p",
        events=lambda n, at: ("pingpong", n),
        hostile=lambda at: ("hostile", "exec", 3, at.directory), ready=b"tracing", hostile_args=("-P",),
        with_text=("-T",),
        loads=("-P", "-L", "--pidnss"),
        wrong_lines=INTERVAL_AND_COUNT),
    "tcplife": Facts(
        bcc_options="-T -t -w -s -p -L -D -4 -6",
        header=("PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "TX_KB", "RX_KB", "MS", "CLOSED"),
        events=lambda n, at: ("tcpends", n, "self"),
        hostile=lambda at: ("tcpends", 3, "new", HOSTILE), ready=b"CLOSED",
        loads=("-e -w", "--netns /proc/self/ns/net -L 1,2 -D 3 -4 --raddr ::1/64"),
        wrong={"-L": ["0", "65536", "x", "", "80,"], "-D": ["1,2,x", "1," * 16 + "1"], "--laddr": ["10.0.0.1/33", ""],
               "--netns": ["no-such-name", ""], "--events": ["0"]},
        wrong_lines=("extra", "-s --json")),
    "tcpconnect": Facts(
        bcc_options="-c -t -p -P -4 -6 -L -u -U -d",
        header=("PID", "COMM", "IP", "SADDR", "DADDR", "DPORT", "LAT(ms)", "RESULT"),
        events=lambda n, at: ("tcpconnects", f"block,127.0.0.1,0,{n}"),
        hostile=lambda at: ("tcpconnects", f"name={HOSTILE}", "block,127.0.0.1,0,3"), ready=b"COMM",
        loads=("-d -t -U -L", "-c -4", "--netns /proc/self/ns/net --lport 1,2 --raddr ::1/64 --trying 1"),
        wrong={"-P": ["0", "65536", "x", "80,"], "--lport": ["x", ""], "--raddr": ["::1/129", "x"], "-u": ["no-such-user"],
               "--netns": ["no-such-name"], "--interval": ["0", "x"], "--trying": ["0", "x"], "--events": ["0"]},
        wrong_lines=("extra", "-c extra")),
    "tcpretrans": Facts(
        bcc_options="-s -l -c -4 -6",
        header=("TIME", "PID", "IP", "LADDR:LPORT", "T>", "RADDR:RPORT", "STATE", "WHY", "COMM"),
        events=lambda n, at: ("tcpsyns", n),
        hostile=lambda at: ("tcpsyns", 3, "4", HOSTILE), ready=b"COMM",
        loads=("-l -s -e", "-c", "--netns /proc/self/ns/net --lport 1,2 --raddr ::1/64"),
        wrong={"--lport": ["0", "65536", "x", "", "80,", ",80"], "--rport": ["1,2,x", "1," * 16 + "1"],
               "--laddr": ["10.0.0.1/33", "10.0.0.1/", "x", ""], "--raddr": ["::1/129", "::1/x", "[::1]", "1.2.3"],
               "--netns": ["no-such-name", "/no/such/path", "/tmp", "2147483647", ""], "--interval": ["0", "x"],
               "--events": ["0"]},
        wrong_lines=("extra", "-s -l extra")),
    "tcptop": Facts(
        bcc_options="-C -S -p -4 -6",
        events=lambda n, at: ("tcpbytes", n, 1000, "short"),
        hostile=lambda at: ("tcpbytes", 3, 1000, "short", "127.0.0.1", HOSTILE), ready=b"tracing",
        hostile_args=("-C",),       # what clears the screen is no text
        few_capabilities=False,     # it has a test of its own
        iterates=True,
        loads=("-4 -s sent", "--netns /proc/self/ns/net --lport 1,2 --raddr ::1/64"),
        wrong={"-s": ["", "x", "all,sent"], "--sort": ["kb"], "-r": ["0", "x", ""], "--lport": ["0", "x"],
               "--raddr": ["::1/129"], "--netns": ["no-such-name", "/tmp"]},
        wrong_lines=INTERVAL_AND_COUNT),
    "ext4slower": Facts(
        bcc_options="-j -p",
        header=("TIME", "COMM", "PID", "T", "BYTES", "OFF_KB", "LAT(ms)", "FILENAME"), all_events=("0",),
        events=lambda n, at: ("fileops", "cached", n, at.directory),
        hostile=lambda at: ("hostile", "open", 3, at.directory), ready=b"FILENAME",
        loads=("0", "--path a/b"),
        wrong={"--path": ["", "/", "x" * 257], "--events": ["0"], "-d": ["0"]},
        wrong_lines=("abc", "1.5", "1 2", "99999999999", "-j --json")),
    "fileslower": Facts(
        bcc_options="-p -a",
        header=("TIME(s)", "COMM", "TID", "D", "BYTES", "LAT(ms)", "FILENAME"), all_events=("0",),
        events=lambda n, at: ("fileops", "cached", n, at.directory),
        hostile=lambda at: ("hostile", "read", 3, at.directory), ready=b"FILENAME",
        loads=("0 -a", "1"),
        wrong={"--events": ["0"], "-p": ["x", "0x1", ""]},
        wrong_lines=("abc", "1.5", "1 2", "99999999999", "-a -1")),
    "syscount": Facts(
        bcc_options="-p -t -c -i -d -T -x -e -L -m -P -l --syscall", all_events=("--syscall", "getppid"),
        events=lambda n, at: ("getppids", n),
        hostile=lambda at: ("hostile", "exec", 3, at.directory), ready=b"tracing",
        hostile_args=("-P", "--syscall", "wait4"),
        loads=("-L -x", "-P -L -c 1", "-P --syscall read", "-e EPERM -P", "-L"),
        wrong={"--syscall": ["no_such_call", "", "-1", "read,write"], "-e": ["", "0", "x", "4096", "ENOSUCH", "--1"],
               "-T": ["0", "x", "-1"], "-i": ["0", "x"], "-d": ["0"], "-c": ["0", "x", "1,2"], "-t": ["x"]},
        wrong_lines=("extra", "1")),
    "profile": Facts(
        bcc_options="-p -L -U -K -F -c -f -d -a -I --stack-storage-size -C",
        events=lambda n, at: ("burn", 1000),
        hostile=lambda at: ("jitburn", 1500), ready=b"sampling", hostile_shown=b"]0;<",
        with_text=("--top",),
        ladder=False,
        loads=("-K", "-U", "-C 0", "-I --source cpu-clock", "--unwind dwarf", "--unwind dwarf,16384 -L 1"),
        wrong={"-F": ["0", "10001", "x", ""], "-c": ["99999", "x"], "-C": ["x", "-1"], "-L": ["x"],
               "--source": ["x", ""], "--stack-storage-size": ["0", "x"]},
        wrong_lines=("abc", "0", "1 2", "-U -K", "-f --top", "--svg - --json")),
    "offcputime": Facts(
        bcc_options="-p -t -u -k -U -K -d -f -s --stack-storage-size -m -M --state",
        events=lambda n, at: ("pingpong", n),
        hostile=lambda at: ("hostile", "exec", 3, at.directory), ready=b"tracing",
        with_text=("--top",),
        few_capabilities=False,     # it has a test of its own
        loads=("-K -m 1000", "-U -M 1000", "-k", "-u --state D,S --preempted -f", "--state 2"),
        wrong={"-m": ["0", "x", "-1"], "-M": ["0", "x"], "--state": ["", "Q", "D,", "2x", "-1", "99999999999"],
               "-t": ["x"], "--stack-storage-size": ["0", "x"]},
        wrong_lines=("abc", "0", "1 2", "-U -K", "-f --top", "--svg - --json")),
    "xstack": Facts(
        bcc_options="-a -p -t -F -i -q -r -f",
        events=lambda n, at: ("parked", "pipe", n),
        hostile=lambda at: ("parked", "pipe", 3), ready=HOSTILE[1:-1].encode(),
        few_capabilities=False,     # it has a test of its own
        ladder=False,
        iterates=True,
        loads=("-a", "-K", "-U -t 1", "--state D"),
        wrong={"-F": ["0", "x", "1001", ""], "-i": ["0", "x"], "--state": ["", "Q", "R,", "RD", "d"], "-t": ["x"],
               "--stack-storage-size": ["0", "x"]},
        wrong_lines=("extra",)),
}
HEADERS = {name: list(facts.header) for name, facts in TOOLS.items() if facts.header}
