# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tcpconnect against what programs are told about their connects, and what the kernel counts."""

import contextlib
import errno
import os
import re

import pytest

from harness import (CONTROL, HEAD_KEYS, USAGE, VM, Tool, Workload, assert_sorted_times, one_line, run_tool,
                     wait_until)
from machine import OWN_COMM, OWN_UID, need
from network import FAR, NEAR, far, nobody
from suite import HEADERS

N = 23
KEYS = HEAD_KEYS | {"comm", "ip", "local_addr", "remote_addr", "remote_port", "netns", "latency_ns", "result", "errno"}
OPEN, CLOSED = 7001, 7099       # ports of the far end: one where somebody listens, one where nobody does
BEYOND = {"4": "10.88.0.1", "6": "fd88::1"}     # behind the far end, which says that it can't be reached
AT_ONCE = "calls that fail"     # the probe that sees connect() fail before anything is sent
GIVE_UP = {"close", "shutdown", "again", "hang"}    # of these the program does not learn the result

# The truth: 23 connects, of which 7 are refused and 3 time out; how, to where, how many, the result.
TRUTH = [("block", far("4"), OPEN, 2, "established"), ("block", far("6"), OPEN, 1, "established"),
         ("block", far("mapped"), OPEN, 1, "established"), ("nonblock", far("4"), OPEN, 1, "established"),
         ("uring", far("4"), OPEN, 1, "established"), ("fastopen", far("4"), OPEN, 1, "established"),
         ("block", far("4"), CLOSED, 2, "refused"), ("block", far("6"), CLOSED, 1, "refused"),
         ("block", far("mapped"), CLOSED, 1, "refused"), ("nonblock", far("6"), CLOSED, 1, "refused"),
         ("uring", far("4"), CLOSED, 1, "refused"), ("uring", far("6"), CLOSED, 1, "refused"),
         ("nonblock", nobody("4"), 80, 1, "timeout"), ("nonblock", nobody("6"), 80, 1, "timeout"),
         ("nonblock", nobody("mapped"), 80, 1, "timeout"), ("nonblock", BEYOND["4"], 80, 1, "unreachable"),
         ("nonblock", BEYOND["6"], 80, 1, "unreachable"), ("close", nobody("4"), 81, 1, "abandoned"),
         ("shutdown", nobody("6"), 81, 1, "abandoned"), ("again", nobody("mapped"), 81, 1, "abandoned"),
         ("hang", nobody("4"), 82, 1, "trying")]


def set_sysctl(side, name, value):
    """In a namespace; what this kernel has not is left alone."""
    side.run("sh", "-c", f"cd /proc/sys/net; [ ! -e {name} ] || echo {value} > {name}")


@pytest.fixture(name="impatient")
def fixture_impatient(network):
    """A network in which connects time out after three seconds, and places beyond it can't be reached."""
    set_sysctl(network.near, "ipv4/tcp_syn_retries", 1)
    set_sysctl(network.near, "ipv4/tcp_syn_linear_timeouts", 0)
    set_sysctl(network.far, "ipv4/ip_forward", 1)
    set_sysctl(network.far, "ipv6/conf/all/forwarding", 1)
    for version, (prefix, family) in {"4": ("10.88.0.0/24", "-4"), "6": ("fd88::/64", "-6")}.items():
        network.far.run("ip", family, "route", "add", "unreachable", prefix)
        network.near.run("ip", family, "route", "add", prefix, "via", FAR[version])
    return network


def plain(addr):
    """An address as rows have it."""
    return addr.removeprefix("::ffff:")


def told(line):
    """What identifies a connect, as the workload prints it."""
    return plain(line["addr"]), line["rport"], line["lport"]


def seen(row):
    """The same of a row."""
    return row["remote_addr"], row["remote_port"], row.get("local_port")


def expected(line):
    """The result that a line of the workload is to have."""
    return next(result for how, addr, port, _, result in TRUTH
                if (addr, port) == (line["addr"], line["rport"]) and (how == line["how"] or how == "uring"))


def check_row(row, line, inode):
    """A row of the truth is right."""
    result = expected(line)
    assert KEYS <= row.keys() and row["result"] == result, (row, line)
    assert row["errno"] == (0 if line["how"] in GIVE_UP else line["errno"]), (row, line)
    assert (row["pid"], row["tid"], row["comm"]) == (line["pid"], line["pid"], "tcpconnects") and row["uid"] == 0
    version = "6" if ":" in plain(line["addr"]) else "4"
    assert (row["ip"], row["local_addr"], row["netns"]) == (int(version), NEAR[version], inode)
    assert row.get("v4_mapped", False) == line["addr"].startswith("::ffff:")
    assert row.get("fast_open") == ("cookie" if line["how"] == "fastopen" else None)
    assert row["latency_ns"] > 0 and "mptcp" not in row
    if result == "timeout":
        assert 2.5e9 < row["latency_ns"] < (30e9 if VM else 8e9)


