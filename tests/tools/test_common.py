# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What holds for every tool: arguments, ends, outputs that fail, privileges."""

import errno
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from json import loads
from pathlib import Path

import pytest

from bpf_stats import SYS_BPF
from harness import (BUILD, CONTROL, FAILED, NOBODY, OK, QUIET_END, ROOT, USAGE, VM, Tool, Workload, complaints,
                     one_line, patience, public_copy, run_tool, told, wait_until)
from histograms import N, total, working
from machine import cgroup2_mount, need
from suite import HEADERS, HOSTILE, TOOLS, Places

EVENT_TOOLS = tuple(HEADERS)
COMMON_OPTIONS = ("-p", "--pid", "--tid", "--uid", "--comm", "--cgroup", "--duration", "--json", "--time", "--cost",
                  "--max-cost", "--btf", "-v", "--verbose", "-h", "--help", "-V", "--version")
# Options with values that are wrong: the line on stderr must name the value, or the option where that is empty.
WRONG = {"-p": ["12x", "-1", "", "0", "1,", "99999999999"], "--tid": ["x"], "--uid": ["no-such-user", "-5"],
         "--comm": ["", "sixteen-bytes-it-is"], "--cgroup": ["/no/such/cgroup", "/tmp", ""],
         "--duration": ["0", "-1", "x", "1s", "nan"],
         "--max-cost": ["x", "0", "-1", "", "nan", "inf", "1e400", "1e1", "0x10", "100x", "100001"]}
# Whole command lines that are wrong, of which the line must name the last word.
WRONG_LINES = ["--no-such-option", "-Z", "--pid"]
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
MISSING = re.compile(r"CAP_(BPF|SYS_ADMIN)")


def cases():
    """Every tool with every wrong argument."""
    for tool, facts in TOOLS.items():
        for option, values in [*WRONG.items(), *facts.wrong.items()]:
            for value in values:
                yield pytest.param(tool, [option, value], value or option, id=f"{tool} {option} '{value}'")
        for line in [*WRONG_LINES, *facts.wrong_lines]:
            yield pytest.param(tool, line.split(), line.split()[-1], id=f"{tool} {line.strip()}")
        yield pytest.param(tool, ["--json=yes"], "--json", id=f"{tool} --json=yes")


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.unprivileged
@pytest.mark.parametrize("tool, args, names", cases())
def test_wrong_arguments(tool, args, names):
    """Status 2, one line on stderr that names the argument, nothing on stdout."""
    done = run_tool(tool, *args)
    assert (done.returncode, done.stdout) == (USAGE, "")
    line = one_line(done.stderr)
    assert line.startswith(f"{tool}: ") and names in line.removeprefix(f"{tool}: ")


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.unprivileged
@pytest.mark.parametrize("tool", TOOLS)
def test_help(tool):
    """--help: on stdout, status 0, every option of every tool and of BCC's page, and examples."""
    done = run_tool(tool, "--help")
    assert (done.returncode, done.stderr) == (OK, "")
    words = set(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", done.stdout))
    wanted = {*COMMON_OPTIONS, *TOOLS[tool].bcc_options.split()} | ({"--events"} if tool in EVENT_TOOLS else set())
    assert not wanted - words, f"not in --help: {wanted - words}"
    assert len(re.findall(rf"^ *{tool}\b", done.stdout, re.M)) >= 3, "fewer than three examples"
    assert run_tool(tool, "-h").stdout == done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.unprivileged
@pytest.mark.parametrize("tool", TOOLS)
def test_version(tool):
    """--version: one line with the name and the version of the VERSION file."""
    done = run_tool(tool, "--version")
    assert (done.returncode, done.stderr) == (OK, "")
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    assert re.match(rf"{tool} {re.escape(version)}\b", one_line(done.stdout))
    assert run_tool(tool, "-V").stdout == done.stdout


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ends_by_signal(tool, number, cgroup):
    """SIGINT, SIGTERM and SIGHUP end every tool promptly with status 0."""
    with Tool(tool, "--cgroup", cgroup.path, "--json") as running:
        start = time.monotonic()
        assert running.stop(number) == OK
        assert time.monotonic() - start < patience(2)
    assert (running.summary["type"], running.summary["events"], running.summary["lost"]) == ("summary", 0, 0)


@pytest.mark.any_kernel
def test_hangup(disk):
    """A terminal that goes sends SIGHUP, and so does the shell in it, at about the same time: what there is is printed."""
    with working("write", disk) as work:
        with Tool("biolatency", "-d", disk.name, "--json") as tool:
            work.run()
            for _ in range(20):
                tool.process.send_signal(signal.SIGHUP)
            assert tool.wait() == OK
    assert total(tool) == N


@pytest.mark.any_kernel
def test_hangup_under_nohup(cgroup):
    """Who has SIGHUP ignored, as nohup does, goes on."""
    with Tool("opensnoop", "--cgroup", cgroup.path, prefix=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]) as tool:
        tool.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert tool.process.poll() is None


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.parametrize("tool", TOOLS)
def test_ends_after_duration(tool, cgroup):
    """--duration ends the tool by itself, not before its time."""
    with Tool(tool, "--cgroup", cgroup.path, "--duration", "1.5") as running:
        time.sleep(0.5)
        assert running.process.poll() is None
        assert running.wait(5) == OK


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.parametrize("tool", EVENT_TOOLS)
@pytest.mark.parametrize("json", [False, True])
def test_ends_after_events(tool, json, event_place, cgroup, disk):
    """--events N ends the tool by itself after exactly N of them."""
    with Workload(*TOOLS[tool].events(23, Places(event_place, disk)), cgroup=cgroup) as work:
        with Tool(tool, *TOOLS[tool].scope(cgroup.path), "--events", "7",
                  *(["--json"] if json else [])) as running:
            work.run()
            assert running.wait(5) == OK
    assert len(running.json if json else running.rows) == 7


