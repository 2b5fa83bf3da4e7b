# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tools offer when Tab is pressed, and what bash, zsh and fish make of it."""

import contextlib
import errno
import os
import pty
import re
import select
import signal
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from manpage import ROOT, TOOLS
from test_help import help_options

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
SHELLS = ROOT / "packaging" / "completion"
# Names that would do something if a shell did not quote them, and one that would drive a terminal
COMMAND, TITLE = "a $(touch x)", "\x1b]0;x\x07"


def offered(tool, *words):
    """{word: what it is}; the last line under None, where that names files."""
    done = subprocess.run([BUILD / "bin" / tool, "--complete", *words], capture_output=True, encoding="utf-8", check=True)
    assert not done.stderr
    lines = [line.partition("\t") for line in done.stdout.splitlines()]
    return {None if word.startswith(":") else word: about or word for word, _, about in lines}


@contextlib.contextmanager
def process(comm):
    """A process of this name."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        Path("/proc/self/comm").write_text(comm, encoding="utf-8")
        os.write(write, b"x")
        signal.pause()
    try:
        os.read(read, 1)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("tool", TOOLS)
def test_options(tool):
    """All that --help shows is offered, with letters behind a single hyphen, and nothing else."""
    shown = [option.split(" ")[0].strip(",") for option in help_options(tool)]
    longs = {word for option in help_options(tool) for word in re.findall(r"--[\w-]+", option)}
    assert {word for word in offered(tool, "--") if word.startswith("--")} == longs
    assert set(offered(tool, "-")) == longs | {word for word in shown if not word.startswith("--")}
    assert all(offered(tool, "--").values())


@pytest.mark.parametrize("words, wanted", [
    (["profile", "--source", ""], {"cycles", "cpu-clock"}),                         # words, behind the option
    (["profile", "--source=c"], {"--source=cycles", "--source=cpu-clock"}),         # in the same word
    (["profile", "--sour", "cy"], {"cycles"}),                                      # behind a beginning
    (["tcptop", "-s", "r"], {"received", "retransmits"}),                           # behind a letter
    (["tcptop", "-Cs", "s"], {"sent"}),                                             # behind letters
    (["offcputime", "--state", "D,R"], {"D,R"}),                                    # one of several
    (["offcputime", "--state=D,S,R"], {"--state=D,S,R"}),
    (["opensnoop", "-f", "O_WR"], {"O_WRONLY"}),
    (["syscount", "-e", "ENOEN"], {"ENOENT"}),
    (["syscount", "--syscall", "openat"], {"openat", "openat2"}),
    (["runqlat", "--uid", "roo"], {"root"}),
    (["bscope", "-f", ""], {"text", "json"}),
    (["profile", "-p"], {"-p"}),                                                    # a letter, to be followed by a space
    (["profile", "-F", ""], set()),                                                 # any number
    (["profile", "--json=", ""], set()),                                            # wrong, and so what
    (["profile", "--", "--so"], set()),                                             # no option any more
    (["profile", "--no-such"], set()),
    (["profile", "-p", "--so"], set()),                                             # -p's argument
    (["profile", "--svg", ""], {None}),                                             # a file
    (["profile", "--svg="], {None}),
    (["profile", "10", ""], set()),
    (["bscope", ""], {None}),                                                       # a script
    (("xfsslower", "--js"), {"--json"}),                                            # by another name
])
def test_values(words, wanted):
    assert set(offered(*words)) == wanted


def test_nothing_is_typed():
    assert offered("profile") == {}


def test_pids():
    """Running processes and their names, which may be anything; several, and threads."""
    with process(COMMAND) as pid, process(TITLE) as other:
        assert offered("opensnoop", "-p", str(pid))[str(pid)] == COMMAND
        assert offered("opensnoop", "-p", str(other))[str(other)] == "\\033]0;x\\a"
        assert offered("opensnoop", f"--pid=1,{pid}")[f"--pid=1,{pid}"] == COMMAND
        assert offered("opensnoop", "--tid", str(pid))[str(pid)] == COMMAND
        assert offered("execsnoop", "-P", str(pid))[str(pid)] == COMMAND


def test_comms():
    """Names once each; those that nobody can type are not among them."""
    with process(COMMAND), process(COMMAND), process(TITLE):
        done = subprocess.run([BUILD / "bin" / "opensnoop", "--complete", "--comm", ""], capture_output=True, check=True)
    names = done.stdout.decode().splitlines()
    assert names.count(COMMAND) == 1 and len(set(names)) == len(names)
    assert not [name for name in names if "\x1b" in name or "]0;x" in name]


def test_disks():
    assert set(offered("biosnoop", "-d", "")) == {name for name in os.listdir("/sys/block")}


def test_cgroups():
    """A level at a time, below where cgroup v2 is mounted."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        mount = next((line.split()[4] for line in mounts if " - cgroup2 " in line), None)
    if not mount:
        pytest.skip("cgroup v2 is not mounted here")
    place = Path(mount) / f"borescope-completion-{os.getpid()}"
    try:
        (place / "below").mkdir(parents=True)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        pytest.skip(f"cgroups cannot be made here: {error}")
    try:
        assert f"/{place.name}/" in offered("runqlat", "--cgroup", "")
        assert set(offered("runqlat", "--cgroup", f"/{place.name}/")) == {f"/{place.name}/below"}
        assert None in offered("runqlat", "--cgroup", f"{mount}/")
    finally:
        (place / "below").rmdir()
        place.rmdir()


