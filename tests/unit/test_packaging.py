# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is packaged: the source as one file, and that the recipes for packages know the version and what a build needs."""

import re
import shutil
import subprocess
import tarfile

import pytest

import packages
import test_setup
from manpage import ROOT, VERSION

SCRIPTS = sorted(path for folder in ("packaging", "debian", "man", "tests") for path in (ROOT / folder).rglob("*")
                 if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash")))
CONTROL = (ROOT / "debian/control").read_text(encoding="utf-8")
SPEC = (ROOT / "packaging/rpm/borescope.spec").read_text(encoding="utf-8")


def dist(folder):
    subprocess.run([ROOT / "packaging/dist", folder, VERSION], cwd=ROOT, capture_output=True, check=True)
    return folder / f"borescope-{VERSION}.tar.gz"


def test_dist(tmp_path):
    """The same bytes each time, and of what is committed nothing is left out; the checksum is right."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no git repository")
    one, two = dist(tmp_path / "a"), dist(tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()
    subprocess.run(["sha256sum", "--quiet", "-c", f"{one.name}.sha256"], cwd=one.parent, check=True)
    committed = subprocess.run(["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, encoding="utf-8",
                               check=True).stdout.splitlines()
    with tarfile.open(one) as tar:
        names = {member.name for member in tar if not member.isdir()}
    assert names == {f"borescope-{VERSION}/{name}" for name in committed}


def test_reuse():
    """Who holds the rights to a file, and under which licence, is said of each (.reuse/dep5)."""
    if not (ROOT / ".git").exists() or not shutil.which("reuse"):
        pytest.skip(f"no git repository, or no reuse: the package {packages.of_program('reuse')} has it")
    done = subprocess.run(["reuse", "lint"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout


def test_versions():
    changelog = (ROOT / "debian/changelog").read_text(encoding="utf-8")
    assert re.match(r"borescope \((\S+)-\d+\) ", changelog)[1] == VERSION
    assert re.search(r"^Version: +(\S+)$", SPEC, re.M)[1] == VERSION


def test_copyright_has_the_license():
    """debian/copyright has the text of LICENSES, indented."""
    lines = (ROOT / "LICENSES/BSD-2-Clause.txt").read_text(encoding="utf-8").strip().splitlines()[2:]
    assert "\n".join(f" {line or '.'}" for line in lines) in (ROOT / "debian/copyright").read_text(encoding="utf-8")


@pytest.mark.parametrize("debian, fedora", [(debian, fedora) for group, debian, fedora, _ in packages.read() if group == "build"])
def test_what_a_build_needs(debian, fedora):
    """packaging/packages and the recipes agree; every Debian that builds has the second list already."""
    there = {"gcc", "make", "libc6-dev", "binutils", "gzip", "diffutils", None}
    asked = set(re.findall(r"[\w.+-]+", CONTROL[CONTROL.index("Build-Depends:"):CONTROL.index("\n\n")]))
    assert debian in there | asked
    there = {"glibc-devel", "gawk", "diffutils", "gzip"}
    assert set(fedora) <= there | set(re.findall(r"^BuildRequires: +(\S+)", SPEC, re.M))


def test_what_autopkgtest_needs():
    """What the native suite calls is there when debian/tests/native runs it."""
    control = (ROOT / "debian/tests/control").read_text(encoding="utf-8")
    asked = set(re.findall(r"^ ([\w.+-]+)", control[control.index("Tests: native"):], re.M)) | {"util-linux", "gzip"}
    called = {name for name, files in test_setup.called(ROOT).items() if any(file.startswith("tests/tools/") for file in files)}
    needed = {debian for group, debian, _, programs in packages.read() if group in ("build", "check") and called & set(programs)}
    assert needed and not needed - asked


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_shellcheck(path):
    if not shutil.which("shellcheck"):
        pytest.skip(f"no shellcheck: the package {packages.of_program('shellcheck')} has it")
    done = subprocess.run(["shellcheck", "-S", "warning", path], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == ""
