# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Two network namespaces with a link between them, on which packets can vanish, and what the kernel counts there."""

import os
import subprocess
from pathlib import Path

from harness import VM, wait_until
from machine import call, need

NEAR, FAR = {"4": "10.77.0.1", "6": "fd77::1"}, {"4": "10.77.0.2", "6": "fd77::2"}
NOBODY = {"4": "10.77.0.9", "6": "fd77::9"}     # no such host: what is sent there vanishes
MAC = {"near": "02:00:00:00:77:01", "far": "02:00:00:00:77:02", "nobody": "02:00:00:00:77:99"}


def far(kind):
    """The far end's address for "4", "6" or "mapped"."""
    return f"::ffff:{FAR['4']}" if kind == "mapped" else FAR[kind]


def nobody(kind):
    """The address where there is nobody."""
    return f"::ffff:{NOBODY['4']}" if kind == "mapped" else NOBODY[kind]


class Side:
    """A network namespace, held by a process that sleeps in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        self.path = Path(f"/proc/{self.holder.pid}/ns/net")
        own = os.stat("/proc/self/ns/net").st_ino
        wait_until(lambda: os.stat(self.path).st_ino != own, 5, "no network namespace")
        self.inode = os.stat(self.path).st_ino
        self.pid = self.holder.pid

    def run(self, *argv):
        """Runs a command in it that must succeed."""
        return call("nsenter", f"--net={self.path}", *argv)

    def counters(self):
        """What the kernel has counted in it: {"TcpRetransSegs": 3, "TcpExtTCPTimeouts": 2, ...}."""
        found = {}
        for name in ("snmp", "netstat"):
            lines = Path(f"/proc/{self.pid}/net/{name}").read_text().splitlines()
            for names, values in zip(lines[::2], lines[1::2]):
                prefix = names.split(":")[0]
                found.update({prefix + key: int(value) for key, value in zip(names.split()[1:], values.split()[1:])})
        return found

    def grown(self, before):
        """How much each counter grew since counters() returned `before`."""
        return {key: value - before.get(key, 0) for key, value in self.counters().items()}

    def sockets(self, state):
        """How many TCP sockets in it are in this state, in the numbers of /proc/net/tcp."""
        lines = [line for name in ("tcp", "tcp6")
                 for line in Path(f"/proc/{self.pid}/net/{name}").read_text().splitlines()[1:]]
        return sum(line.split()[3] == state for line in lines)

    def end(self):
        """Gives the namespace back."""
        self.holder.kill()
        self.holder.wait()


class Network:
    """`near` and `far`; the tools look at near."""

    def __enter__(self):
        if VM:
            call("modprobe", "veth")
        self.near, self.far = Side(), Side()
        try:
            self.near.run("ip", "link", "add", "near", "address", MAC["near"], "type", "veth",
                          "peer", "name", "far", "address", MAC["far"], "netns", self.far.pid)
            for side, name, own, other, peer in ((self.near, "near", NEAR, FAR, "far"),
                                                 (self.far, "far", FAR, NEAR, "near")):
                side.run("ip", "addr", "add", f"{own['4']}/24", "dev", name)
                side.run("ip", "addr", "add", f"{own['6']}/64", "dev", name, "nodad")
                side.run("ip", "link", "set", name, "up")
                self.neighbour(side, name, other, peer)
            self.neighbour(self.near, "near", NOBODY, "nobody")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.near.end()
        self.far.end()

    @staticmethod
    def neighbour(side, device, addresses, mac):
        """Says whom packets to these addresses are handed to."""
        for address in addresses.values():
            side.run("ip", "neigh", "replace", address, "lladdr", MAC[mac], "dev", device, "nud", "permanent")

    def cut(self):
        """What near sends vanishes; what far sends arrives."""
        self.neighbour(self.near, "near", FAR, "nobody")

    def heal(self):
        """The opposite of cut()."""
        self.neighbour(self.near, "near", FAR, "far")

    def disturb(self, *netem):
        """netem(8) on what near sends; natively a reason to skip where the kernel has none."""
        if VM:
            call("modprobe", "sch_netem")
        done = subprocess.run(["nsenter", f"--net={self.near.path}", "tc", "qdisc", "add", "dev", "near", "root",
                               "netem", *netem], capture_output=True, text=True, check=False)
        need(done.returncode == 0, f"no netem: {done.stderr.strip()}")