@pytest.mark.parametrize("avoid", ["", "tp_btf,fexit"])
def test_truth(avoid, impatient):
    """23 connects, 7 of them refused, 3 timed out, by three kinds of sockets, that wait or don't, and by io_uring."""
    near = impatient.near
    with Workload("tcp", "sink", "::", OPEN, netns=impatient.far.path), \
            Workload("tcpconnects", *(f"{how},{addr},{port},{count}" for how, addr, port, count, _ in TRUTH),
                     netns=near.path) as work:
        with Tool("tcpconnect", "--netns", near.path, "--json", avoid=avoid) as json, \
                Tool("tcpconnect", "--netns", near.path, "-L", avoid=avoid) as text:
            before = near.counters()
            work.start()
            for tool in (json, text):
                wait_until(lambda t=tool: t.raw.count(b"\n") >= N - 1 + (t is text), 10,
                           "all have a result but the one that hangs")
        done = work.finish()
        grown = near.grown(before)
    assert len(done) == N and grown["TcpActiveOpens"] == N
    assert len(json.json) == N and json.summary["lost"] == 0
    assert_sorted_times(json.json)
    rows = {seen(row): row for row in json.json}
    assert rows.keys() == {told(line) for line in done}
    for line in done:
        check_row(rows[told(line)], line, near.inode)
    assert [expected(line) for line in done].count("refused") == 7
    assert text.header == ["PID", "COMM", "IP", "SADDR", "LPORT", "DADDR", "DPORT", "LAT(ms)", "RESULT"]
    shown = {(row["DADDR"], int(row["DPORT"]), int(row["LPORT"])): row for row in text.rows}
    assert shown.keys() == rows.keys() and len(text.rows) == N
    for key, row in shown.items():
        fast = ",fastopen" if "fast_open" in rows[key] else ""
        assert row["RESULT"] == rows[key]["result"] + fast and row["COMM"] == "tcpconnects"
        assert (row["SADDR"], row["IP"]) == (rows[key]["local_addr"], str(rows[key]["ip"]))


def test_at_once(impatient):
    """connect() that fails before anything is sent: no route, no free port; by three kinds of sockets."""
    near = impatient.near
    with Workload("tcp", "sink", "::", OPEN, netns=impatient.far.path), \
            Workload("tcpconnects", f"bound,{far('4')},{OPEN},2", f"bound,{far('6')},{OPEN},2", "block,203.0.113.1,1,2",
                     "nonblock,2001:db8::1,1,2", "block,::ffff:203.0.113.1,1,1", netns=near.path) as work:
        with Tool("tcpconnect", "--netns", near.path, "--json") as tool:
            done = work.run()
    assert [line["errno"] for line in done] == \
        [0, errno.EADDRNOTAVAIL] * 2 + [errno.ENETUNREACH] * 5
    sees = AT_ONCE in tool.rungs
    assert sees or "tracing without connects that fail" in tool.err
    assert len(tool.json) == (9 if sees else 4)
    results = [(row["remote_addr"], row["result"], row["errno"]) for row in tool.json]
    for addr in (far("4"), far("6")):
        assert (addr, "established", 0) in results
        assert (addr, "failed", errno.EADDRNOTAVAIL if sees else None) in results
    for addr, count in (("203.0.113.1", 3), ("2001:db8::1", 2)):
        assert results.count((addr, "unreachable", errno.ENETUNREACH)) == (count if sees else 0)
    assert sum(row.get("v4_mapped", False) for row in tool.json) == (1 if sees else 0)
    assert {row["pid"] for row in tool.json} == {work.pid}


def test_trying(impatient):
    """--trying: a connect that hangs has a row while it does, and another one with its result."""
    with Workload("tcpconnects", f"nonblock,{nobody('4')},80,2", f"hang,{nobody('6')},80,1",
                  netns=impatient.near.path) as work:
        with Tool("tcpconnect", "--netns", impatient.near.path, "--trying", 0.5, "--json") as tool, \
                Tool("tcpconnect", "--netns", impatient.near.path, "--json") as without:
            work.start()
            wait_until(lambda: tool.out.count('"timeout"') == 2 and without.out.count('"timeout"') == 2, 10, "timeouts")
        work.finish()
    assert sorted(row["result"] for row in tool.json) == ["timeout"] * 2 + ["trying"] * 3
    trying = [row for row in tool.json if row["result"] == "trying"]
    assert all(row["latency_ns"] >= 0.5e9 and row["local_port"] > 0 for row in trying)
    assert {seen(row) for row in tool.json} == {seen(row) for row in without.json}
    assert sorted(row["result"] for row in without.json) == ["timeout"] * 2 + ["trying"]