@pytest.mark.any_kernel
@pytest.mark.parametrize("tool", EVENT_TOOLS)
def test_closed_pipe(tool, event_place, cgroup, disk):
    """`TOOL | head -1`: the tool ends, quietly, at the next event."""
    reader, writer = os.pipe()
    with Workload(*TOOLS[tool].events(23, Places(event_place, disk)), cgroup=cgroup) as work, os.fdopen(writer, "wb") as output:
        with Tool(tool, *TOOLS[tool].scope(cgroup.path), stdout=output) as running:
            output.close()
            assert os.read(reader, 4096).split() == [name.encode() for name in HEADERS[tool]]
            os.close(reader)
            before = running.err
            work.run()
            assert running.wait(5) in QUIET_END
            assert running.err == before


@pytest.mark.any_kernel
def test_closed_pipe_of_a_histogram(disk):
    """`biolatency 1 | head -1` ends, quietly."""
    reader, writer = os.pipe()
    with Workload("diskio", "write", 23, disk.path) as work, os.fdopen(writer, "wb") as output:
        with Tool("biolatency", "-d", disk.name, "1", stdout=output) as running:
            output.close()
            os.close(reader)
            before = running.err
            work.run()
            assert running.wait(10) in QUIET_END
            assert "pipe" not in running.err.removeprefix(before).lower()


@pytest.mark.any_kernel
@pytest.mark.unprivileged
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_closed_pipe_of_a_text(option):
    """--help to a reader that has gone is quiet, also where SIGPIPE is ignored, as by whoever starts it from Python."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run([BUILD / "bin" / "opensnoop", option], stdout=output, stderr=subprocess.PIPE,
                              restore_signals=False, check=False)
    assert (done.returncode, done.stderr) == (OK, b"")


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("json", [False, True])
def test_full_disk(tool, json, cgroup):
    """>/dev/full: status 1 and a message."""
    args = ["--json"] if json else TOOLS[tool].with_text
    with open("/dev/full", "wb") as full:
        done = run_tool(tool, "--cgroup", cgroup.path, "--duration", "1", *args, stdout=full)
    assert done.returncode == FAILED
    assert "No space left on device" in one_line(complaints(done.stderr))


@pytest.mark.any_kernel
def test_file_at_its_limit(tmp_path):
    """ulimit -f: the tool ends as with a full disk, and not by a signal."""
    with open(tmp_path / "output", "wb") as file:
        done = run_tool("xstack", "-a", "-i", "1", "-K", "--json", prefix=["prlimit", "--fsize=100"], stdout=file)
    assert done.returncode == FAILED
    assert done.stderr.endswith("xstack: cannot write: File too large\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_without_privilege(tool, place):
    """Without capabilities: status 1 and one sentence that names what is missing."""
    program = public_copy(BUILD / "bin" / tool, place)
    done = run_tool(tool, "--duration", "1", prefix=[*NOBODY, "--inh-caps=-all"], program=program)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert MISSING.search(one_line(done.stderr))


# Runs argv[3:] under a seccomp filter that lets the system call argv[1] fail with the error argv[2], as containers have.
SECCOMP = """
import ctypes, os, struct, sys
number, error = map(int, sys.argv[1:3])
program = b"".join(struct.pack("HBBI", *one) for one in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | error), (0x06, 0, 0, 0x7fff0000)))
text = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(text)))
prctl = ctypes.CDLL(None).prctl
assert not prctl(38, 1, 0, 0, 0) and not prctl(22, 2, ctypes.byref(filter))
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.mark.parametrize("error, says", [(errno.EPERM, "the seccomp filter"),
                                         (errno.ENOSYS, "there is no bpf(2): a seccomp filter")])
