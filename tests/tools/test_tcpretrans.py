# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tcpretrans against what the kernel counts in network namespaces of the test's own."""

import contextlib
import os
import re
import time
from pathlib import Path

import pytest

from harness import (CONTROL, HEAD_KEYS, USAGE, VM, Tool, Workload, assert_sorted_times, one_line,
                     run_tool, wait_until)
from machine import OWN_COMM, OWN_UID, need
from network import NEAR, far, nobody
from suite import HEADERS

N = 23
KINDS = ("4", "6", "mapped")
SYN_REASONS = {"SYN", "SYN-ACK"}
KEYS = HEAD_KEYS | {"comm", "ip", "local_addr", "local_port", "remote_addr", "remote_port", "netns", "state", "why",
                    "errno", "sent", "seq", "segments", "bytes", "cwnd_segments", "srtt_us", "total_segments",
                    "cgroup_id"}
FIN_WAIT1, LISTEN = "04", "0A"      # in /proc/net/tcp
NEW_DATA = "probes with new data"       # the probe that sees them, where it is granted
REFUSED = "TcpExtTCPRetransFail"        # the kernel could not send; up to 6.12 it does not report those


def segments(tool, why=None):
    """How many segments the JSON rows say; those for one reason only if they left the machine, as the kernel counts."""
    return sum(row["segments"] for row in tool.json if not why or row["why"] == why and row["sent"])


def check_identity(tool, grown):
    """Rows and the kernel's counters of the same time: see NOTES of the man page."""
    assert all(KEYS <= row.keys() for row in tool.json)
    assert_sorted_times(tool.json)
    assert tool.summary["lost"] == 0
    hidden = 0 if any(row["segments"] and not row["sent"] for row in tool.json) else grown[REFUSED]
    assert segments(tool) + hidden == grown["TcpRetransSegs"]
    assert sum(row["why"] in SYN_REASONS and row["segments"] for row in tool.json) == grown["TcpExtTCPSynRetrans"]
    assert segments(tool, "FAST") == grown["TcpExtTCPFastRetrans"]
    assert segments(tool, "RTO+") == grown["TcpExtTCPSlowStartRetrans"]
    probes = sum(row["why"].startswith("TLP") and row["sent"] for row in tool.json)
    if NEW_DATA in tool.rungs:
        assert probes == grown["TcpExtTCPLossProbes"]
    else:
        assert probes <= grown["TcpExtTCPLossProbes"]


def owner(row):
    """Whose a JSON row is."""
    return row["pid"], row["tid"], row["comm"]


def owners(tool):
    """Whose its rows are, connection by connection: two tools may see two CPUs' rows of one moment in another order."""
    return [(row["local_port"], *owner(row)) for row in sorted(tool.json, key=lambda row: row["local_port"])]


def parent_of(pid):
    """The parent of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^PPid:\t(\d+)$", status, re.M)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_black_hole(kind, network):
    """A connect() to where nobody is: every SYN that is sent again, the owner's, by three kinds of sockets."""
    with Workload("tcp", "connect", nobody(kind), 80, 8 if VM else 4, netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, "--json") as json, \
                Tool("tcpretrans", "--netns", network.near.pid) as text:
            before = network.near.counters()
            [done] = work.run()
            grown = network.near.grown(before)
    check_identity(json, grown)
    assert len(json.json) == grown["TcpRetransSegs"] == grown["TcpExtTCPTimeouts"] == done["retransmits"] >= 2
    version = "6" if kind == "6" else "4"
    for number, row in enumerate(json.json, 1):
        assert owner(row) == (done["pid"], done["tid"], "tcp") and row["uid"] == 0
        assert (row["why"], row["state"], row["segments"], row["bytes"]) == ("SYN", "SYN_SENT", 1, 0)
        assert (row["ip"], row["local_addr"], row["local_port"]) == (int(version), NEAR[version], done["lport"])
        assert (row["remote_addr"], row["remote_port"]) == (nobody(version), 80)
        assert row.get("v4_mapped", False) == (kind == "mapped")
        assert row["netns"] == network.near.inode and row["total_segments"] == number
        assert row["srtt_us"] is None and row["sent"] and row["errno"] == 0
    assert text.header == HEADERS["tcpretrans"]
    brackets = "[{}]:{}" if kind == "6" else "{}:{}"
    for row in text.rows:
        assert re.fullmatch(r"\d\d:\d\d:\d\d", row.pop("TIME"))
        assert row == {"PID": str(done["pid"]), "IP": version, "T>": "R>", "STATE": "SYN_SENT", "WHY": "SYN",
                       "LADDR:LPORT": brackets.format(NEAR[version], done["lport"]),
                       "RADDR:RPORT": brackets.format(nobody(version), 80), "COMM": "tcp"}
    assert len(text.rows) == len(json.json)


