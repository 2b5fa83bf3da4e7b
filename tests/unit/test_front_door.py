# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""borescope, the front door: what it lists, runs, shows, refuses and completes. (What doctor says is tests/tools/test_doctor.py's.)"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from manpage import ROOT, TOOLS, VERSION, Page, plain
from test_completion import offered

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
BORESCOPE = BUILD / "bin" / "borescope"
LINKS = dict(line.split() for line in (ROOT / "tools/links").read_text(encoding="utf-8").splitlines() if line[0] != "#")


def borescope(*args, program=BORESCOPE, **kwargs):
    return subprocess.run([program, *args], capture_output=True, encoding="utf-8", check=False, **kwargs)


def questions():
    """The first question of borescope(7) that a tool answers, by the tool's name."""
    found = {}
    lines = Page(ROOT / "man/borescope.7").sections["WHICH QUESTION, WHICH TOOL"][""]
    for tag, question, answer in zip(lines, lines[1:], lines[2:]):
        tool = re.match(r"\.BR (\w+) \(8\)", answer)
        if tag == ".TP" and tool:
            found.setdefault(tool[1], plain(question))
    return found


def test_list():
    """All tools in the order of borescope(7), each on a line with so much of its question as fits; and their other names."""
    done = borescope()
    assert (done.returncode, done.stderr) == (0, "")
    assert borescope("list").stdout == done.stdout
    rows = [(line[:12].strip(), line[12:]) for line in done.stdout.splitlines()]
    shown = {name: text for name, text in rows if name}
    assert sorted(shown) == TOOLS and list(shown) == list(questions())
    for name, text in shown.items():
        assert text and questions()[name].startswith(text) and text[-1] in "?."
    assert ("", "like it: " + ", ".join(LINKS)) in rows
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_help_and_version():
    done = borescope("--help")
    assert (done.returncode, done.stderr) == (0, "") and borescope("-h").stdout == done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert {"list", "help", "doctor"} <= set(re.findall(r"^  (\w+) ", done.stdout, re.M))
    assert borescope("--version").stdout == borescope("-V").stdout == f"borescope {VERSION}\n"


@pytest.mark.parametrize("name", [*TOOLS, *LINKS])
def test_runs_a_tool(name):
    """With its arguments and its status, by each of its names."""
    assert borescope(name, "--version").stdout == f"{name} {VERSION} (borescope)\n"
    done = borescope(name, "--no-such-option")
    assert done.returncode == 2 and done.stderr.startswith(f"borescope {name}: ") and f"see borescope {name} --help" in done.stderr


@pytest.mark.parametrize("args, names", [
    (["no-such-tool"], "no-such-tool"), (["--no-such-option"], "--no-such-option"), (["list", "extra"], "extra"),
    (["help", "no-such-tool"], "no-such-tool"), (["help", "opensnoop", "extra"], "extra"), ([""], "''"),
    (["doctor", "--no-such-option"], "--no-such-option"), (["doctor", "no-such-tool"], "no-such-tool"),
    (["../bin/opensnoop"], "../bin/opensnoop"), (["doctor", *["opensnoop"] * 99], "at most")])
