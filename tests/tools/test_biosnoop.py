# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""biosnoop against what the workload did, and the kernel's own counters of a disk that nobody else uses."""

import contextlib
import os
import re
import signal
import tempfile
from collections import Counter
from pathlib import Path

import pytest

import machine
from filesystems import filesystem
from harness import VM, Script, Tool, assert_sorted_times, wait_until
from histograms import FAR, MS, N, working
from machine import OWN_COMM, STAT_MERGES, STAT_SECTORS, Disk
from snoop import without_loss

KINDS = {"read": "reads", "write": "writes", "discard": "discards", "flush": "flushes"}     # of stat()
MANY = 5_000 if VM else 50_000
# A hardened kernel may run no program in an interrupt that comes while a thread of its process 1 is on the CPU: natively
# one request in so many. ftrace shows those that are missing.
BLIND = 10 ** 9 if VM else 10_000
BY_PROBE = re.compile(r"^biosnoop: .*does not stamp", re.M)
SCSI_DEBUG = Path("/sys/bus/pseudo/drivers/scsi_debug")
MEDIUM_ERROR, SHORT_TRANSFER, HOST_BUSY = 0x2, 0x100, 0x8000    # drivers/scsi/scsi_debug.c: SDEBUG_OPT_...
BAD_SECTOR = 0x1234

# Direct I/O of args[3:] blocks of args[2] bytes: "read" or "write" at those places, by preadv(2) and pwritev(2).
DIRECT = """
    import mmap
    fd = os.open(args[0], os.O_RDWR | os.O_DIRECT)
    buffer = mmap.mmap(-1, int(args[2]))
    call, done = (os.preadv if args[1] == "read" else os.pwritev), 0
    for at in map(int, args[3:]):
        try:
            done += call(fd, [buffer], at)
        except OSError as error:
            print(f"done={done}\\terrno={error.errno}")
            done = None
            break
    if done is not None:
        print(f"done={done}\\terrno=0")
"""
# Writes args[1] bytes to the file args[0] by the page cache; with "fsync" as args[2], waits for the disk.
BUFFERED = """
    fd = os.open(args[0], os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(fd, b"b" * int(args[1]), 0)
    if args[2:] == ["fsync"]:
        os.fsync(fd)
    print("done=1")
"""


def by_kind(rows):
    """How many of the rows are of each kind, as stat() calls them."""
    return {key: sum(row["operation"] == kind for row in rows) for kind, key in KINDS.items()}


