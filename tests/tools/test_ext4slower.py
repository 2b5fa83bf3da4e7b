# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""ext4slower and its other names: each kind of operation, by every rung; how slow they were; filters and formats."""

import contextlib
import csv
import errno
import os
import re
import shutil
import statistics
import textwrap

import pytest

from filesystems import DELAY_AT_LEAST_MS, DELAY_MS, filesystem, mounted_again
from harness import BUILD, FAILED, HEAD_KEYS, OK, VM, Script, Tool, Workload, one_line, run_tool
from machine import call, need, need_program
from snoop import LOSS_ALLOWED
from suite import HEADERS

N = 23
MS = 1_000_000
KINDS = ("ext4", "xfs", "btrfs", "f2fs", "nfs")
RUNGS = {"fentry": "gaps", "kprobe": "gaps,fentry,fexit", "tp_btf": "fentry,fexit,kprobe,kretprobe",
         "raw_tp": "fentry,fexit,kprobe,kretprobe,tp_btf"}
CALLS = ("tp_btf", "raw_tp")
# What fileops does, and what the tool calls it.
OPERATIONS = {"read": "read", "write": "write", "append": "write", "sync": "sync", "open": "open", "create": "open",
              "rename": "rename", "unlink": "unlink", "mkdir": "mkdir", "readdir": "readdir", "truncate": "truncate",
              "fault": "fault", "mkwrite": "fault", "aio": "read", "uring": "read", "uringwrite": "write",
              "badread": "read", "cached": "read"}
BY_CALLS = ("read", "write", "append", "sync", "open", "create", "readdir", "truncate", "badread", "cached")
SLOW = ("read", "write", "append", "sync")
ASYNC = ("aio", "uring", "uringwrite")
BY_URING = ("uring", "uringwrite")
BCC_CSV = "ENDTIME_us,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE"
LETTERS = {"read": "R", "write": "W", "open": "O", "sync": "S", "rename": "N", "unlink": "U", "mkdir": "D",
           "readdir": "L", "truncate": "T", "fault": "F"}
KEYS = HEAD_KEYS | {"comm", "operation", "bytes", "latency_ns", "device", "path", "offset", "errno"}
# In VMs each rung on one kind of file system, and each kind on one rung; on each that has functions of the kind's.
ONE_OF_EACH = pytest.mark.any_kernel(besides=lambda params: params["kind"] == "ext4" or params["rung"] == "fentry")
BY_FUNCTIONS = pytest.mark.any_kernel(besides=lambda params: params["kind"] == "ext4" or params["rung"] not in CALLS)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    """A kind of file system."""
    return request.param


@pytest.fixture(scope="module")
def own(kind, tmp_path_factory):
    """A file system of this kind."""
    with filesystem(kind, tmp_path_factory.mktemp(kind)) as place:
        yield place


@pytest.fixture(scope="module")
def slow(kind, tmp_path_factory):
    """One on a disk that takes DELAY_MS for everything."""
    need(VM, "a slow disk takes kernel modules")
    with filesystem(kind, tmp_path_factory.mktemp(kind), slow=True) as place:
        yield place


@contextlib.contextmanager
def workloads(place, cgroup, operations, number=N):
    """{operation: a prepared fileops}, each in a directory of its own."""
    with contextlib.ExitStack() as stack:
        made = {}
        for name in operations:
            (place / name).mkdir()
            stack.callback(shutil.rmtree, place / name)
            made[name] = stack.enter_context(Workload("fileops", name, number, place / name, cgroup=cgroup))
        yield made


def check_rung(tool, rung, kind):
    """The tool is on this rung, or better; another reason than BORESCOPE_AVOID must be the kernel."""
    used = [used.split("/")[0] for used in tool.rungs.values()]
    order = list(RUNGS)
    assert used and all(order.index(u) >= order.index(rung) for u in used), tool.rungs
    if VM == "5.10" and rung == "fentry":
        rung = "kprobe"         # no BTF of modules
    first = tool.rung("reads", f"fentry/{kind}_file_read_iter")
    if first == "none":
        first = tool.rung("system calls", f"fentry/{kind}_file_read_iter")
    need(first == rung, f"{rung} is not granted here, but {first}")


def facts(line, name):
    """What fileops and the tool's row both know."""
    return (f"{name}/{line['name']}" if line["name"] != "." else name, line["offset"], line["bytes"], line["errno"])


def rows_of(tool, work, name):
    """The tool's rows of this workload, of the operation that it is for; without io_uring's tries that would have had to
    wait, and were done anew by one of its own threads."""
    return [row for row in tool.json if row["pid"] == work.pid and row["operation"] == OPERATIONS[name] and
            not (name in BY_URING and row["errno"] == errno.EAGAIN)]