def test_wrong_arguments(args, names):
    done = borescope(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("borescope: ") and names in done.stderr and done.stderr.count("\n") == 1


def test_other_names(tmp_path):
    """Where programs have a prefix and a suffix, those are run, and not another project's with the plain name."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    made = subprocess.run(["make", "-s", "-C", ROOT, f"O={BUILD}", "print-CC", "print-ALL_CFLAGS", "print-ALL_LDFLAGS",
                           "print-LDLIBS"], capture_output=True, encoding="utf-8", check=True).stdout.split("\n")
    (tmp_path / "affixes.inc").write_text('"x-", "-y"\n')
    flags = [*made[1].split(), f"-I{tmp_path}"]
    quoted = [flag.replace("'", "") for flag in flags]
    subprocess.run([made[0], f"-I{tmp_path}", *quoted, ROOT / "tools/borescope.c", f"{BUILD}/libcommon.a",
                    *made[2].split(), *made[3].split(), "-o", bin_ / "borescope"], cwd=ROOT, check=True)
    (bin_ / "x-opensnoop-y").symlink_to(BUILD / "bin/opensnoop")
    other = tmp_path / "other"
    other.mkdir()
    (other / "runqlat").write_text("#!/bin/sh\necho another project\n")
    (other / "runqlat").chmod(0o755)
    door = bin_ / "borescope"
    env = {**os.environ, "PATH": f"{other}:{os.environ['PATH']}"}
    assert borescope("opensnoop", "-V", program=door, env=env).stdout.startswith("opensnoop ")
    done = borescope("runqlat", "-V", program=door, env=env)
    assert (done.returncode, done.stdout) == (1, "") and "x-runqlat-y is neither beside" in done.stderr
    (other / "x-runqlat-y").symlink_to(BUILD / "bin/runqlat")
    assert borescope("runqlat", "-V", program=door, env=env).stdout.startswith("runqlat ")


def test_help_of_a_tool(tmp_path):
    """By man(1), where there is one, and by the name that it is installed by; else what the tool says itself."""
    prefix, suffix = re.findall(r'"(.*?)"', (BUILD / "gen/affixes.inc").read_text(encoding="utf-8"))
    man = tmp_path / "man"
    man.write_text('#!/bin/sh\necho "man $*"\n')
    man.chmod(0o755)
    assert borescope("help", "runqlat", env={"PATH": str(tmp_path)}).stdout == f"man 8 {prefix}runqlat{suffix}\n"
    assert borescope("help", env={"PATH": str(tmp_path)}).stdout == "man 7 borescope\n"
    man.unlink()
    assert borescope("help", "runqlat", env={"PATH": str(tmp_path)}).stdout == borescope("runqlat", "--help").stdout
    assert borescope("runqlat", "--help").stdout.startswith("borescope runqlat: ")
    assert borescope("help", env={"PATH": str(tmp_path)}).stdout == borescope("--help").stdout


def test_completion():
    """Commands, tools, and behind a tool what that offers by itself."""
    assert set(offered("borescope", "")) == {"list", "help", "doctor", *TOOLS, *LINKS}
    assert offered("borescope", "biol") == {"biolatency": questions()["biolatency"]}
    assert offered("borescope", "biolatency", "--") == offered("biolatency", "--")
    assert offered("borescope", "profile", "--source", "cy") == {"cycles": "cycles"}
    assert set(offered("borescope", "profile", "--svg", "")) == {None}
    assert set(offered("borescope", "help", "run")) == set(offered("borescope", "doctor", "run")) == {"runqlat"}
    assert set(offered("borescope", "doctor", "-")) == {"-j", "--json"}
    assert set(offered("borescope", "--")) == {"--help", "--version"}
    assert offered("borescope", "no-such-tool", "") == {}


def test_full_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BORESCOPE, "list"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr


def test_reasons_have_advice():
    """Whatever a rung is ruled out for, doctor knows whether something can be done about it."""
    def source(path):
        """With the parts of texts joined that stand on several lines."""
        return re.sub(r'"\s*\n\s*"', "", (ROOT / path).read_text(encoding="utf-8"))

    text = source("libcommon/kernel/support.c") + source("libcommon/kernel/object.c")
    reasons = set(re.findall(r'"((?:this kernel|the kernel refuses|there is no such|neither|it takes|its module|BORESCOPE)'
                             r'[^"%\n]*)"', text))
    known = source("libcommon/run/doctor.c")
    # nothing to be seen there, or nothing to be done
    nothing = {"this kernel has no such function", "this kernel has no such tracepoint", "there is no such function",
               "its module has gone"}
    assert len(reasons) > 8 and nothing < reasons
    assert not [reason for reason in reasons - nothing if f'"{reason}"' not in known]