def test_a_full_disk():
    """What cannot be written is a failure here, too."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BUILD / "bin" / "opensnoop", "--complete", "--"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr


# --- the shells ---


class Shell:
    """A shell on a terminal, whose line is typed by a test."""
    STARTS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"],
              "fish": ["fish", "--no-config", "-i"]}

    def __init__(self, name, folder):
        self.name, self.folder, self.seen = name, folder, ""
        (folder / "bin").mkdir()
        for program in TOOLS:
            (folder / "bin" / program).symlink_to(BUILD / "bin" / program)
        if name == "zsh":
            text = (SHELLS / "borescope.zsh").read_text(encoding="utf-8").replace("@PROGRAMS@", " ".join(TOOLS))
            (folder / "_borescope").write_text(text, encoding="utf-8")
        else:
            (folder / {"bash": "profile", "fish": "profile.fish"}[name]).symlink_to(SHELLS / f"borescope.{name}")
        environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(folder),
                       "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null"}
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execvpe(name, self.STARTS[name], environment)
        self.begin()

    def begin(self):
        """Completion is set up, and nothing in the way."""
        if self.name == "bash":
            self.say("bind 'set enable-bracketed-paste off'; bind 'set page-completions off'; PS1=; . ./profile")
        elif self.name == "zsh":
            self.say("unsetopt zle_bracketed_paste; PS1=; fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; "
                     "setopt no_beep no_prompt_cr")
        else:
            self.say("function fish_prompt; end; source ./profile.fish")
        self.say("echo rea''dy")
        self.wait("ready")

    def say(self, text, end="\r"):
        os.write(self.terminal, (text + end).encode())

    def wait(self, text, seconds=20):
        """Until the terminal has shown this."""
        until = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, until - time.monotonic()))
            assert ready, f"no '{text}' in {seconds} s: {self.seen!r}"
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")

    def completed(self, line):
        """The command line that this one becomes by Tab: what the command is called with (see keep())."""
        self.seen = ""
        kept = self.folder / "kept"
        kept.unlink(missing_ok=True)
        self.say(line, end="\t\r")
        until = time.monotonic() + 20
        while not kept.exists() or not kept.read_bytes().endswith(b"\0\n"):
            ready, _, _ = select.select([self.terminal], [], [], 0.05)
            if ready:
                self.seen += os.read(self.terminal, 4096).decode(errors="replace")
            assert time.monotonic() < until, self.seen
        return kept.read_text(encoding="utf-8").removesuffix("\0\n").split("\0")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture(name="shell", params=sorted(Shell.STARTS))
def fixture_shell(request, tmp_path):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param} here")
    shell = Shell(request.param, tmp_path)
    yield shell
    shell.end()


KEEPS = """#!/bin/sh
[ "$1" = --complete ] && exec "{tool}" "$@"
printf '%s\\0' "$@" > {folder}/kept.tmp
echo >> {folder}/kept.tmp
mv {folder}/kept.tmp {folder}/kept
"""


def keep(shell, tool):
    """When it is called with anything but --complete, this tool writes down with what."""
    place = shell.folder / "bin" / tool
    place.unlink()
    place.write_text(KEEPS.format(tool=BUILD / "bin" / tool, folder=shell.folder), encoding="utf-8")
    place.chmod(0o755)


def test_shell(shell):
    """Tab completes an option, a value, what is behind =, files, and a name that has to be quoted: which does nothing."""
    keep(shell, "profile")
    (shell.folder / "out put.svg").touch()
    with process(COMMAND):
        assert shell.completed("profile --annot") == ["--annotations"]
        assert shell.completed("profile --source cy") == ["--source", "cycles"]
        assert shell.completed("profile --source=cp") == ["--source=cpu-clock"]
        assert shell.completed("profile --svg out") == ["--svg", "out put.svg"]
        assert shell.completed("profile --svg=out") == ["--svg=out put.svg"]
        assert shell.completed("profile --comm a\\ ") == ["--comm", COMMAND]
        assert shell.completed("profile --comm 'a ") == ["--comm", COMMAND]
    assert not (shell.folder / "x").exists()
