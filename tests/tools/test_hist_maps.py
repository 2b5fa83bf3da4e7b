# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bpf/lib/hist/hist.bpf.h: what two CPUs count under one key at the same time."""

import os
from pathlib import Path

import pytest

from harness import BUILD, ROOT, VM, parse_line
from machine import call

HERE = Path(__file__).resolve().parent
ARCH = {"x86_64": "x86", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
ROUNDS = 20 if VM else 200      # of 256 keys


def test_no_extreme_is_overwritten(place):
    """A maximum that one CPU finds while another finds one too is not lost, though it is in the place that they share."""
    program, loader = place / "hist_race.bpf.o", place / "hist_race"
    call("clang", "-g", "-O2", "-mcpu=v3", "-target", "bpf", f"-D__TARGET_ARCH_{ARCH}", f"-I{ROOT}/bpf",
         f"-I{BUILD}/vmlinux", "-c", HERE / "hist_race.bpf.c", "-o", program)
    call("gcc", "-O2", "-Wall", "-pthread", f"-I{ROOT}/bpf", HERE / "hist_race.c", "-o", loader, "-lbpf")
    found = parse_line(os.fsencode(call(loader, program, ROUNDS)))
    assert found["lost"] == 0
    if not found["overwritten"]:
        pytest.skip("vm-ok: two CPUs that share a thread of the host do not race" if VM else "the CPUs did not race")
