# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Debian's kernels as virtual machines need them: download, unpack, and keep in a cache outside the repository."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import foreign
from debian import CACHE, Problem, call, locked, private_apt
from machines import MACHINES

HERE = Path(__file__).resolve().parent
INIT = HERE / "guest" / "init"

# The matrix: name -> Debian suite, packages of one release. The newest release whose first package exists is taken.
MATRIX = {
    "5.10": ("bullseye-security", r"5\.10\.0-\d+-amd64", ("linux-image",)),
    "6.1": ("bookworm-security", r"6\.1\.0-\d+-amd64", ("linux-image",)),
    "6.12": ("bookworm-security", r"6\.12\.\d+\+deb12-amd64", ("linux-image",)),
    "6.12-arm64": ("bookworm-security", r"6\.12\.\d+\+deb12-arm64", ("linux-image",)),
    "7.2": ("sid", r"7\.2\.\d+\+deb\d+-amd64", ("linux-binary", "linux-modules", "linux-base")),
    "7.3": ("trixie-backports", r"7\.3\.\d+\+deb\d+-amd64", ("linux-binary", "linux-modules", "linux-base")),
}
DEFAULT = ("5.10", "6.1", "6.12", "7.3")

# What the guest needs before it can see the machine's root; guest/main loads the rest from there.
BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")

# How a bzImage may hold its vmlinux: the magic to look for, the command that unpacks it.
COMPRESSIONS = ((b"\xfd7zXZ\0", ("xz", "-dc", "--single-stream")), (b"\x28\xb5\x2f\xfd", ("zstd", "-dcq")))

# Documentation/arch/arm64/booting.rst
ARM64_MAGIC = b"ARM\x64"


class Kernel:
    """An unpacked kernel: DIR/release, vmlinux, config, initramfs-HASH, lib/modules/RELEASE."""

    def __init__(self, name):
        self.name = name
        self.architecture = MATRIX[name][1].rpartition("-")[2]
        self.machine = MACHINES[self.architecture]
        self.root = Path("/")       # what the guest has as its own
        self.dir = CACHE / "kernels" / name
        self.vmlinux = self.dir / "vmlinux"
        contents = hashlib.sha256(INIT.read_bytes() + repr(BOOT_MODULES).encode())
        self.initramfs = self.dir / f"initramfs-{contents.hexdigest()[:16]}"

    @property
    def release(self):
        return (self.dir / "release").read_text().strip()


def prepare(name, update=False):
    """The kernel of that name, from the cache where it is there and no UPDATE is asked for."""
    kernel = Kernel(name)
    if kernel.machine.foreign:
        kernel.root = foreign.prepare(kernel.architecture, "root", update)
    if update or not kernel.initramfs.exists():
        with locked(CACHE / "lock"):
            if update or not kernel.dir.is_dir():
                fetch(kernel)
            if not kernel.initramfs.exists():
                make_initramfs(kernel)
    return kernel


def fetch(kernel):
    """Downloads the newest release of a kernel and unpacks it, unless the cache has that very release."""
    suite, pattern, packages = MATRIX[kernel.name]
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=CACHE) as scratch:
        scratch = Path(scratch)
        apt = private_apt(scratch / "apt", (suite,), kernel.architecture)
        call("apt-get", "-q", "update", env=apt)
        names = call("apt-cache", "pkgnames", packages[0] + "-", env=apt).decode().split()
        releases = [m[1] for m in (re.fullmatch(f"{packages[0]}-({pattern})", name) for name in names) if m]
        if not releases:
            raise Problem(f"{kernel.name}: {suite} has no package {packages[0]}-{pattern}: "
                          f"correct the matrix in {HERE / 'kernels.py'}")
        release = max(releases, key=lambda text: [int(number) for number in re.findall(r"\d+", text)])
        if kernel.dir.is_dir() and kernel.release == release:
            return
        print(f"{kernel.name}: fetching {release} from {suite}", file=sys.stderr)
        call("apt-get", "-q", "download", *(f"{package}-{release}" for package in packages), env=apt, cwd=scratch)
        root, new = scratch / "root", scratch / "new"
        for deb in scratch.glob("*.deb"):
            call("dpkg-deb", "-x", deb, root)
        unpack(root, new, release)
        if kernel.dir.is_dir():
            kernel.dir.rename(scratch / "old")
        kernel.dir.parent.mkdir(exist_ok=True)
        new.rename(kernel.dir)