def check_lost(tool, number=N):
    """Nothing of `number` operations was lost, but on a kernel that preempts tasks inside a program: there a few may be,
    and are counted."""
    allowed = LOSS_ALLOWED * number if VM and VM.startswith("7") else 0
    lost = tool.summary["lost"] + tool.summary["missed_runs"]
    assert lost <= allowed, tool.said
    return lost


def check_rows(rows, done, name, lost):
    """Each operation has its row, which says the same, and no longer than the program itself saw."""
    if lost and len(rows) < len(done):
        assert len(done) - len(rows) <= lost
        assert {(row["path"], row["offset"], row["bytes"], row["errno"]) for row in rows} <= \
            {facts(line, name) for line in done}
        return
    if name in ("fault", "mkwrite"):    # the kernel may try one again: then each try is an operation
        assert [row["offset"] for row in rows if row["path"] == f"{name}/data"] and \
            {row["offset"] for row in rows} == {line["offset"] for line in done}
        return
    assert [(row["path"], row["offset"], row["bytes"], row["errno"]) for row in rows] == \
        [facts(line, name) for line in done]
    if name not in BY_URING:
        assert all((row["tid"], row["comm"]) == (line["tid"], "fileops") for row, line in zip(rows, done))
    assert {row["uid"] for row in rows} == {0}
    assert all(0 < row["latency_ns"] <= line["ns"] for row, line in zip(rows, done))