def cut_while_sending(network, kind, *tool_args, how="", avoid=""):
    """23 bytes are sent into a link that is cut, until there were some retransmissions; then it heals. The connection
    is older than the tool. Returns the tool, what the sender printed, and the growth of the counters."""
    port = 7001
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far(kind), port, N, *([how] if how else []), netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, "--json", *tool_args, avoid=avoid) as tool:
            before = network.near.counters()
            network.cut()
            work.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 3, 10, "no retransmissions")
            network.heal()
            [done] = work.finish()
            wait_until(lambda: not network.near.sockets(FIN_WAIT1), 10, "it goes on")
            grown = network.near.grown(before)
    return tool, done, grown


@pytest.mark.parametrize("kind", KINDS)
def test_timeouts(kind, network):
    """A link that is cut: a tail loss probe, then timeouts; the owner of a socket that is older than the tool."""
    tool, done, grown = cut_while_sending(network, kind, "-e")
    check_identity(tool, grown)
    reasons = [row["why"] for row in tool.json]
    assert reasons.count("RTO") == grown["TcpExtTCPTimeouts"] >= 1
    assert reasons.count("TLP") == grown["TcpExtTCPLossProbes"] >= 1
    assert set(reasons) == {"RTO", "TLP"}
    assert done["retransmits"] == grown["TcpRetransSegs"] == len(tool.json)
    for number, row in enumerate(tool.json, 1):
        assert owner(row) == (done["pid"], done["pid"], "tcp")
        assert (row["local_port"], row["remote_port"], row["state"]) == (done["lport"], 7001, "ESTABLISHED")
        assert (row["bytes"], row["segments"], row["total_segments"]) == (N, 1, number)
        assert row["srtt_us"] > 0 and row["cwnd_segments"] >= 1
    assert len({row["seq"] for row in tool.json}) == 1


def test_new_data_in_a_probe(network):
    """-l: a tail loss probe that carries data for the first time shows, too, where the kernel grants a probe for it."""
    tool, _, grown = cut_while_sending(network, "4", "-l", how="twice")
    check_identity(tool, grown)
    need(NEW_DATA in tool.rungs, "no probe that sees tail loss probes with new data")
    new = [row for row in tool.json if row["why"] == "TLP-NEW"]
    assert len(new) >= 1 and [(row["segments"], row["bytes"]) for row in new] == [(0, N)] * len(new)
    assert owner(new[0])[2] == "tcp"


def test_no_route(network):
    """An attempt for which there is no route shows where the kernel reports it, and counts for nothing."""
    port = 7009
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far("4"), port, N, netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, "--json") as tool:
            before = network.near.counters()
            network.cut()
            work.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 2, 10, "no retransmissions")
            network.near.run("ip", "route", "flush", "10.77.0.0/24")
            time.sleep(4 if VM else 2)
            network.heal()
            network.near.run("ip", "route", "add", "10.77.0.0/24", "dev", "near")
            work.finish()
            wait_until(lambda: not network.near.sockets(FIN_WAIT1), 10, "it goes on")
            grown = network.near.grown(before)
    check_identity(tool, grown)
    assert {row["segments"] for row in tool.json if row.get("error") == "EHOSTUNREACH"} <= {0}


