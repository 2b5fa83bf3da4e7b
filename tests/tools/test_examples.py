# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every command line in EXAMPLES of every page does what the page says: it runs, and what it prints has the shape of what
the page shows below it."""

import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from example_runs import World
from examples import Mismatch, all_examples, compare, examples
from harness import FAILED, OK, VM
from manpage import PAGES

EXAMPLES = {example.name: example for example in all_examples()}
ENDS = (OK, -signal.SIGPIPE)    # a reader such as head goes when it has enough
DOCTOR = (0, 1, 2)              # what works here is no question of the page
# What the hardened kernel of a machine may refuse: then it is tried in a VM.
OF_KERNEL_FUNCTIONS = re.compile(r"\b(kprobe|kretprobe|fentry|fexit|latency:\w+ )")
AT_A_TIME = 1 if VM else 4
PATIENCE = (1, 4, 16)           # how much longer one looks when what the page shows was not seen at first


class Tries:
    """The examples that were chosen, tried ahead, some at a time."""

    def __init__(self, world, chosen):
        self.world = world
        self.pool = ThreadPoolExecutor(AT_A_TIME)
        self.under_way = {name: self.pool.submit(world.run, EXAMPLES[name]) for name in chosen
                          if not world.missing(EXAMPLES[name])}

    def run(self, example):
        """What came of it. A second time it is tried anew."""
        ahead = self.under_way.pop(example.name, None)
        return ahead.result() if ahead else self.world.run(example)

    def end(self):
        self.pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def tries(request):
    ours = [item for item in request.session.items if item.module is request.module and hasattr(item, "callspec")]
    chosen = {item.callspec.params.get("name") for item in ours}
    with World() as world:
        made = Tries(world, [name for name in EXAMPLES if name in chosen])
        yield made
        made.end()


def check_status(example, run):
    """The line and each tool in it has ended well."""
    assert run.tools, f"no tool ran: {run.err}"
    for record in run.tools:
        tool, *args = record["argv"]
        allowed = DOCTOR if tool.endswith("/borescope") and "doctor" in args else ENDS
        assert record["status"] in allowed, f"{record['argv']} ended with {record['status']}: {run.err[-1500:]}"
    if len(run.tools) == 1 and "|" in example.line or run.tools[0]["status"] == OK:
        assert run.status == OK, f"the line ended with {run.status}: {run.err[-1500:]}"
    strange = [line for line in run.err.splitlines() if re.match(r"(sh|jq|awk|cut|grep|column|head|tail|sort): ", line)]
    assert not strange


def printed_fault(example, run):
    """What is wrong with the output of an example for which the page shows none, or None."""
    for name in re.findall(r"(?:> |--svg )(\S+\.\w+)", example.line):
        if not run.files.get(name):
            return f"{name} is empty, or not there"
    if "|" in example.line or ">" in example.line or "--svg" in example.line:
        return None
    if not run.out:
        return "nothing is printed"
    if re.search(r" (-\w*j|--json)", example.line) and json.loads(run.out[-1])["type"] != "summary":
        return "the summary is not the last object"
    return None


def fault(example, run):
    """What is wrong with what a line printed, or None."""
    if not example.sample:
        return printed_fault(example, run)
    try:
        compare(example, run.out, run.err)
    except Mismatch as error:
        return str(error)
    return None


def is_for_a_vm(params):
    """What is tried on one kernel of the VMs' besides: what others may refuse."""
    return VM == "6.12" and bool(OF_KERNEL_FUNCTIONS.search(EXAMPLES[params["name"]].line))


@pytest.mark.any_kernel(besides=is_for_a_vm)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(tries, name):
    """It runs, ends well, and prints what the page shows."""
    example = EXAMPLES[name]
    if missing := tries.world.missing(example):
        pytest.skip(f"vm-ok: no {missing} here")
    for patient in PATIENCE:
        run = tries.run(example) if patient == 1 else tries.world.run(example, patient)
        if not VM and OF_KERNEL_FUNCTIONS.search(example.line) and run.tools and run.tools[0]["status"] == FAILED:
            pytest.skip(next(line for line in run.err.splitlines() if "ERROR" in line))
        check_status(example, run)
        if not (wrong := fault(example, run)):
            return
    printed = "\n".join(run.out[:60])
    pytest.fail(f"{wrong}\n\n{run.tools[0]['argv']} printed\n{printed}\n{run.err[-1500:]}", pytrace=False)


# --- the test of the test ---


OPENS = """# opensnoop \\-p 1234
PID     COMM               FD ERR PATH
164     shopd              \\-1   2 /etc/shop.conf
"""
OBJECT = """# opensnoop \\-j \\-p 1234 | head \\-n 1
{"time":"2026","pid":1,"tid":1,"uid":0,"comm":"sh","fd":3,"errno":0,"flags":5,
"mode":4,"flags_text":"O_RDONLY","path":"/tmp/one"}
"""


def example_of(place, block):
    """The example of a page that has this block alone."""
    page = place / "page.8"
    page.write_text(f".TH PAGE 8\n.SH EXAMPLES\n.EX\n{block}.EE\n", encoding="utf-8")
    return examples(page)[0]


@pytest.mark.any_kernel
@pytest.mark.parametrize("block, wrong", [
    (OPENS, None),
    (OBJECT, None),
    (OPENS.replace("PATH", "FILE"), "no such header"),
    (OPENS.replace("FD ERR", "FD  ERR"), "no such header"),
    (OPENS.replace("  2 ", "2.5 "), "ERR is"),
    (OPENS.replace("PID ", "PID  COMM  FD\n1 sh 3\nPID "), "no such header"),
    (OPENS.replace("PID ", "3 opens in all\nPID "), "no such line"),
    (OBJECT.replace('"fd"', '"no_fd"'), "the keys of"),
    (OBJECT.replace('"fd":3', '"fd":"3"'), "not like"),
    (OBJECT.replace('"mode":4,', ""), "the keys of"),
])
def test_wrong_page(tries, place, block, wrong):
    """What a page shows, and is not printed, is found."""
    example = example_of(place, block)
    run = tries.world.run(example, PATIENCE[1])
    check_status(example, run)
    found = fault(example, run)
    assert wrong in found if wrong else not found


@pytest.mark.any_kernel
@pytest.mark.parametrize("line", ["opensnoop \\-\\-no\\-such\\-option", "opensnoop \\-p shopd \\-x 5", "opensnoop \\-j | jq nonsense"])
def test_wrong_line(tries, place, line):
    """A line that does not run is found."""
    example = example_of(place, f"# {line}\n")
    with pytest.raises(AssertionError):
        check_status(example, tries.world.run(example))


@pytest.mark.any_kernel
@pytest.mark.unprivileged
def test_every_page_has_examples():
    """From three on, and the output of some; a new page's are found by themselves."""
    for page in {example.page for example in EXAMPLES.values()} | {path.name for path in PAGES}:
        ours = [example for example in EXAMPLES.values() if example.page == page]
        assert len(ours) > 2 and any(example.sample for example in ours), page