def check_delays(rows, done, between_ms=3):
    """The disk made the program wait, as it saw itself, and the tool says so long: what lies between is a call's way in
    and out, and now and then a preemption. (dm-delay counts in ticks, so a constant would not do.)"""
    own, shown = [line["ns"] for line in done], [row["latency_ns"] for row in rows]
    assert statistics.median(own) >= DELAY_AT_LEAST_MS * MS
    if len(own) == len(shown):
        between = sorted(a - b for a, b in zip(own, shown))
        assert between[0] >= 0 and between[len(own) // 2] < between_ms * MS and between[-3] < DELAY_MS * MS / 3, \
            (own, shown)
    else:               # some were lost, and it can't be told which
        assert abs(statistics.median(own) - statistics.median(shown)) < between_ms * MS, (own, shown)


@BY_FUNCTIONS
@pytest.mark.parametrize("rung", RUNGS)
def test_every_operation(rung, kind, own, cgroup):
    """23 of each kind: file, place, bytes, error, and a time that is within what the program saw."""
    with workloads(own, cgroup, OPERATIONS) as works:
        with Tool(f"{kind}slower", "0", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            done = {name: work.run() for name, work in works.items()}
    check_rung(tool, rung, kind)
    assert tool.status == OK, tool.said
    lost = check_lost(tool, sum(map(len, done.values())))
    if kind == "nfs":           # it gives the file its new name by itself, so that at the end the old one is gone
        for line in done["rename"]:
            line["name"] += ".new"
    for name, lines in done.items():
        rows = rows_of(tool, works[name], name)
        if rung in CALLS and name not in BY_CALLS:
            assert not rows, name
        else:
            check_rows(rows, lines, name, lost)
    assert tool.summary["events"] == len(tool.json)
    assert {row["device"] for row in tool.json} == {device_of(own)}


def device_of(place):
    """major:minor, as the superblock has it: of btrfs an anonymous one."""
    for line in open("/proc/self/mountinfo", encoding="utf-8"):
        fields = line.split()
        if fields[4] == str(place):
            return fields[2]
    raise AssertionError(f"{place} is not mounted")


@ONE_OF_EACH
@pytest.mark.parametrize("rung", RUNGS)
def test_slow_disk(rung, kind, slow, cgroup):
    """Each of 23 operations that wait for a slow disk shows, with as long as the program itself waited; what is fast,
    not."""
    fast = ("cached", "open")
    with workloads(slow, cgroup, (*SLOW, *fast, *ASYNC)) as works:
        with Tool(f"{kind}slower", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            done = {name: work.run() for name, work in works.items()}
    check_rung(tool, rung, kind)
    lost = check_lost(tool, sum(map(len, done.values())))
    assert all(row["latency_ns"] >= 10 * MS for row in tool.json)
    for name in SLOW:
        rows = rows_of(tool, works[name], name)
        check_rows(rows, done[name], name, lost)
        check_delays(rows, done[name])
        assert not any("async" in row for row in rows), name
    for name in fast:           # in emulation a program may be held up for long: then it saw that itself
        assert len(rows_of(tool, works[name], name)) <= sum(line["ns"] >= 10 * MS for line in done[name])
    for name in ASYNC:
        rows = rows_of(tool, works[name], name)
        if rung in CALLS:
            assert not rows
        else:
            check_rows(rows, done[name], name, lost)
            check_delays(rows, done[name], 5 if name in BY_URING else 3)    # its threads' turns come between
            # on btrfs (6.12) a thread of io_uring's may wait for the disk itself: then it is no asynchronous operation
            assert all("async" in row for row in rows) or (kind == "btrfs" and name in BY_URING), name


@pytest.mark.parametrize("rung", RUNGS)
def test_threshold(rung, ext4, cgroup):
    """Below the threshold nothing shows."""
    with workloads(ext4, cgroup, ("cached", "write", "sync")) as works:
        with Tool("ext4slower", "60000", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            number = sum(len(work.run()) for work in works.values())
    check_rung(tool, rung, "ext4")
    check_lost(tool, number)
    assert (tool.json, tool.summary["events"]) == ([], 0)


class Straced(Workload):
    """A workload under strace -T."""

    def __init__(self, calls, file, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.argv = ["strace", "--seccomp-bpf", "-f", "-T", "-e", f"trace={calls}", "-o", str(file), *self.argv]


@ONE_OF_EACH
@pytest.mark.parametrize("name, call_name", [("read", "pread64"), ("sync", "fsync")])
@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_agrees_with_strace(rung, name, call_name, slow, kind, place, cgroup):
    """strace -T of the same run: never less than the tool says, and not much more, which is strace's own work."""
    need_program("strace")
    log = place / "strace"
    (slow / name).mkdir()
    with Straced(call_name, log, "fileops", name, N, slow / name, cgroup=cgroup) as work:
        with Tool(f"{kind}slower", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            work.run()
    shutil.rmtree(slow / name)
    check_rung(tool, rung, kind)
    traced = [float(seconds) * 1000 * MS
              for seconds in re.findall(rf"^\d+ +{call_name}\(.* <([\d.]+)>$", log.read_text(), re.M)][-N:]
    latencies = [row["latency_ns"] for row in rows_of(tool, work, name)]
    assert len(traced) == len(latencies) == N
    assert all(latency <= by_strace + 1000 for latency, by_strace in zip(latencies, traced))    # it prints microseconds
    assert statistics.median(b - a for a, b in zip(latencies, traced)) < DELAY_MS * MS / 3


@pytest.mark.parametrize("rung", ["fentry", "kprobe"])
def test_completions_not_seen(rung, place, cgroup):
    """Where completions can't be seen, an asynchronous read is marked, and has no latency."""
    need(VM, "a slow disk takes kernel modules")
    with filesystem("ext4", place, slow=True) as disk, workloads(disk, cgroup, ASYNC) as works:
        avoid = f"{RUNGS[rung]},completions"
        with Tool("ext4slower", "0", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool, \
                Tool("ext4slower", "0", "--cgroup", cgroup.path, avoid=avoid) as text:
            for work in works.values():
                work.run()
    assert "asynchronous direct I/O to its submission only" in tool.err
    marked = [row for row in tool.json if "async" in row]
    for name in ASYNC:
        rows = rows_of(tool, works[name], name)
        if name in BY_URING:    # that it would have had to wait is said by a completion, too, on 7.3: the last try counts
            rows = list({row["offset"]: row for row in rows}.values())
        assert len(rows) == N and all(row in marked and "latency_ns" not in row for row in rows), name
        assert all(0 < row["submission_ns"] < DELAY_MS * MS for row in rows[1:]), name
    # each tool has its own order of what ends on two CPUs at one time
    assert sorted(row["LAT(ms)"].endswith("+") for row in text.rows) == sorted("async" in row for row in tool.json)


@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_filters(rung, ext4, cgroup, other_cgroup):
    """-p, --comm, --uid and --cgroup judge the task that reads; --path the file."""
    with workloads(ext4, cgroup, ("cached", "read")) as works:
        cached, other = works["cached"], works["read"]
        wanted = {("-p", cached.pid): N, ("-p", str(os.getpid())): 0, ("--comm", "fileops"): 2 * N,
                  ("--cgroup", other_cgroup.path): 0, ("--path", "cached/"): N, ("--path", "/cached/data"): N,
                  ("--path", "cached/data/"): 0, ("--path", "ached"): 0}
        scope = ("--cgroup", cgroup.path)
        with contextlib.ExitStack() as stack:
            tools = {args: stack.enter_context(Tool("ext4slower", "0", *(() if "--cgroup" in args else scope), *args,
                                                    "--json", avoid=RUNGS[rung])) for args in wanted}
            cached.run()
            other.run()
    for args, tool in tools.items():
        check_rung(tool, rung, "ext4")
        seen = sum(row["operation"] == "read" for row in tool.json)
        assert wanted[args] - check_lost(tool, 2 * N) <= seen <= wanted[args], args


@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_paths(rung, ext4, place, cgroup):
    """A file's path is from its mount down, also below a bind mount; too long a one is cut from the left, visibly."""
    deep = "/".join(["deep"] * 60)
    os.makedirs(ext4 / "top" / deep)
    with mounted_again(ext4 / "top", place / "again") as again, \
            Workload("fileops", "cached", 1, ext4 / "top", cgroup=cgroup) as plain, \
            Workload("fileops", "cached", 1, again, cgroup=cgroup) as bound, \
            Workload("fileops", "cached", 1, again / deep, cgroup=cgroup) as cut, \
            Tool("ext4slower", "0", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
        for work in (plain, bound, cut):
            work.run()
    shutil.rmtree(ext4 / "top")
    check_rung(tool, rung, "ext4")
    assert [row["path"] for row in tool.json if row["pid"] == plain.pid] == ["top/data"]
    assert [row["path"] for row in tool.json if row["pid"] == bound.pid] == ["data"]
    path, = [row["path"] for row in tool.json if row["pid"] == cut.pid]
    assert re.fullmatch(r"\.\.\.(/deep){20,59}/data", path), path


@pytest.mark.parametrize("rung", RUNGS)
def test_only_files(rung, ext4, cgroup):
    """A pipe and a device that have a name there are no files of the file system: what is read from them, and waits, is
    none of its operations; that of a file beside them is."""
    code = """
        os.mkfifo("pipe")
        both = os.open("pipe", os.O_RDWR)
        os.write(both, b"x"); os.read(both, 1); os.close(both)
        os.write(os.open("file", os.O_WRONLY | os.O_CREAT), b"x")
        os.mknod("null", 0o20600, os.makedev(1, 3)); os.write(os.open("null", os.O_WRONLY), b"x")
        """
    with Script(f"os.chdir(args[0])\n{textwrap.dedent(code)}", ext4, cgroup=cgroup) as work:
        with Tool("ext4slower", "0", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            work.run()
    for name in ("pipe", "file", "null"):
        (ext4 / name).unlink()
    check_rung(tool, rung, "ext4")
    check_lost(tool)
    assert {row["operation"] for row in tool.json if row["path"] == "file"} >= {"open", "write"}
    assert not [row for row in tool.json if row["path"] in ("pipe", "null")]


@ONE_OF_EACH
@pytest.mark.parametrize("rung", ["fentry", "kprobe"])
def test_reads_into_a_pipe(rung, kind, own, cgroup):
    """sendfile, splice and copy_file_range read the file: a row each, with its place and bytes."""
    code = """
        import socket
        os.chdir(args[0])
        file = os.open("big", os.O_RDONLY)
        one, other = socket.socketpair(); read, write = os.pipe()
        print(f"offset=0\\tbytes={os.sendfile(one.fileno(), file, 0, 4096)}")
        print(f"offset=65536\\tbytes={os.splice(file, write, 4096, offset_src=65536)}")
        """
    (own / "big").write_bytes(bytes(1 << 17))
    with Script(code, own, cgroup=cgroup) as work:
        with Tool(f"{kind}slower", "0", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
            done = work.run()
    (own / "big").unlink()
    check_rung(tool, rung, kind)
    check_lost(tool)
    assert [(row["offset"], row["bytes"]) for row in tool.json if (row["operation"], row["path"]) == ("read", "big")] == \
        [(line["offset"], line["bytes"]) for line in done]


@pytest.mark.parametrize("rung", RUNGS)
def test_mounted_file(rung, ext4, cgroup):
    """A file that is mounted by itself has its name."""
    (ext4 / "below").mkdir()
    for name in ("below/app.conf", "etc.conf"):
        (ext4 / name).write_text("x")
    call("mount", "--bind", ext4 / "below/app.conf", ext4 / "etc.conf")
    try:
        with Script("os.read(os.open(args[0], os.O_RDONLY), 9)", ext4 / "etc.conf", cgroup=cgroup) as work:
            with Tool("ext4slower", "0", "--cgroup", cgroup.path, "--json", avoid=RUNGS[rung]) as tool:
                work.run()
    finally:
        call("umount", ext4 / "etc.conf")
        shutil.rmtree(ext4 / "below")
        (ext4 / "etc.conf").unlink()
    check_rung(tool, rung, "ext4")
    assert {(row["operation"], row["path"]) for row in tool.json} >= {("open", "below/app.conf"), ("read", "below/app.conf")}


def test_what_is_not_seen_is_said(cgroup):
    """Where system calls are timed, -v does not say that reads are not seen; the note says what is not."""
    with Tool("ext4slower", "--cgroup", cgroup.path, avoid="fentry,kprobe") as tool:
        pass
    assert "reads: not seen" not in tool.err and "reads: no probe of its own: " in tool.err
    assert "overlayfs" in tool.err


@pytest.mark.parametrize("rung", ["fentry", "tp_btf"])
def test_text(rung, ext4, cgroup):
    """BCC's columns, and the same in each as in JSON."""
    with workloads(ext4, cgroup, OPERATIONS) as works:
        arguments = ("0", "--cgroup", cgroup.path)
        with Tool("ext4slower", *arguments, avoid=RUNGS[rung]) as text, \
                Tool("ext4slower", *arguments, "--json", avoid=RUNGS[rung]) as tool:
            for work in works.values():
                work.run()
    check_rung(text, rung, "ext4")
    assert text.header == HEADERS["ext4slower"]
    assert {frozenset(row) - {"error", "async"} for row in tool.json} == {frozenset(KEYS)}
    assert {row["operation"] for row in tool.json} >= {OPERATIONS[name] for name in BY_CALLS}
    assert [(row["COMM"], int(row["PID"]), row["T"], int(row["BYTES"]), int(row["OFF_KB"]), row["FILENAME"])
            for row in text.rows] == \
        [(row["comm"], row["pid"], LETTERS[row["operation"]], row["bytes"], row["offset"] >> 10, row["path"])
         for row in tool.json]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", row["TIME"]) and re.fullmatch(r"\d+\.\d\d", row["LAT(ms)"])
               for row in text.rows)


@pytest.mark.parametrize("comm", ['"hide', '=1+1', '+1', '-1', '@a', 'a"b'])
def test_csv_for_its_readers(ext4, cgroup, comm):
    """A row is a row to a reader of CSV, whatever the name, and no field is a formula."""
    with Workload("fileops", "cached", N, ext4, cgroup=cgroup, comm=comm, directory=ext4) as work:
        with Tool("ext4slower", "-j", "0", "--cgroup", cgroup.path) as tool:
            done = work.run()
    (ext4 / comm).unlink()
    rows = [row for row in csv.reader(tool.lines[1:]) if row[3] == "R"]
    assert len(rows) == len(done)
    for row in rows:
        assert len(row) == 8 and row[1].encode().decode("unicode_escape") == comm, row
        assert row[1][0] not in '"=+-@'


def test_csv(ext4, cgroup):
    """-j: BCC's fields, with commas between, and in a name no comma that would make one more."""
    (ext4 / "a,b").mkdir()
    with Workload("fileops", "cached", N, ext4 / "a,b", cgroup=cgroup, comm="file,ops", directory=ext4) as work:
        with Tool("ext4slower", "-j", "0", "--cgroup", cgroup.path) as tool:
            done = work.run()
    shutil.rmtree(ext4 / "a,b")
    (ext4 / "file,ops").unlink()
    assert tool.lines[0] == BCC_CSV
    rows = [line.split(",") for line in tool.lines[1:]]
    rows = [row for row in rows if row[3] == "R"]
    assert [(row[1], int(row[2]), int(row[4]), int(row[5]), row[7]) for row in rows] == \
        [("file\\054ops", work.pid, line["bytes"], line["offset"], "a\\054b/data") for line in done]
    assert all(int(row[6]) * 1000 <= line["ns"] for row, line in zip(rows, done))


def test_names(place):
    """The program's name says which file system, with a prefix, too; a kernel without it is a matter of one line."""
    for name in (f"{kind}slower" for kind in KINDS):
        (place / f"my-{name}").symlink_to(BUILD / "bin" / "ext4slower")
        done = run_tool(name, "--help", program=place / f"my-{name}")
        assert (done.returncode, done.stdout.split(":")[0]) == (OK, f"my-{name}")
        assert (BUILD / "bin" / name).exists()
    loaded = [line.split()[-1] for line in open("/proc/filesystems", encoding="utf-8")]
    for kind in KINDS:
        if kind not in loaded:
            done = run_tool(f"{kind}slower", "--duration", "1")
            assert (done.returncode, done.stdout) == (FAILED, "")
            assert one_line(done.stderr).startswith(f"{kind}slower: there is no {kind} on this machine")
