# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""packaging/setup installs what building and testing call: no program is there by chance."""

import ast
import functools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import packages
from manpage import ROOT

# coreutils and the like, which every Debian has, and Fedora's images too.
STANDARD = set("[ basename cat chgrp chmod bash chown chroot comm cp cut date dd dirname du echo env expr false find grep head id install "
               "join kill ln ls mkdir mkfifo mktemp mv nice nohup nproc od printf pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort "
               "stat stty sync "
               "tail tee test timeout touch tr true truncate uname uniq unlink wc xargs yes".split())
# What is called if it is there, beside another: dnf's or apt's, and what the machine it is for has.
# At the head of a list it is what a workload is to do, and clear() and join() are functions of scripts.
BESIDE = {"clear", "join", "open", "print", "write", "apt-get", "dnf", "dpkg", "dpkg-deb", "dpkg-query", "rpm", "sudo"}
# Which groups are installed where a file is run; the first that fits.
GROUPS = {"tests/bench/": "build bench optional", "tests/packages/": "build check package vm", "tests/vm/": "build check vm", "tests/": "build check optional",
          "packaging/": "build package", "man/": "build html", "Makefile": "build check bench html format", ".ci/": "build check vm"}
# Run in a clean room (packaging/clean-room), where they install themselves what they call
IN_ROOMS = {Path("packaging") / name for name in ("cross", "deb/build", "deb/try", "rpm/build")}
RUNNERS = {"call", "run", "Popen", "check_output", "check_call", "execvp", "which", "need_program"}


def commands_of_python(text):
    """Names at the head of an argument list or of a call that runs something, and of commands in a shell's line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List) and node.elts:
            head = node.elts[0]
            words = [part.value for word in node.elts for part in ast.walk(word) if isinstance(part, ast.Constant)]
            if "-c" in words:
                yield from (name for line in words if " " in str(line) for name in commands_of_shell(line))
        elif isinstance(node, ast.Call) and node.args:
            by_name = getattr(node.func, "id", None)     # a bare run() is a test's own
            function = getattr(node.func, "attr", None if by_name == "run" else by_name)
            head = node.args[0] if function in RUNNERS else None
        else:
            continue
        if isinstance(head, ast.Constant) and isinstance(head.value, str):
            yield from commands_of_shell(head.value) if " " in head.value else [Path(head.value).name]


COMMAND = re.compile(r"(?:^|[;|&({`]|\$\(|\b(?:do|else|exec|then)\s)\s*"
                     r"(?:(?:if|then|do|else|exec|sudo|type|command -v|!|\w+=[\w/.-]*)\s+)*([\w./+-]+)(?![\w=])", re.MULTILINE)


def commands_of_shell(text):
    """The first word of each command, but of what is quoted, of comments and of the project's own files."""
    text = re.sub(r"(?m)(?:^|\s)#.*$", " ", text)
    text = re.sub(r"'[^']*'", " ", text)
    for word in COMMAND.findall(text):
        if "/" not in word or word.startswith("/"):
            yield Path(word).name


