# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""borescope doctor: what it says of each tool is what that then does and says with -v; on this kernel, down the ladders,
and with capabilities taken away. (What else borescope does is tests/unit/test_front_door.py's.)"""

import json
import os
import re
import subprocess

import pytest

from harness import BUILD, NOBODY, ROOT, patience, run_tool
from suite import TOOLS

# bscope has no table of probes: what it says of kinds of probes is in a test of its own.
TABLE_TOOLS = [tool for tool in TOOLS if tool != "bscope"]
FEW = ("opensnoop", "ext4slower")   # kinds of all sorts, optional ones, those that stand in for others, a module's functions
STATUS = {"full": 0, "reduced": 1, "none": 2}
CHOSEN = re.compile(r"^\w+: (.+?)(: using |: not seen here: |: no probe of its own: | sees it, too)(.*)$")
NOTE = re.compile(r"^\w+: (.+) is not available \((.+)\): using (.+)$", re.M)
# Of these, the one that stands for others is tried on every kernel. (With ext4slower it takes minutes under emulation.)
CAPABILITIES = [pytest.param("sys_admin", marks=pytest.mark.each_kernel),
                *(pytest.param(name, marks=pytest.mark.any_kernel)
                  for name in ("bpf", "perfmon", "dac_read_search", "sys_ptrace", "syslog"))]


def without(capability):
    """What runs a command as root without this one."""
    return ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}"]


def doctor(*tools, prefix=(), avoid=""):
    """What it says of the checks and of these tools, by their names, and the summary."""
    done = subprocess.run([*prefix, BUILD / "bin" / "borescope", "doctor", *tools, "--json"], capture_output=True,
                          encoding="utf-8", env={**os.environ, "BORESCOPE_AVOID": avoid}, timeout=patience(60), check=False)
    assert not done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    checks = {line["check"]: line for line in lines if line["type"] == "check"}
    said = {line["tool"]: line for line in lines if line["type"] == "tool"}
    assert lines[-1]["type"] == "summary"
    runs = [tool["runs"] for tool in said.values()]
    assert {name: lines[-1][name] for name in STATUS} == {name: runs.count(name) for name in STATUS}
    assert done.returncode == max(STATUS[run] for run in runs)
    return checks, said


def told(stderr):
    """Of each probe the rung that is in use, and why the others have none, by what -v said last: a rung that falls when it is
    loaded makes the tool choose again."""
    used, unseen = {}, {}
    for line in stderr.splitlines():
        chosen = CHOSEN.match(line)
        if not chosen or " is not available " in line:
            continue
        name = chosen[1].split(": ")[0]
        used.pop(name, None)
        unseen.pop(name, None)
        if chosen[2] == ": using ":
            used[name] = chosen[3]
        elif chosen[3]:
            unseen[name] = chosen[3]
    return used, unseen


def compare(said, prefix=(), avoid=""):
    """With what the tools say themselves."""
    assert said
    for tool, verdict in said.items():
        done = run_tool(tool, "-v", "--duration", "0.01", prefix=prefix, env={**os.environ, "BORESCOPE_AVOID": avoid})
        runs = done.returncode == 0
        assert (verdict["runs"] != "none") == runs, (verdict, done.stderr)
        if not runs:
            assert verdict["message"] in done.stderr.replace(f"{tool}: ", "")
            continue
        probes = {probe["probe"]: probe for probe in verdict["probes"]}
        used, unseen = told(done.stderr)
        assert {name: probe["used"] for name, probe in probes.items() if probe["used"]} == used, done.stderr
        assert {name: probe["why"] for name, probe in probes.items() if not probe["used"]} == unseen, done.stderr
        for best, why, _ in NOTE.findall(done.stderr):
            assert (best, why) in {(probe["best"], probe["why"]) for probe in probes.values()}
        assert (verdict["runs"] == "reduced") == any(probe["reduced"] for probe in probes.values())
        assert all(probe["advice"] for probe in probes.values() if probe["reduced"])


@pytest.mark.each_kernel
def test_all_tools():
    """What it says is what they do."""
    checks, said = doctor()
    assert set(said) == set(TOOLS)
    compare({tool: said[tool] for tool in TABLE_TOOLS})
    assert "none" not in {tool["runs"] for tool in said.values()}
    assert all(check["how"] for check in checks.values())
    assert all(bool(check["advice"]) == (check["granted"] != "yes") for check in checks.values())


@pytest.mark.any_kernel
@pytest.mark.parametrize("avoid", ["fentry,fexit", "fentry,fexit,kprobe,kretprobe", "gaps"])
def test_down_the_ladders(avoid):
    """With the better rungs ruled out, which tools then do, too."""
    _, said = doctor(*FEW, avoid=avoid)
    compare(said, avoid=avoid)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_without_a_capability(capability):
    """What root has else is enough, or less; CAP_SYS_ADMIN is as good as some."""
    checks, said = doctor("opensnoop", prefix=without(capability))
    compare(said, prefix=without(capability))
    by_admin = capability in ("bpf", "perfmon", "syslog")
    assert checks["capabilities"]["granted"] == ("yes" if by_admin else "partly")
    assert (f"CAP_{capability.upper()}" in checks["capabilities"]["how"]) != by_admin