def sectors(rows):
    return {kind: sum(row["bytes"] for row in rows if row["operation"] == kind) // 512 for kind in STAT_SECTORS}


class Watch:
    """biosnoop --json on a disk while the `with` block runs, and how much the kernel's counters grew meanwhile."""

    def __init__(self, disk, *args, avoid=""):
        self.disk = disk
        self.tool = Tool("biosnoop", "-d", disk.name, "--json", *args, avoid=avoid)

    def __enter__(self):
        self.tool.__enter__()
        self.before = self.disk.stat(), self.disk.counters(STAT_SECTORS), self.disk.counters(STAT_MERGES)
        return self

    def __exit__(self, *how):
        wait_until(lambda: (self.disk.sys / "inflight").read_text().split() == ["0", "0"], 10, "the disk is busy")
        self.grown = self.disk.grown(self.before[0])
        self.sectors, self.merges = (
            {name: value - before[name] for name, value in self.disk.counters(positions).items()}
            for positions, before in ((STAT_SECTORS, self.before[1]), (STAT_MERGES, self.before[2])))
        self.tool.__exit__(*how)

    @property
    def rows(self):
        """The rows, of which none is lost, none is missing and none is one too many; and their bytes are right."""
        assert (self.tool.status, self.tool.summary["lost"]) == (0, 0), self.tool.said
        rows = self.tool.json
        assert by_kind(rows) == self.grown
        assert sectors(rows) == self.sectors
        assert_sorted_times(rows)
        return rows


def check_owner(rows, pid, comm):
    assert {(row["pid"], row["tid"], row["comm"], row["uid"]) for row in rows} == {(pid, pid, comm, 0)}


@pytest.mark.parametrize("avoid", ["", "stamps"])
def test_agrees_with_the_kernel(avoid, disk):
    """Writes, reads, flushes and discards: as many rows of each as the stat file counts, by whom they are and how long
    they took; by the kernel's time stamps and by probes."""
    with working("mix", disk) as work, Watch(disk, avoid=avoid) as watch:
        lines = work.run()
    rows = watch.rows
    done = {line["kind"]: line for line in lines}
    assert done["write"]["done"] == done["read"]["done"] == done["dsync"]["done"] == N
    check_owner(rows, lines[0]["pid"], "diskio")
    writes, reads = rows[:N], rows[N:2 * N]
    for kind, part in (("write", writes), ("read", reads)):
        assert [(row["operation"], row["sector"], row["bytes"], row["errno"]) for row in part] == \
            [(kind, 8 * i, 4096, 0) for i in range(N)]
        assert 0 < sum(row["latency_ns"] for row in part) <= done[kind]["sum_ns"]
        assert sum(row["latency_ns"] + row["queued_ns"] for row in part) <= done[kind]["sum_ns"]
    assert {row["disk"] for row in rows} == {disk.name} and {row["partition"] for row in rows} == {None}
    assert all("Sync" in row["flags"].split("-") for row in writes)
    assert bool(BY_PROBE.search(watch.tool.err)) == bool(avoid), watch.tool.said
    assert (watch.tool.summary["timed_by"], watch.tool.summary["untimed"]) == ("probe" if avoid else "kernel", 0)


@pytest.mark.any_kernel
def test_text_says_the_same(disk):
    """BCC's columns, those of -Q, -P and -e behind or between them, and the same figures as JSON."""
    with working("write", disk) as work:
        with Tool("biosnoop", "-d", disk.name) as text, Tool("biosnoop", "-QPe", "-d", disk.name) as more, \
                Tool("biosnoop", "-d", disk.name, "--json") as json:
            done = work.run()[-1]
    assert text.header == ["TIME(s)", "COMM", "PID", "DISK", "T", "SECTOR", "BYTES", "LAT(ms)"]
    assert more.header == [*text.header[:-1], "P", "QUE(ms)", "LAT(ms)", "PART", "ERR", "CGROUP", "FLAGS", "FILE"]
    assert max(map(len, text.lines)) <= 80
    assert len(text.rows) == len(more.rows) == len(json.json) == done["done"] == N
    for row, longer, o in zip(text.rows, more.rows, json.json):
        same = {"COMM": o["comm"], "PID": str(o["pid"]), "DISK": o["disk"], "T": "W", "SECTOR": str(o["sector"]),
                "BYTES": str(o["bytes"])}
        assert {key: row[key] for key in same} == {key: longer[key] for key in same} == same
        assert longer["PART"] == "-" and longer["ERR"] == "0" and longer["FILE"] == "?"
        assert longer["CGROUP"] == str(o["cgroup_id"]) and longer["FLAGS"] == o["flags"]
        assert re.fullmatch(r"\d+\.\d{3}", row["LAT(ms)"]) and re.fullmatch(r"\d+\.\d{3}", longer["LAT(ms)"])
        assert float(longer["QUE(ms)"]) == pytest.approx(o["queued_ns"] / MS, abs=0.001)
    assert text.rows[0]["TIME(s)"] == "0.000000000"
    assert json.json[0]["time"] < json.json[-1]["time"]


@pytest.mark.any_kernel
def test_pattern(disk):
    """-P: sequential is what begins where the one before ended, also one by another program that is not shown."""
    blocks = [0, 1, 2, 9, 10, 5, 6]
    with Script(DIRECT, disk.path, "write", 4096, *(4096 * block for block in blocks)) as work, \
            working("write", disk, 3, FAR) as other, \
            Watch(disk, "-P", "-p", work.pid) as watch:
        other.run()
        work.run()
    assert [row["pattern"] for row in watch.tool.json] == \
        ["random", "sequential", "sequential", "random", "sequential", "random", "sequential"]


@pytest.mark.any_kernel
def test_pattern_of_the_first(disk):
    """-P: of the first one nobody knows; a flush has no place and makes no difference."""
    with working("mix", disk, 1) as work, Watch(disk, "-P") as watch:
        work.run()
    rows = watch.rows
    assert rows[0]["pattern"] is None
    assert all((row["pattern"] is None) == (row["bytes"] == 0) for row in rows[1:])
    with working("write", disk, 1) as work, Watch(disk) as watch:
        work.run()
    assert "pattern" not in watch.rows[0]


def test_merged(disk):
    """What the page cache writes in pieces, and the kernel merges: fewer rows than pieces, each with all its bytes."""
    size = 2 << 20
    with Script(BUFFERED, disk.path, size, "fsync") as work, Watch(disk) as watch:
        work.run()
    rows = watch.rows
    data = [row for row in rows if row["bytes"]]
    assert watch.merges["write"] > 0, "nothing was merged"
    assert sum(row["bytes"] for row in data) == size
    assert sorted((row["sector"], row["bytes"]) for row in data)[0][0] == 0
    check_owner(rows, work.pid, "script")


def test_split(disk):
    """One write that is larger than the disk takes: a row for each request, with the bytes of that."""
    with disk.set("max_sectors_kb", "64"), Script(DIRECT, disk.path, "write", 1 << 20, 0) as work, \
            Watch(disk) as watch:
        work.run()
    rows = watch.rows
    assert [row["bytes"] for row in rows] == [65536] * 16
    assert sorted(row["sector"] for row in rows) == list(range(0, 2048, 128))
    check_owner(rows, work.pid, "script")


@contextlib.contextmanager
def injected(options, every=0):
    """Our scsi_debug disk misbehaves: once in `every` commands."""
    (SCSI_DEBUG / "every_nth").write_text(str(every))
    (SCSI_DEBUG / "opts").write_text(hex(options))
    try:
        yield
    finally:
        (SCSI_DEBUG / "opts").write_text("0")
        (SCSI_DEBUG / "every_nth").write_text("0")


@pytest.mark.parametrize("every", [2, 3])
def test_partly_done(every, disk):
    """Once in `every` commands the disk does half of what it is asked for, and the kernel asks for the rest: one row,
    with all bytes, from where the first part began."""
    machine.need_scsi_debug()
    places = [i * 65536 for i in range(N)]
    with Script(DIRECT, disk.path, "read", 65536, *places) as work, Watch(disk) as watch, \
            injected(SHORT_TRANSFER, every):
        done = work.run()[-1]
    assert (done["done"], done["errno"]) == (N * 65536, 0)
    assert [(row["sector"], row["bytes"], row["errno"]) for row in watch.rows] == \
        [(at // 512, 65536, 0) for at in places]
    check_owner(watch.rows, work.pid, "script")


def test_failed(disk):
    """A read of which the disk can't do the end: one row, which says so."""
    machine.need_scsi_debug()
    start = BAD_SECTOR // 128 * 65536
    with Script(DIRECT, disk.path, "read", 65536, start) as work, Watch(disk) as watch, injected(MEDIUM_ERROR):
        done = work.run()[-1]
    assert done["errno"]
    [row] = watch.tool.json
    assert (row["sector"], row["bytes"], row["operation"]) == (start // 512, 65536, "read")
    assert row["errno"] == done["errno"] and row["error"]
    assert by_kind([row]) == watch.grown


def test_put_back(disk):
    """The disk is too busy for every third command, and gets it again: one row each."""
    machine.need_scsi_debug()
    with working("write", disk) as work, Watch(disk) as watch, injected(HOST_BUSY, 3):
        done = work.run()[-1]
    assert done["done"] == N
    assert len(watch.rows) == N
    check_owner(watch.rows, work.pid, "diskio")


def test_by_submitter(disk, place, cgroup, other_cgroup):
    """--cgroup, -p and --comm are judged by who submitted, flushes included; what is not wanted is not shown."""
    args = ["-d", disk.name, "--json"]
    with working("write", disk, cgroup=cgroup, comm=OWN_COMM, directory=place) as work, \
            working("flush", disk, 7, FAR, cgroup=other_cgroup) as other:
        before = disk.stat()
        with Tool("biosnoop", *args, "--cgroup", cgroup.path) as by_cgroup, \
                Tool("biosnoop", *args, "-p", other.pid) as by_pid, \
                Tool("biosnoop", *args, "--comm", OWN_COMM) as by_comm, \
                Tool("biosnoop", *args, "--comm", "no-such-comm") as nobody:
            other.start()
            work.run()
            other.finish()
        grown = disk.grown(before)
    for tool in (by_cgroup, by_comm):
        assert by_kind(tool.json) == {"reads": 0, "writes": N, "discards": 0, "flushes": 0}
        check_owner(tool.json, work.pid, OWN_COMM)
        assert {row["cgroup_id"] for row in tool.json} == {cgroup.id}
    assert len(by_pid.json) == sum(grown.values()) - N and grown["flushes"]
    assert {row["operation"] for row in by_pid.json} == {"write", "flush"}
    check_owner(by_pid.json, other.pid, "diskio")
    assert nobody.json == [] and nobody.status == 0


@pytest.fixture(scope="module")
def own_ext4(tmp_path_factory):
    """An ext4 on a disk of its own: the directory, and the disk."""
    with filesystem("ext4", tmp_path_factory.mktemp("ext4")) as path:
        number = os.stat(path).st_dev
        yield path, Disk(os.path.basename(os.readlink(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")))


def test_file_of_fsync(own_ext4):
    """Who waits for fsync(2) writes the pages itself: the rows say which file that is."""
    directory, disk = own_ext4
    path = directory / "one" / "t\x07wo"
    path.parent.mkdir(exist_ok=True)
    with Script(BUFFERED, path, 1 << 20, "fsync") as work, Watch(disk) as watch, \
            Tool("biosnoop", "-e", "-d", disk.name, "-p", work.pid) as text:
        work.run()
        inode = path.stat().st_ino
    rows = [row for row in watch.tool.json if row["pid"] == work.pid and row["inode"]]
    assert sum(row["bytes"] for row in rows) == 1 << 20
    assert {(row["path"], row["inode"]) for row in rows} == {("one/t\x07wo", inode)}
    assert sum(row["FILE"] == "one/t\\awo" for row in text.rows) == len(rows)
    begin = watch.tool.json.index(rows[0])          # what was under way before the tool began is nobody's
    assert not [row for row in watch.tool.json[begin:] if row["pid"] is None]
    others = [row for row in watch.tool.json[begin:] if row["comm"].startswith("jbd2")]
    assert others and {(row["path"], row["cgroup_id"]) for row in others} == {(None, None)}


def test_file_of_a_read(own_ext4):
    """A read by the page cache says which file it is, one past it does not."""
    directory, disk = own_ext4
    path = directory / "read"
    path.write_bytes(b"b" * 65536)
    os.sync()
    machine.call("umount", directory)
    machine.call("mount", "-t", "ext4", "-o", "noatime", disk.path, directory)
    with Script("print(f'done={len(open(args[0], \"rb\").read())}')", path) as work, \
            Script(DIRECT, path, "read", 4096, 0, 8192) as direct:
        with Watch(disk) as watch:
            direct.run()
            done = work.run()[-1]
    assert done["done"] == 65536
    mine = [row for row in watch.tool.json if row["pid"] == work.pid and row["inode"]]
    assert {row["path"] for row in mine} == {"read"} and sum(row["bytes"] for row in mine) >= 65536
    past = [row for row in watch.tool.json if row["pid"] == direct.pid and "Metadata" not in row["flags"]]
    assert [row["bytes"] for row in past] == [4096, 4096] and {row["path"] for row in past} == {None}


def accounts_for_writeback():
    """Whether what the kernel writes back is put on the account of a cgroup below the root."""
    control = machine.cgroup2_mount() / "cgroup.subtree_control"
    if VM:
        control.write_text("+io +memory")
    return {"io", "memory"} <= set(control.read_text().split())


def test_written_back(own_ext4, cgroup):
    """What a kernel thread writes later: the thread, the cgroup on whose account that is, and the file. --cgroup finds it,
    too."""
    machine.need(accounts_for_writeback(), "the root cgroup has not the controllers io and memory")
    directory, disk = own_ext4
    path = directory / f"written-{os.getpid()}"
    with Script(BUFFERED, path, 1 << 20, cgroup=cgroup) as work:
        with Watch(disk) as watch, Tool("biosnoop", "-d", disk.name, "--cgroup", cgroup.path, "--json") as filtered:
            work.run()
            machine.call("sync", "-f", directory)
    for tool in (watch.tool, filtered):
        rows = [row for row in tool.json if row["path"] == path.name]
        assert sum(row["bytes"] for row in rows) == 1 << 20, tool.said
        assert all(row["comm"].startswith("kworker/") and row["pid"] != work.pid for row in rows)
        assert {row["cgroup_id"] for row in rows} == {cgroup.id}
        assert {row["inode"] for row in rows} == {path.stat().st_ino}
    assert {row["cgroup_id"] for row in filtered.json} == {cgroup.id}


def test_partition(disk):
    """The partition stands beside the disk; sectors are the disk's."""
    machine.call("addpart", disk.path, 1, 2048, 16384)
    try:
        part = wait_until(lambda: [p for p in disk.sys.glob(f"{disk.name}*") if (p / "partition").exists()], 10,
                          "no partition")[0].name
        wait_until(lambda: os.path.exists(f"/dev/{part}"), 10, f"no /dev/{part}")
        with working("write", Disk(part)) as work, Watch(disk) as watch, \
                Tool("biosnoop", "-e", "-d", disk.name) as text:
            work.run()
        assert len(watch.rows) == N
        assert {(row["disk"], row["partition"]) for row in watch.rows} == {(disk.name, part)}
        assert [row["sector"] for row in watch.rows] == [2048 + 8 * i for i in range(N)]
        assert {(row["DISK"], row["PART"]) for row in text.rows} == {(disk.name, part)}
    finally:
        machine.call("delpart", disk.path, 1)


def test_without_the_kernels_stamps(disk):
    """Where the kernel does not note when a request was made, the queue's time is still true."""
    with disk.unstamped(), working("write", disk) as work, Tool("biosnoop", "-d", disk.name, "--json") as tool:
        done = work.run()[-1]
    assert len(tool.json) == N and tool.summary["untimed"] == 0
    assert sum(row["latency_ns"] + row["queued_ns"] for row in tool.json) <= done["sum_ns"]
    assert {row["partition"] for row in tool.json} == {None}


def slow_enough(disk, ms, *args):
    """How many of N writes biosnoop --min shows."""
    with working("write", disk) as work, Tool("biosnoop", "-d", disk.name, "--json", "--min", ms, *args) as tool:
        work.run()
    assert all(row["latency_ns"] + (row["queued_ns"] if args else 0) >= float(ms) * MS for row in tool.json)
    return len(tool.json)


@pytest.mark.any_kernel
def test_min(disk):
    """--min: only what took so long."""
    assert slow_enough(disk, "100000") == slow_enough(disk, "100000", "-Q") == 0
    assert slow_enough(disk, "0") == slow_enough(disk, "0.001", "-Q") == N
    if machine.HAS_SCSI_DEBUG:
        with machine.scsi_delay(20 * MS):
            assert slow_enough(disk, "19.5") == N and slow_enough(disk, "500") == 0


@pytest.mark.any_kernel
def test_by_disk(disk, second_disk):
    """-d: one disk's only. Without it, those of both."""
    with working("write", disk) as work, working("write", second_disk, 31) as other:
        with Tool("biosnoop", "--json", "-p", f"{work.pid},{other.pid}") as both, \
                Tool("biosnoop", "--json", "-d", second_disk.name, "-p", f"{work.pid},{other.pid}") as one:
            work.run()
            other.run()
    assert Counter(row["disk"] for row in both.json) == {disk.name: N, second_disk.name: 31}
    assert Counter(row["disk"] for row in one.json) == {second_disk.name: 31}


@pytest.mark.parametrize("command", ["inquiry", "ready"])
def test_passthrough(command, disk):
    """SCSI commands from user space are no block I/O: no rows, and said how many."""
    machine.need_scsi_debug()
    with working(command, disk) as scsi, working("write", disk, 31) as work:
        with Tool("biosnoop", "-d", disk.name, "--json") as tool:
            scsi.run()
            work.run()
    assert len(tool.json) == 31
    assert (tool.summary["passthrough"], tool.summary["untimed"], tool.summary["ownerless"]) == (N, 0, 0)
    assert f"biosnoop: {N} commands " in tool.err


@contextlib.contextmanager
def fast_disk():
    """One that takes next to no time: null_blk, or natively, where modules may not be loaded, a file in memory."""
    if VM:
        with machine.null_disk(0) as disk:
            yield disk
    else:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as directory, machine.loop_disk(directory, False) as disk:
            yield disk


def storm(number, held_up=False):
    """Writes as fast as they go, under biosnoop that looks, or is held up meanwhile: each is shown or counted as lost.
    Returns how many were lost."""
    with fast_disk() as disk, working("again", disk, number) as work, Watch(disk, "-p", work.pid) as watch:
        if held_up:
            watch.tool.process.send_signal(signal.SIGSTOP)
        done = work.run(120)[-1]
        if held_up:
            watch.tool.process.send_signal(signal.SIGCONT)
    tool = watch.tool
    assert done["done"] == number == watch.grown["writes"]
    assert len(tool.json) == tool.summary["events"] and tool.lost == tool.summary["lost"], tool.said
    known = tool.summary["events"] + tool.summary["lost"]
    assert known <= number <= known + tool.summary["missed_runs"] + number // BLIND, tool.summary
    return tool.summary["lost"]


def test_every_request_of_a_storm():
    """Every one of them is shown."""
    without_loss(lambda: storm(MANY), MANY)


@pytest.mark.any_kernel
def test_overload_is_accounted():
    """A tool that is held up loses requests, and says how many."""
    if VM:
        pytest.skip("vm-ok: to fill the rings takes minutes in emulation")
    assert storm(200_000, held_up=True) > 0, "the overload was none"