def test_dropped_here(network):
    """An attempt that this machine's own queue throws away is counted; it shows, as not sent, where the kernel reports
    it."""
    port = 7010
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far("4"), port, N, netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, "-e") as text, \
                Tool("tcpretrans", "--netns", network.near.path, "--json") as tool:
            before = network.near.counters()
            network.cut()
            work.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 2, 10, "no retransmissions")
            network.near.run("tc", "qdisc", "add", "dev", "near", "root", "pfifo", "limit", "0")
            wait_until(lambda: network.near.grown(before)[REFUSED] >= 2, 10, "no attempt was refused")
            network.near.run("tc", "qdisc", "del", "dev", "near", "root")
            network.heal()
            work.finish()
            wait_until(lambda: not network.near.sockets(FIN_WAIT1), 10, "it goes on")
            grown = network.near.grown(before)
    check_identity(tool, grown)
    dropped = [row for row in tool.json if not row["sent"]]
    reported = not VM or VM.startswith("7")
    assert sum(row["segments"] for row in dropped) == (grown[REFUSED] if reported else 0)
    assert [row["ERR"] for row in text.rows] == ["0" if row["sent"] else "DROP" for row in tool.json]


@pytest.mark.parametrize("probes", [False, True])
def test_letter(probes, network):
    """T is R; with -l, that of a tail loss probe is L."""
    port = 7002
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far("4"), port, N, netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, *(["-l"] if probes else [])) as tool:
            before = network.near.counters()
            network.cut()
            work.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 3, 10, "no retransmissions")
            network.heal()
            work.finish()
    assert {row["WHY"] for row in tool.rows} == {"TLP", "RTO"}
    for row in tool.rows:
        assert row["T>"] == ("L>" if probes and row["WHY"] == "TLP" else "R>")


@pytest.mark.parametrize("how", ["", "worker", "fork", "pass", "give", "orphan"])
def test_accepted(how, network):
    """An accepted socket is whose who accepted it (the worker's, not that of who listens), whoever else has it open, and
    who of them is older; or of the only one that has it open; or of nobody who is known."""
    port = 7003
    with Tool("tcpretrans", "--netns", network.near.path, "--json") as tool, \
            Tool("tcpretrans", "--netns", network.near.path, "--comm", "tcp", "--json") as named:
        with Workload("tcp", "serve", "::", port, N, *([how] if how else []), netns=network.near.path) as server, \
                Workload("tcp", "pull", NEAR["4"], port, netns=network.far.path) as client:
            before = network.near.counters()
            network.cut()
            server.start()
            client.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 3, 10, "no retransmissions")
            network.heal()
            [done] = server.finish()
            client.finish()
            grown = network.near.grown(before)
    check_identity(tool, grown)
    assert (done["pid"] != server.pid) == (how in ("worker", "pass"))
    rows = [row for row in tool.json if row["state"] == "ESTABLISHED"]
    unknown = how == "orphan"
    assert rows and {owner(row) for row in rows} == {(None,) * 3 if unknown else (done["pid"], done["pid"], "tcp")}
    assert {row["local_port"] for row in rows} == {port} and {row["ip"] for row in rows} == {4}
    assert len(named.json) == (0 if unknown else len(tool.json))


# What becomes of a connection, and whose it is then: that of the first process that has it, of the last, or of nobody.
HANDED_OVER = {"leave": "last", "close": "last", "pass": "last", "two": None, "keep": "first", "late": "last"}