def commands_of_c(text):
    """Of the lines that shell(), system() and popen() are given."""
    for line in re.findall(r'(?:shell|system|popen)\(((?:\s*"(?:[^"\\]|\\.)*")+)', text):
        yield from commands_of_shell("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', line)))


def commands_of_make(text):
    """Of recipes; variables that name programs are read by themselves."""
    for line in re.findall(r"(?m)^\t(.*)$", text):
        yield from commands_of_shell(line.replace("$(Q)", "").lstrip("@-"))
    yield from re.findall(r"(?m)^(?:CLANG|PKG_CONFIG|PYTHON) \?= (?:\$\(CROSS_COMPILE\)|/usr/bin/)?(\S+)$", text)


@functools.cache
def called(root):
    """{program: the files that call it}"""
    found = {}
    for path in sorted([root / "Makefile", *(root / ".ci").glob("run"), *(root / "packaging").rglob("*"),
                        *(root / "man").glob("expand"), *(root / "tests").rglob("*")]):
        if not path.is_file() or path.name == "packages" or "__pycache__" in path.parts or path.relative_to(root) in IN_ROOMS:
            continue
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".py" or text.startswith("#!/usr/bin/python3"):
            names = commands_of_python(text)
        elif path.suffix in (".c", ".h"):
            names = commands_of_c(text)
        elif path.name == "Makefile":
            names = commands_of_make(text)
        elif text.startswith(("#!/bin/sh", "#!/bin/bash")):
            names = commands_of_shell(text)
        else:
            continue
        for name in names:
            found.setdefault(name, set()).add(str(path.relative_to(root)))
    return found


def unlisted(found, rows):
    """Lines: programs of this machine that a file calls, and that are in no package of the groups that are there then."""
    own = {path.stem for path in (ROOT / "tools").glob("*.c")}
    for name, files in sorted(found.items()):
        if name in STANDARD | BESIDE | own or not shutil.which(name):
            continue
        having = {group for group, _, _, programs in rows if name in programs}
        for file in sorted(files):
            there = next(groups for place, groups in GROUPS.items() if file.startswith(place)).split()
            if having.isdisjoint(there):
                yield f"{file} calls {name}: in no package for {' '.join(there)}"


@pytest.mark.parametrize("text, names", [
    ("modprobe loop && LANG=C tc -V | awk '{ print; next }' # xz", {"modprobe", "tc", "awk"}),
    ("x=$(stat -c %s a); if ! gzip -9 b; then exec /usr/bin/perf record; fi", {"stat", "gzip", "perf", "fi"}),
    ("last=$(nm c) tests/check; ./d", {"nm"}),
])
def test_commands_of_shell(text, names):
    assert set(commands_of_shell(text)) == names


def test_commands_of_python():
    text = """subprocess.run(["modprobe", module]); side.run("tc", "x"); machine.call("losetup", image)
os.execvp("unshare", ["unshare", "sh", "-c", "mount -t x && dmesg | tail"]); subprocess.run("ps | wc -l", shell=True)
ROWS = {"kind": ["mkfs.xfs", "-q"]}; shutil.which("strace"); run("write"); say(("sync", "read"))"""
    assert set(commands_of_python(text)) >= {"modprobe", "tc", "losetup", "unshare", "mount", "dmesg", "ps", "mkfs.xfs", "strace"}
    assert not {"write", "sync", "read"} & set(commands_of_python(text))


def test_commands_of_c():
    assert set(commands_of_c('shell("cp a b && strip" " b; xz -0 <c");\n\tFILE *f = popen("nm d", "r");')) == \
        {"cp", "strip", "xz", "nm"}


def test_commands_of_make():
    assert set(commands_of_make("CLANG ?= clang\nx: y\n\t$(Q)gzip -9 y | cmp z\n\t@packaging/setup x")) == {"clang", "gzip", "cmp"}


def test_no_program_by_chance():
    assert not list(unlisted(called(ROOT), list(packages.read())))


@pytest.mark.parametrize("group, program, file", [
    ("check", "modprobe", "tests/tools/machine.py"), ("bench", "taskset", "tests/bench/operations.py"),
    ("vm", "cpio", "tests/vm/kernels.py"), ("build", "awk", "man/expand"), ("check", "objcopy", "tests/unit/symbols/test_elfsyms.c"),
])
def test_what_is_there_by_chance_is_found(group, program, file):
    """The list without a package that is needed."""
    rows = [row for row in packages.read() if row[0] != group or program not in row[3]]
    if shutil.which(program):
        assert any(line.startswith(f"{file} calls {program}:") for line in unlisted(called(ROOT), rows))


def test_list():
    """Each line has a group that the list's head explains, and no program twice in a group."""
    groups = set(re.findall(r"(?m)^#   (\w+) ", packages.LIST.read_text(encoding="utf-8")))
    assert {group for group, *_ in packages.read()} == groups
    seen = [(group, program) for group, _, _, programs in packages.read() for program in programs]
    assert len(seen) == len(set(seen))
    assert packages.of_program("modprobe") == "kmod"


def setup(path, *arguments):
    return subprocess.run([ROOT / "packaging/setup", *arguments], env={"PATH": str(path)}, capture_output=True,
                          encoding="utf-8", check=False)


@pytest.mark.parametrize("manager, package, missing", [
    ("apt-get", "dpkg-query", "make iproute2"),
    ("dnf", "rpm", "make iproute iproute-tc"),
])
def test_missing(manager, package, missing, tmp_path):
    """--missing names what is not there, once, and installs nothing; a wrong group is refused."""
    for name in ("sh", "dirname", "grep", "sed", "cut", "tr"):
        (tmp_path / name).symlink_to(shutil.which(name))
    has = f'for last; do :; done; case $last in {"|".join(missing.split())}) exit 1 ;; esac; echo installed'
    for name, text in ((manager, "echo called; exit 9"), (package, has)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = setup(tmp_path, "--missing", "build", "check", "vm", "bench")
    assert (done.returncode, done.stdout, done.stderr) == (0, missing + "\n", "")
    wrong = setup(tmp_path, "build", "nonsense")
    assert wrong.returncode == 2 and "'nonsense'" in wrong.stderr and "called" not in wrong.stdout
