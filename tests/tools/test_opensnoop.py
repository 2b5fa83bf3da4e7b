# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""opensnoop against workloads that print what it must report."""

import errno
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from harness import CALLS_32, CONTROL, HEAD_KEYS, VM, Script, Tool, Workload, assert_sorted_times, complaints, patience
from machine import need
from snoop import FAILING, N, comparable, open_rows, watch_opens, watch_storm, without_loss
from suite import HEADERS

CALLS = ["open", "openat", "openat2", "creat", *(["mix32"] if CALLS_32 else [])]
PLACES = ("cwd", "dirfd", "dotdot", "symlink", "root", "chroot", "chroot-cwd", "mount", "mounts", "bind", "pivot",
          "deep")
PATH_MAX = 4096                 # with the NUL
URING = "io_uring open"         # the probe that sees opens by io_uring, where it is granted
RUNGS = ("gaps", "gaps,fexit", "gaps,fexit,kprobe", "gaps,fexit,kprobe,tp_btf")
MANY = 50_000 if VM else 1_000_000


@pytest.mark.parametrize("call", CALLS)
def test_exact_rows(call, open_place, cgroup):
    """23 opens, 5 of them failing, by each system call: exactly these rows with these values."""
    tool, done = watch_opens(["--json"], [call, N, FAILING, open_place], cgroup)
    assert len(done) == N and sum(line["errno"] != 0 for line in done) == FAILING
    assert comparable(tool.json) == open_rows(done)
    assert_sorted_times(tool.json)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)
    assert all(HEAD_KEYS <= row.keys() for row in tool.json)


def test_flags_text(open_place, cgroup):
    """Flags are also shown by name."""
    tool, done = watch_opens(["--json"], ["mix", 4, 0, open_place], cgroup)
    names = [set(row["flags_text"].replace("|", " ").replace(",", " ").split()) - {"O_LARGEFILE"}
             for row in tool.json]
    assert names == [{"O_RDWR", "O_CREAT", "O_CLOEXEC"}, {"O_WRONLY", "O_APPEND", "O_CREAT"},
                     {"O_RDONLY", "O_CREAT", "O_NONBLOCK"}, {"O_WRONLY", "O_CREAT", "O_TRUNC"}], done