def unpack(root, new, release):
    """Arranges the files of a kernel's packages in the way of class Kernel."""
    new.mkdir()
    modules = new / "lib" / "modules" / release
    modules.parent.mkdir(parents=True)
    one_of(root / "lib/modules" / release, root / "usr/lib/modules" / release).rename(modules)
    shutil.copy(one_of(root / "boot" / f"config-{release}", modules / "config"), new / "config")
    image = one_of(root / "boot" / f"vmlinuz-{release}", modules / "vmlinuz").read_bytes()
    (new / "vmlinux").write_bytes(vmlinux(image))
    call("depmod", "-b", new, release)
    (new / "release").write_text(release + "\n")


def vmlinux(image):
    """The ELF file within a bzImage: it boots through PVH, without the minute that unpacking takes in a guest. arm64's
    image is not packed."""
    if image[56:60] == ARM64_MAGIC:
        return image
    for magic, command in COMPRESSIONS:
        at = image.find(magic)
        while at >= 0:
            # Data follows the payload, so the tool may well fail at its end, having written all of it.
            elf = subprocess.run(command, input=image[at:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if elf.startswith(b"\x7fELF"):
                return elf
            at = image.find(magic, at + 1)
    raise Problem("a kernel image holds no vmlinux packed with xz or zstd")


def make_initramfs(kernel):
    """busybox, the modules of BOOT_MODULES in the order they load in, and guest/init."""
    with tempfile.TemporaryDirectory(prefix="initramfs-", dir=CACHE) as scratch:
        root = Path(scratch) / "root"
        (root / "bin").mkdir(parents=True)
        (root / "modules").mkdir()
        busybox = kernel.root / "usr/bin/busybox" if kernel.machine.foreign else shutil.which("busybox")
        shutil.copy(busybox, root / "bin" / "busybox")
        shutil.copy(INIT, root / "init")
        (root / "init").chmod(0o755)
        base = kernel.dir / "lib" / "modules" / kernel.release
        order = []
        for path in load_order(base):
            content = (base / path).read_bytes()
            name = Path(path).name
            if name.endswith(".xz"):
                content, name = call("xz", "-dc", stdin=content), name[:-len(".xz")]
            (root / "modules" / name).write_bytes(content)
            order.append(name + "\n")
        (root / "modules" / "order").write_text("".join(order))
        files = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
        archive = call("cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", stdin=files.encode(), cwd=root)
        new = Path(scratch) / "initramfs"
        new.write_bytes(archive)
        for old in kernel.dir.glob("initramfs-*"):
            old.unlink()
        new.rename(kernel.initramfs)


def load_order(base):
    """The paths of BOOT_MODULES and of all they need, each after what it needs."""
    needs = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    paths = {module_name(path): path for path in needs}
    builtin = {module_name(path) for path in (base / "modules.builtin").read_text().split()}
    order = {}

    def add(path):
        for need in needs[path]:
            add(need)
        order[path] = None

    for name in BOOT_MODULES:
        if name not in builtin:
            if name not in paths:
                raise Problem(f"{base.name} has no module {name}")
            add(paths[name])
    return list(order)


def module_name(path):
    return Path(path).name.partition(".")[0].replace("-", "_")


def one_of(*paths):
    for path in paths:
        if path.exists():
            return path
    raise Problem(f"none of these is in the kernel's packages: {', '.join(map(str, paths))}")
