# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Debian's packages of any suite and architecture, from the mirror that the machine's apt uses; and the cache for what is
made of them."""

import fcntl
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("BORESCOPE_VM_CACHE")
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "borescope" / "vm")


class Problem(Exception):
    """What stops the work, as one line for the user."""


def private_apt(directory, suites, architecture):
    """An environment for apt in which the machine's own mirror offers SUITES for ARCHITECTURE and nothing else."""
    for sub in ("lists/partial", "cache/archives/partial", "sources"):
        (directory / sub).mkdir(parents=True)
    for suite in suites:
        extension, text = source_of(suite)
        (directory / "sources" / f"{suite}.{extension}").write_text(text)
    (directory / "status").touch()
    config = directory / "apt.conf"
    config.write_text(f'''Dir::Etc::sourcelist "-";
Dir::Etc::sourceparts "{directory}/sources";
Dir::State::lists "{directory}/lists";
Dir::State::status "{directory}/status";
Dir::Cache "{directory}/cache";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
''')
    return {**os.environ, "APT_CONFIG": str(config)}


def source_of(suite):
    """The machine's own source for Debian (or its security archive), with SUITE for its suites: extension, text."""
    security = suite.endswith("-security")
    etc = Path("/etc/apt")
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            fields = {key.lower(): value for key, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M)}
            uris = [uri for uri in fields.get("uris", "").split() if is_debian(uri, security)]
            if uris and "deb" in fields.get("types", "").split() and fields.get("enabled") != "no":
                fields.update({"types": "deb", "uris": uris[0], "suites": suite, "components": "main"})
                return "sources", "".join(f"{key}: {value}\n" for key, value in fields.items())
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else ():
            match = re.match(r"\s*deb\s+(\[[^]]*\]\s+)?(\S+)\s", line)
            if match and is_debian(match[2], security):
                return "list", f"deb {match[1] or ''}{match[2]} {suite} main\n"
    raise Problem(f"/etc/apt names no Debian{' security' if security else ''} mirror to take {suite} from: "
                  f"add one, or copy {CACHE}/kernels from a machine that has it")


def is_debian(uri, security):
    return re.search(r"/debian-security(/|$)" if security else r"/debian(/|$)", uri)


@contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def call(*command, stdin=b"", **keywords):
    """Runs a command, returns its output; its messages are shown only when it fails."""
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)
    if done.returncode:
        sys.stderr.buffer.write(done.stderr)
        raise Problem(f"{' '.join(map(str, command))}: exit status {done.returncode}")
    return done.stdout
