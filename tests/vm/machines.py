# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The machines that qemu emulates: what differs between the architectures."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    qemu: tuple         # the program, and the options that choose the machine
    console: str
    arguments: str      # to the kernel
    uname: str          # what uname -m says there
    user: str           # qemu for a single program

    @property
    def foreign(self):
        """Whether this machine's programs do not run there."""
        return self.uname != os.uname().machine


MACHINES = {
    # tsc=reliable: else the clock is hpet in one run and tsc in the next.
    "amd64": Machine(("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"), "ttyS0", "mitigations=off tsc=reliable",
                     "x86_64", "qemu-x86_64-static"),
    # Pointer authentication as the architecture defines it takes half of the time: signatures are qemu's own here.
    "arm64": Machine(("qemu-system-aarch64", "-machine", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on,sve=off"),
                     "ttyAMA0", "mitigations=off kpti=off", "aarch64",
                     "qemu-aarch64-static"),
}