def test_text_says_the_same(open_place, cgroup):
    """The default table, a script's view: the columns of BCC's man page, the same rows as JSON."""
    with Workload("opens", "mix", N, FAILING, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as text, \
                Tool("opensnoop", "--cgroup", cgroup.id, "--json") as json:
            done = work.run()
    assert text.header == HEADERS["opensnoop"]
    expected = [[str(line[key]) for key in ("pid", "fd", "errno", "path")] for line in done]
    assert [[row[name] for name in ("PID", "FD", "ERR", "PATH")] for row in text.rows] == expected
    assert {row["COMM"] for row in text.rows} == {"opens"}
    assert comparable(json.json) == open_rows(done)


def test_header_says_ready(open_place, cgroup):
    """Without -v the header is the sign that all is attached: what happens right after it is seen."""
    with Workload("opens", "open", N, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, verbose=False) as tool:
            work.run()
    assert len(tool.rows) == N
    assert complaints(tool.err) == ""


def test_from_a_thread(open_place, cgroup):
    """Another thread's opens carry the process's pid and the thread's tid."""
    tool, done = watch_opens(["--json"], ["openat", N, 0, open_place, "thread"], cgroup)
    assert all(line["tid"] != line["pid"] for line in done)
    assert comparable(tool.json) == open_rows(done)


@pytest.mark.parametrize("avoid", RUNGS)
def test_restarted(avoid, place, cgroup):
    """An open that waits and is interrupted by signals, from which the kernel begins it anew, is one open: no failure."""
    code = """
        import signal
        os.mkfifo(args[0] + "/pipe")
        signal.signal(signal.SIGALRM, lambda *unused: None); signal.siginterrupt(signal.SIGALRM, False)
        import ctypes
        if not os.fork():
            import time
            time.sleep(.5); os.open(args[0] + "/pipe", os.O_WRONLY); os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, .1, .1)
        print(f"fd={ctypes.CDLL(None).open((args[0] + '/pipe').encode(), os.O_RDONLY)}")
        signal.setitimer(signal.ITIMER_REAL, 0); os.wait()
        """
    with Script(code, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = work.run()[-1]
    rows = [row for row in tool.json if row["path"] == f"{place}/pipe"]
    assert [row["fd"] for row in rows if row["pid"] == work.pid] == [done["fd"]] and done["fd"] >= 0
    assert [row["errno"] for row in rows] == [0, 0]


@pytest.mark.parametrize("shift", [-60, 86400])
def test_time_namespace(shift, open_place, cgroup):
    """In a time namespace, where the tool's clock is another than the kernel's, rows come, and with the right time."""
    need(Path("/proc/self/ns/time").exists(), "vm-ok: no time namespaces")
    prefix = ("unshare", "--fork", "--kill-child", "--time", "--monotonic", max(shift, 5 - int(time.monotonic())))
    with Workload("opens", "open", N, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json", "--events", N, prefix=prefix) as tool:
            before = time.time()
            work.run()
            assert tool.wait() == 0
    assert len(tool.json) == N
    times = [datetime.fromisoformat(row["time"][:26] + "+00:00").timestamp() for row in tool.json]
    assert all(before - 1 < at < time.time() + 1 for at in times)


@pytest.mark.parametrize("where", PLACES)
def test_full_path(where, place, cgroup):
    """-F: the base directory from the root of the process's mount namespace, "/" and the name as given."""
    with Workload("openwhere", where, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "-F", "--cgroup", cgroup.path, "--json") as full, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json") as plain:
            done = work.run()[-1]
    assert done["errno"] == 0
    assert [row["path"] for row in plain.json] == [done["name"]]
    assert [row["path"] for row in full.json] == [done["path"]]
    assert not any("path_truncated" in row for row in full.json + plain.json)


@pytest.mark.parametrize("avoid", RUNGS)
def test_full_path_of_nothing(avoid, place, cgroup):
    """-F where the directory has no path: it is not known; one that was removed says so."""
    code = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        os.mkdir(args[0] + "/gone"); gone = os.open(args[0] + "/gone", os.O_RDONLY); os.rmdir(args[0] + "/gone")
        os.makedirs(args[0] + "/some/where")
        tree = libc.syscall(428, -100, (args[0] + "/some").encode(), 1 | 0x80000)       # open_tree(): a detached copy
        fs = libc.syscall(430, b"tmpfs", 0)
        libc.syscall(431, fs, 6, None, None, 0)
        mount = libc.syscall(432, fs, 0, 0)                                             # fsmount()
        outside = os.open(args[0] + "/some", os.O_RDONLY)
        bases = {"pipe": os.pipe()[0], "memfd": os.memfd_create("m"), "socket": __import__("socket").socketpair()[0].detach(),
                 "closed": 999, "gone": gone, "tree": tree, "mount": mount, "outside": outside}
        for name, fd in bases.items():
            try:
                os.open("x-" + name, os.O_RDONLY, dir_fd=fd)
            except OSError:
                pass
        libc.unshare(0x20000); os.fchdir(outside); os.fchdir(os.open("where", os.O_PATH))
        try:
            os.open("x-elsewhere", os.O_RDONLY, dir_fd=outside)
        except OSError:
            pass
        print(f"tree={tree}\\tmount={mount}")
        """
    with Script(code, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "-F", "--cgroup", cgroup.path, "--json", avoid=avoid) as tool:
            done = work.run()[-1]
    paths = {row["path"].rsplit("/", 1)[1]: row["path"].rsplit("/", 1)[0] for row in tool.json if "/x-" in row["path"]}
    assert paths == {"x-pipe": "?", "x-memfd": "?", "x-socket": "?", "x-closed": "?", "x-gone": f"{place}/gone (deleted)",
                     "x-tree": "?", "x-mount": "?", "x-outside": f"{place}/some", "x-elsewhere": "?"}
    assert done["tree"] >= 0 and done["mount"] >= 0


@pytest.mark.parametrize("more", [[], ["-F"]])
def test_empty_name(more, place, cgroup):
    """An open of "" is an open that failed, and not of an unknown name."""
    with Workload("openwhere", "empty", place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path, *more) as text, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json", *more) as json:
            done = work.run()[-1]
    assert done["errno"] == errno.ENOENT
    expected = str(place / "empty") if more else ""
    assert [(row["error"], row["path"].rstrip("/")) for row in json.json] == [("ENOENT", expected)]
    assert "?" not in text.lines[-1]


@pytest.mark.parametrize("length, cut", [(PATH_MAX - 1, False), (PATH_MAX, True)])
def test_long_path(length, cut, open_place, cgroup):
    """The longest path there can be is shown whole; a longer one, which the kernel refuses, is visibly cut."""
    room = length - len(str(open_place)) - len("/open-0")
    long = str(open_place) + "/" * (room % 2) + "/." * (room // 2)
    with Workload("opens", "open", 1, 0, long, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as text, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json") as json, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json", "-F") as full:
            [line] = work.run()
    assert len(line["path"]) == length and line["errno"] == (errno.ENAMETOOLONG if cut else 0)
    for [row] in (json.json, full.json):
        assert row.get("path_truncated", False) == cut
        assert line["path"].startswith(row["path"]) and len(row["path"]) >= PATH_MAX - 1
        assert text.rows[0]["PATH"] == row["path"] + ("..." if cut else "")


def test_io_uring(open_place, cgroup):
    """Opens by io_uring show where the probe allows; where it does not, nothing wrong shows."""
    with Workload("openuring", N, open_place, cgroup=cgroup) as work:
        if work.unavailable:
            pytest.skip(f"vm-ok: no io_uring here (errno {work.unavailable})")
        with Tool("opensnoop", "--cgroup", cgroup.path, "--json") as tool:
            done = work.run()
    assert [line["errno"] for line in done] == [0] * N
    shown = [(row["pid"], row["path"]) for row in tool.json]
    if not shown and URING not in tool.rungs and VM == "5.10":
        pytest.skip("vm-ok: their results are nowhere before 5.19")
    need(shown or URING in tool.rungs, "this kernel grants no probe that sees opens by io_uring")
    assert shown == [(line["pid"], line["path"]) for line in done]


def test_a_million_opens(open_place, cgroup):
    """At full speed on two threads, at the default settings: every single one shows, in order of time."""
    target = open_place / "a-path-of-some-thirty-characters"
    target.touch()

    def storm():
        tool = watch_storm(["opensnoop"], ["openfast", MANY // 2, 2, target], MANY, cgroup)
        assert_sorted_times(tool.json, storm=True)
        return tool.summary["lost"]

    without_loss(storm, MANY)


def test_overload_is_accounted(open_place, cgroup):
    """A tool that is held up loses events, says how many, and shown + lost = done."""
    target = str(open_place) + "/." * 1900 + "/target"
    (open_place / "target").touch()
    total = 16_000 if VM else 60_000
    tool = watch_storm(["opensnoop"], ["openfast", total // 2, 2, target], total, cgroup, held_up=True)
    assert tool.summary["lost"] > 0, "the overload was none"


def test_hostile_names(place, cgroup):
    """No control byte reaches the terminal, JSON is UTF-8, a row is a line."""
    with Workload("hostile", "open", 3, place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as text, \
                Tool("opensnoop", "--cgroup", cgroup.path, "--json") as json:
            work.run()
    assert not CONTROL.search(text.out), repr(text.out)
    assert len(text.rows) == 3 and all("]0;x" in row["PATH"] and "]0;x" in row["COMM"] for row in text.rows)
    assert len(json.json) == 3
    assert all(row["path"].startswith(f"{place}/\x1b]0;x\x07") for row in json.json)


def test_events_within_100_ms(open_place, cgroup):
    """Rows appear while the tool runs (a generous bound: it must not wait for more events)."""
    seen = threading.Event()
    with Workload("opens", "open", 1, 0, open_place, cgroup=cgroup) as work:
        with Tool("opensnoop", "--cgroup", cgroup.path) as tool:
            work.run()
            for _ in range(int(patience(1) * 100)):
                if len(tool.lines) == 2:
                    seen.set()
                    break
                seen.wait(0.01)
            assert seen.is_set(), tool.out