def test_columns(cgroup):
    """-t, -U and -L add BCC's columns, in BCC's order."""
    with Workload("tcpconnects", f"block,127.0.0.1,0,{N}", cgroup=cgroup) as work:
        with Tool("tcpconnect", "--cgroup", cgroup.path) as plain_tool, \
                Tool("tcpconnect", "--cgroup", cgroup.path, "-tUL") as tool:
            done = work.run()
    assert plain_tool.header == HEADERS["tcpconnect"]
    assert tool.header == ["TIME(s)", "UID", "PID", "COMM", "IP", "SADDR", "LPORT", "DADDR", "DPORT", "LAT(ms)",
                           "RESULT"]
    assert [(row["LPORT"], row["DPORT"], row["UID"]) for row in tool.rows] == \
        [(str(line["lport"]), str(line["rport"]), "0") for line in done]
    times = [float(row["TIME(s)"]) for row in tool.rows]
    assert times[0] == 0 and times == sorted(times)
    assert {(row["SADDR"], row["DADDR"], row["RESULT"]) for row in plain_tool.rows} == \
        {("127.0.0.1", "127.0.0.1", "established")}


def test_filters(cgroup, other_cgroup, place):
    """Each filter matches what it names, and nothing else."""
    with Workload("tcpconnects", f"block,127.0.0.1,0,{N}", cgroup=cgroup, comm=OWN_COMM, directory=place) as work, \
            Workload("tcpconnects", "block,::1,0,5", cgroup=other_cgroup) as other, \
            Workload("tcpconnects", "block,::1,0,3", uid=OWN_UID, directory=place) as user:
        first = ["--cgroup", cgroup.path]
        matching = [["-p", work.pid, "--tid", work.pid], ["--comm", OWN_COMM],
                    [*first, "-4", "--laddr", "127.0.0.0/8", "--raddr", "127.0.0.1", "--netns", work.pid, "-u", 0]]
        missing = [[*first, "-6"], [*first, "-P", "1,2"], ["--cgroup", other_cgroup.path, "-p", work.pid]]
        tools = [Tool("tcpconnect", *args, "--json") for args in [*matching, *missing, ["-u", OWN_UID]]]
        with contextlib.ExitStack() as stack:
            for tool in tools:
                stack.enter_context(tool)
            for each in (work, other, user):
                each.run()
    for args, tool in zip([*matching, *missing], tools):
        assert len(tool.json) == (N if args in matching else 0), args
        assert all(row["pid"] == work.pid for row in tool.json), args
    assert [(row["pid"], row["uid"], row["ip"]) for row in tools[-1].json] == [(user.pid, OWN_UID, 6)] * 3


def test_port_filters(cgroup):
    """-P and --lport, one port and several; the local port is judged when it is known, also of who was refused."""
    with Workload("tcpconnects", f"bound,127.0.0.1,0,1", f"block,127.0.0.1,1,{N}", cgroup=cgroup) as work:
        with Tool("tcpconnect", "--cgroup", cgroup.path, "-P", "1,2", "--json") as refused, \
                Tool("tcpconnect", "--cgroup", cgroup.path, "--lport", "4999,1", "--json") as bound:
            done = work.run()
    assert [row["result"] for row in refused.json] == ["refused"] * N
    assert [seen(row) for row in bound.json] == [told(done[0])]


def test_counts(cgroup):
    """-c: a row for each process and pair of addresses, whatever the local port; with the results."""
    with Workload("tcpconnects", f"block,127.0.0.1,0,{N}", "block,127.0.0.1,1,7", "block,::1,0,3", cgroup=cgroup) as work, \
            Workload("tcpconnects", "block,127.0.0.1,1,2", cgroup=cgroup) as other:
        with Tool("tcpconnect", "--cgroup", cgroup.path, "-c") as text, \
                Tool("tcpconnect", "--cgroup", cgroup.path, "-c", "--json") as json:
            port = work.run()[0]["rport"]
            other.run()
    want = [("127.0.0.1", port, work.pid, N, {"established": N}), ("127.0.0.1", 1, work.pid, 7, {"refused": 7}),
            ("::1", port, work.pid, 3, {"established": 3}), ("127.0.0.1", 1, other.pid, 2, {"refused": 2})]
    assert [(row["remote_addr"], row["remote_port"], row["pid"], row["connects"], row["results"])
            for row in json.json] == want
    assert json.summary["events"] == N + 12 and all("local_port" not in row for row in json.json)
    assert text.header == ["LADDR", "RADDR", "RPORT", "CONNECTS", "PID", "COMM", "RESULTS"]
    assert [(row["RADDR"], int(row["RPORT"]), int(row["PID"]), int(row["CONNECTS"])) for row in text.rows] == \
        [line[:4] for line in want]
    assert text.rows[1]["RESULTS"] == "refused:7"


