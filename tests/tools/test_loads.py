# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every tool starts on this kernel with whatever changes its programs: options, filters, the rungs it is left with.

A verifier is a matter of the kernel and of what the compiler made of the source; other tests would tell the same of a
program that it refuses, later and one by one.
"""

import os

import pytest

from harness import FAILED, OK, VM, run_tool
from suite import TOOLS

FILTERS = "-p 1,2 --uid 0 --comm x --cgroup /"
# What leaves each ladder with its second rung, its third, and so on.
AVOID = ("gaps", "gaps,fentry", "gaps,fentry,fexit", "gaps,fentry,fexit,kprobe", "gaps,fentry,fexit,kprobe,tp_btf")
REFUSED = ": the kernel refuses to load it\n"      # of a rung, with -v (libcommon/kernel/object.c)
# Known to be refused, for another rung: 5.10's BTF has pt_regs by name only, which fexit of a system call reads.
KNOWN = {("5.10", "execsnoop")}


def check_not_refused(tool, done):
    assert REFUSED not in done.stderr or (VM, tool) in KNOWN, done.stderr[-4000:]


@pytest.mark.each_kernel
@pytest.mark.parametrize("tool, options", [(tool, options) for tool, facts in TOOLS.items()
                                           for options in ("", FILTERS, *facts.loads)])
def test_starts(tool, options, disk):
    done = run_tool(tool, "-v", *options.format(disk=disk.name).split(), "--duration", "0.1")
    assert done.returncode == OK, done.stderr[-4000:]
    check_not_refused(tool, done)


@pytest.mark.each_kernel
@pytest.mark.parametrize("avoid", AVOID)
@pytest.mark.parametrize("tool", [tool for tool, facts in TOOLS.items() if facts.ladder])
def test_starts_on_each_rung(tool, avoid):
    done = run_tool(tool, "-v", *TOOLS[tool].loads[0].split(), *FILTERS.split(), "--duration", "0.1",
                    env={**os.environ, "BORESCOPE_AVOID": avoid})
    check_not_refused(tool, done)
    assert done.returncode == OK or (done.returncode == FAILED and f"{tool}: cannot see " in done.stderr), done.stderr
