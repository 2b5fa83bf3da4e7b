# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--help and --version of every tool."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from manpage import ROOT, TOOLS, VERSION

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
GOLDEN = Path(__file__).parent / "golden"

every_tool = pytest.mark.parametrize("tool", TOOLS)


@cache
def said(tool, *option):
    """What a tool prints for an option that makes it do nothing else."""
    done = subprocess.run([BUILD / "bin" / tool, *option], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def listed(tool, what):
    """The lines of --list probes, columns or keys (libcommon/run/list.h)."""
    return said(tool, "--list", what).splitlines()


def help_options(tool):
    """What stands at the left of the options in --help: "-p, --pid PID[,PID...]"."""
    return [line.strip() for line in re.findall(r"^  ((?:-\w|   ).*?)(?:  .*)?$", said(tool, "--help"), re.M)
            if line.strip().startswith("-")]


def help_positional(tool):
    """The arguments that are no options, in order."""
    usage = said(tool, "--help").split("\nOptions of")[0]
    return re.findall(r"^  (\w+)  ", usage, re.M)


@every_tool
def test_golden(tool):
    """--help has not changed unnoticed."""
    golden = GOLDEN / f"{tool}.help"
    update = f"build/bin/{tool} --help > {golden.relative_to(ROOT)}"
    assert golden.exists(), update
    assert said(tool, "--help") == golden.read_text(encoding="utf-8"), f"if this is meant: {update}"


def test_no_golden_is_left_over():
    assert sorted(path.stem for path in GOLDEN.iterdir()) == TOOLS


@every_tool
def test_width(tool):
    for line in said(tool, "--help").splitlines():
        assert len(line) <= 80, line


@every_tool
def test_options_are_read_right(tool):
    """The helper that other tests build on finds every line with an option."""
    options = help_options(tool)
    lines = said(tool, "--help").split("\nExamples")[0].splitlines()
    assert "-h, --help" in options and "-p, --pid PID[,PID...]" in options
    assert len(set(options)) == len([line for line in lines if line.lstrip().startswith("-")])


@every_tool
def test_version(tool):
    assert said(tool, "--version") == f"{tool} {VERSION} (borescope)\n"