def test_handed_over(network):
    """A connection belongs to who has it open now, not to who made it and has ended, or has handed it on; whether the
    tool began before that or after."""
    port = 7011
    args = ["--netns", network.near.path, "--json"]
    works = {how: Workload("tcp", "hand", far("4"), port, N, how, netns=network.near.path) for how in HANDED_OVER}
    with contextlib.ExitStack() as stack:
        stack.enter_context(Workload("tcp", "sink", "::", port, netns=network.far.path))
        before = stack.enter_context(Tool("tcpretrans", *args))
        for work in works.values():
            stack.enter_context(work)
        after = stack.enter_context(Tool("tcpretrans", *args))
        own = stack.enter_context(Tool("tcpretrans", *args, "-p", works["leave"].pid))
        first = parent_of(works["keep"].pid)
        counted = network.near.counters()
        network.cut()
        for work in works.values():
            work.start()
        done = {how: work.finish()[-1] for how, work in works.items()}
        wait_until(lambda: len(set(re.findall(r'"local_port":(\d+).*"FIN_WAIT1"', after.out))) == len(works), 20,
                   "each has a row after it was closed")
        network.heal()
        wait_until(lambda: not network.near.sockets(FIN_WAIT1), 20, "it goes on")
        grown = network.near.grown(counted)
    check_identity(before, grown)
    assert owners(before) == owners(after)
    for how, work in works.items():
        rows = [row for row in before.json if row["local_port"] == done[how]["lport"]]
        whose = {"first": first, "last": done[how]["pid"], None: None}[HANDED_OVER[how]]
        alive = [row["pid"] for row in rows if row["state"] == "ESTABLISHED"]
        closed = [row["pid"] for row in rows if row["state"] == "FIN_WAIT1"]
        if how == "late":       # the first process saw two of them
            assert alive[:2] == [work.pid] * 2 and alive[3:] and set(alive[3:]) == {whose}, how
        else:
            assert len(alive) >= 2 and set(alive) == {whose}, how
        assert closed and (how == "two" or set(closed) == {whose}), how
    assert own.json and len(own.json) == sum(row["pid"] == works["leave"].pid for row in after.json)


def test_mptcp(network):
    """The paths of an MPTCP connection, accepted or not, are the process's that has the connection; so is one that
    connects by MPTCP where the other end has none."""
    for side in (network.near, network.far):
        enabled = side.run("sh", "-c", "cd /proc/sys/net; [ ! -e mptcp ] || { echo 1 > mptcp/enabled; echo 1; }")
        need(enabled or (VM or "").startswith("5.10"), "this kernel has no MPTCP")
        if not enabled:
            pytest.skip("vm-ok: this kernel has no MPTCP")
    near, far_end = network.near.path, network.far.path
    with contextlib.ExitStack() as stack:
        def work(*argv, netns):
            return stack.enter_context(Workload("tcp", *argv, netns=netns))

        tool = stack.enter_context(Tool("tcpretrans", "--netns", near, "--json"))
        work("sink", "::", 7013, 0, "mptcp", netns=far_end)
        work("sink", "::", 7014, netns=far_end)
        senders = [work("serve", "::", 7012, N, "mptcp", netns=near),
                   work("send", far("4"), 7013, N, "mptcp", netns=near),
                   work("send", far("4"), 7014, N, "mptcp", netns=near)]
        work("pull", NEAR["4"], 7012, 0, "mptcp", netns=far_end).start()
        before = network.near.counters()
        network.cut()
        for sender in senders:
            sender.start()
        wait_until(lambda: {7012, 7013, 7014} <= set(map(int, re.findall(r'"(?:local|remote)_port":(70\d\d)', tool.out))),
                   10, "no retransmissions")
        network.heal()
        done = [sender.finish()[0] for sender in senders]
        grown = network.near.grown(before)
    check_identity(tool, grown)
    for sent in done:
        rows = [row for row in tool.json if (row["local_port"], row["remote_port"]) == (sent["lport"], sent["rport"])]
        assert rows and {owner(row) for row in rows} == {(sent["pid"], sent["pid"], "tcp")}


def test_process_is_gone(network):
    """A process that ends with data on its way: the kernel goes on sending, and it is still known whose it was."""
    port = 7004
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far("6"), port, N, "leave", netns=network.near.path) as work:
        with Tool("tcpretrans", "--netns", network.near.path, "--json") as tool:
            before = network.near.counters()
            network.cut()
            [done] = work.run()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 3, 10, "no retransmissions")
            network.heal()
            wait_until(lambda: not network.near.sockets(FIN_WAIT1), 10, "it goes on")
            grown = network.near.grown(before)
    check_identity(tool, grown)
    assert {row["state"] for row in tool.json} == {"FIN_WAIT1"}
    assert {owner(row) for row in tool.json} == {(done["pid"], done["pid"], "tcp")}


