# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The headers of bpf/lib: any of them can be in one program, whatever order they come in."""

import os
import subprocess
from pathlib import Path

import pytest

from manpage import ROOT

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
HEADERS = sorted(str(path.relative_to(ROOT / "bpf")) for path in (ROOT / "bpf" / "lib").rglob("*.h"))

# what the probe headers want their tool to define
TOOL = """
static __always_inline void open_done(__u32 slot, struct open_call *call, int ret, bool user) {}
static __always_inline void exec_started(struct task_struct *task, struct linux_binprm *bprm) {}
static __always_inline void exec_failed(const struct exec_call *call, int ret) {}
static __always_inline void fsops_done(const struct fs_done *d, const struct event_head *head, __u32 context) {}
static __always_inline void session_changed(const struct tcp_sock *tp, int from, int to, bool typed) {}
SYSCALL_EXIT(open_at_exit(regs, ret, typed), exec_at_exit(regs, ret, typed), fsops_at_exit(regs, ret, typed))
"""


def compile_bpf(source, arch="x86"):
    """The errors and warnings of a BPF program."""
    argv = [os.environ.get("CLANG", "clang"), "-target", "bpf", "-fsyntax-only", "-g", "-O2", "-mcpu=v3", "-Wall",
            "-Wno-unused-function", "-Wno-gnu-variable-sized-type-not-at-end", f"-D__TARGET_ARCH_{arch}",
            f"-I{ROOT / 'bpf'}", f"-I{BUILD / 'vmlinux'}", "-xc", "-"]
    return subprocess.run(argv, input=source, capture_output=True, encoding="utf-8", check=False).stderr


@pytest.mark.parametrize("arch", ["x86", "arm64"])
@pytest.mark.parametrize("order", [1, -1])
def test_together(arch, order):
    """No two headers of bpf/lib define the same name."""
    assert not compile_bpf("".join(f'#include "{name}"\n' for name in HEADERS[::order]) + TOOL, arch)


def test_can_fail():
    """A name that two of them had would be found."""
    assert "redefinition" in compile_bpf('#include "lib/core/path.bpf.h"\nstruct path_buf { int taken; };\n')
