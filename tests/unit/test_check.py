# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tests/check, with a make and a suite of its own: what is run, what is said, what is counted."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from manpage import ROOT

SUITE = """
import pytest

@pytest.mark.parametrize("n", [1, 2, 3])
def test_some(n):
    if n > 1:
        pytest.skip("no luck")

def test_good(): pass
"""
BAD = """
import pytest

@pytest.fixture
def broken():
    yield
    raise OSError("in the end")

def test_bad(): assert 1 == 2

def test_error(broken): pass
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def check(tmp_path):
    """A copy of tests/check beside a small suite, and what it says."""
    tests = tmp_path / "tests"
    (tests / "unit").mkdir(parents=True)
    for name in ("check", "own-root", "conftest.py", "progress.py", "pytest.ini"):
        shutil.copy(ROOT / "tests" / name, tests)
    (tests / "unit/test_some.py").write_text(SUITE)
    program(tmp_path / "packaging/setup", 'if [ "$1" = --missing ]; then echo a-package; else echo "set up: $*"; fi')
    made = program(tmp_path / "make", "case $* in *print-UNIT*) echo $BUILD/unit/base/test_here ;; esac")
    build = tmp_path / "build"
    program(build / "unit/base/test_here", 'echo "[  PASSED  ] 5 test(s)."')
    program(build / "unit/base/test_gone", "exit 1")

    def run(*suites, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BORESCOPE")}
        return subprocess.run([tests / "check", *suites], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
                              env={**environment, "O": str(build), "BUILD": str(build), "MAKE": str(made),
                                   "PYTHON": sys.executable, **variables})

    run.directory = tmp_path
    return run


def test_make_gets_the_directory_as_it_was_given(check):
    """By another name of it, all would be built anew."""
    program(check.directory / "make", "echo \"$*\" >>asked\ncase $* in *print-UNIT*) echo build/unit/base/test_here ;; esac")
    done = check("unit", O="build")
    assert done.returncode == 0 and "unit/base/test_here.c " in done.stdout
    asked = (check.directory / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == 2 and all(" O=build " in line for line in asked)


def test_what_is_said(check):
    done = check("setup", "unit")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and not done.stderr
    assert lines[0].startswith("check: installs: a-package") or os.geteuid()
    assert any(re.match(r"check: .* minutes", line) for line in lines[:3])
    assert "set up: build check" in lines
    assert re.search(r"(?m)^unit/base/test_here\.c +5 passed, 0 failed, 0 skipped, \d+ s$", done.stdout)
    assert re.search(r"(?m)^unit/test_some\.py +2 passed, 0 failed, 2 skipped, \d+ s$", done.stdout)
    assert lines[-4:] == ["skipped, by test:", "  unit/test_some.py::test_some", "       2 no luck  [2 3]",
                          "7 passed, 0 failed, 2 skipped"]
    assert "the last time here all of it took" in check("setup", "unit").stdout
    assert "the last time" not in check("unit").stdout      # that is something else, and had no last time


def test_programs_of_tests_that_are_gone(check):
    assert "test_gone" not in check("unit").stdout


def test_failures(check):
    (check.directory / "tests/unit/test_bad.py").write_text(BAD)
    program(check.directory / "build/unit/base/test_here", 'echo "[  PASSED  ] 5 test(s)."; echo leak; exit 23')
    done = check("unit")
    assert done.returncode == 1
    assert "leak" in done.stdout and "assert 1 == 2" in done.stdout and "in the end" in done.stdout
    assert re.search(r"(?m)^unit/test_bad\.py +1 passed, 2 failed, 0 skipped, \d+ s$", done.stdout)
    assert "\nFAILED tests/unit/test_bad.py::test_bad - " in done.stdout and "\nERROR tests/unit/test_bad.py::" in done.stdout
    assert done.stdout.endswith("\n8 passed, 3 failed, 2 skipped\n")


def test_build_that_fails(check):
    program(check.directory / "make", "exit 2")
    done = check("unit")
    assert done.returncode == 1 and "the build failed" in done.stderr
    assert "passed" not in done.stdout