def test_forbidden_by_seccomp(error, says):
    """Where a container's seccomp filter forbids bpf(2), that is what the sentence speaks of."""
    done = run_tool("biolatency", "--duration", "0.1", prefix=[sys.executable, "-c", SECCOMP, SYS_BPF[os.uname().machine], error])
    assert done.returncode == FAILED and says in one_line(done.stderr)


@pytest.mark.parametrize("mode", ["[none] integrity confidentiality", "none [integrity] confidentiality",
                                  "none integrity [confidentiality]"])
def test_not_for_lockdown(mode):
    """What has nothing to do with lockdown is not put down to it, such as with Secure Boot (integrity)."""
    script = 'mount -t tmpfs none /sys/kernel/security && echo "$0" > /sys/kernel/security/lockdown && exec "$@"'
    prefix = ["unshare", "-m", "sh", "-c", script, mode, sys.executable, "-c", SECCOMP, SYS_BPF[os.uname().machine], errno.ENOMEM]
    done = run_tool("biolatency", "--duration", "0.1", prefix=prefix)
    assert done.returncode == FAILED
    assert one_line(done.stderr) == "biolatency: not enough kernel memory for this tool's maps"


def test_in_a_user_namespace():
    """root of a user namespace (a rootless container) has capabilities that do not count for BPF: that is said."""
    done = run_tool("opensnoop", "-d", "0.1", prefix=["unshare", "-U", "-r"])
    need("unshare" not in done.stderr, f"no user namespaces: {done.stderr.strip()}")
    assert done.returncode == FAILED
    assert "CAP_BPF and CAP_PERFMON of the initial user namespace" in one_line(done.stderr)