# How an answer is received, and the name that was asked for.
ASKED = {"recv": r"a\027]0;x.example.org", "read": "read.example.org", "recvmsg": "recvmsg.example.org",
         "unconnected": "unconnected.example.org"}


def test_names():
    """-d: the name that the process itself has asked for, by way of a CNAME; nothing that it was not told, and nothing
    that another one was."""
    done = []
    with Tool("tcpconnect", "-d", "--comm", "dnsask", "--json") as json, \
            Tool("tcpconnect", "-d", "--comm", "dnsask") as text:
        for how, name in ASKED.items():
            with Workload("dnsask", how, name) as work:
                done += zip(work.run(), [name, name, None, None])
    sees = {"DNS answers", "names_received"} & json.rungs.keys()
    assert sees or "tracing without names" in json.err
    assert [(row["pid"], row["remote_addr"]) for row in json.json] == [(line["pid"], line["addr"]) for line, _ in done]
    want = [name if sees else None for _, name in done]
    assert [row["query"] for row in json.json] == want
    assert all(row["query_age_ns"] > 0 for row in json.json if row["query"])
    assert text.header == [*HEADERS["tcpconnect"], "QUERY"] and not CONTROL.search(text.out)
    assert [row["QUERY"].split(" (")[0] for row in text.rows] == [query or "?" for query in want]


def test_mptcp(network):
    """A connection by MPTCP is said to be one, and so are the paths that the kernel adds to it: they are the
    process's."""
    for side in (network.near, network.far):
        enabled = side.run("sh", "-c", "cd /proc/sys/net; [ ! -e mptcp ] || { echo 1 > mptcp/enabled; echo 1; }")
        need(enabled or (VM or "").startswith("5.10"), "this kernel has no MPTCP")
        if not enabled:
            pytest.skip("vm-ok: this kernel has no MPTCP")
        side.run("ip", "mptcp", "limits", "set", "subflow", 2)
    network.near.run("ip", "addr", "add", "10.77.0.3/24", "dev", "near")
    network.near.run("ip", "mptcp", "endpoint", "add", "10.77.0.3", "dev", "near", "subflow")
    with Workload("tcp", "sink", "::", 7013, 0, "mptcp", netns=network.far.path):
        with Tool("tcpconnect", "--netns", network.near.path, "--json") as tool, \
                Tool("tcpconnect", "--netns", network.near.path, "--comm", "tcp", "--json") as named:
            with Workload("tcp", "send", FAR["4"], 7013, 3_000_000, "mptcp", netns=network.near.path) as work:
                work.start()
                wait_until(lambda: "10.77.0.3" in tool.out and "10.77.0.3" in named.out, 10, "no second path")
                work.finish()
    for each in (tool, named):
        assert [(row["pid"], row["comm"], row["result"], row.get("mptcp")) for row in each.json] == \
            [(work.pid, "tcp", "established", True)] * 2
        assert {row["local_addr"] for row in each.json} == {NEAR["4"], "10.77.0.3"}


def test_storm(network):
    """Ten thousand connects: what was shown and what was lost are what the kernel has counted."""
    total = 2000 if VM else 10000
    with Workload("tcpconnects", f"block,{NEAR['4']},1,{total}", netns=network.near.path) as work:
        network.near.run("ip", "link", "set", "lo", "up")
        with Tool("tcpconnect", "--netns", network.near.path, "--json") as tool:
            before = network.near.counters()
            work.run()
            grown = network.near.grown(before)
    assert grown["TcpActiveOpens"] == total
    assert total - tool.summary["missed_runs"] <= len(tool.json) + tool.summary["lost"] <= total
    assert {row["result"] for row in tool.json} <= {"refused", None}
    assert sum(row["result"] is None for row in tool.json) <= total // 20      # results that the kernel kept from us


def test_hostile_names(cgroup):
    """No control byte reaches the terminal, a row is a line."""
    with Workload("tcpconnects", "name=\x1b]0;x\x07\n", f"block,127.0.0.1,0,{N}", cgroup=cgroup) as work:
        with Tool("tcpconnect", "--cgroup", cgroup.path) as tool:
            work.run()
    assert not CONTROL.search(tool.out), repr(tool.out)
    assert len(tool.rows) == N and all("]0;x" in row["COMM"] for row in tool.rows)


@pytest.mark.any_kernel
@pytest.mark.parametrize("args, named", [(["--interval", "1"], "--interval"), (["-d", "-c"], "-d"),
                                         (["--trying", "1", "-c"], "--trying")])
def test_combinations(args, named):
    """What does not go together is a mistake, and said so."""
    done = run_tool("tcpconnect", *args)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert named in one_line(done.stderr)