def test_synacks(network):
    """SYN-ACKs that do not arrive are the listener's, though there is no socket yet."""
    port = 7005
    with Workload("tcp", "listen", "::", port, 8 if VM else 4, netns=network.near.path) as server, \
            Workload("tcp", "connect", NEAR["4"], port, 8 if VM else 4, netns=network.far.path) as client:
        with Tool("tcpretrans", "--netns", network.near.path, "--json") as tool:
            before = network.near.counters()
            network.cut()
            client.start()
            [done] = server.run()
            client.finish()
            grown = network.near.grown(before)
    check_identity(tool, grown)
    assert len(tool.json) == grown["TcpRetransSegs"] >= 1
    for row in tool.json:
        assert (row["why"], row["state"], row["ip"]) == ("SYN-ACK", "SYN_RECV", 4) and row["v4_mapped"]
        assert owner(row) == (done["pid"], done["pid"], "tcp")
        assert (row["local_addr"], row["local_port"], row["remote_addr"]) == (NEAR["4"], port, far("4"))
        assert row["cwnd_segments"] is None and row["total_segments"] >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_loss(kind, network):
    """A lossy link: each retransmitted segment shows, for the reason that the kernel counts it under."""
    network.near.run("ip", "link", "set", "near", "gso_max_segs", "4")      # so that many packets are lost, not a few
    port = 7006
    with Workload("tcp", "sink", "::", port, netns=network.far.path), \
            Workload("tcp", "send", far(kind), port, 4 << 20, netns=network.near.path) as work:
        network.disturb("delay", "5ms", "loss", "3%")       # now that it is connected
        with Tool("tcpretrans", "--netns", network.near.path, "-l", "--json") as tool, \
                Tool("tcpretrans", "--netns", network.near.path, "-c", "--json") as counted:
            before = network.near.counters()
            [done] = work.run(120)
            grown = network.near.grown(before)
    check_identity(tool, grown)
    assert grown["TcpRetransSegs"] == done["retransmits"] >= 5 and segments(tool, "FAST") > 0
    assert {owner(row) for row in tool.json} == {(done["pid"], done["pid"], "tcp")}
    assert segments(tool) <= tool.json[-1]["total_segments"] <= grown["TcpRetransSegs"]
    [flow] = counted.json
    assert (flow["segments"], flow["pid"], flow["local_port"]) == (segments(tool), done["pid"], done["lport"])
    assert flow["why"]["FAST"] == sum(row["segments"] for row in tool.json if row["why"] == "FAST")


def test_owner_not_looked_for(network):
    """What is not known prints ?, and null in JSON; a filter by process does not match it."""
    port = 7007
    args = ["--netns", network.near.path]
    with Workload("tcp", "serve", "::", port, N, netns=network.near.path) as server, \
            Workload("tcp", "pull", NEAR["6"], port, netns=network.far.path) as client:
        with Tool("tcpretrans", *args, avoid="iter") as text, \
                Tool("tcpretrans", *args, "--json", avoid="iter") as json, \
                Tool("tcpretrans", *args, "-p", server.pid, avoid="iter") as none:
            before = network.near.counters()
            network.cut()
            server.start()
            client.start()
            wait_until(lambda: network.near.grown(before)["TcpRetransSegs"] >= 3, 10, "no retransmissions")
            network.heal()
            server.finish()
            client.finish()
    # a row may wait for so long to be shown that the close() of the same socket is seen before
    assert [owner(row) for row in json.json[:2]] == [(None, None, None)] * 2
    assert [(row["PID"], row["COMM"]) for row in text.rows[:2]] == [("?", "?")] * 2
    assert len(none.rows) <= len(text.rows) - 2


# --- 23 connections of which the first SYN is lost: rows that can be counted ---


def syns(tool_args, cgroup, kind="4", work_args=()):
    """Runs `tcpsyns` in a cgroup of its own under tcpretrans; returns the ended tool and what `tcpsyns` printed.

    The kernel of the machine where this was written (6.18, a virtual machine) runs no BPF program, and counts none as
    missed, in an interrupt that comes while a thread of its process 1 is on the CPU; ftrace shows those events. All 23
    come in one interrupt, so that in one of 100 runs there is no row. Natively, then, it is tried again."""
    for tries_left in reversed(range(1 if VM else 3)):
        with Workload("tcpsyns", N, kind, *work_args, cgroup=cgroup) as work:
            with Tool("tcpretrans", "--cgroup", cgroup.path, *tool_args) as tool:
                [namespace, *done] = work.run()
        assert tool.status == 0, tool.said
        if len(tool.json if "--json" in tool_args else tool.rows) >= N or not tries_left:
            break
    return tool, namespace["netns"], done


