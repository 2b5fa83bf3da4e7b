# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""How tests/check has pytest report: a line for each file of tests as it goes, and for tests/check's last words two files in
the directory that BORESCOPE_SUMMARY names: `sums`, a line "N passed, N failed, N skipped" for each run, and `skips`."""

import time
from pathlib import Path

# Which of pytest's outcomes are counted as which of ours.
KINDS = {"passed": ("passed", "xpassed"), "failed": ("failed", "error"), "skipped": ("skipped", "xfailed")}
WIDTH = 40
LONG = 90       # of the parameters of tests that were skipped for one reason


class Progress:
    """A plugin of pytest."""

    def __init__(self, directory):
        self.terminal = None
        self.directory = Path(directory)
        self.file = None
        self.began = 0.0
        self.before = {}

    def pytest_sessionstart(self, session):
        self.terminal = session.config.pluginmanager.getplugin("terminalreporter")

    def counts(self):
        return {kind: sum(len(self.terminal.stats.get(outcome, ())) for outcome in outcomes)
                for kind, outcomes in KINDS.items()}

    def pytest_runtest_logstart(self, nodeid):
        file = nodeid.partition("::")[0]
        if file != self.file:
            self.end_of_file()
            self.file, self.began, self.before = file, time.monotonic(), self.counts()
            self.terminal.write(f"{file:{WIDTH}} ", flush=True)

    def end_of_file(self):
        if self.file:
            counts = {kind: n - self.before[kind] for kind, n in self.counts().items()}
            self.terminal.write(f"{said(counts)}, {time.monotonic() - self.began:.0f} s\n", flush=True)
        self.file = None

    def pytest_report_teststatus(self, report):
        """No letter for a test; the word is for the summary."""
        if hasattr(report, "wasxfail"):
            return None
        if report.when != "call" and report.passed:
            return "", "", ""
        outcome = "error" if report.failed and report.when != "call" else report.outcome
        return outcome, "", outcome.upper()

    def pytest_sessionfinish(self):
        self.end_of_file()

    def pytest_terminal_summary(self):
        with open(self.directory / "sums", "a", encoding="utf-8") as file:
            file.write(f"{said(self.counts())}\n")
        with open(self.directory / "skips", "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in skipped(self.terminal.stats.get("skipped", ())))


def said(counts):
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def skipped(reports):
    """Lines: each test that was skipped, and below it the reasons, each with how often and with which parameters."""
    tests = {}
    for report in reports:
        test, _, parameters = report.nodeid.partition("[")
        reason = report.longrepr[2].removeprefix("Skipped: ")
        tests.setdefault(test, {}).setdefault(reason, []).append(parameters[:-1])
    for test, reasons in tests.items():
        yield test
        for reason, parameters in reasons.items():
            listed = " ".join(filter(None, parameters))
            if len(listed) > LONG:
                listed = listed[:LONG] + "..."
            yield f"{len(parameters):6} {reason}" + (f"  [{listed}]" if listed else "")
