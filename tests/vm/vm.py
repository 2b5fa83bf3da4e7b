# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""One command in one virtual machine: qemu under TCG, the machine's own root in the guest, output over virtio ports."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

BOOT_TIMEOUT = 120
DISK_SIZE = 1 << 30     # a sparse scratch disk, /dev/vda
TIMED_OUT, DIED = 124, 125

COVERED = ("/tmp", "/run", "/dev", "/proc", "/sys")     # guest/init mounts its own there
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# One TCG thread (below): with more, the guest's processors lose races with the patching of kernel text.
KERNEL_ARGUMENTS = "loglevel=5 oops=panic panic=-1 cgroup_no_v1=all"

# Lines of the kernel's console that make a run a failure.
TROUBLE = re.compile(r"Kernel panic|\bOops\b|\bBUG\b|WARNING: |general protection fault|unable to handle|"
                     r"rcu.*detected.*stall|blocked for more than|unregister_netdevice: waiting")


class Outcome:
    """What became of a run."""

    def __init__(self):
        self.status = None      # the command's exit status, if it came to an end
        self.problem = None     # what went wrong with the VM, one line
        self.booted = None      # seconds until the command started
        self.seconds = 0.0      # seconds until the VM was gone
        self.console = ""       # what the kernel said

    @property
    def exit_status(self):
        """The command's, or if the VM had a problem one that is not 0."""
        if self.status is None:
            return TIMED_OUT if "timed out" in self.problem else DIED
        return self.status or (DIED if self.problem else 0)


class Vm:
    def __init__(self, kernel, cpus=2, mem=1024, timeout=1800, icount=False, shared=()):
        self.kernel = kernel
        self.cpus = 1 if icount else cpus
        self.mem = mem
        self.timeout = timeout
        self.icount = icount
        self.shared = shared

    def run(self, command, directory, environment, out, err=None, tick=lambda: None, results=None):
        """
        Runs COMMAND in DIRECTORY, its output into the files OUT and ERR (both into OUT without ERR). TICK is called
        some fifty times a second. Files that the command leaves in /run/vm/results are copied to RESULTS.
        """
        with tempfile.TemporaryDirectory(prefix="borescope-vm-") as work:
            work = Path(work)
            share = self.make_share(work, command, directory, environment, err is None)
            with open(work / "disk", "wb") as disk:
                disk.truncate(DISK_SIZE)
            outcome = Outcome()
            start = time.monotonic()
            with open(work / "messages", "wb") as messages:
                qemu = subprocess.Popen(self.qemu_command(work, share, out, err), stdin=subprocess.DEVNULL,
                                        stdout=messages, stderr=messages, start_new_session=True)
            try:
                while outcome.problem is None and qemu.poll() is None:
                    tick()
                    time.sleep(0.02)
                    self.watch(share, outcome, time.monotonic() - start)
            finally:
                qemu.kill()
                qemu.wait()
            tick()
            outcome.seconds = time.monotonic() - start
            outcome.console = text_of(work / "console").replace("\r", "")
            self.judge(share, outcome, text_of(work / "messages"))
            if results:
                shutil.copytree(share / "results", results, dirs_exist_ok=True)
            return outcome

    def watch(self, share, outcome, seconds):
        if outcome.booted is None and (share / "booted").exists():
            outcome.booted = seconds
        if outcome.booted is None and seconds > min(BOOT_TIMEOUT, self.timeout):
            outcome.problem = f"timed out: no command after {seconds:.0f} s of booting"
        elif seconds > self.timeout:
            outcome.problem = f"timed out after {self.timeout:g} s"

    def judge(self, share, outcome, messages):
        if (share / "status").exists():
            outcome.status = int((share / "status").read_text())
        trouble = [line for line in outcome.console.splitlines() if TROUBLE.search(line)]
        if trouble:
            outcome.problem = f"{outcome.problem}; " if outcome.problem else ""
            outcome.problem += f"the kernel says: {trouble[0].strip()}"
        elif outcome.status is None and not outcome.problem:
            last_words = tail(messages) or tail(outcome.console) or "no message"
            outcome.problem = f"the VM ended without a result: {last_words}"

    def make_share(self, work, command, directory, environment, merged):
        """The directory that the guest has as /run/vm: what it is to do, and what came of it."""
        share = work / "share"
        (share / "results").mkdir(parents=True)
        shutil.copy(Path(__file__).resolve().parent / "guest" / "main", share / "main")
        environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", "USER": "root",
                       "SHELL": "/bin/sh", **environment}
        assignments = [f"{name}={value}" for name, value in environment.items()]
        (share / "job").write_text(f"exec </dev/null >/run/out {'2>&1' if merged else '2>/run/err'}\n"
                                   f"cd {shlex.quote(str(directory))} || exit\n"
                                   f"exec {shlex.join(['env', '-i', *assignments, *map(str, command)])}\n")
        root = self.kernel.root.resolve()
        settings = {"NAME": self.kernel.name, "RELEASE": self.kernel.release, "KERNEL_DIR": self.kernel.dir.resolve(),
                    "ROOT": str(root).rstrip("/"), "SUBTREES": "\n".join(covered(self.shared, COVERED if root == Path("/") else ["/"]))}
        (share / "settings").write_text("".join(f"{name}={shlex.quote(str(value))}\n"
                                                for name, value in settings.items()))
        return share

    def qemu_command(self, work, share, out, err):
        def option(text, path):
            return text + str(path).replace(",", ",,")

        machine = self.kernel.machine
        command = ["setpriv", "--pdeathsig", "KILL", *machine.qemu, "-nodefaults", "-no-user-config",
                   "-display", "none", "-no-reboot", "-accel", "tcg,thread=single",
                   "-smp", str(self.cpus), "-m", str(self.mem),
                   "-kernel", self.kernel.vmlinux, "-initrd", self.kernel.initramfs,
                   "-append", f"console={machine.console} {KERNEL_ARGUMENTS} {machine.arguments}",
                   "-chardev", option("file,id=console,path=", work / "console"), "-serial", "chardev:console",
                   "-virtfs", option("local,mount_tag=vm,security_model=none,multidevs=remap,path=", share),
                   "-virtfs", "local,mount_tag=root,security_model=none,multidevs=remap,readonly=on,path=/",
                   "-drive", option("if=virtio,format=raw,cache=unsafe,file=", work / "disk"),
                   "-device", "virtio-serial-pci"]
        for name, path in (("out", out), ("err", err)):
            if path:
                command += ["-chardev", option(f"file,id={name},path=", path),
                            "-device", f"virtserialport,name={name},chardev={name}"]
        if self.icount:
            command += ["-icount", "shift=0"]       # an instruction takes one nanosecond of the guest's time
        return command


def covered(paths, tops):
    """Those of the directories PATHS that the guest would not see for its having its own at TOPS; a file's is its
    directory, and one below another is seen with it."""
    resolved = {path if path.is_dir() else path.parent for path in (Path(path).resolve() for path in paths)}
    hidden = {path for path in resolved if any(path.is_relative_to(top) for top in tops)}
    return sorted(str(path) for path in hidden if not hidden & set(path.parents))


def text_of(path):
    return path.read_text(errors="replace") if path.exists() else ""


def tail(text):
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])