def test_without_sysfs():
    """Where /sys is not mounted, it is said that this is why there is no BTF, and libbpf keeps quiet."""
    script = 'mount -t tmpfs none /sys && exec "$@"'
    done = run_tool("profile", "--duration", "0.1", prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert done.returncode == FAILED
    assert one_line(done.stderr) == "profile: /sys is empty here: mount -t sysfs none /sys"


@pytest.mark.parametrize("tool", [name for name, facts in TOOLS.items() if facts.few_capabilities])
def test_with_few_capabilities(tool, open_place, event_place, cgroup, request):
    """CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH are enough, and the events are seen."""
    caps = "+bpf,+perfmon,+dac_read_search"
    memlock = ["prlimit", "--memlock=unlimited"] if VM else []  # before 5.11 maps count as locked memory
    prefix = [*memlock, *NOBODY, f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}"]
    program = public_copy(BUILD / "bin" / tool, open_place.parent)
    facts = TOOLS[tool]
    disk = request.getfixturevalue("disk") if facts.by_disk else None
    if tool == "profile":
        if VM:      # Debian's kernels have 3, which asks for CAP_SYS_ADMIN
            PARANOID.write_text("2")
        need(int(PARANOID.read_text()) <= 2, "kernel.perf_event_paranoid asks for more than CAP_PERFMON")
    workload = facts.events(2300 if tool == "runqlat" else 23, Places(event_place, disk))
    args = facts.scope(cgroup.id, disk)
    with Workload(*workload, cgroup=cgroup) as work:
        with Tool(tool, *args, "--json", prefix=prefix, program=program) as running:
            work.run()
    assert running.status == OK
    seen = len(running.json) if tool in EVENT_TOOLS else sum(o["count"] for o in running.json)
    if tool == "profile":
        assert running.summary["events"] == seen > 0
    else:
        assert 2300 <= seen < 6000 if tool == "runqlat" else seen == 23, (running.summary, running.said)


@pytest.mark.parametrize("tool", [tool for tool, facts in TOOLS.items() if not facts.script])   # it has a test of its own
def test_btf_file(tool, cgroup, place):
    """--btf FILE is used: a copy of the kernel's works; a file that is no BTF is refused in one line that names it."""
    good, bad = place / "good.btf", place / "bad.btf"
    good.write_bytes(open("/sys/kernel/btf/vmlinux", "rb").read())
    bad.write_text("this is no BTF")
    with Tool(tool, "--cgroup", cgroup.path, "--btf", good):
        pass
    done = run_tool(tool, "--cgroup", cgroup.path, "--duration", "1", "--btf", bad)
    assert done.returncode in (FAILED, USAGE) and done.stdout == ""
    assert str(bad) in one_line(done.stderr)


def read_all(fd, got):
    """Adds to `got` what can be read from fd; true at its end."""
    while select.select([fd], [], [], 0)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:         # how a terminal says that nobody has it open any more
            chunk = b""
        if not chunk:
            return True
        got += chunk
    return False


@pytest.mark.any_kernel("opensnoop")
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("ends, setting", [(pty.openpty, {}), (pty.openpty, {"NO_COLOR": "1"}), (os.pipe, {})],
                         ids=["terminal", "NO_COLOR", "pipe"])
def test_no_escape_sequences(tool, ends, setting, place, event_place, cgroup, disk):
    """Nothing but text and ends of lines, on stdout and stderr, to a terminal and to a pipe, whatever the names."""
    facts = TOOLS[tool]
    hostile = {"comm": HOSTILE, "directory": place} if tool in ("biosnoop", "xstack") else {}
    where = event_place if tool == "ext4slower" else place
    work = Workload(*facts.hostile(Places(where, disk)), cgroup=cgroup, **hostile)
    args = [*facts.scope(cgroup.path, disk), *facts.hostile_args]
    reader, writer = ends()
    got = bytearray()
    with work, subprocess.Popen([BUILD / "bin" / tool, *told(tool, args)], stdin=subprocess.DEVNULL, stdout=writer,
                                stderr=writer,
                                env={**os.environ, "TERM": "xterm-256color", **setting}) as process:
        os.close(writer)
        try:
            wait_until(lambda: read_all(reader, got) or facts.ready in got, 10, lambda: f"not ready: {got}")
            work.run()
            process.send_signal(signal.SIGINT)
            wait_until(lambda: read_all(reader, got), 10, lambda: f"no end: {got}")
            assert process.wait(patience(5)) == OK
        finally:
            process.kill()
            os.close(reader)
    assert facts.hostile_shown in got
    text = got.decode().replace("\r\n", "\n")
    if tool in ("profile", "offcputime"):   # on a terminal, how far it is overwrites itself
        text = re.sub(r"\r +\r", "", text).replace(f"\r{tool}: ", f"{tool}: ")
    assert not CONTROL.search(text), got


# --- ids of processes that nobody has, and streams that are closed ---

@pytest.mark.any_kernel
@pytest.mark.parametrize("tool", TOOLS)
def test_ids_of_nobody(tool):
    """-p and --tid of what does not exist: the tool runs, and says so."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    done = run_tool(tool, "-p", gone.pid, "--tid", gone.pid, "--duration", "0.1")
    assert done.returncode == OK
    assert f"{tool}: there is no process {gone.pid} now\n" in done.stderr
    assert f"{tool}: there is no thread {gone.pid} now\n" in done.stderr


def test_thread_for_a_process(cgroup):
    """-p of a thread that is not its process's first one can match nothing: that is said, with the process."""
    with Workload("parked", "pipe", 1, cgroup=cgroup) as work:
        task = Path(f"/proc/{work.pid}/task")
        thread = wait_until(lambda: [t for t in sorted(map(int, os.listdir(task))) if t != work.pid], 10,
                            "no second thread")[0]
        done = run_tool("opensnoop", "-p", f"{work.pid},{thread}", "--duration", "0.1")
        work.run()
    assert f"opensnoop: {thread} is a thread of process {work.pid}, not a process: --tid" in done.stderr
    assert "there is no" not in done.stderr


def test_pid_namespace():
    """In a pid namespace, a tool does not show itself, and says that its -p takes the ids of the initial one."""
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    done = run_tool("xstack", "-a", "-i", "1", "--comm", "xstack", "--json", prefix=inside)
    assert '"events":0,' in one_line(done.stdout)
    with subprocess.Popen(["sleep", "60"]) as outside:
        done = run_tool("xstack", "-a", "-K", "-i", "1", "-p", outside.pid, "--json", prefix=inside)
        outside.kill()
    assert '"events":0,' in one_line(done.stdout)
    assert "xstack: only threads of this pid namespace are seen: " in done.stderr
    done = run_tool("opensnoop", "-p", "1", "--duration", "0.1", prefix=inside)
    assert done.returncode == OK and "opensnoop: this is a pid namespace of its own" in done.stderr


@pytest.mark.any_kernel
@pytest.mark.parametrize("args", [["--help"], ["--version"], ["--cgroup", "1", "--duration", "0.1"]])
def test_closed_streams(args, tmp_path):
    """>&-: status 1 and one line. 2>&-: what is meant for stderr gets into no other file."""
    command = [str(BUILD / "bin" / "execsnoop"), *args]
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', *command], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == FAILED
    assert one_line(complaints(done.stderr)) == "execsnoop: cannot write: Bad file descriptor"
    output = tmp_path / "output.svg"
    command = [str(BUILD / "bin" / "profile"), "-p", str(os.getpid()), "--duration", "0.1", "--svg", str(output)]
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" 2>&-', *command], stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (OK, b"")
    assert output.read_bytes().startswith(b"<?xml") and b"sampling" not in output.read_bytes()


def test_more_ids():
    """-p given again adds to the processes, as the comma does."""
    with subprocess.Popen(["sleep", "60"]) as one, subprocess.Popen(["sleep", "60"]) as other:
        done = run_tool("xstack", "-a", "-i", "1", "-p", one.pid, "-p", other.pid, "-K", "--json")
        one.kill()
        other.kill()
    rows = [loads(line) for line in done.stdout.splitlines()[:-1]]
    assert [row["pid"] for row in rows] == [one.pid, other.pid]


# --- messages ---

@pytest.mark.any_kernel
@pytest.mark.unprivileged
@pytest.mark.parametrize("args, says", [
    (["-u", "no-such-user"], "-u: 'no-such-user' is not valid; "),
    (["--uid", "no-such-user"], "--uid: 'no-such-user' is not valid; "),
    (["--uid=no-such-user"], "--uid: 'no-such-user' is not valid; "),
    (["--no-such"], "there is no option --no-such: "),
    (["--no-such=3"], "there is no option --no-such=3: "),
    (["-u"], "option -u needs an argument: USER"),
    (["-Tu"], "option -u needs an argument: USER"),
    (["--uid"], "option --uid needs an argument: USER"),
    (["--co"], "more than one option begins with --co: ")])
def test_names_what_was_written(args, says):
    """A message names the option as it was written, and says which of two things is wrong with it."""
    assert one_line(run_tool("opensnoop", *args).stderr).startswith(f"opensnoop: {says}")


def test_id_of_no_cgroup():
    """--cgroup with a number that no cgroup has: nothing could match, as with a path that is not there."""
    done = run_tool("execsnoop", "--cgroup", "999999999", "--duration", "0.1")
    assert done.returncode == USAGE and "--cgroup: '999999999' is not valid" in one_line(done.stderr)


@pytest.mark.any_kernel
@pytest.mark.parametrize("tool", TOOLS)
def test_few_open_files(tool):
    """A low limit of open files is raised where that is granted; else status 1 and one sentence that names it."""
    args = ["-p", os.getpid(), "--duration", "0.1"]
    assert run_tool(tool, *args, prefix=["prlimit", "--nofile=8:4096"]).returncode == OK
    done = run_tool(tool, *args, prefix=["prlimit", "--nofile=12:12"])
    assert done.returncode == FAILED
    assert one_line(done.stderr) == f"{tool}: needs 64 open files, and may have 12: raise the limit (ulimit -n)"


def test_no_btf_file():
    """--btf of a file that is not there: the message is about the file, not about the kernel."""
    done = run_tool("execsnoop", "--btf", "/no/such/file", "-p", os.getpid())
    assert done.returncode == FAILED
    assert one_line(done.stderr) == "execsnoop: cannot read BTF from /no/such/file: No such file or directory"


@pytest.mark.any_kernel
@pytest.mark.parametrize("tool, what", [("biolatency", "requests"), ("runqlat", "waits")])
def test_nothing_to_show(tool, what, cgroup):
    """Where there is no histogram, a line on stderr says so; JSON has its count of 0."""
    args = ["--cgroup", cgroup.path, "--duration", "0.1"]
    done = run_tool(tool, *args)
    assert done.stdout == "" and done.stderr.endswith(f"\n{tool}: no {what} were counted\n")
    done = run_tool(tool, *args, "--json")
    assert '"count":0,' in done.stdout and "counted" not in done.stderr


@pytest.mark.any_kernel
def test_svg_to_stdout(tmp_path):
    """--svg - is stdout, and appends to what a file has."""
    output = tmp_path / "output.svg"
    output.write_text("before\n", encoding="ascii")
    with open(output, "ab") as file:
        done = run_tool("profile", "-p", os.getpid(), "--svg", "-", "0.1", stdout=file, cwd=tmp_path)
    assert done.returncode == OK and os.listdir(tmp_path) == ["output.svg"]
    assert re.fullmatch(r"before\n<\?xml.*</svg>\n", output.read_text(encoding="utf-8"), re.S)


@pytest.mark.any_kernel
def test_svg_to_a_closed_pipe():
    """--svg - | head: a reader that has seen enough is no error, and nothing is said of it."""
    command = [str(BUILD / "bin" / "xstack"), "-a", "-q", "-i", "1", "--svg", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tool:
        fcntl.fcntl(tool.stdout, fcntl.F_SETPIPE_SZ, 4096)      # less than the picture: the rest is yet to be written
        assert tool.stdout.read(1) == "<"
        tool.stdout.close()
        assert tool.stderr.read() == ""
    assert tool.returncode == OK


@pytest.mark.any_kernel
@pytest.mark.parametrize("tool", ["profile", "xstack"])
def test_svg_to_a_full_disk(tool):
    """--svg - >/dev/full: said as of any other output."""
    args = {"profile": ["0.1"], "xstack": ["-a", "-q", "-i", "1"]}[tool]
    with open("/dev/full", "wb") as full:
        done = run_tool(tool, "-p", os.getpid(), *args, "--svg", "-", stdout=full)
    assert done.returncode == FAILED
    assert one_line(complaints(done.stderr)) == f"{tool}: cannot write: No space left on device"


@pytest.mark.any_kernel
@pytest.mark.parametrize("args, lines", [(["--top"], 1), ([], 1), (["-f"], 0), (["--json"], 0)])
def test_time_above_stacks(args, lines):
    """--time stands above the stacks or the table of functions, but not in what other programs read."""
    done = run_tool("profile", "-p", os.getpid(), "--time", *args, "0.1")
    assert len(re.findall(r"^\d\d:\d\d:\d\d\.\d{6}$", done.stdout, re.M)) == lines
    assert not lines or re.match(r"\d\d:\d\d:\d\d\.\d{6}\n", done.stdout)


def test_cgroup_too_deep(cgroup):
    """A cgroup that is deeper than the filter looks is refused, by path and by id; the deepest one that it sees works."""
    level = len(cgroup.path.relative_to(cgroup2_mount()).parts)
    nested = [cgroup.path.joinpath(*["x"] * n) for n in range(1, 33 - level)]
    for path in nested:
        path.mkdir()
    try:
        for name in (nested[-1], nested[-1].stat().st_ino):
            done = run_tool("opensnoop", "--cgroup", name, "--duration", "0.1")
            assert done.returncode == USAGE and "31 levels" in one_line(done.stderr)
        done = run_tool("opensnoop", "--cgroup", nested[-2], "--duration", "0.1")
        assert done.returncode == OK, done.stderr
    finally:
        for path in reversed(nested):
            path.rmdir()