@pytest.mark.parametrize("kind", KINDS)
def test_exact_rows(kind, cgroup):
    """23 lost SYNs: exactly these rows; the socket's cgroup and namespace."""
    tool, netns, done = syns(["--json"], cgroup, kind=kind)
    assert len(done) == len(tool.json) == N, (tool.summary, tool.said)
    local = "::1" if kind == "6" else "127.0.0.1"
    assert sorted((row["pid"], row["local_addr"], row["local_port"], row["remote_port"]) for row in tool.json) == \
        sorted((line["pid"], local, line["lport"], line["rport"]) for line in done)
    assert {(row["why"], row["comm"], row["netns"], row["cgroup_id"]) for row in tool.json} == \
        {("SYN", "tcpsyns", netns, cgroup.id)}
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


def test_columns(cgroup):
    """BCC's columns stand first, whatever else there is; -s adds SEQ, -e the rest."""
    bcc = HEADERS["tcpretrans"][:7]
    with Workload("tcpsyns", N, cgroup=cgroup) as work:
        with Tool("tcpretrans", "--cgroup", cgroup.path, "-s") as numbers, \
                Tool("tcpretrans", "--cgroup", cgroup.path, "-e", "--time") as extended:
            [namespace, *done] = work.run()
    assert numbers.header == [*bcc, "SEQ", "WHY", "COMM"]
    assert extended.header == [*bcc, "SEQ", "SEGS", "LEN", "CWND", "SRTT(us)", "TOTAL", "ERR", "NETNS", "CGROUP", "WHY",
                               "COMM"]
    assert len(numbers.rows) == len(extended.rows) == N == len(done)
    assert {row["NETNS"] for row in extended.rows} == {str(namespace["netns"])}
    assert {row["SRTT(us)"] for row in extended.rows} == {"?"}
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{6}", row["TIME"]) for row in extended.rows)
    assert len({row["SEQ"] for row in numbers.rows}) > 1


def test_filters(cgroup, other_cgroup, place):
    """Each filter matches what it names, and nothing else."""
    with Workload("tcpsyns", N, cgroup=cgroup, comm=OWN_COMM, directory=place) as work, \
            Workload("tcpsyns", 5, "6", cgroup=other_cgroup) as other:
        first = ["--cgroup", cgroup.path]
        matching = [["-p", work.pid], ["--tid", work.pid], ["--comm", OWN_COMM], ["--netns", work.pid],
                    ["--netns", os.stat(f"/proc/{work.pid}/ns/net").st_ino], ["--netns", f"/proc/{work.pid}/ns/net"],
                    [*first, "-4"], [*first, "-4", "-6"], [*first, "--laddr", "127.0.0.0/8"],
                    [*first, "--raddr", "127.0.0.1"], [*first, "--uid", 0], ["--cgroup", cgroup.id]]
        missing = [[*first, "-6"], [*first, "--laddr", "127.1.0.0/16"], [*first, "--raddr", "::1"],
                   [*first, "--lport", "1"], [*first, "--rport", "1,2"], [*first, "--uid", OWN_UID],
                   [*first, "-p", other.pid], [*first, "--comm", "tcpsyns"], [*first, "--netns", other.pid],
                   ["--cgroup", other_cgroup.path, "-p", work.pid]]
        tools = [Tool("tcpretrans", *args, "--json") for args in [*matching, *missing]]
        try:
            for tool in tools:
                tool.__enter__()
            work.start()
            other.start()
            done = work.finish()[1:]
            other.finish()
        finally:
            for tool in tools:
                tool.__exit__(None, None, None)
    for args, tool in zip([*matching, *missing], tools):
        assert len(tool.json) == (N if args in matching else 0), args
        assert all(row["pid"] == done[0]["pid"] for row in tool.json), args


