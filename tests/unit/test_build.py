# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the Makefile promises those who package: flags, another compiler's names, and the same bytes in every directory."""

import os
import shutil
import subprocess

import pytest

from manpage import ROOT, VERSION

# a program for the kernel, its tool, a file of the library and one with generated text in it
OBJECTS = ["bpf/opensnoop.bpf.o", "obj/tools/opensnoop.o", "obj/libcommon/base/msg.o", "obj/libcommon/output/flamegraph.o"]

# what a make above may have been given
GIVEN = {"O", "SANITIZE", "LIBIBERTY", "PROGRAM_PREFIX", "PROGRAM_SUFFIX"}


def make(folder, *arguments):
    """What make prints; without the variables that a make above this one has handed down."""
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return subprocess.run(["make", "-s", *arguments], cwd=folder, env=environment, check=True, capture_output=True,
                          encoding="utf-8").stdout


def tree(folder):
    """A copy of what the objects are made of."""
    for name in ("bpf", "libcommon", "vmlinux", "tools", "script"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Makefile", "VERSION"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_same_bytes_everywhere(tmp_path):
    """Built in two directories, once with its output elsewhere: the same objects, with neither path in them."""
    here, there = tree(tmp_path / "a"), tree(tmp_path / "another/and/deeper")
    make(here, *(f"build/{name}" for name in OBJECTS))
    out = tmp_path / "out"
    make(there, f"O={out}", *(str(out / name) for name in OBJECTS))
    for name in OBJECTS:
        built = (here / "build" / name).read_bytes()
        assert built == (out / name).read_bytes(), name
        assert str(tmp_path).encode() not in built, name


@pytest.mark.parametrize("cc, cross, ar", [
    ("gcc", "", "ar"), ("clang", "", "ar"), ("x-y-gcc", "", "x-y-ar"), ("/opt/x-y-gcc-12", "", "/opt/x-y-ar"),
    ("cc", "x-y-", "x-y-ar"), ("musl-gcc", "", "ar"),
])
def test_archiver(cc, cross, ar):
    """It is of the compiler's family, unless it is given."""
    arguments = [f"CROSS_COMPILE={cross}"] if cross else [f"CC={cc}"]
    assert make(ROOT, "ARCH=x", "print-AR", *arguments) == f"{ar}\n"
    assert make(ROOT, "ARCH=x", "AR=z", "print-AR", *arguments) == "z\n"


@pytest.mark.parametrize("machine, arch", [
    ("x86_64-linux-gnu", "x86"), ("i686-linux-gnu", "x86"), ("aarch64-linux-gnu", "arm64"), ("riscv64-linux-gnu", "riscv64"),
])
def test_machine_is_the_compilers(machine, arch, tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text(f'#!/bin/sh\n[ "$1" = -dumpmachine ] && echo {machine}\n')
    compiler.chmod(0o755)
    assert make(ROOT, f"CC={compiler}", "print-BPF_ARCH") == f"{arch}\n"


def test_flags():
    """CPPFLAGS come before CFLAGS; what is left out is left out."""
    flags = make(ROOT, "CPPFLAGS=-DFROM_CPP", "CFLAGS=-O1", "print-ALL_CFLAGS").split()
    assert flags.index("-DFROM_CPP") < flags.index("-O1") and "-DHAVE_LIBIBERTY" in flags
    assert "-liberty" in make(ROOT, "print-LDLIBS").split()
    assert "-DHAVE_LIBIBERTY" not in make(ROOT, "LIBIBERTY=0", "print-ALL_CFLAGS").split()
    assert "-liberty" not in make(ROOT, "LIBIBERTY=0", "print-LDLIBS").split()
    assert "-fsanitize=" in make(ROOT, "print-UNIT_SANITIZERS")
    assert make(ROOT, "SANITIZE=0", "print-UNIT_SANITIZERS") == "\n"
    assert "-fsanitize=" not in make(ROOT, "SANITIZE=0", "print-ALL_CFLAGS")


def test_news_has_this_version():
    """With its date, as the first thing that it tells."""
    first = (ROOT / "NEWS").read_text(encoding="utf-8").splitlines()[0]
    version, date = first.split(", ")
    assert version == VERSION and len(date.split("-")) == 3


@pytest.mark.parametrize("name, words", [
    ("BSD-2-Clause", "Redistributions in binary form must reproduce"), ("GPL-2.0-only", "Version 2, June 1991"),
])
def test_licenses(name, words):
    assert words in (ROOT / "LICENSES" / f"{name}.txt").read_text(encoding="utf-8")