@pytest.mark.any_kernel
@pytest.mark.parametrize("also", ["bpf", "perfmon"])
def test_without_two(also):
    """Without CAP_SYS_ADMIN, both of the others are needed: the tools say which is missing."""
    prefix = without(f"sys_admin,-{also}")
    checks, said = doctor("opensnoop", prefix=prefix)
    compare(said, prefix=prefix)
    assert {tool["runs"] for tool in said.values()} == {"none"}
    assert all(f"CAP_{also.upper()} is missing" in tool["message"] for tool in said.values())
    assert checks["capabilities"]["granted"] == "no" and checks["tp_btf"]["granted"] == "no"


@pytest.mark.any_kernel
def test_as_nobody():
    """Without privileges no tool runs, and it says so."""
    _, said = doctor("opensnoop", "bscope", prefix=NOBODY)
    assert {tool["runs"] for tool in said.values()} == {"none"}


@pytest.mark.any_kernel
def test_in_other_namespaces():
    checks, said = doctor("runqlat", prefix=["unshare", "--pid", "--user", "--map-root-user", "--cgroup", "--fork"])
    assert checks["user namespace"]["granted"] == "no" and checks["pid namespace"]["granted"] == "partly"
    assert checks["cgroup namespace"]["granted"] == "partly"
    assert said["runqlat"]["runs"] == "none" and "initial user namespace" in said["runqlat"]["message"]


@pytest.mark.any_kernel
def test_lockdown(tmp_path):
    """Where nobody has mounted securityfs it is tried what lockdown would forbid, and nothing is taken for granted."""
    mode = tmp_path / "lockdown"
    mode.write_text("none integrity [confidentiality]\n", encoding="utf-8")

    def with_security(then, command=()):
        script = f"mount -t tmpfs none /sys/kernel/security && {then} && exec \"$@\""
        return doctor("opensnoop", prefix=["unshare", "-m", "sh", "-c", script, "sh", *command])[0]["no lockdown"]

    hidden = with_security("true")
    assert hidden["granted"] == "yes" and "not mounted" in hidden["how"] and hidden["how"].endswith("granted")
    assert with_security("true", NOBODY)["granted"] == "partly"
    locked = with_security(f"cp {mode} /sys/kernel/security/")
    assert locked["granted"] == "no" and "[confidentiality]" in locked["how"]


@pytest.mark.any_kernel
def test_kinds_of_bscope():
    """They are those of bscope --info."""
    _, said = doctor("bscope")
    info = run_tool("bscope", "--info").stdout.split("Probe types")[1]
    assert {probe["probe"]: bool(probe["used"]) for probe in said["bscope"]["probes"]} == \
        {kind: f"  {kind}: yes\n" in info for kind in ("tracepoint", "kprobe", "fentry", "uprobe", "perf_event")}


@pytest.mark.any_kernel
def test_text():
    """The same as text, at 80 columns."""
    done = subprocess.run([BUILD / "bin" / "borescope", "doctor", "opensnoop", "xstack"], capture_output=True, encoding="utf-8",
                          check=False, timeout=patience(30))
    checks, said = doctor("opensnoop", "xstack")
    assert max(map(len, done.stdout.splitlines())) <= 80
    words = " ".join(done.stdout.split())
    for check in checks.values():
        assert f"{check['check']} {check['granted']} {' '.join(check['how'].split())}" in words
    for tool in said.values():
        assert f"{tool['tool']} {tool['runs']} {tool['probes'][0]['probe']}: {tool['probes'][0]['used']}" in words


@pytest.mark.any_kernel
def test_documented_keys():
    """FIELDS of the page has the keys of all objects, and no others."""
    done = subprocess.run([BUILD / "bin" / "borescope", "doctor", "--json", "opensnoop"], capture_output=True, check=False,
                          encoding="utf-8")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    keys = {key for obj in objects for key in (*obj, *(key for probe in obj.get("probes", []) for key in probe))}
    fields = (ROOT / "man/borescope.8").read_text(encoding="utf-8").split(".SH FIELDS")[1].split(".SH EXIT")[0]
    assert keys == {key for tag in re.findall(r"^\.TP\n(.*)$", fields, re.M) for key in re.findall(r"\\fB(\w+)\\fR", tag)}


@pytest.mark.any_kernel
def test_without_perf_events(tmp_path):
    """As where a seccomp filter grants bpf(2) only: profile says so, and does not run."""
    checks, said = doctor("profile", "opensnoop", prefix=["strace", "-f", "-o", tmp_path / "trace", "-e",
                                                          "inject=perf_event_open:error=EPERM"])
    assert checks["perf events"]["granted"] == "no"
    assert said["profile"]["runs"] == "none" and "does not let us sample" in said["profile"]["message"]
    assert said["opensnoop"]["runs"] != "none"


@pytest.mark.any_kernel
def test_nothing_is_attached(tmp_path):
    """What would run in the kernel is loaded, and no more."""
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-o", trace, "-e", "trace=bpf,perf_event_open,ioctl"]
    doctor(*FEW, "xstack", "bscope", prefix=strace)
    lines = trace.read_text(encoding="utf-8").splitlines()
    calls = "\n".join(line for line in lines if " = -1 E" not in line)     # bscope asks for links that there cannot be
    assert calls.count("BPF_PROG_LOAD") > 10 and "perf_event_open(" in calls
    attaching = re.compile("BPF_LINK_CREATE|BPF_RAW_TRACEPOINT_OPEN|BPF_PROG_ATTACH|PERF_EVENT_IOC_(ENABLE|SET_BPF)|BPF_OBJ_PIN")
    assert not attaching.findall(calls)
    run_tool("opensnoop", "--duration", "0.01", prefix=strace)     # it would be found
    assert attaching.search(trace.read_text(encoding="utf-8"))