def test_port_filters(cgroup):
    """--lport and --rport, one port and several; a v4-mapped socket is judged by its IPv4 address."""
    with Workload("tcpsyns", N, "mapped", cgroup=cgroup) as work:
        sockets = [line.split() for line in Path(f"/proc/{work.pid}/net/tcp6").read_text().splitlines()[1:]]
        port = next(int(fields[1].split(":")[1], 16) for fields in sockets if fields[3] == LISTEN)
        with Tool("tcpretrans", "--cgroup", cgroup.path, "--rport", f"1,{port}", "-4", "--raddr", "127.0.0.0/9",
                  "--json") as tool, \
                Tool("tcpretrans", "--cgroup", cgroup.path, "--lport", port, "--json") as none:
            [_, *done] = work.run()
    assert {line["rport"] for line in done} == {port}
    assert len(tool.json) == N and {row["remote_port"] for row in tool.json} == {port}
    assert not none.json


@pytest.mark.parametrize("interval", [[], ["--interval", "0.5"]])
def test_counts(interval, cgroup):
    """-c: one row a connection; the sums of all reports are what rows would have shown."""
    tool, netns, done = syns(["-c", "--json", *interval], cgroup)
    assert {(row["local_port"], row["segments"], row["pid"], row["comm"], row["netns"]) for row in tool.json} == \
        {(line["lport"], 1, line["pid"], "tcpsyns", netns) for line in done}
    assert len(tool.json) == N and all(row["why"] == {"SYN": 1} for row in tool.json)
    assert (tool.summary["events"], tool.summary["lost"]) == (N, 0)


def test_counts_text(cgroup):
    """-c as text: BCC's columns, sorted."""
    tool, _, done = syns(["-c"], cgroup)
    assert tool.header == ["LADDR:LPORT", "<->", "RADDR:RPORT", "RETRANSMITS", "PID", "WHY", "COMM"]
    assert [(row["<->"], row["RETRANSMITS"], row["WHY"], row["COMM"]) for row in tool.rows] == \
        [("<->", "1", "SYN:1", "tcpsyns")] * N
    ports = [int(row["LADDR:LPORT"].split(":")[1]) for row in tool.rows]
    assert sorted(ports) == sorted(line["lport"] for line in done)


def test_counts_are_sorted(network):
    """-c: the connection that retransmits most comes first; PID filters hold here, too."""
    with Workload("tcp", "connect", nobody("4"), 81, 9 if VM else 5, netns=network.near.path) as most, \
            Workload("tcp", "connect", nobody("4"), 82, 2 if VM else 2, netns=network.near.path) as least:
        with Tool("tcpretrans", "--netns", network.near.path, "-c", "--json") as tool, \
                Tool("tcpretrans", "--netns", network.near.path, "-c", "-p", least.pid, "--json") as one:
            most.start()
            least.start()
            [few], [many] = least.finish(), most.finish()
    assert many["retransmits"] > few["retransmits"] >= 1
    assert [(row["remote_port"], row["segments"]) for row in tool.json] == \
        [(81, many["retransmits"]), (82, few["retransmits"])]
    assert [row["remote_port"] for row in one.json] == [82]


def test_hostile_names(cgroup):
    """No control byte reaches the terminal, a row is a line."""
    text, _, _ = syns([], cgroup, work_args=["\x1b]0;x\x07\n"])
    assert not CONTROL.search(text.out), repr(text.out)
    assert len(text.rows) == N and all("]0;x" in row["COMM"] for row in text.rows)


def test_nothing_for_a_packet(cgroup):
    """The programs run when a connection changes its state, and not for what goes through it."""
    requests = 4000 if VM else 20000
    with Workload("tcprr", requests, cgroup=cgroup) as work:
        with Tool("tcpretrans", "--cgroup", cgroup.path, "-l", "--json", "--cost") as tool:
            [done] = work.run()
    assert done["done"] == requests
    assert 2 <= tool.summary["cost_runs"] < requests / 10


def test_interval_alone():
    """--interval without -c is a mistake, and said so."""
    done = run_tool("tcpretrans", "--interval", "1")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "--interval" in one_line(done.stderr)
